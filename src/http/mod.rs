//! Everything that comes in. `routes` is the only route table: path and description of an operation come from one
//! registration, so that the OpenAPI document cannot forget or invent one.
//!
//! A request passes [`edge`] (id, problems, headers, numbers, log), then [`gate`] (credential, rate limit,
//! `idempotency`) if it is for `/v1`, then a handler of a few lines: parse, call one flow, map. What goes wrong on the way travels as a
//! [`problem::Problem`] back to the edge, which writes it.

pub mod answer;
mod api;
pub mod call;
mod credential;
pub mod dataverse;
mod docs;
pub mod document;
pub mod documents;
pub mod edge;
pub mod gate;
mod idempotency;
pub mod links;
pub mod operation_metrics;
pub mod pages;
mod paging;
pub mod problem;
pub mod problem_code;
mod problem_from;
pub mod rate_limit;
mod reading;
mod server;
mod service;
pub mod state;
mod unrouted;
mod words;

use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

pub use server::{ServerSettings, serve};

use api::{
    accounts, api_keys, billing_contracts, consent_triggers, create_account, crm, deliveries,
    exceptions, jobs, mapping, mapping_preview, match_plans, provider_accounts, providers,
    schedules, settings, subscription_syncs, subscription_triggers, subscriptions, sync_runs,
    triggers,
};

/// The route table. What is asked most stands first: routes are tried in this order.
fn routes(config: &mut ServiceConfig) {
    let v1 = scope("/v1")
        .wrap(gate::Gate)
        .service(accounts::get_account)
        .service(accounts::search_accounts)
        .service(provider_accounts::list_provider_accounts)
        .service(provider_accounts::get_provider_account)
        .service(mapping::get_mapping)
        .service(mapping::map_provider_account)
        .service(mapping_preview::preview_mapping)
        .service(mapping::unmap_provider_account)
        .service(mapping::exclude_provider_account)
        .service(mapping::include_provider_account)
        .service(mapping::list_suggestions)
        .service(match_plans::reject_suggestion)
        .service(create_account::create_account_and_map)
        .service(create_account::check_mappings)
        .service(match_plans::list_match_plans)
        .service(match_plans::get_match_plan)
        .service(match_plans::list_match_plan_items)
        .service(match_plans::apply_match_plan)
        .service(match_plans::undo_match_plan)
        .service(jobs::get_job)
        .service(jobs::run_auto_match)
        .service(jobs::list_jobs)
        .service(jobs::cancel_job)
        .service(jobs::rerun_job)
        .service(sync_runs::list_sync_runs)
        .service(providers::list_providers)
        .service(providers::connect_provider)
        .service(providers::get_provider)
        .service(providers::change_provider)
        .service(providers::sync_provider_accounts)
        .service(providers::verify_connectivity)
        .service(crm::verify_crm_connectivity)
        .service(triggers::when_provider_account_is_created)
        .service(triggers::when_provider_account_is_mapped)
        .service(consent_triggers::when_consent_is_lapsing)
        .service(consent_triggers::when_consent_is_lost)
        .service(triggers::unsubscribe)
        .service(triggers::list_trigger_subscriptions)
        .service(triggers::send_test_event)
        .service(deliveries::list_deliveries)
        .service(deliveries::get_delivery)
        .service(deliveries::redeliver)
        .service(settings::get_settings)
        .service(settings::change_settings)
        .service(api_keys::list_api_keys)
        .service(api_keys::create_api_key)
        .service(api_keys::revoke_api_key)
        .configure(billing_routes);
    config
        .service(v1)
        .service(dataverse::receive_dataverse_notice)
        .service(service::get_liveness)
        .service(service::get_readiness)
        .service(service::get_metrics)
        .service(service::get_open_api_document)
        .service(service::get_connector_definition)
        .service(docs::get_documentation)
        .service(docs::get_documentation_file);
}

/// What belongs to billing, below `/v1` too.
fn billing_routes(config: &mut ServiceConfig) {
    config
        .service(schedules::list_schedules)
        .service(schedules::set_subscription_schedule)
        .service(schedules::change_schedule)
        .service(schedules::run_schedule)
        .service(schedules::list_schedule_jobs)
        .service(billing_contracts::list_billing_contracts)
        .service(billing_contracts::create_billing_contract)
        .service(billing_contracts::get_billing_contract)
        .service(billing_contracts::change_billing_contract)
        .service(billing_contracts::close_billing_contract)
        .service(subscriptions::list_subscriptions)
        .service(subscriptions::get_subscription)
        .service(subscriptions::change_subscription)
        .service(subscriptions::list_license_changes)
        .service(subscriptions::explain::explain_subscription)
        .service(subscription_syncs::sync_subscriptions)
        .service(subscription_syncs::preview_subscription_sync)
        .service(subscription_syncs::get_subscription_preview)
        .service(subscription_syncs::proceed_with_subscription_preview)
        .service(subscription_syncs::list_subscription_sync_runs)
        .service(subscription_syncs::get_subscription_sync_run)
        .service(subscription_syncs::get_sync_report)
        .service(subscription_syncs::get_sync_report_as_csv)
        .service(exceptions::list_exceptions)
        .service(exceptions::count_exceptions)
        .service(exceptions::acknowledge_exception)
        .service(exceptions::snooze_exception)
        .service(subscription_triggers::when_subscription_changes)
        .service(subscription_triggers::when_subscription_sync_finishes)
        .service(subscription_triggers::when_subscription_sync_fails)
        .service(subscription_triggers::when_exception_is_raised);
}
