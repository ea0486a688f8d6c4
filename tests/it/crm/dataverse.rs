//! Reading one Account, searching, and verifying, against canned answers of the Web API.

use std::time::Duration;

use provider_bridge::domain::account::{Account, AccountState};
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::ports::crm::Crm;
use provider_bridge::domain::ports::provider::FailureKind;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::organisation::{Organisation, header, ok, page_of_a_proxy, refused, soon};

const ID: &str = "5e0c1a52-9a3e-f011-b4cb-6045bd9b1c01";
const OTHER: &str = "5e0c1a52-9a3e-f011-b4cb-6045bd9b1c02";

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn contoso() -> Value {
    json!({
        "@odata.context": "https://x/api/data/v9.2/$metadata#accounts/$entity",
        "@odata.etag": "W/\"4711\"", "accountid": ID, "name": "Contoso", "accountnumber": "C-1",
        "websiteurl": "https://www.contoso.com", "emailaddress1": "info@contoso.com",
        "address1_city": "Bern", "address1_country": null, "statecode": 0, "merged": false,
        "_masterid_value": null, "_parentaccountid_value": OTHER, "modifiedon": "2026-05-01T10:00:00Z",
    })
}

#[actix_web::test]
async fn an_account_is_read_with_the_columns_it_needs_and_no_more() {
    let organisation = Organisation::start().await;
    organisation
        .answer(&format!("accounts({ID})"), ok(contoso()))
        .await;
    let account = organisation
        .client
        .read_account(id(ID), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        account,
        Account {
            id: id(ID),
            name: "Contoso".to_owned(),
            number: Some("C-1".to_owned()),
            website: Some("https://www.contoso.com".to_owned()),
            email: Some("info@contoso.com".to_owned()),
            city: Some("Bern".to_owned()),
            country: None,
            state: AccountState::Active,
            parent_id: Some(id(OTHER)),
            modified_at: Some("2026-05-01T10:00:00Z".parse().unwrap()),
            etag: "W/\"4711\"".to_owned(),
        }
    );
    let gets = organisation.gets().await;
    assert_eq!(gets.len(), 1);
    assert_eq!(
        gets[0].url.query().unwrap(),
        "$select=accountid,name,accountnumber,websiteurl,emailaddress1,address1_city,address1_country,statecode,merged,\
         _masterid_value,_parentaccountid_value,modifiedon"
    );
    assert_eq!(header(&gets[0], "authorization"), "Bearer token-1");
    assert_eq!(header(&gets[0], "odata-version"), "4.0");
    assert_eq!(header(&gets[0], "odata-maxversion"), "4.0");
    assert_eq!(header(&gets[0], "accept"), "application/json");
    assert_eq!(header(&gets[0], "if-none-match"), "null");
}

#[actix_web::test]
async fn a_copy_that_is_unchanged_by_its_entity_tag_is_given_back() {
    let organisation = Organisation::start().await;
    let path = format!("accounts({ID})");
    organisation.answer_times(1, &path, ok(contoso())).await;
    organisation.answer(&path, ResponseTemplate::new(304)).await;
    let known = organisation
        .client
        .read_account(id(ID), None)
        .await
        .unwrap()
        .unwrap();
    let again = organisation
        .client
        .read_account(id(ID), Some(&known))
        .await
        .unwrap();
    assert_eq!(again, Some(known.clone()));
    assert_eq!(
        header(&organisation.gets().await[1], "if-none-match"),
        "W/\"4711\""
    );
    // A copy of another Account is no copy.
    let stranger = organisation
        .client
        .read_account(id(OTHER), Some(&known))
        .await;
    assert!(stranger.is_err());
    assert_eq!(
        header(&organisation.gets().await[2], "if-none-match"),
        "null"
    );
}

