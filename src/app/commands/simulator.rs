//! `simulator`

use crate::app::cli::{SimulatorArgs, loopback};
use crate::app::clock::system_context;
use crate::app::output::{note, result};
use crate::app::running::told_to_stop;
use crate::simulator::{self, Simulator, SimulatorOptions, World, WorldSpec};

/// Runs the stand-ins until told to stop.
///
/// # Errors
/// When the port cannot be had.
pub async fn run(args: &SimulatorArgs) -> anyhow::Result<()> {
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
    note(
        "the lines above are the settings of a service that shall use these stand-ins; Ctrl-C ends them",
    );
    note(format!(
        "connect Partner Center with partner tenant {}, client id {}, client secret {}; faults: {}/_simulator/",
        simulator::PARTNER_TENANT_ID,
        simulator::PARTNER_CENTER_CLIENT_ID,
        simulator::PARTNER_CENTER_CLIENT_SECRET,
        running.base_url()
    ));
    told_to_stop().await;
    running.stop().await;
    Ok(())
}

/// The settings of a service that shall use the stand-ins.
fn settings(base_url: &str) -> String {
    let settings = [
        ("ENTRA__AUTHORITY", base_url),
        ("PARTNER_CENTER__BASE_URL", base_url),
        ("PARTNER_CENTER__REQUESTS_PER_MINUTE", "0"),
        ("DATAVERSE__ORG_URL", base_url),
        ("DATAVERSE__TENANT", simulator::ENTRA_TENANT_ID),
        ("DATAVERSE__CLIENT_ID", simulator::DATAVERSE_CLIENT_ID),
        (
            "DATAVERSE__CLIENT_SECRET",
            simulator::DATAVERSE_CLIENT_SECRET,
        ),
        ("HTTP_CLIENT__ALLOW_PLAIN_LOOPBACK", "true"),
    ];
    let lines = settings.map(|(key, value)| format!("PROVIDER_BRIDGE__{key}={value}"));
    lines.join("\n")
}
