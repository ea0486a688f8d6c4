//! `doctor` (A6): checks settings, database, keys, schedules and connections, and says how to mend what is wrong. It changes
//! nothing: where the database or the development key is not made yet, or the schema is behind, that is said and no more.

use serde::Serialize;

use crate::app::build::App;
use crate::app::clock::system_context;
use crate::app::in_one_line;
use crate::app::open::{open_http_client, open_key_ring, open_store, operator};
use crate::app::output::{note, result};
use crate::config::Config;
use crate::domain::ports::crm::Crm;
use crate::identity::key_ring::DEVELOPMENT_KEY_FILE;
use crate::store::{Engine, SchemaState};

/// One thing checked.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    passed: bool,
    /// Passed, but somebody should know.
    warning: bool,
    detail: String,
}

/// What can be done with the database as it is.
enum Base {
    /// Everything can be looked at.
    Usable,
    /// Its tables are not those of this program yet.
    Behind,
    /// Nothing.
    Broken,
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
            warning: false,
            detail,
        });
        passed
    }

    fn warn(&mut self, name: &str, detail: String) {
        self.0.push(Finding {
            name: name.to_owned(),
            passed: true,
            warning: true,
            detail,
        });
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
    let base = check_database(&config, &mut findings).await;
    let keys = check_keys(&config, &mut findings);
    match base {
        Base::Usable if keys => check_service(config, &mut findings).await,
        Base::Usable | Base::Behind => check_crm_alone(&config, &mut findings).await,
        Base::Broken => {}
    }
    let warnings = findings.0.iter().filter(|finding| finding.warning).count();
    let failed = findings.0.iter().filter(|finding| !finding.passed).count();
    if as_json {
        result(serde_json::json!({ "passed": failed == 0, "findings": findings.0 }));
    } else {
        for finding in &findings.0 {
            let mark = match (finding.passed, finding.warning) {
                (true, false) => "ok  ",
                (true, true) => "warn",
                (false, _) => "FAIL",
            };
            result(format!("{mark}  {}: {}", finding.name, finding.detail));
        }
    }
    if failed > 0 {
        anyhow::bail!("{failed} of {} checks failed", findings.0.len());
    }
    note(match warnings {
        0 => "everything is in order".to_owned(),
        1 => "everything is in order, but for 1 warning".to_owned(),
        _ => format!("everything is in order, but for {warnings} warnings"),
    });
    Ok(())
}

async fn check_database(config: &Config, findings: &mut Findings) -> Base {
    let file = config.database.sqlite_file();
    if let Some(file) = file.filter(|file| !file.exists()) {
        let text = format!(
            "there is none at {} yet; `serve` or `migrate` makes it",
            file.display()
        );
        findings.warn("database", text);
        return Base::Behind;
    }
    let store = match open_store(config).await {
        Ok(store) => store,
        Err(error) => {
            findings.add("database", Err(in_one_line(&error)));
            return Base::Broken;
        }
    };
    findings.add(
        "database",
        Ok(format!("{:?} can be reached", store.engine())),
    );
    let state = store.schema().await;
    let engine = store.engine();
    store.close().await;
    match (state, engine) {
        (Ok(SchemaState::Current), _) => {
            findings.add("schema", Ok("current".to_owned()));
            Base::Usable
        }
        (Ok(SchemaState::Older(steps)), Engine::Sqlite) => {
            let text = format!(
                "behind: `serve` or `migrate` applies {} migrations",
                steps.len()
            );
            findings.warn("schema", text);
            Base::Behind
        }
        (Ok(SchemaState::Older(steps)), Engine::Postgres) => {
            let text = format!(
                "behind: `serve` refuses to start; run `provider-bridge migrate`, which applies {} migrations",
                steps.len()
            );
            findings.add("schema", Err(text));
            Base::Behind
        }
        (Ok(SchemaState::Newer(_)), _) => {
            let text = "newer than this program; run the newer program".to_owned();
            findings.add("schema", Err(text));
            Base::Broken
        }
        (Err(error), _) => {
            findings.add("schema", Err(error.to_string()));
            Base::Broken
        }
    }
}

fn check_keys(config: &Config, findings: &mut Findings) -> bool {
    let file = config.database.data_directory.join(DEVELOPMENT_KEY_FILE);
    if config.keys.ring.is_empty() && !file.exists() {
        let text = format!("there is none yet; `serve` makes {}", file.display());
        findings.warn("keys", text);
        return false;
    }
    let ring = open_key_ring(config, &system_context());
    let ring = ring
        .map(|ring| format!("the current key is `{}`", ring.current_id()))
        .map_err(|error| in_one_line(&error));
    findings.add("keys", ring)
}

/// Without tables there are no schedules and no providers; the CRM can be asked all the same.
async fn check_crm_alone(config: &Config, findings: &mut Findings) {
    findings.warn(
        "schedules and providers",
        "not checked: the database or the keys are not ready".to_owned(),
    );
    let parts = open_http_client(config)
        .and_then(|http| crate::app::crm::connect(config, &system_context(), &http));
    match parts {
        Ok(parts) => check_crm(config, &*parts.client, findings).await,
        Err(error) => drop(findings.add("Dynamics", Err(in_one_line(&error)))),
    }
}

async fn check_crm(config: &Config, client: &dyn Crm, findings: &mut Findings) {
    if config.dataverse.org_url().is_some() {
        report(findings, "Dynamics", &client.verify().await);
    } else {
        findings.add(
            "Dynamics",
            Err("not connected; set dataverse.org_url and its credential".to_owned()),
        );
    }
}

async fn check_service(config: Config, findings: &mut Findings) {
    let app = match App::build_beside(config, system_context()).await {
        Ok(app) => app,
        Err(error) => {
            findings.add("service", Err(in_one_line(&error)));
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
    check_crm(&app.config, &*flows.crm, findings).await;
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
