//! Verify Connectivity (A3, A5): a token, the application user behind it, the right to read both tables, and their change
//! feed. Each step names its own remedy; nothing is tried twice, because somebody is watching.

use serde_json::Value;

use super::changes;
use super::links::Organisation;
use super::own_user::OwnUser;
use super::refusal::Failure;
use super::transport::{Call, Transport};
use crate::domain::ports::crm::DirectoryTable;
use crate::domain::verify::{VerifyReport, VerifyStep};

/// Runs the steps until one fails.
pub(super) async fn report(
    transport: &Transport,
    organisation: &Organisation,
    own_user: &OwnUser,
) -> VerifyReport {
    let mut steps = Vec::new();
    let outcome = run(transport, organisation, own_user, &mut steps).await;
    if let Err((name, failure)) = outcome {
        steps.push(VerifyStep {
            name: name.to_owned(),
            passed: false,
            detail: failure.error.message,
        });
    }
    VerifyReport::of(steps)
}

async fn run(
    transport: &Transport,
    organisation: &Organisation,
    own_user: &OwnUser,
    steps: &mut Vec<VerifyStep>,
) -> Result<(), (&'static str, Failure)> {
    let mut pass = |name: &str, detail: String| {
        steps.push(VerifyStep {
            name: name.to_owned(),
            passed: true,
            detail,
        });
    };
    let name = "token issued";
    transport.token().await.map_err(|failure| (name, failure))?;
    pass(name, format!("for {}", organisation.host()));

    let name = "application user known";
    let user = own_user.ask(transport, organisation).await;
    let user = user.map_err(|failure| (name, failure))?;
    pass(name, format!("its system user id is {user}"));

    let tables = [
        (
            "accounts readable",
            "reading accounts",
            "accounts",
            "accountid",
        ),
        (
            "contacts readable",
            "reading contacts",
            "contacts",
            "contactid",
        ),
    ];
    for (name, what, table, column) in tables {
        let url = organisation.query(table, &[("$select", column), ("$top", "1")]);
        let call = Call::new(what, url);
        let rows = read(transport, &call, |body| {
            Some(body.get("value")?.as_array()?.len())
        });
        let rows = rows.await.map_err(|failure| (name, failure))?;
        let detail = if rows == 0 {
            "there are none yet"
        } else {
            "one was read"
        };
        pass(name, detail.to_owned());
    }

    let tables = [
        ("changes of accounts readable", DirectoryTable::Accounts),
        ("changes of contacts readable", DirectoryTable::Contacts),
    ];
    for (name, table) in tables {
        let call = changes::first(organisation, 1, table);
        let links = read(transport, &call, |body| {
            let link = ["@odata.nextLink", "@odata.deltaLink"];
            link.iter()
                .any(|name| body.get(name).is_some())
                .then_some(())
        });
        links.await.map_err(|failure| (name, failure))?;
        pass(name, "change tracking is on".to_owned());
    }
    Ok(())
}

async fn read<T>(
    transport: &Transport,
    call: &Call,
    take: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, Failure> {
    let answer = transport.once(call).await?;
    let taken = transport.understand(call, &answer, |body: Value| take(&body));
    taken.map_err(Failure::without_answer)
}
