//! `$batch` and the metadata that clients ask for before their first call.

use reqwest::Method;

use super::client::{Got, Stand, got};

/// Sends a batch whose lines may end in either way.
async fn batch(stand: &Stand, prefer: &str, text: &str) -> Got {
    let url = format!("{}/api/data/v9.2/$batch", stand.running.base_url());
    let request = stand
        .http
        .request(Method::POST, url)
        .bearer_auth(&stand.crm_token)
        .header("content-type", "multipart/mixed; boundary=\"batch_1\"")
        .header("prefer", prefer)
        .body(text.replace('\n', "\r\n"));
    got(request).await
}

async fn names(stand: &Stand, filter: &str) -> Vec<String> {
    let path = format!("accounts?$select=name&$orderby=name&$filter={filter}");
    let found = stand.crm(&path, &[]).await.json();
    let rows = found["value"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Account, contact bound to it, contact made primary; then a read.
const BOUND: &str = r#"--batch_1
Content-Type: multipart/mixed; boundary=set_1

--set_1
Content-Type: application/http
Content-ID: 1

POST /api/data/v9.2/accounts HTTP/1.1
Content-Type: application/json

{"name":"Batched"}
--set_1
Content-Type: application/http
Content-ID: 2

POST contacts HTTP/1.1
Content-Type: application/json

{"lastname":"Bound","parentcustomerid_account@odata.bind":"$1"}
--set_1
Content-Type: application/http
Content-ID: 3

PUT $1/primarycontactid/$ref HTTP/1.1
Content-Type: application/json

{"@odata.id":"$2"}
--set_1--
--batch_1
Content-Type: application/http

GET ORIGIN/api/data/v9.2/accounts?$top=1&$select=name HTTP/1.1


--batch_1--
"#;

#[tokio::test]
async fn a_change_set_binds_its_rows_by_content_id_and_reads_follow_it() {
    let stand = Stand::new().await;
    let text = BOUND.replace("ORIGIN", &stand.running.base_url());
    let answer = batch(&stand, "", &text).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kind = answer.header("content-type").unwrap();
    assert!(
        kind.starts_with("multipart/mixed; boundary=batchresponse_"),
        "{kind}"
    );
    assert_eq!(answer.text.matches("HTTP/1.1 204 No Content").count(), 3);
    assert_eq!(answer.text.matches("HTTP/1.1 200 OK").count(), 1);
    for id in 1..=3 {
        assert!(answer.text.contains(&format!("Content-ID: {id}\r\n")));
    }
    assert!(
        answer.text.contains("OData-EntityId: ")
            && answer
                .text
                .contains("Content-Type: application/json; odata.metadata=minimal"),
        "{}",
        answer.text
    );
    let path = "accounts?$filter=name eq 'Batched'&$expand=primarycontactid($select=lastname)";
    let made = stand.crm(path, &[]).await.json();
    assert_eq!(made["value"][0]["primarycontactid"]["lastname"], "Bound");
}

/// A change set of which the second request fails, and one request behind it.
const FAILING: &str = r#"--batch_1
Content-Type: multipart/mixed; boundary=set_1

--set_1
Content-Type: application/http
Content-ID: 1

POST /api/data/v9.2/accounts HTTP/1.1

{"name":"Never"}
--set_1
Content-Type: application/http
Content-ID: 2

POST /api/data/v9.2/accounts HTTP/1.1

{"name":5}
--set_1--
--batch_1
Content-Type: application/http

POST /api/data/v9.2/accounts HTTP/1.1

{"name":"After"}
--batch_1--
"#;

#[tokio::test]
async fn a_change_set_that_fails_leaves_nothing_and_ends_the_batch() {
    let stand = Stand::new().await;
    let either = "name eq 'Never' or name eq 'After'";
    let stopped = batch(&stand, "", FAILING).await;
    assert_eq!(stopped.status, 400);
    assert!(stopped.text.contains("0x80048d19") && stopped.text.contains("Content-ID: 2"));
    assert!(names(&stand, either).await.is_empty());

    let went_on = batch(&stand, "odata.continue-on-error", FAILING).await;
    assert_eq!(went_on.status, 200);
    assert_eq!(names(&stand, either).await, ["After"]);
}

/// A change set that refers to a request it does not have.
const UNKNOWN: &str = r#"--batch_1
Content-Type: multipart/mixed; boundary=set_1

--set_1
Content-Type: application/http

POST /api/data/v9.2/contacts HTTP/1.1

{"lastname":"x","parentcustomerid_account@odata.bind":"$7"}
--set_1--
--batch_1--
"#;

#[tokio::test]
async fn a_batch_that_cannot_be_read_is_refused() {
    let stand = Stand::new().await;
    let head = "--batch_1\nContent-Type: application/http\n\n";
    let post = "POST /api/data/v9.2/accounts HTTP/1.1\n\n{\"name\":\"X-1\"}\n";
    for text in [
        format!("{head}{post}"),
        format!("{head}nonsense\n--batch_1--"),
        format!("{head}POST /api/data/v9.2/$batch HTTP/1.1\n\n--batch_1--"),
    ] {
        let refused = batch(&stand, "", &text).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "0x80048d19"),
            "{text}"
        );
    }
    let unknown = batch(&stand, "", UNKNOWN).await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown
            .text
            .contains("Content-ID Reference: '$7' does not exist"),
        "{}",
        unknown.text
    );
    assert!(names(&stand, "name eq 'X-1'").await.is_empty());
}

#[tokio::test]
async fn tables_columns_and_choices_are_described() {
    let stand = Stand::new().await;
    let read = async |path: &str| stand.crm(path, &[]).await.json();
    let path =
        "EntityDefinitions?$select=LogicalName,EntitySetName&$filter=LogicalName eq 'account'";
    let found = read(path).await;
    let tables = found["value"].as_array().unwrap();
    assert_eq!(
        (tables.len(), tables[0]["EntitySetName"].as_str()),
        (1, Some("accounts"))
    );
    assert!(tables[0].get("SchemaName").is_none());

    let id = tables[0]["MetadataId"].as_str().unwrap();
    let columns = read(&format!(
        "EntityDefinitions({id})/Attributes?$select=LogicalName"
    ))
    .await;
    let columns = columns["value"].as_array().unwrap();
    assert!(
        columns
            .iter()
            .any(|column| column["LogicalName"] == "websiteurl")
    );

    let path = "EntityDefinitions(LogicalName='account')/Attributes/\
        Microsoft.Dynamics.CRM.PicklistAttributeMetadata\
        ?$select=LogicalName&$expand=OptionSet($select=Options)";
    let choices = read(path).await;
    let label = choices.pointer("/value/0/OptionSet/Options/2/Label/LocalizedLabels/0/Label");
    assert_eq!(label.unwrap(), "Customer");
    let one = "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='lastname')";
    assert_eq!(read(one).await["MaxLength"], 50);
    assert_eq!(
        stand
            .crm("EntityDefinitions(LogicalName='unicorn')", &[])
            .await
            .status,
        404
    );
}
