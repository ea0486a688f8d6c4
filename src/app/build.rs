//! Builds the service from its settings: one function a part, then the loops and the server on top.

use std::fs::File;
use std::sync::Arc;

use anyhow::Context as _;

use super::callers;
use super::crm::{self, CrmParts};
use super::loops;
use super::open::{database_settings, open_current_store, open_http_client, open_key_ring};
use super::providers::ConnectedProviders;
use super::running::Running;
use super::tasks::Tasks;
use super::telemetry::metrics_handle;
use crate::config::{Config, EnvironmentKind};
use crate::connector;
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::job::JobWork;
use crate::domain::ports::sealer::Sealer;
use crate::events::deliverer::{Deliverer, Limits};
use crate::events::dispatcher::Dispatcher;
use crate::flows::matcher::Matcher;
use crate::flows::receive_crm_notice::NoticeInbox;
use crate::flows::{Flows, schedules};
use crate::http::dataverse::{NoticeDoor, NoticeSettings};
use crate::http::documents::Documents;
use crate::http::links::Links;
use crate::http::pages::{CrmConnection, PageSettings};
use crate::http::rate_limit::RateLimit;
use crate::http::state::ApiState;
use crate::http::{ServerSettings, document};
use crate::identity::api_keys::ApiKeys;
use crate::identity::bearer::BearerTokens;
use crate::identity::consent::{ConsentSettings, ConsentWatch, Consents, UserTokenKeeper};
use crate::identity::key_ring::KeyRing;
use crate::identity::owner_standing::OwnerStanding;
use crate::identity::sealing::RingSealer;
use crate::identity::sessions::Sessions;
use crate::identity::signed_token::SignedTokens;
use crate::identity::standings::Standings;
use crate::jobs::{Runner, RunnerSettings};
use crate::net::address_policy::{AddressPolicy, CallbackSettings};
use crate::net::callback_client::CallbackClient;
use crate::net::guarded_dns::SystemLookup;
use crate::providers::partner_center::PartnerCenterSettings;
use crate::store::retention::Retention;
use crate::store::{Engine, Store, deliveries, directory_mark, jobs, leases};

/// What is mapped is looked at again once a night (UTC).
const CHECK_MAPPINGS: &str = "40 2 * * *";
/// Whether something became stale or overdue is looked at so often.
const WATCH_EXCEPTIONS: &str = "*/15 * * * *";
/// The sweep runs once a night (UTC).
const SWEEP: &str = "20 3 * * *";

/// A built service that does not run yet. Tests take it apart and drive its loops by hand.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The business operations.
    pub flows: Flows,
    /// API keys.
    pub keys: ApiKeys,
    /// Bearer tokens.
    pub bearer: BearerTokens,
    /// Consents of providers.
    pub consents: Consents,
    /// Looks after them.
    pub consent_watch: ConsentWatch,
    /// Browser sessions.
    pub sessions: Sessions,
    /// Runs Jobs.
    pub runner: Runner,
    /// Gives events their place.
    pub dispatcher: Dispatcher,
    /// Sends them.
    pub deliverer: Deliverer,
    ring: KeyRing,
    crm: CrmParts,
    lock: Option<File>,
}

impl App {
    /// Builds everything; nothing runs and nothing is called yet.
    ///
    /// # Errors
    /// When the database cannot be opened or is in use, its schema is not ours, or a setting cannot be honoured.
    pub async fn build(config: Config, context: Context) -> anyhow::Result<Self> {
        Self::build_on(config, context, |store| store).await
    }

    /// Like [`Self::build`], with a last word on the opened store (to observe its commits).
    ///
    /// # Errors
    /// As [`Self::build`].
    pub async fn build_on(
        config: Config,
        context: Context,
        prepare: impl FnOnce(Store) -> Store,
    ) -> anyhow::Result<Self> {
        // The data directory may have to be made before the lock file can be.
        let store = prepare(open_current_store(&config).await?);
        let lock = Store::exclusive(&database_settings(&config))?;
        if store.engine() == Engine::Sqlite {
            jobs::reclaim_all(&store, &context).await?;
            deliveries::reclaim_all(&store, &context).await?;
            leases::free_all(&store, &context).await?;
        }
        let app = Self::assemble(config, context, store).await?;
        Ok(Self { lock, ..app })
    }

    /// Builds everything without the exclusive right to run it, for a look beside a running service.
    ///
    /// # Errors
    /// As [`Self::build`], but the database may be in use.
    pub async fn build_beside(config: Config, context: Context) -> anyhow::Result<Self> {
        let store = open_current_store(&config).await?;
        Self::assemble(config, context, store).await
    }

