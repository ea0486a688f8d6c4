//! Billing Contracts on the pages (D1): made, changed and closed by somebody who may; what is refused is said at its field with
//! what was typed kept, and who was slower sees what is stored by now.

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::caller::Role;
use provider_bridge::flows::billing_contracts::{ContractChange, Filter};
use uuid::Uuid;

use crate::support::app::{Answer, TestApp};
use crate::support::outside::account;
use crate::support::pages::{Person, between};

const NEW: [(&str, &str); 9] = [
    ("account", "00000000-0000-0000-0000-000000000001"),
    ("name", "Cloud <services>"),
    ("frequency", "quarterly"),
    ("policy", "arrears"),
    ("currency", "eur"),
    ("start_date", "2026-01-15"),
    ("terms", "Net 30"),
    ("products", "CFQ7\r\n\r\n DZH3:0002 "),
    ("charge", "on"),
];

/// These fields, with others instead of or beside them.
fn with<'a>(
    fields: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let other = |name: &str| others.iter().any(|(other, _)| *other == name);
    let kept = fields.iter().filter(|(name, _)| !other(name));
    kept.chain(others).copied().collect()
}

/// What is said at a field.
fn mistake<'a>(page: &'a Answer, field: &str) -> Option<&'a str> {
    between(&page.text, &format!("id=\"{field}-mistake\">"), "</span>")
}

fn typed<'a>(page: &'a Answer, field: &str) -> &'a str {
    let input = between(&page.text, &format!("<input id=\"{field}\""), ">").unwrap();
    between(input, "value=\"", "\"").unwrap()
}

/// The path of the contract that an answer leads to.
fn made_at(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned()
}

async fn started(store: &crate::support::stores::TestStore) -> TestApp {
    let app = TestApp::start((*store).clone()).await;
    app.crm.put(account(1, "Contoso Ltd"));
    app.crm.put(account(2, "Contoso Retail"));
    let mut old = account(3, "Contoso Old");
    old.state = AccountState::Inactive;
    app.crm.put(old);
    app
}

async fn contracts(app: &TestApp) -> usize {
    let (by, every) = (TestApp::operator(), Filter::default());
    let listed = app.flows.list_billing_contracts(&by, &every, None, 10);
    listed.await.unwrap().0.len()
}

