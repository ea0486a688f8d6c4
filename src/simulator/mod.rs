//! Stand-ins for Microsoft Entra, Partner Center and Dataverse on real HTTP, for trying the product and for its tests. All
//! three are one server on one port: their paths do not clash. Behind them is one made-up [`World`], so that what Partner
//! Center lists and what the CRM holds belong together, and whoever asks can know the truth about it.
//!
//! The way of a request: the web server turns it into a `Call`, which one of the stand-ins answers; [`Faults`] may delay,
//! replace or spoil the answer; [`Statistics`] counts it. Under `/_simulator/` all of that can be steered from outside.
//!
//! What would surprise: the stand-ins copy the oddities of the real services on purpose (tokens that stand in two places,
//! 403 for a customer that left, 204 on create), and their clock is the one handed in: nothing here waits on real time.

mod answer;
mod cases;
mod control;
mod credentials;
mod dataverse;
mod entra;
mod exchange;
mod faults;
mod partner_center;
mod server;
mod shared;
mod simulation;
mod statistics;
mod throttle;
mod tls;
mod webhooks;
mod world;

pub use cases::{CasesMade, CasesSpec, write_cases};
pub use credentials::{
    APPLICATION_USER_ID, DATAVERSE_CLIENT_ID, DATAVERSE_CLIENT_SECRET, ENTRA_TENANT_ID,
    PARTNER_CENTER_CLIENT_ID, PARTNER_CENTER_CLIENT_SECRET, PARTNER_CENTER_RESOURCE,
    PARTNER_TENANT_ID, provider_body, settings,
};
pub use entra::{DOCUMENTED, PEOPLE, Person};
pub use exchange::Upstream;
pub use faults::{
    ActiveFault, Fault, FaultKind, Faults, LinkForm, RetryAfter, ThrottleBody, TokenPlace,
};
pub use server::{Running, Simulator, SimulatorError, SimulatorOptions};
pub use shared::SharedWorld;
pub use statistics::{Count, Seen, Statistics};
pub use webhooks::{Posted, WebhookAuthentication, WebhookEndpoint, Webhooks};
pub use world::{
    Change, ChangeError, NewAccount, NewContact, NewCustomer, Relationship, SubscriptionChange,
    World, WorldSpec,
};
