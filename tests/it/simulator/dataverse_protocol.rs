//! What surrounds the rows: headers, annotations, counts, errors, and the functions and descriptions that clients ask for.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Stand;

const ANNOTATED: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");

#[tokio::test]
async fn an_answer_says_its_type_its_version_and_what_it_heeded() {
    let stand = Stand::new().await;
    let prefer = [(
        "prefer",
        "odata.maxpagesize=3,odata.include-annotations=\"*\"",
    )];
    let page = stand.crm("accounts?$select=name", &prefer).await;
    assert_eq!(
        page.header("content-type"),
        Some("application/json; odata.metadata=minimal")
    );
    assert_eq!(page.header("odata-version"), Some("4.0"));
    assert!(page.header("x-ms-service-request-id").is_some());
    let applied: Vec<_> = page.headers.get_all("preference-applied").iter().collect();
    assert_eq!(
        applied,
        ["odata.maxpagesize=3", "odata.include-annotations=\"*\""]
    );

    let tracked = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.track-changes")],
        )
        .await;
    assert_eq!(
        tracked.header("preference-applied"),
        Some("odata.track-changes")
    );
    let absent = stand
        .crm("accounts(00000000-0000-0000-0000-00000000dead)", &[])
        .await;
    assert_eq!(
        absent.header("content-type"),
        Some("application/json; odata.metadata=minimal")
    );
    assert_eq!(absent.header("odata-version"), Some("4.0"));
    assert_eq!(absent.headers.get_all("odata-version").iter().count(), 1);
}

