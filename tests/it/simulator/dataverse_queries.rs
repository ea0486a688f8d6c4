//! What a filter, an expansion and a statement may say, as the guides for developers of Dataverse have it.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Stand;

/// A stand with five accounts of known columns; the first has a primary contact and another one.
async fn stand() -> Stand {
    let stand = Stand::new().await;
    for number in 0..5 {
        let body = json!({
            "name": format!("Zed {number}"),
            "accountnumber": format!("{number}"),
            "numberofemployees": number * 10,
            "revenue": 1234.5,
        });
        write(&stand, Method::POST, "accounts", body).await;
    }
    for first in ["Ada", "Bea"] {
        let body = json!({
            "firstname": first, "lastname": "Zed",
            "parentcustomerid_account@odata.bind": "accounts(accountnumber='0')",
        });
        write(&stand, Method::POST, "contacts", body).await;
    }
    let ada = names(
        &stand,
        "contacts",
        "fullname",
        "fullname eq 'Ada Zed'",
        "contactid",
    )
    .await;
    let bind = format!("/contacts({})", ada[0]);
    let body = json!({ "primarycontactid@odata.bind": bind });
    write(&stand, Method::PATCH, "accounts(accountnumber='0')", body).await;
    stand
}

async fn write(stand: &Stand, method: Method, path: &str, body: Value) {
    let answer = stand
        .crm_send(method, path, &[], Some(body.to_string()))
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

async fn names(stand: &Stand, set: &str, order: &str, filter: &str, of: &str) -> Vec<String> {
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let page = stand
        .crm(&format!("{set}?$filter={filter}&$orderby={order}"), &[])
        .await;
    let page = page.json();
    let rows = page["value"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter()
        .map(|row| row[of].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_filter_reaches_over_lookups_and_asks_rows_that_belong() {
    let stand = stand().await;
    let only_first = ["Zed 0"];
    for filter in [
        "primarycontactid/firstname eq 'ADA'",
        "primarycontactid/parentcustomerid_account/name eq 'Zed 0'",
        "contact_customer_accounts/any(c:c/firstname eq 'Bea' and c/lastname eq 'Zed')",
        "contact_customer_accounts/any(c:c/firstname eq 'Bea') and startswith(name,'Zed')",
        "contact_customer_accounts/any() and startswith(name,'Zed')",
        "startswith(name,'Zed') and not contact_customer_accounts/all(o:o/firstname eq 'Ada')",
    ] {
        assert_eq!(
            names(&stand, "accounts", "name", filter, "name").await,
            only_first,
            "{filter}"
        );
    }
    let alike = names(
        &stand,
        "contacts",
        "fullname",
        "firstname eq lastname",
        "fullname",
    )
    .await;
    assert!(alike.is_empty());
}

#[tokio::test]
async fn dataverses_own_functions_select_what_they_say() {
    let stand = stand().await;
    let zed = "startswith(name,'Zed') and Microsoft.Dynamics.CRM.";
    for (function, expected) in [
        (
            "In(PropertyName='accountnumber',PropertyValues=[\"1\",\"3\"])",
            vec!["Zed 1", "Zed 3"],
        ),
        (
            "NotIn(PropertyName='accountnumber',PropertyValues=['0','1','2'])",
            vec!["Zed 3", "Zed 4"],
        ),
        (
            "Between(PropertyName='numberofemployees',PropertyValues=[\"10\",\"20\"])",
            vec!["Zed 1", "Zed 2"],
        ),
        (
            "NotBetween(PropertyName='numberofemployees',PropertyValues=[\"10\",\"40\"])",
            vec!["Zed 0"],
        ),
        (
            "OnOrBefore(PropertyName='createdon',PropertyValue='2001-01-01')",
            vec![],
        ),
    ] {
        let filter = format!("{zed}{function}");
        assert_eq!(
            names(&stand, "accounts", "name", &filter, "name").await,
            expected,
            "{filter}"
        );
    }
    let path = "accounts?$select=name&$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)\
        &@p1='name'&@p2=[\"Zed 4\",\"O'Brian\"]";
    let found = stand.crm(path, &[]).await.json();
    assert_eq!(found["value"][0]["name"], "Zed 4");
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_value_must_be_of_its_columns_type() {
    let stand = Stand::new().await;
    let type_of = async |filter: &str| stand.crm(&format!("accounts?$filter={filter}"), &[]).await;
    for filter in [
        "name eq 5",
        "numberofemployees eq 'many'",
        "statecode eq 'Active'",
        "accountid eq 'x'",
    ] {
        let refused = type_of(filter).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "0x80060888"),
            "{filter}"
        );
        assert!(
            refused.text.contains("incompatible types"),
            "{}",
            refused.text
        );
    }
    for filter in [
        "accountid eq '00000000-0000-0000-0000-000000000001'",
        "createdon gt 2020-01-01",
        "createdon le 2020-01-01T00:00:00.000Z",
        "_parentaccountid_value ne null",
    ] {
        assert_eq!(type_of(filter).await.status, 200, "{filter}");
    }
}

#[tokio::test]
async fn expanded_rows_come_with_the_address_of_all_of_them() {
    let stand = stand().await;
    let path = "accounts(accountnumber='0')?$select=name&$expand=\
        primarycontactid($select=fullname;$expand=parentcustomerid_account($select=name)),\
        contact_customer_accounts($select=fullname;$filter=lastname ne 'A %26 Ö';$orderby=fullname desc;$top=1)";
    let row = stand.crm(path, &[]).await.json();
    let context = row["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with(
            "#accounts(name,primarycontactid(fullname,parentcustomerid_account(name)),contact_customer_accounts(fullname))/$entity"
        ),
        "{context}"
    );
    assert_eq!(
        row["primarycontactid"]["parentcustomerid_account"]["name"],
        "Zed 0"
    );
    let contacts = row["contact_customer_accounts"].as_array().unwrap();
    assert_eq!(
        (contacts.len(), &contacts[0]["fullname"]),
        (1, &json!("Bea Zed"))
    );
    let link = row["contact_customer_accounts@odata.nextLink"]
        .as_str()
        .unwrap();
    assert!(link.is_ascii() && !link.contains(' '), "{link}");
    let again = stand.crm(link, &[]).await.json();
    assert_eq!(again["value"].as_array().unwrap(), contacts);

    let path = "accounts(accountnumber='0')?$select=name&$expand=primarycontactid/$ref";
    let reference = stand.crm(path, &[]).await.json();
    let address = reference["primarycontactid"]["@odata.id"].as_str().unwrap();
    assert_eq!(stand.crm(address, &[]).await.json()["fullname"], "Ada Zed");
}

#[tokio::test]
async fn expansions_that_dataverse_does_not_take_are_refused() {
    let stand = Stand::new().await;
    for expand in [
        "primarycontactid($top=1)",
        "primarycontactid($orderby=fullname)",
        "contact_customer_accounts($top=1;$expand=masterid)",
        "contact_customer_accounts($count=true)",
        "contact_customer_accounts/$ref",
    ] {
        let refused = stand.crm(&format!("accounts?$expand={expand}"), &[]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "0x80060888"),
            "{expand}"
        );
    }
}

#[tokio::test]
async fn a_statement_reads_one_table() {
    let stand = stand().await;
    let read = async |statement: &str| {
        let encoded: String = url::form_urlencoded::byte_serialize(statement.as_bytes()).collect();
        stand.crm(&format!("accounts?sql={encoded}"), &[]).await
    };
    for (statement, expected) in [
        (
            "SELECT TOP 2 name FROM account WHERE name LIKE 'Zed%' ORDER BY name DESC",
            vec!["Zed 4", "Zed 3"],
        ),
        (
            "select a.name from account as a where a.numberofemployees>=10 and a.accountnumber in ('1','2') order by a.name",
            vec!["Zed 1", "Zed 2"],
        ),
        (
            "SELECT name FROM account WHERE name LIKE '%ed 0' OR name='Zed 1' ORDER BY name",
            vec!["Zed 0", "Zed 1"],
        ),
        (
            "SELECT name FROM account WHERE name LIKE 'Zed%' AND primarycontactid IS NOT NULL",
            vec!["Zed 0"],
        ),
        (
            "SELECT name FROM account WHERE name LIKE 'Zed%' AND accountnumber NOT IN ('0','1','2') AND name <> 'Zed 3'",
            vec!["Zed 4"],
        ),
    ] {
        let rows = read(statement).await.json();
        let rows: Vec<&str> = rows["value"]
            .as_array()
            .unwrap_or_else(|| panic!("{rows}"))
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(rows, expected, "{statement}");
    }
    let counted = read("SELECT COUNT(*) AS total FROM account WHERE name LIKE 'Zed%'")
        .await
        .json();
    assert_eq!(counted["value"], json!([{ "total": 5 }]));
    for statement in [
        "DELETE FROM account",
        "SELECT colour FROM account",
        "SELECT name FROM account a INNER JOIN contact c ON 1=1",
    ] {
        assert_eq!(read(statement).await.status, 400, "{statement}");
    }
}
