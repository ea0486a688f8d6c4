//! `doctor` (A6): checks settings, database, keys, schedules and connections, and says how to mend what is wrong.

use serde::Serialize;

use crate::app::build::App;
use crate::app::clock::system_context;
use crate::app::open::{open_key_ring, open_store, operator};
use crate::app::output::{note, result};
use crate::config::Config;
use crate::store::{Engine, SchemaState};

/// One thing checked.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    passed: bool,
    detail: String,
}

/// What was found, in the order it was looked at.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, name: &str, outcome: Result<String, String>) -> bool {
        let passed = outcome.is_ok();
        let (Ok(detail) | Err(detail)) = outcome;
        self.0.push(Finding {
            name: name.to_owned(),
            passed,
            detail,
        });
        passed
    }
}

/// Checks everything it can reach.
///
/// # Errors
/// When anything is wrong, so that scripts see it.
pub async fn run(config: Config, as_json: bool) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    let environment = format!(
        "{} ({:?})",
        config.environment.name, config.environment.kind
    );
    findings.add(
        "settings",
        Ok(format!("can be read; environment {environment}")),
    );
    if check_database(&config, &mut findings).await {
        check_service(config, &mut findings).await;
    }
    let failed = findings.0.iter().filter(|finding| !finding.passed).count();
    if as_json {
        result(serde_json::json!({ "passed": failed == 0, "findings": findings.0 }));
    } else {
        for finding in &findings.0 {
            let mark = if finding.passed { "ok  " } else { "FAIL" };
            result(format!("{mark}  {}: {}", finding.name, finding.detail));
        }
    }
    if failed > 0 {
        anyhow::bail!("{failed} of {} checks failed", findings.0.len());
    }
    note("everything is in order");
    Ok(())
}

async fn check_database(config: &Config, findings: &mut Findings) -> bool {
    let store = match open_store(config).await {
        Ok(store) => store,
        Err(error) => return findings.add("database", Err(format!("{error:#}"))),
    };
    findings.add(
        "database",
        Ok(format!("{:?} can be reached", store.engine())),
    );
    let schema = match (store.schema().await, store.engine()) {
        (Ok(SchemaState::Current), _) => Ok("current".to_owned()),
        (Ok(SchemaState::Older(steps)), Engine::Sqlite) => Ok(format!(
            "{} migrations behind; `serve` applies them",
            steps.len()
        )),
        (Ok(SchemaState::Older(steps)), Engine::Postgres) => Err(format!(
            "{} migrations behind; run `provider-bridge migrate`",
            steps.len()
        )),
        (Ok(SchemaState::Newer(_)), _) => {
            Err("newer than this program; run the newer program".to_owned())
        }
        (Err(error), _) => Err(error.to_string()),
    };
    let usable = findings.add("schema", schema);
    let ring = open_key_ring(config, &system_context());
    let ring = ring
        .map(|ring| format!("the current key is `{}`", ring.current_id()))
        .map_err(|error| format!("{error:#}"));
    findings.add("keys", ring) && usable
}

async fn check_service(config: Config, findings: &mut Findings) {
    let crm_connected = config.dataverse.org_url().is_some();
    let app = match App::build_beside(config, system_context()).await {
        Ok(app) => app,
        Err(error) => {
            findings.add("service", Err(format!("{error:#}")));
            return;
        }
    };
    let flows = &app.flows;
    let late = flows.context.now() - chrono::TimeDelta::minutes(15);
    match crate::store::jobs::schedules::list(flows.store.reader()).await {
        Err(error) => drop(findings.add("schedules", Err(error.to_string()))),
        Ok(schedules) => {
            let missed: Vec<_> = schedules
                .iter()
                .filter(|schedule| schedule.enabled && schedule.next_run_at < late)
                .map(|schedule| schedule.work.kind())
                .collect();
            let outcome = if missed.is_empty() {
                Ok(format!("{} schedules, none overdue", schedules.len()))
            } else {
                Err(format!(
                    "overdue: {}; is any instance of `serve` running?",
                    missed.join(", ")
                ))
            };
            findings.add("schedules", outcome);
        }
    }
    if crm_connected {
        report(findings, "Dynamics", &flows.crm.verify().await);
    } else {
        findings.add(
            "Dynamics",
            Err("not connected; set dataverse.org_url and its credential".to_owned()),
        );
    }
    for provider in flows.list_providers(&operator()).await.unwrap_or_default() {
        let name = format!("provider {}", provider.name);
        match flows.verify_provider(&operator(), provider.id).await {
            Ok(verified) => report(findings, &name, &verified),
            Err(error) => drop(findings.add(&name, Err(error.to_string()))),
        }
    }
}

fn report(findings: &mut Findings, name: &str, report: &crate::domain::verify::VerifyReport) {
    let outcome = match report.steps.iter().find(|step| !step.passed) {
        None => Ok(format!("{} steps passed", report.steps.len())),
        Some(step) => Err(format!("{}: {}", step.name, step.detail)),
    };
    findings.add(name, outcome);
}
