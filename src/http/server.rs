//! Binding and running: one actix server whose workers share one state.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use utoipa_actix_web::AppExt;

use super::document::Operations;
use super::edge::{Edge, EdgeLayer};
use super::operation_metrics::MetricsTable;
use super::reading::BodyLimit;
use super::state::ApiState;
use super::{pages, routes, unrouted};

/// How the server runs.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Worker threads; `None` for one a core.
    pub workers: Option<usize>,
}

/// Binds, and gives the server to be awaited and the address it listens on. It answers once it is awaited; its handle stops
/// it. The metrics recorder has to be installed before.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(settings: &ServerSettings, state: ApiState) -> io::Result<(Server, SocketAddr)> {
    let operations = Data::new(Operations::of_routes());
    let names = operations
        .iter()
        .map(|operation| (operation.resource.as_str(), operation.id.as_str()));
    let metrics = MetricsTable::new(names);
    let edge = Arc::new(Edge::new(
        &state.flows.context,
        metrics,
        state.links.https(),
    ));
    let state = Data::new(state);
    let limit = settings.max_body_bytes;
    let mut server = HttpServer::new(move || {
        App::new()
            .into_utoipa_app()
            .configure(routes)
            .into_app()
            .configure(pages::routes)
            .app_data(state.clone())
            .app_data(operations.clone())
            .app_data(BodyLimit(limit))
            .app_data(web::PayloadConfig::new(limit))
            .default_service(web::to(unrouted::answer))
            .wrap(EdgeLayer(edge.clone()))
    })
    .client_request_timeout(Duration::from_secs(15))
    .shutdown_timeout(30)
    .disable_signals();
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    let listener = TcpListener::bind(settings.bind)?;
    let address = listener.local_addr()?;
    Ok((server.listen(listener)?.run(), address))
}
