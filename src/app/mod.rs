//! The composition root: builds everything from the settings, wires the ports, runs the loops, and stops in good order.
//! One file per command of the program in `commands`.

pub mod build;
mod callers;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod crm;
mod loops;
mod no_crm;
pub mod open;
pub mod output;
pub mod panics;
pub mod providers;
pub mod running;
pub mod settings;
pub mod tasks;
pub mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use self::cli::{Cli, Command, KeysCommand};

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
            output::note(format!("error: {}", in_one_line(&error)));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, without those that the text before has said already.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.last().is_none_or(|before| !before.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

async fn perform(cli: Cli) -> anyhow::Result<()> {
    panics::tell_without_data();
    // These need no settings, so that they work in any folder and on any machine.
    match &cli.command {
        Command::Settings => {
            output::result(crate::config::DEFAULTS);
            return Ok(());
        }
        Command::Export(command) => return commands::export::run(command),
        Command::Match(args) => return commands::matching::run(args),
        Command::Train(args) => return commands::train::run(args),
        _ => {}
    }
    let mut config = settings::load(cli.config.as_deref())?;
    if cli.command.is_for_watching() {
        config.log.filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    }
    telemetry::start_logging(&config.log).map_err(anyhow::Error::msg)?;
    match cli.command {
        Command::Migrate => commands::migrate::run(&config).await,
        Command::ApiKeys(command) => commands::api_keys::run(&config, command).await,
        Command::Keys(KeysCommand::Rotate) => commands::keys::run(&config).await,
        Command::SignInLink { name, roles } => {
            commands::sign_in_link::run(&config, &name, roles).await
        }
        Command::Serve => commands::serve::run(config).await,
        Command::Doctor { json } => commands::doctor::run(config, json).await,
        #[cfg(feature = "simulator")]
        Command::Demo(args) => commands::demo::run(&args).await,
        #[cfg(feature = "simulator")]
        Command::Simulator(args) => commands::simulator::run(&args).await,
        Command::Export(_) | Command::Settings | Command::Match(_) | Command::Train(_) => Ok(()),
    }
}
