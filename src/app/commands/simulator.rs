//! `simulator`

use crate::app::cli::{CasesArgs, SimulatorArgs, SimulatorCommand, loopback};
use crate::app::clock::system_context;
use crate::app::output::{note, result};
use crate::app::running::told_to_stop;
use crate::simulator::{self, Simulator, SimulatorOptions, World, WorldSpec};

/// Runs the stand-ins until told to stop.
///
/// # Errors
/// When the port cannot be had.
pub async fn run(args: &SimulatorArgs) -> anyhow::Result<()> {
    if let Some(SimulatorCommand::Cases(args)) = &args.command {
        return cases(args);
    }
    let spec = WorldSpec {
        customers: args.customers,
        seed: args.seed,
        ..WorldSpec::default()
    };
    let world = World::generate(&spec);
    let options = SimulatorOptions {
        bind: loopback(args.port),
        tls: args.tls,
        requests_per_minute: args.requests_per_minute,
        ..SimulatorOptions::new(system_context())
    };
    let running = Simulator::start(world, options).await?;
    result(settings(&running.base_url()));
    if let Some(certificate) = running.certificate_pem() {
        result(certificate);
    }
    note(connecting(&running.base_url()));
    told_to_stop().await;
    running.stop().await;
    Ok(())
}

/// Writes cases for the matching engine.
fn cases(args: &CasesArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.accounts >= 100, "cases need at least 100 accounts");
    let spec = simulator::CasesSpec {
        seed: args.seed,
        accounts: args.accounts,
        providers: args.providers.unwrap_or(args.accounts / 5),
    };
    let made = simulator::write_cases(&spec, &args.out)?;
    result(format!(
        "{}: {} accounts, {} contacts, {} provider accounts",
        args.out.display(),
        made.accounts,
        made.contacts,
        made.providers
    ));
    Ok(())
}

/// The settings of a service that shall use the stand-ins.
fn settings(base_url: &str) -> String {
    let lines = simulator::settings(base_url);
    let lines = lines.map(|(key, value)| format!("PROVIDER_BRIDGE__{key}={value}"));
    lines.join("\n")
}

/// What to do with them, for a service at its default address.
fn connecting(base_url: &str) -> String {
    format!(
        "
The lines above are the settings of a service that shall use these stand-ins. Once it runs, connect Partner Center:

  curl -X POST http://127.0.0.1:8080/v1/providers \\
    -H \"X-Api-Key: $(provider-bridge api-keys create --name Trying --role admin)\" \\
    -H 'Content-Type: application/json' \\
    -d '{}'

{base_url}/_simulator/ shows how to switch faults on and change the world; Ctrl-C ends the stand-ins.",
        simulator::provider_body()
    )
}
