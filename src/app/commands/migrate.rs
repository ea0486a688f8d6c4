//! `migrate`

use crate::app::open::open_store;
use crate::app::output::note;
use crate::config::Config;
use crate::store::SchemaState;

/// Brings the database to this program's schema.
///
/// # Errors
/// When it cannot be opened, is newer, or a migration fails.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    let store = open_store(config).await?;
    let before = store.schema().await?;
    store.migrate().await?;
    note(match before {
        SchemaState::Older(steps) => format!("applied {} migrations", steps.len()),
        _ => "nothing to do: the schema is current".to_owned(),
    });
    Ok(())
}
