//! Writing accounts and contacts: what Dataverse answers, what it refuses, and that refused writes leave nothing behind.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Got, Stand};

impl Stand {
    /// Writes to Dataverse.
    async fn put_in(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Got {
        self.crm_send(method, path, headers, Some(body.to_string()))
            .await
    }

    async fn create(&self, set: &str, body: Value) -> String {
        let answer = self.put_in(Method::POST, set, &[], body).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        let address = answer.header("odata-entityid").unwrap();
        let (_, id) = address.rsplit_once('(').unwrap();
        id.trim_end_matches(')').to_owned()
    }

    async fn read(&self, path: &str) -> Value {
        self.crm(path, &[]).await.json()
    }

    async fn version(&self) -> u64 {
        let path = "accounts?$select=versionnumber&$orderby=versionnumber desc&$top=1";
        self.read(path).await["value"][0]["versionnumber"]
            .as_u64()
            .unwrap()
    }
}

#[tokio::test]
async fn a_row_is_created_with_its_address_or_with_itself() {
    let stand = Stand::new().await;
    let body =
        json!({ "name": "New Ltd", "websiteurl": "https://new.example", "numberofemployees": 7 });
    let id = stand.create("accounts", body.clone()).await;
    let read = stand
        .read(&format!(
            "accounts({id})?$select=name,numberofemployees,statecode,merged"
        ))
        .await;
    assert_eq!(
        (&read["name"], &read["numberofemployees"]),
        (&json!("New Ltd"), &json!(7))
    );
    assert_eq!(
        (&read["statecode"], &read["merged"]),
        (&json!(0), &json!(false))
    );

    let prefer = [("prefer", "return=representation")];
    let whole = stand
        .put_in(Method::POST, "accounts?$select=name", &prefer, body)
        .await;
    assert_eq!(whole.status, 201);
    assert_eq!(whole.json()["name"], "New Ltd");
    assert!(whole.json().get("websiteurl").is_none());
}

#[tokio::test]
async fn a_patch_updates_or_creates_as_its_conditions_allow() {
    let stand = Stand::new().await;
    let path = "accounts(00000000-0000-4000-8000-0000000000aa)";
    let patch = |headers: &'static [(&'static str, &'static str)]| {
        stand.put_in(Method::PATCH, path, headers, json!({ "name": "Patched" }))
    };
    assert_eq!(patch(&[("if-match", "*")]).await.status, 404);
    let whole = [("prefer", "return=representation")];
    let created = stand
        .put_in(Method::PATCH, path, &whole, json!({ "name": "A" }))
        .await;
    assert_eq!(created.status, 201);
    let tag = created.header("etag").unwrap().to_owned();
    let refused = patch(&[("if-none-match", "*")]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (412, "0x80040237")
    );
    let tagged = [("if-match", tag.as_str())];
    assert_eq!(
        stand
            .put_in(Method::PATCH, path, &tagged, json!({ "name": "B" }))
            .await
            .status,
        204
    );
    let stale = stand
        .put_in(Method::PATCH, path, &tagged, json!({ "name": "C" }))
        .await;
    assert_eq!(
        (stale.status.as_u16(), stale.code().as_str()),
        (412, "0x80060882")
    );
    assert_eq!(patch(&[("if-match", "*")]).await.status, 204);
    assert_eq!(stand.read(path).await["name"], "Patched");
}

#[tokio::test]
async fn an_alternate_key_upserts_and_is_repeated_in_the_answer() {
    let stand = Stand::new().await;
    let path = "accounts(accountnumber='K-1')";
    for _ in 0..2 {
        let answer = stand
            .put_in(Method::PATCH, path, &[], json!({ "name": "By key" }))
            .await;
        assert_eq!(answer.status, 204);
        let address = answer.header("odata-entityid").unwrap();
        assert!(
            address.ends_with("/accounts(accountnumber='K-1')"),
            "{address}"
        );
    }
    let found = stand
        .read("accounts?$select=name&$filter=accountnumber eq 'k-1'")
        .await;
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let body = json!({ "name": "x", "accountnumber": "K-1" });
    let twice = stand.put_in(Method::POST, "accounts", &[], body).await;
    assert_eq!(
        (twice.status.as_u16(), twice.code().as_str()),
        (412, "0x80040237")
    );
}

#[tokio::test]
async fn what_a_column_cannot_hold_is_refused() {
    let stand = Stand::new().await;
    let before = stand.version().await;
    let nobody = "(00000000-0000-0000-0000-000000000001)";
    for (body, code) in [
        (json!({ "name": 5 }), "0x80048d19"),
        (json!({ "name": "x".repeat(161) }), "0x80044331"),
        (json!({ "colour": "red" }), "0x80048d19"),
        (json!({ "_primarycontactid_value": null }), "0x80048d19"),
        (json!({ "customertypecode": 99 }), "0x80048408"),
        (
            json!({ "primarycontactid@odata.bind": format!("/contacts{nobody}") }),
            "0x80040217",
        ),
        (
            json!({ "nobody@odata.bind": format!("/contacts{nobody}") }),
            "0x80048d19",
        ),
        (json!([]), "0x80048d19"),
    ] {
        let refused = stand
            .put_in(Method::POST, "accounts", &[], body.clone())
            .await;
        assert_eq!(refused.code(), code, "{body}");
    }
    assert_eq!(
        stand.version().await,
        before,
        "a refused write left a trace"
    );
    let ignored = json!({ "name": "x", "versionnumber": 5, "createdon": "2020-01-01T00:00:00Z" });
    stand.create("accounts", ignored).await;
}

