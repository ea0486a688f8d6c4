//! The client against the simulator: a whole world listed and looked into, through every fault that passes by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use provider_bridge::domain::context::{Clock, Context};
use provider_bridge::domain::ports::provider::{
    CustomerPage, FailureKind, ProviderClient, ProviderError,
};
use provider_bridge::net::client::{ClientSettings, HttpClient};
use provider_bridge::providers::partner_center::{
    PartnerCenterClient, PartnerCenterConnection, PartnerCenterSettings,
};
use provider_bridge::simulator::{
    Fault, FaultKind, LinkForm, PARTNER_CENTER_CLIENT_ID, PARTNER_CENTER_CLIENT_SECRET,
    PARTNER_TENANT_ID, RetryAfter, Running, Simulator, SimulatorOptions, ThrottleBody, TokenPlace,
    Upstream, World, WorldSpec,
};
use secrecy::SecretString;

use crate::support::context::{ManualClock, context};
use crate::support::http::loopback_settings;

const CUSTOMERS: usize = 230;
const PAGES: u64 = 5;

struct Simulated {
    running: Running,
    client: PartnerCenterClient,
    clock: Arc<ManualClock>,
}

async fn simulated(
    change: impl FnOnce(&mut SimulatorOptions, &mut PartnerCenterSettings),
) -> Simulated {
    let (context, clock) = context();
    clock.advance_by_itself();
    let mut options = SimulatorOptions::new(context.clone());
    let mut settings = {
        let anywhere: reqwest::Url = "http://localhost".parse().unwrap();
        PartnerCenterSettings::new(anywhere.clone(), anywhere)
    };
    settings.page_size = 50;
    change(&mut options, &mut settings);
    let spec = WorldSpec {
        customers: CUSTOMERS,
        ..WorldSpec::default()
    };
    let running = Simulator::start(World::generate(&spec), options)
        .await
        .unwrap();
    settings.base_url = running.base_url().parse().unwrap();
    settings.authority = settings.base_url.clone();
    settings.scope = format!("{}/.default", running.base_url());
    let client = client(&running, context, settings);
    Simulated {
        running,
        client,
        clock,
    }
}

fn client(
    running: &Running,
    context: Context,
    settings: PartnerCenterSettings,
) -> PartnerCenterClient {
    let http = HttpClient::new(&ClientSettings {
        timeout: Duration::from_secs(2),
        trusted_root_pem: running.certificate_pem(),
        ..loopback_settings()
    });
    let connection = PartnerCenterConnection {
        tenant: PARTNER_TENANT_ID.to_owned(),
        client_id: PARTNER_CENTER_CLIENT_ID.to_owned(),
        client_secret: SecretString::from(PARTNER_CENTER_CLIENT_SECRET),
    };
    PartnerCenterClient::new(http.unwrap(), context, settings, connection)
}

impl Simulated {
    async fn list(&self) -> Result<Vec<CustomerPage>, ProviderError> {
        let mut pages: Vec<CustomerPage> = Vec::new();
        loop {
            let next = pages.last().and_then(|page| page.next.clone());
            if !pages.is_empty() && next.is_none() {
                return Ok(pages);
            }
            pages.push(self.client.list_customers(next.as_ref()).await?);
        }
    }

    fn fault(&self, kind: FaultKind, times: u64) {
        // A fault of one page counts the requests for that page only.
        let of_a_page = matches!(kind, FaultKind::PageFails { .. });
        let fault = Fault::new(Upstream::PartnerCenter, kind)
            .from(if of_a_page { 1 } else { 2 })
            .times(times);
        self.running.faults().clear();
        self.running.faults().add(fault, self.clock.now());
        self.running.statistics().reset();
    }

    fn requests(&self) -> u64 {
        self.running.statistics().requests(Upstream::PartnerCenter)
    }

    fn whole_world(&self) -> BTreeSet<String> {
        let ids = |world: &World| world.truths().map(|(id, _)| id.to_string()).collect();
        self.running.world().read(ids)
    }
}

fn ids(pages: &[CustomerPage]) -> BTreeSet<String> {
    let customers = pages.iter().flat_map(|page| &page.customers);
    customers
        .map(|customer| customer.external_id.to_string())
        .collect()
}

#[actix_web::test]
async fn the_whole_world_is_listed_and_every_customer_can_be_looked_into() {
    let simulated = simulated(|_, _| ()).await;
    let pages = simulated.list().await.unwrap();
    assert_eq!(ids(&pages), simulated.whole_world());
    assert_eq!(simulated.requests(), PAGES);
    let mut own_domains = 0;
    for customer in pages.iter().flat_map(|page| &page.customers) {
        assert!(
            !customer.name.is_empty() && customer.default_domain.is_some(),
            "{customer:?}"
        );
        assert_eq!(
            customer.tenant_id.as_deref(),
            Some(customer.external_id.as_str())
        );
        let details = simulated
            .client
            .customer_details(&customer.external_id)
            .await
            .unwrap();
        own_domains += details.custom_domains.len();
        assert!(
            details.country.is_some() && !details.contact_email_domains.is_empty(),
            "{details:?}"
        );
    }
    assert!(own_domains > CUSTOMERS / 2, "{own_domains}");
    assert_eq!(simulated.running.statistics().requests(Upstream::Entra), 1);
}

#[actix_web::test]
async fn a_connection_over_https_verifies() {
    let simulated = simulated(|options, _| options.tls = true).await;
    let report = simulated.client.verify().await;
    assert!(report.passed, "{report:?}");
}

