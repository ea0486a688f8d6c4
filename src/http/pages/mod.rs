//! The pages for people: server-rendered, readable without scripts, live with a little htmx.
//!
//! The door is the same for each: the `Host` must be one of ours (a page is only safe under its own name), and the session
//! cookie must be valid; a POST must carry the session's CSRF secret and come from one of our own pages. What surprises:
//! following a sign-in link does not sign in, its button does, because mail scanners follow links too.

mod account;
mod account_search;
mod assets;
mod change;
mod client_secret;
mod connect;
mod consent;
mod contract_change;
mod contract_form;
mod contract_make;
mod contracts;
mod crm;
mod door;
mod exceptions;
mod home;
mod jobs;
mod plans;
mod preview;
mod provider;
mod providers;
mod refusal;
mod reports;
mod schedule;
mod shell;
mod sign_in;
mod subscription;
mod words;

use actix_web::web::ServiceConfig;

pub use crm::CrmConnection;
pub use door::PageSettings;

/// The pages' own route table; they are for people and stand in no API document.
pub(super) fn routes(config: &mut ServiceConfig) {
    refusal::configure(config);
    config
        .service(home::show)
        .service(providers::show)
        .service(providers::sync)
        .service(connect::ask)
        .service(connect::connect)
        .service(crm::show)
        .service(crm::verify)
        .service(provider::show)
        .service(provider::verify)
        .service(client_secret::replace)
        .service(consent::begin)
        .service(consent::confirm)
        .service(consent::reject)
        .service(consent::revoke)
        .service(consent::admin_callback)
        .service(consent::user_callback)
        .service(consent::refused_page)
        .service(account::show)
        .service(account::candidates)
        .service(plans::list)
        .service(plans::show)
        .service(plans::make)
        .service(plans::apply)
        .service(plans::undo)
        .service(plans::reject)
        .service(plans::create)
        .service(change::map)
        .service(change::unmap)
        .service(change::exclude)
        .service(change::include)
        .service(sign_in::ask)
        .service(sign_in::enter)
        .service(sign_in::leave)
        .configure(billing)
        .service(assets::stylesheet)
        .service(assets::script)
        .service(assets::htmx)
        .service(assets::icon);
}

/// The pages of billing.
fn billing(config: &mut ServiceConfig) {
    config
        .service(exceptions::show)
        .service(exceptions::take_care)
        .service(contracts::show_all)
        .service(contract_make::ask)
        .service(contract_make::find_accounts)
        .service(contract_make::make)
        .service(contract_change::ask)
        .service(contract_change::change)
        .service(contract_change::ask_to_close)
        .service(contract_change::close)
        .service(contracts::show)
        .service(contracts::automate)
        .service(preview::make)
        .service(preview::show)
        .service(preview::proceed)
        .service(reports::list)
        .service(reports::show)
        .service(reports::csv)
        .service(subscription::show)
        .service(jobs::show)
        .service(jobs::show_work)
        .service(jobs::cancel)
        .service(jobs::rerun)
        .service(schedule::show)
        .service(schedule::change)
        .service(jobs::turn)
        .service(jobs::run);
}