#[tokio::test]
async fn lookups_are_bound_tied_and_untied() {
    let stand = Stand::new().await;
    let account = stand.create("accounts", json!({ "name": "Home" })).await;
    let bind = format!("/accounts({account})");
    let person = json!({ "firstname": "Jo", "lastname": "Neil", "parentcustomerid_account@odata.bind": bind });
    let contact = stand.create("contacts", person).await;
    let path =
        format!("contacts({contact})?$select=fullname,_parentcustomerid_value,_accountid_value");
    let shown = stand.read(&path).await;
    assert_eq!(shown["fullname"], "Jo Neil");
    assert_eq!(shown["_parentcustomerid_value"], json!(account));
    assert_eq!(shown["_accountid_value"], json!(account));

    let whole = format!(
        "{}/api/data/v9.2/contacts({contact})",
        stand.running.base_url()
    );
    let reference = json!({ "@odata.id": whole });
    let single = format!("accounts({account})/primarycontactid");
    let tied = stand
        .put_in(
            Method::PUT,
            &format!("{single}/$ref"),
            &[],
            reference.clone(),
        )
        .await;
    assert_eq!(tied.status, 204);
    assert_eq!(stand.read(&single).await["contactid"], json!(contact));
    stand
        .crm_send(Method::DELETE, &format!("{single}/$ref"), &[], None)
        .await;
    assert_eq!(stand.crm(&single, &[]).await.status, 204);

    let many = format!("accounts({account})/contact_customer_accounts");
    let list = format!("{many}?$select=fullname");
    let count = async || stand.read(&list).await["value"].as_array().unwrap().len();
    assert_eq!(count().await, 1);
    let untied = stand
        .crm_send(
            Method::DELETE,
            &format!("{many}({contact})/$ref"),
            &[],
            None,
        )
        .await;
    assert_eq!((untied.status.as_u16(), count().await), (204, 0));
    stand
        .put_in(Method::POST, &format!("{many}/$ref"), &[], reference)
        .await;
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn one_column_is_read_and_written_by_itself_and_names_follow() {
    let stand = Stand::new().await;
    let contact = stand
        .create("contacts", json!({ "firstname": "Jo", "lastname": "Neil" }))
        .await;
    let path = format!("contacts({contact})/lastname");
    let written = stand
        .put_in(Method::PUT, &path, &[], json!({ "value": "Oh" }))
        .await;
    assert_eq!(written.status, 204);
    assert_eq!(
        stand.read(&format!("contacts({contact})/fullname")).await["value"],
        "Jo Oh"
    );
    assert_eq!(
        stand
            .crm_send(Method::DELETE, &path, &[], None)
            .await
            .status,
        204
    );
    assert_eq!(stand.crm(&path, &[]).await.status, 204);
    let all = stand.crm("contacts/$count", &[]).await.text;
    assert_eq!(
        all,
        stand
            .running
            .world()
            .read(|world| world.contact_count())
            .to_string()
    );
}

#[tokio::test]
async fn a_deleted_account_leaves_its_contacts_without_parent() {
    let stand = Stand::new().await;
    let account = stand.create("accounts", json!({ "name": "Home" })).await;
    let bind = format!("accounts({account})");
    let contact = json!({ "lastname": "L", "parentcustomerid_account@odata.bind": bind });
    let contact = stand.create("contacts", contact).await;
    let path = format!("accounts({account})");
    let stale = stand
        .crm_send(Method::DELETE, &path, &[("if-match", "W/\"1\"")], None)
        .await;
    assert_eq!(stale.status, 412);
    assert_eq!(
        stand
            .crm_send(Method::DELETE, &path, &[], None)
            .await
            .status,
        204
    );
    assert_eq!(
        stand
            .crm_send(Method::DELETE, &path, &[], None)
            .await
            .status,
        404
    );
    let left = stand
        .read(&format!(
            "contacts({contact})?$select=_parentcustomerid_value"
        ))
        .await;
    assert_eq!(left["_parentcustomerid_value"], json!(null));
}

#[tokio::test]
async fn many_rows_are_written_altogether_or_not_at_all() {
    let stand = Stand::new().await;
    let row = |name: &str| json!({ "@odata.type": "Microsoft.Dynamics.CRM.account", "name": name });
    let post = async |action: &str, targets: Value| {
        let path = format!("accounts/Microsoft.Dynamics.CRM.{action}");
        stand
            .put_in(Method::POST, &path, &[], json!({ "Targets": targets }))
            .await
    };
    let created = post("CreateMultiple", json!([row("M-1"), row("M-2")]))
        .await
        .json();
    let ids = created["Ids"].as_array().unwrap().clone();
    assert_eq!(ids.len(), 2);

    let before = stand.version().await;
    let failed = post("CreateMultiple", json!([row("M-3"), row(&"x".repeat(200))])).await;
    assert_eq!(failed.status, 400);
    let left = stand.read("accounts?$filter=name eq 'M-3'").await;
    assert_eq!(
        (
            left["value"].as_array().unwrap().len(),
            stand.version().await
        ),
        (0, before)
    );

    let mut change = row("M-1 changed");
    change["accountid"] = ids[0].clone();
    assert_eq!(post("UpdateMultiple", json!([change])).await.status, 204);
    assert_eq!(
        post("UpdateMultiple", json!([row("who?")])).await.status,
        400
    );
    let mut by_key = row("M-4");
    by_key["@odata.id"] = "accounts(accountnumber='M-4')".into();
    for _ in 0..2 {
        assert_eq!(post("UpsertMultiple", json!([by_key])).await.status, 204);
    }
    let names = stand
        .read("accounts?$select=name&$filter=startswith(name,'M-')&$orderby=name")
        .await;
    let names: Vec<_> = names["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(names, ["M-1 changed", "M-2", "M-4"]);
}

#[tokio::test]
async fn a_merge_deactivates_one_account_and_moves_its_contacts() {
    let stand = Stand::new().await;
    let survivor = stand
        .create("accounts", json!({ "name": "Survivor" }))
        .await;
    let loser = stand.create("accounts", json!({ "name": "Loser" })).await;
    let bind = format!("/accounts({loser})");
    let contact = json!({ "lastname": "L", "parentcustomerid_account@odata.bind": bind });
    let contact = stand.create("contacts", contact).await;
    let kind = "Microsoft.Dynamics.CRM.account";
    let merge = json!({
        "Target": { "@odata.type": kind, "accountid": survivor },
        "Subordinate": { "@odata.type": kind, "accountid": loser },
        "UpdateContent": { "@odata.type": kind, "telephone1": "1" },
        "PerformParentingChecks": false,
    });
    assert_eq!(
        stand.put_in(Method::POST, "Merge", &[], merge).await.status,
        204
    );
    let gone = stand
        .read(&format!(
            "accounts({loser})?$select=statecode,merged,_masterid_value"
        ))
        .await;
    assert_eq!(
        (&gone["statecode"], &gone["merged"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(gone["_masterid_value"], json!(survivor));
    let moved = stand
        .read(&format!(
            "contacts({contact})?$select=_parentcustomerid_value"
        ))
        .await;
    assert_eq!(moved["_parentcustomerid_value"], json!(survivor));
    assert_eq!(
        stand.read(&format!("accounts({survivor})")).await["telephone1"],
        "1"
    );
}

#[tokio::test]
async fn a_duplicate_is_only_detected_when_that_is_asked_for() {
    let stand = Stand::new().await;
    stand.create("accounts", json!({ "name": "Twin" })).await;
    let asked = [("mscrm.suppressduplicatedetection", "false")];
    let refused = stand
        .put_in(Method::POST, "accounts", &asked, json!({ "name": "TWIN" }))
        .await;
    assert_eq!(refused.code(), "0x80040333");
    stand.create("accounts", json!({ "name": "Twin" })).await;
}

#[tokio::test]
async fn rows_that_belong_together_are_created_in_one_request() {
    let stand = Stand::new().await;
    let body = json!({
        "name": "Family",
        "primarycontactid": { "firstname": "Ada", "lastname": "First" },
        "contact_customer_accounts": [
            { "firstname": "Bea", "lastname": "Second" },
            { "firstname": "Cy", "lastname": "Third" },
        ],
    });
    let id = stand.create("accounts", body).await;
    let path = format!(
        "accounts({id})?$select=name&$expand=primarycontactid($select=fullname),contact_customer_accounts($select=fullname;$orderby=fullname)"
    );
    let row = stand.read(&path).await;
    assert_eq!(row["primarycontactid"]["fullname"], "Ada First");
    let contacts = row["contact_customer_accounts"].as_array().unwrap();
    let names: Vec<_> = contacts
        .iter()
        .map(|contact| contact["fullname"].clone())
        .collect();
    assert_eq!(names, ["Bea Second", "Cy Third"]);

    let before = stand.version().await;
    for related in [
        json!({ "lastname": "x", "colour": "red" }),
        json!("a text"),
        json!([]),
    ] {
        let body = json!({ "name": "Never", "primarycontactid": related });
        let refused = stand.put_in(Method::POST, "accounts", &[], body).await;
        assert_eq!(refused.code(), "0x80048d19", "{related}");
    }
    let body = json!({ "primarycontactid": { "lastname": "Deep" } });
    let deep = stand
        .put_in(Method::PATCH, &format!("accounts({id})"), &[], body)
        .await;
    assert_eq!(deep.status, 400);
    assert_eq!(stand.version().await, before);
}
