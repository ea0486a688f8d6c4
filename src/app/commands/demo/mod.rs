//! `demo`: the whole of it on one machine. A simulated Partner Center and Dynamics, the real service on a throw-away
//! database, and a receiver in a flow's place; then a sync, matching, mapping and deliveries, held against the simulator's
//! truth.

mod consent;
mod progress;
mod receiver;
mod report;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};

use self::progress::Progress;
use self::receiver::Receiver;
use self::report::{Report, Seconds};
use super::sign_in_link::link;
use crate::app::build::App;
use crate::app::cli::{DemoArgs, loopback};
use crate::app::clock::system_context;
use crate::app::open::operator;
use crate::app::output::{note, result};
use crate::app::running::{Running, told_to_stop};
use crate::config::Config;
use crate::domain::caller::Role;
use crate::domain::event::EventType;
use crate::domain::ids::{JobId, ProviderId};
use crate::domain::job::{Job, JobState, JobWork};
use crate::domain::mapping::MappingState;
use crate::domain::provider::ProviderKind;
use crate::flows::providers::NewProvider;
use crate::flows::triggers::Subscribe;
use crate::identity::api_keys::ApiKeys;
use crate::identity::consent::Consents;
use crate::identity::sessions::Sessions;
use crate::simulator::{self, Simulator, SimulatorOptions, Upstream, World, WorldSpec};
use crate::store::mappings::{self, suggestions};
use crate::store::provider_accounts::{self, Filter};
use crate::store::{deliveries, dispatch, jobs, outbox};

/// How often the demo looks at how far things are.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// So many wrong mappings are told one by one.
const MOST_NOTED: u64 = 10;
/// Without any progress for so long, something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the demo.
///
/// # Errors
/// When a part cannot start, a Job fails, or nothing moves for two minutes.
pub async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let spec = WorldSpec {
        customers: args.customers,
        seed: args.seed,
        ..WorldSpec::default()
    };
    note(format!("making a world of {} customers …", args.customers));
    let world = World::generate(&spec);
    let simulator = Simulator::start(world, SimulatorOptions::new(system_context())).await?;
    let data = tempfile::tempdir().context("no temporary folder")?;
    let config = config(&simulator.base_url(), data.path(), args.port)?;
    let app = App::build(config, system_context()).await?;
    let (keys, sessions) = (app.keys.clone(), app.sessions.clone());
    let consents = app.consents.clone();
    let receiver = Receiver::start()?;
    let running = app.start(true).await?;
    let provider = connect(&running, &consents).await?;
    subscribe(&running, &receiver, &keys).await?;
    let outcome = perform(args, &running, &simulator, &receiver, provider).await;
    if let Ok(report) = &outcome {
        result(if args.json {
            serde_json::to_string(report)?
        } else {
            report.text()
        });
        if !args.once {
            serve(&running, &keys, &sessions, args.json).await?;
        }
    }
    running.stop().await;
    receiver.stop().await;
    simulator.stop().await;
    outcome.map(|_| ())
}

/// Settings of the demo's service: the stand-ins in place of Microsoft, loopback allowed, limits lifted.
fn config(simulator: &str, data: &Path, port: u16) -> anyhow::Result<Config> {
    let port = if port == 0 { free_port()? } else { port };
    let values = [
        ("ENVIRONMENT__NAME", "demo".to_owned()),
        ("SERVER__BIND", loopback(port).to_string()),
        ("SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}")),
        ("SERVER__REQUESTS_PER_MINUTE", "0".to_owned()),
        ("DATABASE__DATA_DIRECTORY", data.display().to_string()),
        ("CALLBACKS__ALLOW_LOOPBACK", "true".to_owned()),
    ];
    let variables: HashMap<String, String> = values
        .into_iter()
        .chain(simulator::settings(simulator))
        .map(|(key, value)| (format!("PROVIDER_BRIDGE__{key}"), value))
        .collect();
    Ok(Config::load_with(None, variables)?)
}