    async fn assemble(config: Config, context: Context, store: Store) -> anyhow::Result<Self> {
        let ring = open_key_ring(&config, &context)?;
        let sealer: Arc<dyn Sealer> = Arc::new(RingSealer::new(&ring, context.clone()));
        let http = open_http_client(&config)?;
        let crm = crm::connect(&config, &context, &http)?;
        let policy = callback_policy(&config)?;
        let bearer = callers::bearer_tokens(&config, &store, &context, &http);
        let consent = consent_settings(&config);
        let keeper = Arc::new(UserTokenKeeper::new(
            store.clone(),
            context.clone(),
            sealer.clone(),
            http.clone(),
            consent.clone(),
        ));
        let providers = Arc::new(ConnectedProviders::new(
            store.clone(),
            context.clone(),
            sealer.clone(),
            http.clone(),
            partner_center(&config),
            keeper.clone(),
        ));
        let consents = Consents::new(
            store.clone(),
            context.clone(),
            sealer.clone(),
            http,
            consent,
            providers.clone(),
        );
        let environment: Arc<str> = config.environment.name.as_str().into();
        let matcher = Matcher::over(crm.directory.clone())?;
        let flows = Flows {
            providers,
            crm: crm.client.clone(),
            accounts: crm.lookups.clone(),
            directory: matcher.clone(),
            matcher,
            callbacks: policy.clone(),
            sealer: sealer.clone(),
            retention: retention(&config),
            environment: environment.clone(),
            store: store.clone(),
            context: context.clone(),
        };
        let keys = ApiKeys::new(store.clone(), context.clone());
        let deliverer = Deliverer {
            client: CallbackClient::new(policy, Arc::new(SystemLookup))?,
            owners: Arc::new(OwnerStanding::new(Standings {
                keys: keys.clone(),
                bearer: bearer.clone(),
            })),
            limits: Limits::default(),
            sealer,
            environment,
            store: store.clone(),
            context: context.clone(),
        };
        Ok(Self {
            runner: Runner::new(flows.clone(), RunnerSettings::default()),
            dispatcher: Dispatcher::new(store.clone(), context.clone()),
            consent_watch: ConsentWatch::new(store.clone(), context.clone(), keeper),
            sessions: Sessions::new(store, context),
            config,
            flows,
            keys,
            bearer,
            consents,
            deliverer,
            ring,
            crm,
            lock: None,
        })
    }

