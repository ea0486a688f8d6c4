//! Provider Accounts and their mapping over HTTP: listing in pages, map, remap, unmap, exclude, and the guards (B3, B4,
//! decision 10).

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, PUBLIC_URL, TestApp};
use crate::support::outside::account;

fn account_id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

crate::on_both_engines! {
    async fn pages_follow_each_other_for_their_caller_and_filter_only(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (key, other) = (app.key(&[Role::Reader]).await, app.key(&[Role::Reader]).await);
        app.provider_accounts(&["Delta", "Alpha", "Charlie", "Bravo", "Echo"]).await;
        let mut path = "/v1/provider-accounts?$top=2&state=unmapped".to_owned();
        let mut names = Vec::new();
        let mut links = Vec::new();
        loop {
            let page = app.get(&key, &path).await;
            assert_eq!(page.status, 200, "{page:?}");
            names.extend(page.body["value"].as_array().unwrap().iter().map(|row| row["name"].clone()));
            let Some(next) = page.body["@odata.nextLink"].as_str() else { break };
            path = next.strip_prefix(PUBLIC_URL).unwrap().to_owned();
            links.push(path.clone());
        }
        assert_eq!(names, ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]);
        let foreign = app.get(&other, &links[0]).await;
        assert_eq!((foreign.status, foreign.code()), (400, "invalid-request"));
        let widened = links[0].replace("state=unmapped", "state=mapped");
        assert_eq!(app.get(&key, &widened).await.status, 400);
        let found = app.get(&key, "/v1/provider-accounts?search=CHARLIE.exam").await;
        assert_eq!(found.body["value"][0]["name"], "Charlie");
        assert_eq!(found.body["value"][0]["domains"], json!(["charlie.example"]));
    }

    async fn a_mapping_is_made_moved_and_taken_away_under_its_guards(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Billing]).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        app.crm.put(account(1, "Contoso Ltd"));
        app.crm.put(account(2, "Contoso Holding"));
        let mut gone = account(3, "Contoso Old");
        gone.state = AccountState::Inactive;
        app.crm.put(gone);
        let path = format!("/v1/provider-accounts/{id}/mapping");
        let unmapped = app.get(&key, &path).await;
        assert_eq!((unmapped.status, &unmapped.body["state"]), (200, &json!("unmapped")));
        let put = |body: Value, etag: Option<String>| {
            let mut request = app.request(Method::PUT, &path).header("x-api-key", &key).json(&body);
            if let Some(etag) = etag {
                request = request.header("if-match", etag);
            }
            Answer::of(request)
        };
        let mapped = put(json!({ "accountId": account_id(1), "expectedAccountId": null }), None).await;
        assert_eq!((mapped.status, &mapped.body["accountName"]), (200, &json!("Contoso Ltd")), "{mapped:?}");
        assert_eq!(mapped.body["mappedBy"], "person");
        let again = put(json!({ "accountId": account_id(1) }), None).await;
        assert_eq!((again.status, again.header("etag")), (200, mapped.header("etag")));

        let conflict = put(json!({ "accountId": account_id(2), "expectedAccountId": null }), None).await;
        assert_eq!((conflict.status, conflict.code()), (409, "conflict"));
        assert_eq!(conflict.body["current"]["accountId"], account_id(1));
        let stale = put(json!({ "accountId": account_id(2) }), Some(unmapped.header("etag").to_owned())).await;
        assert_eq!((stale.status, stale.code()), (412, "precondition-failed"));
        for number in [3, 4] {
            let refused = put(json!({ "accountId": account_id(number) }), None).await;
            assert!([404, 409, 422].contains(&refused.status), "{refused:?}");
        }
        let moved = put(json!({ "accountId": account_id(2), "reason": "it is theirs" }),
            Some(mapped.header("etag").to_owned())).await;
        assert_eq!((moved.status, &moved.body["accountId"]), (200, &json!(account_id(2))));

        for _ in 0..2 {
            let taken = app.send(Method::DELETE, &key, &format!("{path}?reason=wrong"), &Value::Null).await;
            assert_eq!((taken.status, &taken.body["state"]), (200, &json!("unmapped")));
        }
        let exclusion = format!("/v1/provider-accounts/{id}/exclusion");
        let silent = app.send(Method::POST, &key, &exclusion, &json!({ "reason": " " })).await;
        assert_eq!((silent.status, silent.code()), (422, "rule-violated"));
        let excluded = app.send(Method::POST, &key, &exclusion, &json!({ "reason": "a test tenant" })).await;
        assert_eq!((excluded.status, &excluded.body["reason"]), (200, &json!("a test tenant")));
        let included = app.send(Method::DELETE, &key, &exclusion, &Value::Null).await;
        assert_eq!((included.status, &included.body["state"]), (200, &json!("unmapped")));
        let suggestions = app.get(&key, &format!("/v1/provider-accounts/{id}/suggestions")).await;
        assert_eq!((suggestions.status, suggestions.body), (200, json!({ "value": [] })));
    }

    async fn accounts_are_found_and_read_and_settings_changed(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let key = app.key(&[Role::Admin]).await;
        app.crm.put(account(1, "Contoso Ltd"));
        app.crm.put(account(2, "Fabrikam"));
        let found = app.get(&key, "/v1/accounts?search=conto&$top=5").await;
        assert_eq!(found.body["value"].as_array().unwrap().len(), 1);
        let one = app.get(&key, &format!("/v1/accounts/{}", account_id(1))).await;
        assert_eq!(one.body, found.body["value"][0]);
        assert_eq!(one.body["accountNumber"], "A-1");
        assert_eq!(app.get(&key, &format!("/v1/accounts/{}", account_id(9))).await.status, 404);

        let changed = app.send(Method::PATCH, &key, "/v1/settings", &json!({ "autoMatch": "off" })).await;
        assert_eq!(changed.body, json!({ "autoMatch": "off", "autoMatchThreshold": 0.99, "uniqueMapping": false, "detailsRefreshDays": 30, "staleSyncHours": 48 }));
        assert_eq!(app.get(&key, "/v1/settings").await.body, changed.body);
        let word = app.send(Method::PATCH, &key, "/v1/settings", &json!({ "autoMatch": "maybe" })).await;
        assert_eq!(word.status, 400);
        let range = app.send(Method::PATCH, &key, "/v1/settings", &json!({ "detailsRefreshDays": 0 })).await;
        assert_eq!((range.status, range.code()), (422, "rule-violated"));
    }
}
