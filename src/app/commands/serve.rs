//! `serve`

use crate::app::build::App;
use crate::app::clock::system_context;
use crate::app::output::note;
use crate::app::running::told_to_stop;
use crate::config::Config;

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot be built or started.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let public_url = config.server.public_url.clone();
    let app = App::build(config, system_context()).await?;
    let running = app.start(true).await?;
    note(format!(
        "listening on {}, reached as {public_url}",
        running.base_url()
    ));
    told_to_stop().await;
    note("stopping");
    running.stop().await;
    Ok(())
}