#[actix_web::test]
async fn merged_deactivated_and_strange_rows_are_told_apart() {
    let organisation = Organisation::start().await;
    let cases = [
        (
            json!({"merged": true, "_masterid_value": OTHER, "statecode": 1}),
            AccountState::Merged(id(OTHER)),
        ),
        (
            json!({"merged": true, "_masterid_value": null}),
            AccountState::Inactive,
        ),
        (json!({"statecode": 1}), AccountState::Inactive),
        (json!({"statecode": 7}), AccountState::Inactive),
        (json!({"statecode": "0"}), AccountState::Inactive),
        (
            json!({"name": 5, "websiteurl": {}, "modifiedon": "yesterday", "_parentaccountid_value": "?"}),
            AccountState::Active,
        ),
    ];
    for (changes, state) in cases {
        let mut row = contoso();
        for (name, value) in changes.as_object().unwrap() {
            row[name] = value.clone();
        }
        organisation
            .answer_times(1, &format!("accounts({ID})"), ok(row))
            .await;
        let account = organisation
            .client
            .read_account(id(ID), None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(account.state, state, "{changes}");
    }
}

#[actix_web::test]
async fn only_dataverse_itself_can_say_that_an_account_does_not_exist() {
    let organisation = Organisation::start().await;
    let path = format!("accounts({ID})");
    for code in ["0x80040217", ""] {
        let gone = refused(404, code, "Entity 'Account' With Id Does Not Exist");
        organisation.answer_times(1, &path, gone).await;
        assert_eq!(
            organisation
                .client
                .read_account(id(ID), None)
                .await
                .unwrap(),
            None
        );
    }
    for wrong in [
        page_of_a_proxy(404),
        ResponseTemplate::new(404),
        refused(
            404,
            "0x8006088a",
            "Resource not found for the segment 'accounts'.",
        ),
    ] {
        organisation.answer_times(1, &path, wrong).await;
        let error = organisation
            .client
            .read_account(id(ID), None)
            .await
            .unwrap_err();
        assert_eq!(error.kind, FailureKind::Configuration, "{error}");
        assert!(
            error.message.contains("check the organisation's address"),
            "{error}"
        );
    }
    // A row of another id, or no row at all, is not the answer to our question.
    organisation
        .answer_times(1, &path, ok(json!({"accountid": OTHER})))
        .await;
    organisation
        .answer_times(1, &path, page_of_a_proxy(200))
        .await;
    for _ in 0..2 {
        let error = organisation
            .client
            .read_account(id(ID), None)
            .await
            .unwrap_err();
        assert_eq!(error.kind, FailureKind::Protocol, "{error}");
    }
}

#[actix_web::test]
async fn a_refused_token_is_renewed_once() {
    let organisation = Organisation::start().await;
    let path = format!("accounts({ID})");
    organisation
        .answer_times(1, &path, ResponseTemplate::new(401))
        .await;
    organisation.answer_times(1, &path, ok(contoso())).await;
    organisation
        .answer(&path, refused(401, "", "The audience is invalid"))
        .await;
    assert!(
        organisation
            .client
            .read_account(id(ID), None)
            .await
            .unwrap()
            .is_some()
    );
    let error = organisation
        .client
        .read_account(id(ID), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Consent);
    assert!(
        error
            .message
            .contains("\"The audience is invalid\"; the token was refused"),
        "{error}"
    );
    let tokens: Vec<_> = organisation
        .gets()
        .await
        .iter()
        .map(|get| header(get, "authorization").to_owned())
        .collect();
    assert_eq!(
        tokens,
        [
            "Bearer token-1",
            "Bearer token-2",
            "Bearer token-2",
            "Bearer token-3"
        ]
    );
}

#[actix_web::test]
async fn a_missing_application_user_is_named_with_its_remedy() {
    let organisation = Organisation::start().await;
    let denied = refused(
        403,
        "0x80072560",
        "The user is not a member of the organization.",
    );
    organisation
        .answer(&format!("accounts({ID})"), denied)
        .await;
    let error = organisation
        .client
        .read_account(id(ID), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Permission);
    assert_eq!(error.code.as_deref(), Some("0x80072560"));
    assert_eq!(
        error.message,
        "reading an account failed: 127.0.0.1 answered 403 (0x80072560) \"The user is not a member of the \
         organization.\"; the application user is missing: add one for this application in the environment \
         (Power Platform admin centre, application users) and give it a security role"
    );
    assert_eq!(organisation.gets().await.len(), 1);
}

#[actix_web::test]
async fn throttling_is_honoured_by_whoever_asks_and_is_bounded() {
    let organisation = Organisation::start().await;
    let path = format!("accounts({ID})");
    let throttled = refused(429, "0x80072322", "Number of requests exceeded the limit")
        .insert_header("Retry-After", "30");
    organisation.answer_times(1, &path, throttled.clone()).await;
    organisation.answer_times(1, &path, ok(contoso())).await;
    let first = organisation.client.read_account(id(ID), None);
    let second = async {
        organisation.clock.sleepers_reach(1).await;
        assert!(organisation.clock.next_wake().unwrap() >= Duration::from_secs(30));
        // While the first waits, nobody else asks either.
        let other = organisation.client.search_accounts("x", 1);
        let advancing = async {
            organisation.clock.sleepers_reach(2).await;
            assert_eq!(organisation.gets().await.len(), 1);
            organisation
                .answer("accounts", ok(json!({"value": []})))
                .await;
            organisation.clock.advance(Duration::from_secs(31));
            organisation.clock.advance_by_itself();
        };
        soon(futures_util::future::join(other, advancing))
            .await
            .0
            .unwrap();
    };
    let (account, ()) = soon(futures_util::future::join(first, second)).await;
    assert!(account.unwrap().is_some());

    organisation.answer(&path, throttled).await;
    let before = organisation.gets().await.len();
    let error = soon(organisation.client.read_account(id(ID), None))
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Throttled);
    assert_eq!(error.code.as_deref(), Some("0x80072322"));
    assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
    assert_eq!(organisation.gets().await.len() - before, 3);
}