crate::on_both_engines! {
    async fn a_contract_is_made_from_the_search_for_its_account_to_its_page(store: TestStore) {
        let app = started(&store).await;
        let person = Person::with(&app, Role::Billing).await;
        let list = person.get("/billing-contracts").await;
        assert!(list.text.contains("href=\"/billing-contracts/new\""), "{}", list.text);
        let empty = person.get("/billing-contracts/new").await;
        assert!(empty.text.contains("Search for the account") && !empty.text.contains("id=\"accounts\""));
        let found = person.get("/billing-contracts/new?q=contoso").await;
        let choose = "href=\"/billing-contracts/new?account=00000000-0000-0000-0000-00000000000";
        assert_eq!(found.text.matches(choose).count(), 2, "the inactive one cannot be chosen: {}", found.text);
        assert!(found.text.contains("Contoso Old") && found.text.contains("inactive"));
        let fragment = person.get("/billing-contracts/accounts?q=retail").await;
        assert!(fragment.text.contains("Contoso Retail") && !fragment.text.contains("<html"));

        let form = person.get(&format!("/billing-contracts/new?account={}", Uuid::from_u128(1))).await;
        assert!(form.text.contains("Contoso Ltd") && form.text.contains("action=\"/billing-contracts\""));
        let path = made_at(&person.post("/billing-contracts", &NEW).await);
        let id = path.rsplit('/').next().unwrap().parse().unwrap();
        let made = app.flows.get_billing_contract(&TestApp::operator(), id).await.unwrap();
        let terms = &made.terms;
        assert_eq!((terms.name.as_str(), terms.currency.code(), terms.frequency.name()), ("Cloud <services>", "EUR", "quarterly"));
        assert_eq!((terms.next_invoice_date.to_string(), terms.is_default), ("2026-04-15".to_owned(), true));
        assert_eq!((terms.products.clone(), terms.automation.charge, terms.automation.send_email), (vec!["CFQ7".to_owned(), "DZH3:0002".to_owned()], true, false));
        let page = person.get(&format!("{path}?done=made")).await;
        assert!(page.text.contains("The contract is made.") && page.text.contains("Cloud &#60;services&#62;"), "{}", page.text);
        assert!(page.text.contains(&format!("href=\"{path}/edit\"")) && page.text.contains(&format!("href=\"{path}/close\"")));
    }

    async fn every_mistake_is_said_at_its_field_with_what_was_typed_kept(store: TestStore) {
        let app = started(&store).await;
        let person = Person::with(&app, Role::Billing).await;
        let wrong = [("name", " "), ("currency", "EURO"), ("start_date", "30.2.2026"), ("end_date", "soon")];
        let page = person.post("/billing-contracts", &with(&NEW, &wrong)).await;
        assert_eq!(page.status, 422);
        for (field, said) in [
            ("name", "name"), ("currency", "“EURO” is no currency"), ("start_date", "30.2.2026"), ("end_date", "soon"),
        ] {
            assert!(mistake(&page, field).unwrap_or_default().contains(said), "{field}: {}", page.text);
        }
        assert_eq!(mistake(&page, "terms"), None);
        assert_eq!((typed(&page, "currency"), typed(&page, "start_date"), typed(&page, "terms")), ("EURO", "30.2.2026", "Net 30"));
        assert!(page.text.contains("DZH3:0002") && page.text.contains("name=\"charge\" value=\"on\" checked"));
        assert!(page.text.contains("<option value=\"quarterly\" selected>"));

        // Rules that only the flow knows are said in the words of the form.
        let page = person.post("/billing-contracts", &with(&NEW, &[("end_date", "2026-01-14")])).await;
        let said = mistake(&page, "end_date").unwrap();
        assert_eq!((page.status, said.contains("“Last day” (2026-01-14) must not be before “First day”")), (422, true), "{said}");
        let old = Uuid::from_u128(3).to_string();
        let page = person.post("/billing-contracts", &with(&NEW, &[("account", &old)])).await;
        assert!(page.status == 422 && between(&page.text, "id=\"problem\">", "<").unwrap().contains("deactivated"), "{page:?}");
        for id in ["x", &Uuid::from_u128(9).to_string()] {
            let page = person.post("/billing-contracts", &with(&NEW, &[("account", id)])).await;
            assert!(page.status == 422 && page.text.contains("no account"), "{page:?}");
            let page = person.get(&format!("/billing-contracts/new?account={id}")).await;
            assert!(page.status == 422 && page.text.contains("Choose another account"), "{page:?}");
        }
        assert_eq!(contracts(&app).await, 0);

        made_at(&person.post("/billing-contracts", &NEW).await);
        let twice = person.post("/billing-contracts", &with(&NEW, &[("name", "CLOUD <services>")])).await;
        let said = between(&twice.text, "id=\"problem\">", "<").unwrap();
        assert_eq!((twice.status, said.contains("choose another name")), (409, true), "{said}");
        assert_eq!((typed(&twice, "name"), contracts(&app).await), ("CLOUD &#60;services&#62;", 1));
    }

    async fn who_was_slower_sees_what_is_stored_and_can_still_decide(store: TestStore) {
        let app = started(&store).await;
        let person = Person::with(&app, Role::Billing).await;
        let path = made_at(&person.post("/billing-contracts", &NEW).await);
        let id = path.rsplit('/').next().unwrap().parse().unwrap();
        let edit = format!("{path}/edit");
        let form = person.get(&edit).await;
        assert_eq!((typed(&form, "name"), typed(&form, "next_invoice_date")), ("Cloud &#60;services&#62;", "2026-04-15"));
        let (flows, by) = (&app.flows, TestApp::operator());
        let meanwhile = ContractChange { terms: Some(Some("Net 10".to_owned())), ..ContractChange::default() };
        flows.change_billing_contract(&by, id, meanwhile).await.unwrap();

        let mine = [
            ("version", "1"), ("go_live_date", "2026-02-01"), ("next_invoice_date", "2026-04-15"), ("is_default", "no"),
            ("terms", "Net 60"), ("end_date", "2027-01-14"),
        ];
        let mine = with(&NEW, &mine);
        let page = person.post(&edit, &mine).await;
        assert_eq!(page.status, 409, "{page:?}");
        assert_eq!(typed(&page, "terms"), "Net 60");
        let stored = |field: &str| between(&page.text, &format!("id=\"{field}-stored\">"), "</span>").map(str::to_owned);
        assert!(stored("terms").unwrap().ends_with("Net 10") && stored("end_date").unwrap().ends_with("nothing"));
        assert_eq!(stored("name"), None, "what agrees is not said twice");
        let now = flows.get_billing_contract(&by, id).await.unwrap();
        assert_eq!((now.version, now.terms.terms.as_deref()), (2, Some("Net 10")), "nothing is overwritten");

        let again = person.post(&edit, &with(&mine, &[("version", between(&page.text, "name=\"version\" value=\"", "\"").unwrap())])).await;
        assert_eq!(made_at(&again), path);
        let now = flows.get_billing_contract(&by, id).await.unwrap();
        assert_eq!((now.version, now.terms.terms.as_deref(), now.terms.is_default), (3, Some("Net 60"), false));
        let empty = person.post(&edit, &with(&mine, &[("version", "3"), ("go_live_date", "")])).await;
        assert_eq!((empty.status, mistake(&empty, "go_live_date")), (422, Some("! Give the day.")));
    }

    async fn a_contract_is_closed_with_a_reason_and_never_by_who_read_an_older_one(store: TestStore) {
        let app = started(&store).await;
        let person = Person::with(&app, Role::Billing).await;
        let path = made_at(&person.post("/billing-contracts", &NEW).await);
        let id = path.rsplit('/').next().unwrap().parse().unwrap();
        let close = format!("{path}/close");
        let asked = person.get(&close).await;
        assert!(asked.text.contains("New subscriptions of the account no longer land here"), "{}", asked.text);
        let page = person.post(&close, &[("version", "1"), ("reason", " ")]).await;
        assert!(page.status == 422 && page.text.contains("Say why"), "{page:?}");
        let change = ContractChange { terms: Some(None), ..ContractChange::default() };
        app.flows.change_billing_contract(&TestApp::operator(), id, change).await.unwrap();
        let page = person.post(&close, &[("version", "1"), ("reason", "moved away")]).await;
        assert_eq!((page.status, typed(&page, "reason")), (409, "moved away"), "{page:?}");
        assert!(page.text.contains("name=\"version\" value=\"2\""));
        let closed = person.post(&close, &[("version", "2"), ("reason", "moved away")]).await;
        assert_eq!(made_at(&closed), path);
        let shown = person.get(&path).await;
        assert!(shown.text.contains("moved away") && !shown.text.contains("/edit\""), "{}", shown.text);
        for path in [format!("{path}/edit"), close] {
            let refused = person.get(&path).await;
            assert!(refused.status == 409 && refused.text.contains("was closed on"), "{path}: {refused:?}");
        }
    }

    async fn who_may_not_is_neither_offered_nor_let(store: TestStore) {
        let app = started(&store).await;
        let path = made_at(&Person::with(&app, Role::Admin).await.post("/billing-contracts", &NEW).await);
        for role in [Role::Reader, Role::Provisioning] {
            let person = Person::with(&app, role).await;
            for page in ["/billing-contracts", path.as_str()] {
                let text = person.get(page).await.text;
                assert!(!text.contains("/new") && !text.contains("/edit\"") && !text.contains("/close\""), "{role}: {text}");
            }
            let (edit, close) = (format!("{path}/edit"), format!("{path}/close"));
            for page in ["/billing-contracts/new", &edit, &close] {
                assert_eq!(person.get(page).await.status, 403, "{role}: {page}");
            }
            let fields = with(&NEW, &[("version", "1"), ("reason", "x"), ("name", "Other")]);
            for page in ["/billing-contracts", &edit, &close] {
                let answer = person.post(page, &fields).await;
                assert!(answer.status == 403 && answer.text.contains("billing"), "{role}: {page}: {answer:?}");
            }
        }
        assert_eq!(contracts(&app).await, 1);
    }

    async fn a_mapped_customer_and_an_account_without_contract_lead_to_the_form(store: TestStore) {
        let app = started(&store).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        let person = Person::with(&app, Role::Billing).await;
        let mapped = person.post(&format!("/provider-accounts/{id}/map"), &[("account", NEW[0].1)]).await;
        assert_eq!(mapped.status, 303, "{mapped:?}");
        let link = format!("href=\"/billing-contracts/new?account={}\"", NEW[0].1);
        for path in [format!("/provider-accounts/{id}"), "/exceptions".to_owned(), format!("/billing-contracts?account={}", NEW[0].1)] {
            let page = person.get(&path).await;
            assert!(page.text.contains(&link), "{path}: {}", page.text);
        }
        let reader = Person::with(&app, Role::Reader).await;
        let page = reader.get("/exceptions").await;
        assert!(!page.text.contains("/new?") && page.text.contains(&format!("href=\"/billing-contracts?account={}\"", NEW[0].1)));
    }
}
