//! The change feed, against canned answers of the Web API.

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::ports::crm::{ChangeCursor, ChangeFeedError, Crm, DirectoryTable};
use serde_json::{Value, json};

use super::organisation::{Organisation, header, ok, page_of_a_proxy, refused};

const A: &str = "00000000-0000-0000-0000-00000000000a";
const B: &str = "00000000-0000-0000-0000-00000000000b";
const C: &str = "00000000-0000-0000-0000-00000000000c";

/// As Dataverse writes them: the cookie is XML, encoded twice.
const COOKIE: &str = "accounts?$select=accountid&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22\
                      %253ccookie%2520page%253d%25221%2522%253e%253caccountid%2520last%253d%2522%257bA%257d%2522\
                      %2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22True%22%20/%3E";

/// One good row, two that cannot be read, and one that was merged.
fn account_rows() -> Value {
    json!([
        {"accountid": A, "name": "Contoso", "websiteurl": "https://www.contoso.com/about", "emailaddress1": "info@Contoso.com",
         "emailaddress2": "sales@contoso.com", "emailaddress3": "x@fabrikam.com", "statecode": 0, "merged": false,
         "_masterid_value": null, "_parentaccountid_value": B, "versionnumber": 17},
        {"accountid": "not an id", "name": "Broken"},
        {"@odata.etag": "W/\"18\"", "accountid": B, "name": null, "websiteurl": "n/a", "emailaddress1": "nobody", "statecode": 1,
         "merged": true, "_masterid_value": A},
        "nonsense",
    ])
}

fn failed(result: Result<impl std::fmt::Debug, ChangeFeedError>) -> String {
    match result.unwrap_err() {
        ChangeFeedError::Failed(error) => error.message,
        ChangeFeedError::Expired => panic!("it said expired"),
    }
}

#[actix_web::test]
async fn accounts_are_read_page_by_page_along_links_that_are_kept_byte_for_byte() {
    let organisation = Organisation::start().await;
    let next = organisation.link(COOKIE);
    let delta = organisation
        .link("accounts?$select=accountid&$deltatoken=919042%2108%2f22%2f2026%2008%3a21%3a20");
    let last = json!([{"@odata.context": "https://x/api/data/v9.2/$metadata#accounts/$deletedEntity", "id": C, "reason": "deleted"}]);
    organisation
        .answer_times(
            1,
            "accounts",
            ok(json!({"value": account_rows(), "@odata.nextLink": next})),
        )
        .await;
    organisation
        .answer_times(
            1,
            "accounts",
            ok(json!({"value": last, "@odata.deltaLink": delta})),
        )
        .await;
    organisation
        .answer(
            "accounts",
            ok(json!({"value": [], "@odata.deltaLink": delta})),
        )
        .await;

    let feed = |cursor: Option<ChangeCursor>| {
        let client = &organisation.client;
        async move {
            client
                .changes(DirectoryTable::Accounts, cursor.as_ref())
                .await
                .unwrap()
        }
    };
    let first = feed(None).await;
    assert_eq!(first.cursor, Some(ChangeCursor::Next(next.clone())));
    let [contoso, merged] = &first.accounts[..] else {
        panic!("{first:?}")
    };
    let domains: Vec<_> = contoso.email_domains.iter().map(|it| it.as_str()).collect();
    assert_eq!(domains, ["contoso.com", "fabrikam.com"]);
    assert_eq!(
        contoso.web_domain.as_ref().unwrap().as_str(),
        "www.contoso.com"
    );
    assert_eq!(
        (contoso.row_version, contoso.parent_id),
        (17, Some(B.parse().unwrap()))
    );
    assert_eq!(merged.state, AccountState::Merged(A.parse().unwrap()));
    assert_eq!((merged.row_version, &merged.web_domain), (18, &None));
    assert!(merged.email_domains.is_empty());

    let second = feed(first.cursor).await;
    assert_eq!(second.deleted_accounts, [C.parse().unwrap()]);
    assert_eq!(second.cursor, Some(ChangeCursor::Delta(delta.clone())));
    let third = feed(second.cursor).await;
    assert_eq!(third.cursor, Some(ChangeCursor::Delta(delta.clone())));

    sent_along_the_links(&organisation, &next, &delta).await;
}

/// What was asked, page by page.
async fn sent_along_the_links(organisation: &Organisation, next: &str, delta: &str) {
    let gets = organisation.gets().await;
    assert_eq!(
        gets[0].url.query().unwrap(),
        "$select=accountid,name,websiteurl,emailaddress1,emailaddress2,emailaddress3,address1_country,address1_city,address1_postalcode,telephone1,statecode,merged,_masterid_value,\
         _parentaccountid_value,versionnumber"
    );
    let sent = |at: usize| &gets[at].url[url::Position::BeforePath..];
    assert_eq!(
        sent(1),
        next.strip_prefix(&organisation.server.uri()).unwrap()
    );
    assert_eq!(
        sent(2),
        delta.strip_prefix(&organisation.server.uri()).unwrap()
    );
    for get in &gets {
        assert_eq!(
            header(get, "prefer"),
            "odata.track-changes,odata.maxpagesize=3"
        );
    }
}