#[tokio::test]
async fn annotations_come_as_far_as_they_were_asked_for() {
    let stand = Stand::new().await;
    let body = json!({ "name": "Annotated", "revenue": 1234567.5, "numberofemployees": 1200 });
    stand
        .crm_send(Method::POST, "accounts", &[], Some(body.to_string()))
        .await;
    let path = "accounts?$filter=name eq 'Annotated'&$select=revenue,numberofemployees,statecode,merged,createdon,_ownerid_value";
    let all = stand.crm(path, &[ANNOTATED]).await.json()["value"][0].clone();
    let formatted =
        |name: &str| all[format!("{name}@OData.Community.Display.V1.FormattedValue")].clone();
    assert_eq!(formatted("revenue"), "$1,234,567.50");
    assert_eq!(formatted("numberofemployees"), "1,200");
    assert_eq!(formatted("statecode"), "Active");
    assert_eq!(formatted("merged"), "No");
    assert!(
        formatted("createdon").as_str().unwrap().ends_with('M'),
        "{all}"
    );
    assert_eq!(
        all["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "systemuser"
    );
    assert_eq!(
        all["_ownerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "ownerid"
    );

    let few = "odata.include-annotations=\"Microsoft.Dynamics.CRM.lookuplogicalname\"";
    let few = stand.crm(path, &[("prefer", few)]).await.json()["value"][0].clone();
    let names: Vec<_> = few
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.contains("@M") || name.contains("@OD"))
        .collect();
    assert_eq!(
        names,
        ["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"]
    );
    let none = stand.crm(path, &[]).await.text;
    assert!(!none.contains("FormattedValue"), "{none}");
}

#[tokio::test]
async fn counts_say_whether_there_is_more() {
    let stand = Stand::new().await;
    let page = stand
        .crm("accounts?$select=name&$count=true&$top=1", &[ANNOTATED])
        .await
        .json();
    let count = stand.running.world().read(|world| world.account_count());
    assert_eq!(page["@odata.count"], count);
    assert_eq!(page["@Microsoft.Dynamics.CRM.totalrecordcount"], count);
    assert_eq!(
        page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"],
        false
    );
    let uncounted = stand
        .crm("accounts?$select=name&$top=1", &[ANNOTATED])
        .await
        .json();
    assert_eq!(uncounted["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    let total = stand
        .crm("RetrieveTotalRecordCount(EntityNames=['account'])", &[])
        .await
        .json();
    assert_eq!(
        total["EntityRecordCountCollection"]["Values"],
        json!([count])
    );
}

#[tokio::test]
async fn an_error_explains_itself_when_that_is_asked_for() {
    let stand = Stand::new().await;
    let path = "accounts(00000000-0000-0000-0000-00000000dead)";
    let plain = stand.crm(path, &[]).await.json();
    assert_eq!(plain["error"].as_object().unwrap().len(), 2);
    let error = stand.crm(path, &[ANNOTATED]).await.json()["error"].clone();
    assert_eq!(
        error["@Microsoft.PowerApps.CDS.InnerError.Message"],
        error["message"]
    );
    let help = error["@Microsoft.PowerApps.CDS.HelpLink"].as_str().unwrap();
    assert!(help.contains("80040217"), "{help}");
}

#[tokio::test]
async fn tracked_changes_are_counted_and_put_what_is_gone_last() {
    let stand = Stand::new().await;
    let tracked = stand
        .crm(
            "accounts?$select=name",
            &[("prefer", "odata.track-changes")],
        )
        .await
        .json();
    let delta = tracked["@odata.deltaLink"].as_str().unwrap().to_owned();
    let ids: Vec<String> = tracked["value"]
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(|row| row["accountid"].as_str().unwrap().to_owned())
        .collect();
    stand
        .crm_send(Method::DELETE, &format!("accounts({})", ids[0]), &[], None)
        .await;
    let body = Some(json!({ "name": "Renamed" }).to_string());
    stand
        .crm_send(Method::PATCH, &format!("accounts({})", ids[1]), &[], body)
        .await;

    let changes = stand.crm(&delta, &[]).await.json();
    let rows = changes["value"].as_array().unwrap();
    assert_eq!(rows.last().unwrap()["reason"], "deleted");
    assert_eq!(rows.last().unwrap()["id"], json!(ids[0]));
    assert!(rows.iter().any(|row| row["name"] == "Renamed"));
    let count = stand
        .crm(&delta.replace("accounts?", "accounts/$count?"), &[])
        .await
        .text;
    assert_eq!(count, rows.len().to_string());
    for option in [
        "$filter=statecode eq 0",
        "$orderby=name",
        "$top=1",
        "$expand=primarycontactid",
    ] {
        let refused = stand
            .crm(
                &format!("accounts?{option}"),
                &[("prefer", "odata.track-changes")],
            )
            .await;
        assert_eq!(refused.status, 400);
        assert!(
            refused
                .text
                .contains("isn't supported when Change Tracking is enabled"),
            "{}",
            refused.text
        );
    }
}

#[tokio::test]
async fn the_service_describes_itself() {
    let stand = Stand::new().await;
    let document = stand.crm("", &[]).await.json();
    let sets: Vec<_> = document["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| set["name"].clone())
        .collect();
    assert_eq!(sets, ["accounts", "contacts"]);
    let csdl = stand.crm("$metadata?annotations=true", &[]).await;
    assert_eq!(csdl.header("content-type"), Some("application/xml"));
    for part in [
        "<EntityType Name=\"account\"",
        "<Property Name=\"_primarycontactid_value\" Type=\"Edm.Guid\" />",
        "<NavigationProperty Name=\"contact_customer_accounts\" Type=\"Collection(mscrm.contact)\" />",
        "Org.OData.Capabilities.V1.ChangeTracking",
    ] {
        assert!(
            csdl.text.contains(part),
            "{part} is missing in {}",
            csdl.text
        );
    }
    assert_eq!(
        stand.crm("RetrieveVersion()", &[]).await.json()["Version"],
        "9.2.0.0"
    );
}

#[tokio::test]
async fn descriptions_are_filtered_expanded_and_cast() {
    let stand = Stand::new().await;
    let read = async |path: &str| stand.crm(path, &[]).await.json();
    let names = |found: &Value, name: &str| -> Vec<String> {
        let rows = found["value"]
            .as_array()
            .unwrap_or_else(|| panic!("{found}"));
        rows.iter()
            .map(|row| row[name].as_str().unwrap().to_owned())
            .collect()
    };
    for (filter, expected) in [
        ("SchemaName eq 'Account'", vec!["account"]),
        (
            "IsPrivate eq false and (SchemaName eq 'Contact')",
            vec!["contact"],
        ),
        (
            "ChangeTrackingEnabled eq true and not startswith(LogicalName,'c')",
            vec!["account"],
        ),
        (
            "ObjectTypeCode eq 2 or LogicalName eq 'unicorn'",
            vec!["contact"],
        ),
    ] {
        let found = read(&format!(
            "EntityDefinitions?$select=LogicalName&$filter={filter}"
        ))
        .await;
        assert_eq!(names(&found, "LogicalName"), expected, "{filter}");
    }
    let path = "EntityDefinitions(LogicalName='account')?$select=LogicalName&$expand=Attributes($select=LogicalName),Keys";
    let table = read(path).await;
    assert_eq!(table["Keys"][0]["KeyAttributes"], json!(["accountnumber"]));
    assert!(table["Attributes"].as_array().unwrap().len() > 20);

    let cast = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')/Microsoft.Dynamics.CRM.StringAttributeMetadata";
    assert_eq!(read(cast).await["MaxLength"], 160);
    let wrong = cast.replace("String", "Picklist");
    assert_eq!(stand.crm(&wrong, &[]).await.status, 404);
    let relationships =
        read("EntityDefinitions(LogicalName='account')/OneToManyRelationships").await;
    assert!(names(&relationships, "SchemaName").contains(&"contact_customer_accounts".to_owned()));
    let path = "RelationshipDefinitions?$filter=RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'OneToManyRelationship' and ReferencingEntity eq 'contact'";
    assert!(
        names(&read(path).await, "ReferencingAttribute").contains(&"parentcustomerid".to_owned())
    );
    let cast = "RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata";
    assert!(!names(&read(cast).await, "SchemaName").is_empty());
    assert_eq!(
        stand
            .crm("EntityDefinitions?$filter=Colour eq 'red'", &[])
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn changes_of_metadata_give_the_properties_they_are_asked_for() {
    let stand = Stand::new().await;
    let by_name = |name: &str| {
        json!({ "Conditions": [{
            "PropertyName": "LogicalName", "ConditionOperator": "Equals",
            "Value": { "Type": "System.String", "Value": name },
        }] })
    };
    let query = json!({
        "Criteria": by_name("account"),
        "Properties": { "PropertyNames": ["LogicalName", "Attributes"] },
        "AttributeQuery": {
            "Criteria": by_name("name"),
            "Properties": { "PropertyNames": ["LogicalName", "MaxLength"] },
        },
    });
    let query: String =
        url::form_urlencoded::byte_serialize(query.to_string().as_bytes()).collect();
    let found = stand
        .crm(
            &format!("RetrieveMetadataChanges(Query=@p1)?@p1={query}"),
            &[],
        )
        .await
        .json();
    let column = &found["EntityMetadata"][0]["Attributes"][0];
    assert_eq!(
        (&column["LogicalName"], &column["MaxLength"]),
        (&json!("name"), &json!(160))
    );
    assert!(column.get("SchemaName").is_none());
}

#[tokio::test]
async fn many_rows_are_deleted_by_a_job() {
    let stand = Stand::new().await;
    let rows = stand.crm("accounts?$select=name&$top=3", &[]).await.json();
    let ids: Vec<Value> = rows["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!({ "Value": row["accountid"], "Type": "System.Guid" }))
        .collect();
    let count = || stand.running.world().read(|world| world.account_count());
    let before = count();
    let body = json!({ "JobName": "three", "QuerySet": [{
        "EntityName": "account",
        "Criteria": { "FilterOperator": "And", "Conditions": [
            { "AttributeName": "accountid", "Operator": "In", "Values": ids },
        ] },
    }] });
    let answer = stand
        .crm_send(Method::POST, "BulkDelete", &[], Some(body.to_string()))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json()["JobId"].is_string());
    assert_eq!(count(), before - 3);
}

#[tokio::test]
async fn links_keep_the_version_that_was_asked_for() {
    let stand = Stand::new().await;
    let base = stand.running.base_url();
    let prefer = [("prefer", "odata.maxpagesize=5")];
    let page = stand
        .crm(
            &format!("{base}/api/data/v9.0/accounts?$select=name"),
            &prefer,
        )
        .await
        .json();
    let root = format!("{base}/api/data/v9.0/");
    for name in ["@odata.context", "@odata.nextLink"] {
        assert!(
            page[name].as_str().unwrap().starts_with(&root),
            "{}",
            page[name]
        );
    }
    let body = Some(json!({ "name": "Versioned" }).to_string());
    let created = stand
        .crm_send(Method::POST, &format!("{root}accounts"), &[], body)
        .await;
    assert!(created.header("odata-entityid").unwrap().starts_with(&root));
}

#[tokio::test]
async fn values_counts_and_references_are_read_by_themselves() {
    let stand = Stand::new().await;
    let body = json!({
        "accountnumber": "R-1", "name": "Referred", "numberofemployees": 7,
        "primarycontactid": { "lastname": "First" },
        "contact_customer_accounts": [{ "lastname": "Second" }, { "lastname": "Third" }],
    });
    stand
        .crm_send(Method::POST, "accounts", &[], Some(body.to_string()))
        .await;
    let read = async |part: &str| {
        stand
            .crm(&format!("accounts(accountnumber='R-1')/{part}"), &[])
            .await
    };
    let name = read("name/$value").await;
    assert_eq!(
        (name.text.as_str(), name.header("content-type")),
        ("Referred", Some("text/plain"))
    );
    assert_eq!(read("numberofemployees/$value").await.text, "7");
    assert_eq!(read("websiteurl/$value").await.status, 204);
    assert_eq!(read("contact_customer_accounts/$count").await.text, "2");
    assert_eq!(
        read("contact_customer_accounts/$count?$filter=lastname eq 'Third'")
            .await
            .text,
        "1"
    );
    let all = read("contact_customer_accounts/$ref").await.json();
    assert_eq!(all["value"].as_array().unwrap().len(), 2);
    let one = read("primarycontactid/$ref").await.json();
    let address = one["@odata.id"].as_str().unwrap();
    assert_eq!(stand.crm(address, &[]).await.json()["lastname"], "First");
    assert_eq!(read("parentaccountid/$ref").await.status, 204);
    assert_eq!(read("nobody/$ref").await.status, 400);
}
