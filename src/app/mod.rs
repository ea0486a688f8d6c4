//! The composition root: builds everything from the settings, wires the ports, runs the loops, and stops in good order.
//! One file per command of the program in `commands`.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod open;
pub mod output;
pub mod providers;
pub mod tasks;
pub mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use self::cli::{Cli, Command};
use crate::config::Config;

/// Parses the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // One TLS provider, chosen before the first connection; a second choice by a dependency would be ambiguous.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(format!("error: the runtime cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(perform(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn perform(cli: Cli) -> anyhow::Result<()> {
    if matches!(cli.command, Command::Settings) {
        output::result(crate::config::DEFAULTS);
        return Ok(());
    }
    let config = Config::load(cli.config.as_deref())?;
    telemetry::start_logging(&config.log).map_err(anyhow::Error::msg)?;
    match cli.command {
        Command::Migrate => commands::migrate::run(&config).await,
        Command::ApiKeys(command) => commands::api_keys::run(&config, command).await,
        Command::SignInLink { name, roles } => {
            commands::sign_in_link::run(&config, &name, roles).await
        }
        _ => anyhow::bail!("not wired yet"),
    }
}