#[actix_web::test]
async fn passing_faults_are_tried_again_whatever_their_body() {
    let organisation = Organisation::start().await;
    organisation.clock.advance_by_itself();
    let path = format!("accounts({ID})");
    for fault in [
        page_of_a_proxy(502),
        refused(500, "0x80044151", "Generic SQL error"),
        ResponseTemplate::new(503),
    ] {
        organisation.answer_times(1, &path, fault).await;
        organisation.answer_times(1, &path, ok(contoso())).await;
        assert!(
            soon(organisation.client.read_account(id(ID), None))
                .await
                .unwrap()
                .is_some()
        );
    }
    organisation.answer(&path, page_of_a_proxy(504)).await;
    let error = soon(organisation.client.read_account(id(ID), None))
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Transient);
    assert!(!error.message.contains("Oops"), "{error}");
}

#[actix_web::test]
async fn a_search_is_one_request_ordered_and_cut_here() {
    let organisation = Organisation::start().await;
    let row = |number: u32, name: &str, state: u32| {
        json!({"accountid": format!("00000000-0000-0000-0000-{number:012}"), "name": name, "statecode": state,
               "accountnumber": format!("N{number}")})
    };
    let rows = [
        row(1, "A Contoso & Sons", 0),
        row(2, "Contoso", 1),
        row(3, "CONTOSO", 0),
        row(4, "Contoso Ltd", 0),
        json!({"name": "no id"}),
        json!(5),
    ];
    organisation
        .answer("accounts", ok(json!({ "value": rows })))
        .await;
    let search = |text: &'static str, top| organisation.client.search_accounts(text, top);
    let names: Vec<_> = search("contoso", 9)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(
        names,
        ["CONTOSO", "Contoso Ltd", "A Contoso & Sons", "Contoso"]
    );
    assert_eq!(search("N1", 1).await.unwrap()[0].name, "A Contoso & Sons");
    assert_eq!(
        search(" O'Neil & Söhne + 1%\u{0} ", 0).await.unwrap().len(),
        1
    );
    search("info@contoso.com", 500).await.unwrap();
    assert!(search("  \t", 5).await.unwrap().is_empty());

    let gets = organisation.gets().await;
    assert_eq!(gets.len(), 4);
    let query = |at: usize| gets[at].url.query().unwrap().to_owned();
    assert!(
        query(0).ends_with(
            "&$filter=contains%28name,%27contoso%27%29%20or%20accountnumber%20eq%20%27contoso%27\
         &$orderby=statecode%20asc,name%20asc&$top=100"
        ),
        "{}",
        query(0)
    );
    let filter = |at: usize| {
        gets[at]
            .url
            .query_pairs()
            .find(|(name, _)| name == "$filter")
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(
        filter(2),
        "contains(name,'O''Neil & Söhne + 1%') or accountnumber eq 'O''Neil & Söhne + 1%'"
    );
    assert!(filter(3).ends_with(
        "or contains(websiteurl,'contoso.com') or contains(emailaddress1,'contoso.com')"
    ));
}

#[actix_web::test]
async fn verify_names_the_first_step_that_fails() {
    let organisation = Organisation::start().await;
    let report = organisation.client.verify().await;
    assert!(!report.passed);
    assert_eq!(report.steps.last().unwrap().name, "application user known");

    organisation
        .answer("WhoAmI", ok(json!({"UserId": OTHER, "OrganizationId": ID})))
        .await;
    organisation
        .answer_times(
            2,
            "accounts",
            ok(json!({"value": [], "@odata.deltaLink": "x"})),
        )
        .await;
    let denied = refused(
        403,
        "0x80040220",
        "Principal user is missing prvReadContact privilege",
    );
    organisation.answer_times(1, "contacts", denied).await;
    let report = organisation.client.verify().await;
    let names: Vec<_> = report
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.passed))
        .collect();
    assert_eq!(
        names,
        [
            ("token issued", true),
            ("application user known", true),
            ("accounts readable", true),
            ("contacts readable", false)
        ]
    );
    let detail = &report.steps.last().unwrap().detail;
    assert!(
        detail.contains("prvReadContact") && detail.contains("organisation-wide Read"),
        "{detail}"
    );

    organisation
        .answer_times(
            1,
            "contacts",
            ok(json!({"value": [{}], "@odata.nextLink": "x"})),
        )
        .await;
    let off = refused(400, "0x80048d0b", "Change tracking is not enabled");
    organisation.answer("contacts", off).await;
    let report = organisation.client.verify().await;
    assert_eq!(
        report.steps.last().unwrap().name,
        "changes of accounts readable"
    );
}
