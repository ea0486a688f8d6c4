//! Reading accounts and contacts as Dataverse lets one read them: queries, paging, change tracking, entity tags.

use std::time::Duration;

use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::simulator::{Change, NewAccount, NewContact};
use serde_json::Value;

use super::client::Stand;

fn values(page: &Value) -> Vec<Value> {
    page["value"].as_array().unwrap().clone()
}

fn link<'p>(page: &'p Value, name: &str) -> &'p str {
    page[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {page}"))
}

async fn all(stand: &Stand, path: &str) -> Vec<Value> {
    values(&stand.crm(path, &[]).await.json())
}

fn account_of(row: &Value) -> AccountId {
    row["accountid"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_table_is_read_page_by_page_over_opaque_links() {
    let stand = Stand::new().await;
    let prefer = [("prefer", "odata.maxpagesize=30")];
    let whole = all(&stand, "accounts?$select=name").await;
    let mut read = Vec::new();
    let mut next = Some("accounts?$select=name".to_owned());
    while let Some(path) = next {
        let page = stand.crm(&path, &prefer).await.json();
        read.extend(values(&page));
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert!(whole.len() > 60);
    assert_eq!(read, whole);
}

#[tokio::test]
async fn a_next_link_that_was_decoded_on_its_way_is_refused() {
    let stand = Stand::new().await;
    let page = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.maxpagesize=5")],
        )
        .await
        .json();
    let next = link(&page, "@odata.nextLink");
    assert!(next.contains("%253c") || next.contains("%253C"), "{next}");
    let broken = next.replace("%25", "%");
    assert_eq!(stand.crm(&broken, &[]).await.status, 400);
    assert_eq!(stand.crm(next, &[]).await.status, 200);
}

#[tokio::test]
async fn filters_select_what_they_say() {
    let stand = Stand::new().await;
    let rows = all(
        &stand,
        "accounts?$select=name,websiteurl,statecode,_masterid_value",
    )
    .await;
    let count = |test: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| test(row)).count();
    let name = rows
        .iter()
        .find_map(|row| row["name"].as_str().filter(|name| name.is_ascii()))
        .unwrap();
    let quoted = name
        .replace('\'', "''")
        .replace('&', "%26")
        .replace('+', "%2B");
    for (filter, expected) in [
        (
            "statecode eq 0".to_owned(),
            count(&|row| row["statecode"] == 0),
        ),
        (
            "statecode ne 0".to_owned(),
            count(&|row| row["statecode"] != 0),
        ),
        (
            "websiteurl eq null".to_owned(),
            count(&|row| row["websiteurl"].is_null()),
        ),
        (
            "not (websiteurl ne null)".to_owned(),
            count(&|row| row["websiteurl"].is_null()),
        ),
        (
            "startswith(websiteurl,'HTTPS') or _masterid_value ne null".to_owned(),
            count(&|row| {
                row["websiteurl"]
                    .as_str()
                    .is_some_and(|url| url.starts_with("https"))
                    || !row["_masterid_value"].is_null()
            }),
        ),
        (
            "contains(websiteurl,'.de')+and+statecode+eq+0".to_owned(),
            count(&|row| {
                row["statecode"] == 0
                    && row["websiteurl"]
                        .as_str()
                        .is_some_and(|url| url.contains(".de"))
            }),
        ),
        (
            format!("name eq '{}'", quoted.to_uppercase()),
            count(&|row| row["name"].as_str().unwrap().to_lowercase() == name.to_lowercase()),
        ),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=['1','7'])"
                .to_owned(),
            count(&|row| row["statecode"] == 1),
        ),
    ] {
        let found = all(&stand, &format!("accounts?$select=name&$filter={filter}")).await;
        assert_eq!(found.len(), expected, "{filter}");
        assert!(expected > 0, "{filter} tests nothing");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_a_code() {
    let stand = Stand::new().await;
    for path in [
        "accounts?$filter=colour eq 'red'",
        "accounts?$select=primarycontactid",
        "accounts?$filter=name eq 'open",
        "accounts?$filter=(name eq 'a'",
        "accounts?$filter=name like 'a'",
        "accounts?$orderby=name sideways",
        "accounts?$skip=5",
        "accounts?$apply=aggregate($count as total)",
        "accounts?$top=many",
        "accounts?$expand=nobody",
    ] {
        let refused = stand.crm(path, &[]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "0x80060888"),
            "{path}"
        );
    }
    assert_eq!(stand.crm("unicorns", &[]).await.status, 404);
    let absent = stand
        .crm("accounts(00000000-0000-0000-0000-00000000dead)", &[])
        .await;
    assert_eq!(
        (absent.status.as_u16(), absent.code().as_str()),
        (404, "0x80040217")
    );
    let absent = stand.crm("accounts(accountnumber='none')", &[]).await;
    assert_eq!(
        (absent.status.as_u16(), absent.code().as_str()),
        (404, "0x80060891")
    );
}

