//! Everything that a database holds, as text to be looked through.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// For each table an expression that writes a row of it; bytes as they read, not as numbers.
const TABLES: &str = "select table_name::text, string_agg(case when data_type = 'bytea' \
    then format('coalesce(encode(%I, ''escape''), '''')', column_name) \
    else format('coalesce(%I::text, '''')', column_name) end, ' || chr(10) || ') \
    from information_schema.columns where table_schema = 'public' group by table_name";

/// What the database at this address holds, by file or table.
pub async fn everything(url: &str) -> Vec<(String, String)> {
    match url.strip_prefix("sqlite:") {
        Some(file) => files(file),
        None => tables(url).await,
    }
}

/// The files, with what was deleted and not overwritten yet.
fn files(file: &str) -> Vec<(String, String)> {
    let read = |file: String| {
        let bytes = std::fs::read(&file).unwrap_or_default();
        (file, String::from_utf8_lossy(&bytes).into_owned())
    };
    [file.to_owned(), format!("{file}-wal")].map(read).into()
}

/// Each row of each table.
async fn tables(url: &str) -> Vec<(String, String)> {
    let mut database = PgConnection::connect(url).await.unwrap();
    let tables = sqlx::query(TABLES).fetch_all(&mut database).await.unwrap();
    assert!(tables.len() > 20, "there are tables");
    let mut said = Vec::new();
    for table in tables {
        let (name, row): (String, String) = (table.get(0), table.get(1));
        let rows = format!("select coalesce(string_agg({row}, chr(10)), '') from \"{name}\"");
        let rows = sqlx::query(AssertSqlSafe(rows)).fetch_one(&mut database);
        let rows: String = rows.await.unwrap().get(0);
        said.push((format!("table {name}"), rows));
    }
    assert!(said.iter().any(|(_, rows)| rows.len() > 1000));
    said
}