#[actix_web::test]
async fn a_contact_belongs_to_its_account_and_never_to_a_contact() {
    let organisation = Organisation::start().await;
    let kind = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    let rows = json!([
        {"contactid": A, "_parentcustomerid_value": B, kind: "account", "emailaddress1": "jo@contoso.com", "statecode": 0, "versionnumber": "21"},
        {"contactid": B, "_parentcustomerid_value": A, kind: "contact", "emailaddress2": "jo@contoso.com", "statecode": 1},
        {"contactid": C, "_parentcustomerid_value": null, "statecode": 0},
        {"id": organisation.link(&format!("contacts({C})")), "reason": "changed"},
    ]);
    let delta = organisation.link("contacts?$deltatoken=1");
    organisation
        .answer(
            "contacts",
            ok(json!({"value": rows, "@odata.deltaLink": delta})),
        )
        .await;
    let page = organisation
        .client
        .changes(DirectoryTable::Contacts, None)
        .await
        .unwrap();
    let seen: Vec<_> = page
        .contacts
        .iter()
        .map(|it| {
            (
                it.account_id.map(|id| id.to_string()),
                it.active,
                it.row_version,
                it.email_domains.len(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some(B.to_owned()), true, 21, 1),
            (None, false, 0, 1),
            (None, true, 0, 0)
        ]
    );
    assert_eq!(page.deleted_contacts, [C.parse().unwrap()]);
    let get = &organisation.gets().await[0];
    assert_eq!(
        get.url.query().unwrap(),
        "$select=contactid,_parentcustomerid_value,emailaddress1,emailaddress2,emailaddress3,statecode,versionnumber"
    );
    assert_eq!(
        header(get, "prefer"),
        "odata.track-changes,odata.maxpagesize=3,odata.include-annotations=\"Microsoft.Dynamics.CRM.lookuplogicalname\""
    );
}

#[actix_web::test]
async fn a_link_off_the_organisation_is_never_followed() {
    let organisation = Organisation::start().await;
    let port = organisation.server.address().port();
    for link in [
        "https://evil.example/api/data/v9.2/accounts?$skiptoken=1".to_owned(),
        format!("https://127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("http://127.0.0.1:{}/api/data/v9.2/accounts", port ^ 1),
        format!("http://localhost:{port}/api/data/v9.2/accounts"),
        format!("http://127.0.0.1:{port}@evil.example/api/data/v9.2/accounts"),
        format!("http://user@127.0.0.1:{port}/api/data/v9.2/accounts"),
        "accounts?$skiptoken=1".to_owned(),
    ] {
        for name in ["@odata.nextLink", "@odata.deltaLink"] {
            organisation
                .answer_times(1, "accounts", ok(json!({"value": [], name: link})))
                .await;
            let message = failed(
                organisation
                    .client
                    .changes(DirectoryTable::Accounts, None)
                    .await,
            );
            assert!(
                message.contains("leads off the organisation's host"),
                "{link}: {message}"
            );
        }
        // One that was kept is of another organisation than ours is now: everything is read again.
        let kept = ChangeCursor::Delta(link);
        let result = organisation
            .client
            .changes(DirectoryTable::Accounts, Some(&kept))
            .await;
        assert!(matches!(result, Err(ChangeFeedError::Expired)), "{kept:?}");
    }
    assert_eq!(organisation.gets().await.len(), 14);
}

#[actix_web::test]
async fn an_expired_token_is_told_apart_from_other_refusals() {
    let organisation = Organisation::start().await;
    let cursor = ChangeCursor::Delta(organisation.link("accounts?$deltatoken=1"));
    let expired = refused(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired.",
    );
    for answer in [expired.clone(), refused(410, "", "Gone")] {
        organisation.answer_times(1, "accounts", answer).await;
        let result = organisation
            .client
            .changes(DirectoryTable::Accounts, Some(&cursor))
            .await;
        assert!(matches!(result, Err(ChangeFeedError::Expired)));
    }
    organisation
        .answer_times(1, "accounts", refused(400, "0x0", "Bad request"))
        .await;
    assert!(
        failed(
            organisation
                .client
                .changes(DirectoryTable::Accounts, Some(&cursor))
                .await
        )
        .contains("Bad request")
    );
    // Without a cursor there is nothing that could have expired; saying so would read everything for ever.
    organisation.answer_times(1, "accounts", expired).await;
    failed(
        organisation
            .client
            .changes(DirectoryTable::Accounts, None)
            .await,
    );
}

#[actix_web::test]
async fn a_page_that_leads_nowhere_or_to_itself_is_an_error() {
    let organisation = Organisation::start().await;
    let cursor = ChangeCursor::Next(organisation.link("accounts?$skiptoken=1"));
    let itself: Value =
        json!({"value": [], "@odata.nextLink": organisation.link("accounts?$skiptoken=1")});
    organisation.answer_times(1, "accounts", ok(itself)).await;
    organisation
        .answer_times(1, "accounts", ok(json!({"value": []})))
        .await;
    organisation
        .answer_times(1, "accounts", page_of_a_proxy(200))
        .await;
    for expected in [
        "names itself as the next one",
        "switch change tracking on",
        "no such answer",
    ] {
        let message = failed(
            organisation
                .client
                .changes(DirectoryTable::Accounts, Some(&cursor))
                .await,
        );
        assert!(message.contains(expected), "{message}");
    }
}
