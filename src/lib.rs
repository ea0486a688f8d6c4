//! Provider Bridge maps the customers of cloud subscription providers to Dynamics 365 accounts.
//!
//! One request, from the door inwards: [`app`] has built everything from [`config`]; [`http`] parses the request,
//! [`identity`] says who is calling, one of the [`flows`] checks the permission, asks the pure rules of [`domain`] and
//! [`matching`], and writes state, audit, event and job in one transaction of the [`store`]. What leaves the house goes
//! through [`providers`], [`crm`] and [`events`], all of them over the one guarded client of [`net`]; [`jobs`] runs what
//! nobody waits for. [`connector`] turns the API's description into a Power Platform connector, and `simulator` stands
//! in for the outside world when there is none.

pub mod app;
pub mod config;
pub mod connector;
pub mod crm;
pub mod domain;
pub mod events;
pub mod flows;
pub mod http;
pub mod identity;
pub mod jobs;
pub mod matching;
pub mod net;
pub mod providers;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod store;