    /// Starts the server and, unless `loops` is false, the loops behind it.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self, loops: bool) -> anyhow::Result<Running> {
        self.keep_schedules().await?;
        if !loops {
            // Otherwise the account watch does it while requests are served: a large CRM takes seconds.
            self.flows.catch_up().await?;
        }
        let (inbox, notice_writer) = self.flows.notice_inbox();
        let state = self.api_state(inbox)?;
        let settings = ServerSettings {
            bind: self.config.server.bind,
            max_body_bytes: self.config.server.max_body_bytes,
            workers: None,
        };
        let (server, address) = crate::http::serve(&settings, state)
            .with_context(|| format!("cannot listen on {}", settings.bind))?;
        let tasks = Tasks::new(self.flows.context.clone());
        let behind_server = Tasks::new(self.flows.context.clone());
        behind_server.supervise_on_own_thread("notice writer", move |stop| {
            let writer = notice_writer.clone();
            async move { writer.run(&stop).await }
        })?;
        let Self {
            flows,
            runner,
            dispatcher,
            deliverer,
            keys,
            bearer,
            consent_watch,
            crm,
            lock,
            ..
        } = self;
        if loops {
            tasks.supervise("consent watch", move |stop| {
                let watch = consent_watch.clone();
                async move {
                    stop.run_until_cancelled(watch.run()).await;
                }
            });
            let callers = Standings { keys, bearer };
            loops::start(&tasks, &flows, runner, dispatcher, deliverer, callers, crm);
        }
        Ok(Running::new(
            server,
            address,
            (tasks, behind_server),
            flows,
            lock,
        ))
    }

    fn api_state(&self, inbox: NoticeInbox) -> anyhow::Result<ApiState> {
        let metrics = metrics_handle();
        Ok(ApiState {
            keys: self.keys.clone(),
            bearer: self.bearer.clone(),
            consents: self.consents.clone(),
            sessions: self.sessions.clone(),
            tokens: SignedTokens::new(&self.ring, self.flows.context.clone()),
            links: Links::new(
                &self.config.server.public_url,
                &self.config.server.gateway_hosts,
            ),
            rate_limit: RateLimit::new(
                self.config.server.requests_per_minute,
                self.flows.context.clone(),
            ),
            dataverse: NoticeDoor::new(notice_settings(&self.config)?, inbox),
            pages: pages(&self.config),
            documents: documents(&self.config)?,
            metrics: Arc::new(move || metrics.render()),
            flows: self.flows.clone(),
        })
    }

    /// What runs by itself: the pull of the CRM's changes, the looks at mappings and exceptions, and the nightly sweep.
    async fn keep_schedules(&self) -> anyhow::Result<()> {
        let connected = self.config.dataverse.org_url().is_some();
        let wanted = [
            (
                JobWork::SyncCrmDirectory,
                self.config.dataverse.refresh.as_str(),
                connected,
            ),
            (JobWork::CheckMappings, CHECK_MAPPINGS, connected),
            (JobWork::WatchExceptions, WATCH_EXCEPTIONS, true),
            (JobWork::Sweep, SWEEP, true),
        ];
        let flows = &self.flows;
        for (work, cron, enabled) in wanted {
            let known = jobs::schedules::find(flows.store.reader(), &work).await?;
            if known.is_some_and(|known| known.cron == cron && known.enabled == enabled) {
                continue;
            }
            let next = schedules::next_run(cron, "UTC", flows.context.now())
                .map_err(|error| anyhow::anyhow!("dataverse.refresh: {error}"))?;
            let tx = flows.store.begin().await?;
            jobs::schedules::keep(&tx, &flows.context, &work, cron, "UTC", enabled, next).await?;
            tx.commit().await?;
        }
        if connected
            && directory_mark::complete(flows.store.reader())
                .await?
                .is_none()
        {
            // Nothing can be matched before the first reading: it does not wait for its schedule.
            let tx = flows.store.begin().await?;
            let by = Caller::service("start");
            jobs::enqueue(&tx, &flows.context, &by, &JobWork::SyncCrmDirectory, None).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

fn notice_settings(config: &Config) -> anyhow::Result<NoticeSettings> {
    let section = &config.dataverse;
    let header = section.webhook_header.parse();
    Ok(NoticeSettings {
        secrets: section.webhook_secrets.clone(),
        header: header.context("dataverse.webhook_header is not the name of a header")?,
        organization_host: section
            .org_url()
            .and_then(|url| url.host_str().map(str::to_owned)),
        organization_id: section.organization_id(),
    })
}

/// Which receivers may be called.
pub(super) fn callback_settings(config: &Config) -> CallbackSettings {
    CallbackSettings {
        further_hosts: config.callbacks.further_hosts.clone(),
        environments: config.callbacks.environments.clone(),
        allow_loopback: config.callbacks.allow_loopback,
    }
}

fn callback_policy(config: &Config) -> anyhow::Result<Arc<AddressPolicy>> {
    let policy = AddressPolicy::new(&callback_settings(config)).map_err(|errors| {
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("callbacks: {}", texts.join("; "))
    })?;
    Ok(Arc::new(policy))
}

fn partner_center(config: &Config) -> PartnerCenterSettings {
    let section = &config.partner_center;
    PartnerCenterSettings {
        page_size: u16::try_from(section.page_size).unwrap_or(500),
        requests_per_minute: section.requests_per_minute,
        ..PartnerCenterSettings::new(section.base_url.clone(), config.entra.authority.clone())
    }
}

fn consent_settings(config: &Config) -> ConsentSettings {
    let base = config.partner_center.base_url.as_str();
    ConsentSettings {
        authority: config.entra.authority.clone(),
        resource: base.trim_end_matches('/').to_owned(),
        public_url: config.server.public_url.clone(),
    }
}

fn retention(config: &Config) -> Retention {
    let section = config.retention;
    Retention {
        events_days: section.events_days,
        jobs_days: section.jobs_days,
        sync_runs_days: section.sync_runs_days,
        exceptions_days: section.exceptions_days,
        crm_notices_days: section.crm_notices_days,
    }
}

/// The public URL's host and the further ones; a host in a `Host` header has its port unless it is the scheme's own.
fn pages(config: &Config) -> PageSettings {
    let public_url = &config.server.public_url;
    let host = public_url.host_str().unwrap_or_default();
    let own = public_url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let kind = match config.environment.kind {
        EnvironmentKind::Production => "production",
        EnvironmentKind::Sandbox => "sandbox",
        EnvironmentKind::Development => "development",
    };
    PageSettings {
        environment: config.environment.name.clone(),
        kind,
        hosts: std::iter::once(own)
            .chain(config.server.allowed_hosts.iter().cloned())
            .collect(),
        crm: config.dataverse.org_url().map(|org_url| CrmConnection {
            org_url: org_url.to_string(),
            tenant: config.dataverse.tenant.clone(),
            client_id: config.dataverse.client_id.clone(),
            takes_webhooks: !config.dataverse.webhook_secrets.is_empty(),
        }),
    }
}

fn documents(config: &Config) -> anyhow::Result<Documents> {
    let openapi = document::openapi();
    let host = super::commands::export::served_host(&config.server.public_url)?;
    let definition = connector::lower::lower(&openapi, &host)?;
    Ok(Documents::new(&openapi, Some(&definition)))
}