#[actix_web::test]
async fn every_fault_that_passes_by_itself_costs_a_few_requests_and_no_customer() {
    let simulated = simulated(|_, _| ()).await;
    let all = simulated.whole_world();
    let throttled = |body, retry_after| FaultKind::TooManyRequests {
        body,
        retry_after,
        seconds: 30,
    };
    let passing = [
        throttled(ThrottleBody::Gateway, RetryAfter::Seconds),
        throttled(ThrottleBody::Gateway, RetryAfter::Absent),
        throttled(ThrottleBody::Api, RetryAfter::Date),
        FaultKind::ServerError { status: 500 },
        FaultKind::ServerError { status: 503 },
        FaultKind::ErrorPage { status: 502 },
        FaultKind::TornBody,
        FaultKind::TruncatedJson,
        FaultKind::ExpiredToken,
        FaultKind::PageFails {
            page: 3,
            status: 500,
        },
        FaultKind::TimeOut,
    ];
    for kind in passing {
        simulated.fault(kind.clone(), 1);
        let pages = simulated
            .list()
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(ids(&pages), all, "{kind:?}");
        assert_eq!(simulated.running.faults().list()[0].hit, 1, "{kind:?}");
        assert_eq!(simulated.requests(), PAGES + 1, "{kind:?}");
    }
}

#[actix_web::test]
async fn every_oddity_of_a_listing_is_read_as_what_it_means() {
    let simulated = simulated(|_, _| ()).await;
    let all = simulated.whole_world();
    let foreign = "https://attacker.test".to_owned();
    let odd = [
        FaultKind::EndOfListError,
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Body,
        },
        FaultKind::TokenOnlyIn {
            place: TokenPlace::Link,
        },
        FaultKind::NextLink {
            form: LinkForm::VersionPrefix,
        },
        FaultKind::NextLink {
            form: LinkForm::SecondQuestionMark,
        },
        FaultKind::ForeignLink { origin: foreign },
        FaultKind::PascalCase,
        FaultKind::UnknownValues,
    ];
    for kind in odd {
        simulated.fault(kind.clone(), u64::MAX);
        let pages = simulated
            .list()
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(ids(&pages), all, "{kind:?}");
        assert!(
            pages.iter().all(|page| page.unreadable.is_empty()),
            "{kind:?}"
        );
        assert!(
            simulated.running.faults().list()[0].hit > 0,
            "{kind:?} was not met"
        );
    }
}

#[actix_web::test]
async fn an_item_that_cannot_be_read_costs_itself_only() {
    let simulated = simulated(|_, _| ()).await;
    simulated.fault(FaultKind::UnreadableItem, u64::MAX);
    let pages = simulated.list().await.unwrap();
    let lost: usize = pages.iter().map(|page| page.unreadable.len()).sum();
    assert!(lost > 0);
    assert_eq!(ids(&pages).len() + lost, CUSTOMERS);
}

#[actix_web::test]
async fn a_fault_that_stays_ends_the_listing_with_an_error_of_its_kind() {
    let simulated = simulated(|_, _| ()).await;
    for (kind, expected) in [
        (
            FaultKind::ServerError { status: 503 },
            FailureKind::Transient,
        ),
        (FaultKind::TornBody, FailureKind::Transient),
        (FaultKind::TruncatedJson, FailureKind::Protocol),
        (FaultKind::ExpiredToken, FailureKind::Consent),
        (FaultKind::WrongAudience, FailureKind::Configuration),
        (FaultKind::MultiFactorMissing, FailureKind::Consent),
        (FaultKind::RepeatedToken, FailureKind::Protocol),
        (
            FaultKind::PageFails {
                page: 4,
                status: 404,
            },
            FailureKind::NotFound,
        ),
    ] {
        simulated.fault(kind.clone(), u64::MAX);
        let error = simulated.list().await.map(|pages| pages.len()).unwrap_err();
        assert_eq!(error.kind, expected, "{kind:?}: {error}");
        assert!(error.correlation_id.is_some(), "{kind:?}");
    }
    simulated.running.faults().clear();
    let at_start = Fault::new(Upstream::PartnerCenter, FaultKind::EndOfListErrorAtStart);
    simulated
        .running
        .faults()
        .add(at_start, simulated.clock.now());
    assert_eq!(
        simulated
            .list()
            .await
            .map(|pages| pages.len())
            .unwrap_err()
            .kind,
        FailureKind::Rejected
    );
}

#[actix_web::test]
async fn the_published_quota_is_never_overstepped() {
    let simulated = simulated(|options, settings| {
        options.requests_per_minute = Some(500);
        settings.page_size = 1;
    })
    .await;
    for _ in 0..5 {
        simulated.list().await.unwrap();
    }
    let listed = simulated
        .running
        .statistics()
        .operation(Upstream::PartnerCenter, "list-customers");
    assert_eq!((listed.requests, listed.failed), (5 * CUSTOMERS as u64, 0));
}

#[actix_web::test]
async fn a_quota_that_is_smaller_than_we_think_is_waited_for() {
    let simulated = simulated(|options, settings| {
        options.requests_per_minute = Some(100);
        settings.page_size = 1;
        settings.requests_per_minute = 0;
    })
    .await;
    let pages = simulated.list().await.unwrap();
    assert_eq!(ids(&pages), simulated.whole_world());
    let listed = simulated
        .running
        .statistics()
        .operation(Upstream::PartnerCenter, "list-customers");
    assert!(listed.failed > 0 && listed.failed < 5, "{listed:?}");
}