/// The public URL has to be known before the server is bound.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(loopback(0))?
        .local_addr()?
        .port())
}

async fn perform(
    args: &DemoArgs,
    running: &Running,
    simulator: &simulator::Running,
    receiver: &Receiver,
    provider: ProviderId,
) -> anyhow::Result<Report> {
    let flows = &running.flows;
    let progress = Progress::new(args.customers);
    let started = Instant::now();
    let sync = flows.request_sync(&operator(), provider).await?;
    wait_for(running, sync.id, |job| progress.synced(job)).await?;
    let sync_seconds = started.elapsed().as_secs_f64();
    while let Some(job) = unfinished(running).await? {
        wait_for(running, job, |job| progress.matched(job)).await?;
    }
    let match_seconds = started.elapsed().as_secs_f64() - sync_seconds;
    let (published, delivered, twice) = wait_for_deliveries(running, receiver, &progress).await?;
    let total = started.elapsed().as_secs_f64();
    progress.finish();
    let counts = provider_accounts::counts(flows.store.reader(), None).await?;
    let suggested = suggestions::count_accounts(flows.store.reader()).await?;
    let statistics = simulator.statistics();
    Ok(Report {
        customers: args.customers as u64,
        provider_accounts: counts.unmapped + counts.mapped + counts.excluded,
        mapped: counts.mapped,
        suggested,
        unmatched: counts.unmapped - suggested,
        wrong: wrong(running, simulator).await?,
        events_published: published,
        events_delivered: delivered as u64,
        events_delivered_twice: twice as u64,
        provider_requests: statistics.requests(Upstream::PartnerCenter),
        crm_requests: statistics.requests(Upstream::Dataverse),
        seconds: Seconds {
            sync: sync_seconds,
            r#match: match_seconds,
            deliver: total - match_seconds - sync_seconds,
            total,
        },
    })
}

/// Connects the provider and gives both consents.
async fn connect(running: &Running, consents: &Consents) -> anyhow::Result<ProviderId> {
    let new = NewProvider {
        kind: ProviderKind::PartnerCenter,
        name: "Partner Center (simulated)".to_owned(),
        partner_tenant: simulator::PARTNER_TENANT_ID.to_owned(),
        client_id: simulator::PARTNER_CENTER_CLIENT_ID.to_owned(),
        client_secret: SecretString::from(simulator::PARTNER_CENTER_CLIENT_SECRET),
        client_secret_expires_at: None,
        schedule: None,
    };
    let provider = running.flows.connect_provider(&operator(), new).await?.id;
    consent::give(consents, provider).await?;
    Ok(provider)
}

/// Subscribes the receiver to every type of event, as the owner of an API key.
async fn subscribe(running: &Running, receiver: &Receiver, keys: &ApiKeys) -> anyhow::Result<()> {
    let (_, key) = keys
        .create(
            &operator(),
            "Demo receiver",
            [Role::Reader].into_iter().collect(),
        )
        .await?;
    let verified = keys
        .verify(key.expose_secret())
        .await?
        .context("a new key is not valid")?;
    for event_type in EventType::ALL {
        let request = Subscribe {
            event_type,
            callback_url: SecretString::from(receiver.url()),
            workflow_id: None,
            label: Some(format!("Demo receiver of {}", event_type.name())),
        };
        running.flows.subscribe(&verified.caller, request).await?;
    }
    Ok(())
}