#[tokio::test]
async fn order_top_and_count_work_together() {
    let stand = Stand::new().await;
    let path =
        "contacts?$select=lastname,firstname&$orderby=lastname desc,firstname&$top=10&$count=true";
    let page = stand.crm(path, &[]).await.json();
    let rows = values(&page);
    let key = |row: &Value| row["lastname"].as_str().unwrap().to_lowercase();
    assert_eq!(rows.len(), 10);
    assert!(rows.windows(2).all(|pair| key(&pair[0]) >= key(&pair[1])));
    assert_eq!(
        page["@odata.count"],
        stand.running.world().read(|world| world.contact_count())
    );
    assert!(page.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn rows_that_belong_to_a_row_come_along_when_expanded() {
    let stand = Stand::new().await;
    let path = "accounts?$select=name&$filter=_primarycontactid_value ne null&$expand=\
        primarycontactid($select=fullname,emailaddress1),contact_customer_accounts($select=fullname;$orderby=fullname)";
    let rows = all(&stand, path).await;
    assert!(!rows.is_empty());
    for row in rows {
        let primary = &row["primarycontactid"];
        let contacts = row["contact_customer_accounts"].as_array().unwrap();
        assert!(
            contacts
                .iter()
                .any(|contact| contact["contactid"] == primary["contactid"]),
            "{row}"
        );
        assert!(primary["emailaddress1"].is_string());
    }
}

#[tokio::test]
async fn annotations_come_when_they_are_asked_for() {
    let stand = Stand::new().await;
    let prefer = [("prefer", "odata.include-annotations=\"*\"")];
    let rows = values(
        &stand
            .crm(
                "contacts?$select=statecode,_parentcustomerid_value&$top=1",
                &prefer,
            )
            .await
            .json(),
    );
    let row = &rows[0];
    let lookup = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    assert_eq!(row[lookup], "account");
    assert!(row["statecode@OData.Community.Display.V1.FormattedValue"].is_string());
    let bare = all(&stand, "contacts?$select=_parentcustomerid_value&$top=1").await;
    assert!(bare[0].get(lookup).is_none());
}

#[tokio::test]
async fn an_unchanged_row_answers_304_until_it_changes() {
    let stand = Stand::new().await;
    let id = account_of(
        &all(
            &stand,
            "accounts?$select=name&$filter=statecode eq 0&$top=1",
        )
        .await[0],
    );
    let path = format!("accounts({id})?$select=name,statecode");
    let first = stand.crm(&path, &[("if-none-match", "null")]).await;
    let tag = first.json()["@odata.etag"].as_str().unwrap().to_owned();
    assert_eq!(first.header("etag"), Some(tag.as_str()));
    let second = stand.crm(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((second.status.as_u16(), second.text.as_str()), (304, ""));
    let name = "Another Name".to_owned();
    stand
        .running
        .world()
        .change(Change::RenameAccount { account: id, name })
        .unwrap();
    let third = stand.crm(&path, &[("if-none-match", &tag)]).await;
    assert_eq!(third.json()["name"], "Another Name");
}

#[tokio::test]
async fn change_tracking_shows_what_was_added_changed_merged_and_deleted() {
    let stand = Stand::new().await;
    let world = stand.running.world();
    let prefer = [("prefer", "odata.track-changes,odata.maxpagesize=40")];
    let mut path = "accounts?$select=name,statecode,_masterid_value".to_owned();
    let mut rows = Vec::new();
    let delta = loop {
        let page = stand.crm(&path, &prefer).await.json();
        rows.extend(values(&page));
        match page["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break link(&page, "@odata.deltaLink").to_owned(),
        }
        if rows.len() == 40 {
            // What changes while the first reading goes on must not be lost.
            let account = account_of(&rows[0]);
            world
                .change(Change::RenameAccount {
                    account,
                    name: "Renamed meanwhile".to_owned(),
                })
                .unwrap();
        }
    };
    let active: Vec<AccountId> = rows
        .iter()
        .filter(|row| row["statecode"] == 0)
        .map(account_of)
        .skip(1)
        .take(3)
        .collect();
    let new = NewAccount {
        name: "Fresh Ltd".to_owned(),
        ..NewAccount::default()
    };
    let added = world.change(Change::AddAccount(new)).unwrap();
    world
        .change(Change::DeleteAccount { account: active[0] })
        .unwrap();
    world
        .change(Change::MergeAccounts {
            account: active[1],
            into: active[2],
        })
        .unwrap();

    let changes = stand.crm(&delta, &[]).await.json();
    let seen = values(&changes);
    let find = |id: &str| seen.iter().find(|row| row["accountid"] == id).cloned();
    assert_eq!(
        find(&account_of(&rows[0]).to_string()).unwrap()["name"],
        "Renamed meanwhile"
    );
    assert_eq!(find(&added.to_string()).unwrap()["name"], "Fresh Ltd");
    let merged = find(&active[1].to_string()).unwrap();
    assert_eq!(
        (&merged["statecode"], &merged["_masterid_value"]),
        (&1.into(), &active[2].to_string().into())
    );
    let deleted = seen.iter().find(|row| row["reason"] == "deleted").unwrap();
    assert_eq!(deleted["id"], active[0].to_string());
    assert!(
        deleted["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#accounts/$deletedEntity")
    );

    let quiet = stand
        .crm(link(&changes, "@odata.deltaLink"), &[])
        .await
        .json();
    assert_eq!(values(&quiet).len(), 0);
}

#[tokio::test]
async fn many_changes_come_in_pages_and_each_row_once() {
    let stand = Stand::new().await;
    let world = stand.running.world();
    let prefer = [("prefer", "odata.track-changes")];
    let first = stand
        .crm("contacts?$select=emailaddress1", &prefer)
        .await
        .json();
    let rows = values(&first);
    let account = account_of(&all(&stand, "accounts?$select=name&$top=1").await[0]);
    for _ in 0..2 {
        for row in rows.iter().take(9) {
            let contact: ContactId = row["contactid"].as_str().unwrap().parse().unwrap();
            world
                .change(Change::MoveContact { contact, account })
                .unwrap();
        }
    }
    let email = "someone@contoso.example".to_owned();
    let new = NewContact {
        account,
        given_name: "Some".into(),
        family_name: "One".into(),
        email,
    };
    world.change(Change::AddContact(new)).unwrap();
    let mut sizes = Vec::new();
    let mut path = link(&first, "@odata.deltaLink").to_owned();
    loop {
        let page = stand
            .crm(&path, &[("prefer", "odata.maxpagesize=4")])
            .await
            .json();
        sizes.push(values(&page).len());
        match page["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [4, 4, 2]);
}

#[tokio::test]
async fn a_delta_token_older_than_seven_days_is_refused_with_its_own_code() {
    let mut stand = Stand::new().await;
    let first = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.track-changes")],
        )
        .await
        .json();
    stand.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    stand.sign_in().await;
    let refused = stand.crm(link(&first, "@odata.deltaLink"), &[]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (400, "0x80044352")
    );
    let mixed = stand
        .crm("accounts?$top=3", &[("prefer", "odata.track-changes")])
        .await;
    assert_eq!(mixed.status, 400);
}