/// Waits until a Job has ended, telling `watch` how far it is.
async fn wait_for(running: &Running, id: JobId, watch: impl Fn(&Job)) -> anyhow::Result<()> {
    let flows = &running.flows;
    let mut moved = Instant::now();
    let mut seen = -1;
    loop {
        let job = flows.get_job(&operator(), id).await?;
        watch(&job);
        match job.state {
            JobState::Succeeded | JobState::NotApplicable => return Ok(()),
            state if state.finished() => {
                bail!(
                    "the job {} {}: {}",
                    job.work.kind(),
                    state.name(),
                    job.error.unwrap_or_default()
                )
            }
            _ => {}
        }
        if job.progress_done != seen {
            (seen, moved) = (job.progress_done, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            bail!(
                "the job {} does not move: {}",
                job.work.kind(),
                job.error.unwrap_or_default()
            );
        }
        flows.context.sleep(LOOK_EVERY).await;
    }
}

/// The first Job of the demo's own that is not over. A Job that calls for another is seen together with it or before it, so
/// that there is no moment between the two at which none seems to be left.
async fn unfinished(running: &Running) -> anyhow::Result<Option<JobId>> {
    let latest = jobs::latest(running.flows.store.reader(), 50).await?;
    let open = latest
        .into_iter()
        .find(|job| !job.state.finished() && job.work != JobWork::Sweep);
    Ok(open.map(|job| job.id))
}

/// Waits until every event has its position and every delivery is over: how many events were published, arrived, and
/// arrived more than once.
async fn wait_for_deliveries(
    running: &Running,
    receiver: &Receiver,
    progress: &Progress,
) -> anyhow::Result<(u64, usize, usize)> {
    let flows = &running.flows;
    let mut moved = Instant::now();
    let mut seen = 0;
    loop {
        // In this order: a delivery is there before its event stops waiting for a position.
        let waiting = dispatch::waiting(&flows.store).await?
            || deliveries::any_pending(flows.store.reader()).await?;
        let published = outbox::count(flows.store.reader()).await?;
        let (arrived, twice) = receiver.counts();
        progress.delivered(arrived as u64, published);
        if !waiting {
            return Ok((published, arrived, twice));
        }
        if arrived != seen {
            (seen, moved) = (arrived, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            note(format!(
                "{arrived} of {published} events arrived, and no more come"
            ));
            return Ok((published, arrived, twice));
        }
        flows.context.sleep(LOOK_EVERY).await;
    }
}

/// Mappings that the simulator's truth contradicts.
async fn wrong(running: &Running, simulator: &simulator::Running) -> anyhow::Result<u64> {
    let filter = Filter {
        state: Some(MappingState::Mapped),
        ..Filter::default()
    };
    let truth = simulator.world();
    let mut after = None;
    let mut wrong = 0;
    loop {
        let reader = running.flows.store.reader();
        let listing = provider_accounts::list(reader, &filter, after.as_ref(), 500).await?;
        for account in &listing.accounts {
            let mapped = account.mapping.account_id();
            if mapped.is_some_and(|id| truth.accepts(&account.external_id, id)) {
                continue;
            }
            wrong += 1;
            if wrong <= MOST_NOTED {
                let history = mappings::history(reader, account.id).await?;
                let why = history.first().and_then(|change| change.reason.clone());
                note(format!(
                    "wrong: customer {} of {} was mapped by: {}",
                    account.name,
                    account.city.as_deref().unwrap_or("nowhere"),
                    why.unwrap_or_default()
                ));
            }
        }
        match listing.after {
            Some(next) => after = Some(next),
            None => return Ok(wrong),
        }
    }
}

/// Serves until Ctrl-C, with what it takes to look around.
async fn serve(
    running: &Running,
    keys: &ApiKeys,
    sessions: &Sessions,
    as_json: bool,
) -> anyhow::Result<()> {
    let roles = [Role::Reader, Role::Provisioning, Role::Admin];
    let (_, key) = keys
        .create(&operator(), "Demo", roles.into_iter().collect())
        .await?;
    let secret = sessions
        .create_link(&operator(), "Demo", roles.into_iter().collect())
        .await?;
    let base: url::Url = running.base_url().parse()?;
    let page = link(&base, secret.expose_secret());
    let (docs, key) = (format!("{base}docs"), key.expose_secret());
    if as_json {
        result(serde_json::json!({ "page": page, "docs": docs, "apiKey": key }));
    } else {
        result(format!(
            "\npage      {page}   (works once, within 15 minutes)\nAPI       {docs}\nAPI key   {key}"
        ));
    }
    note("Ctrl-C ends the demo and throws its data away");
    told_to_stop().await;
    Ok(())
}
