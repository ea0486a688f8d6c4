//! What can be typed: the commands, their options and their help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::domain::caller::Role;
use crate::domain::ids::ApiKeyId;

/// Maps the customers of cloud subscription providers to Dynamics 365 accounts, for Power Automate.
#[derive(Debug, Parser)]
#[command(name = "provider-bridge", version, about, propagate_version = true)]
pub struct Cli {
    /// Settings file (TOML). Environment variables PROVIDER_BRIDGE__SECTION__KEY override it.
    #[arg(
        long,
        global = true,
        env = "PROVIDER_BRIDGE_CONFIG",
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything in one go: a simulated Partner Center and Dynamics, a sync, matching, mapping and deliveries.
    ///
    /// Nothing outside this machine is called, and the data is thrown away at the end.
    #[cfg(feature = "simulator")]
    #[command(
        after_help = "Example:\n  provider-bridge demo --customers 1000\n  provider-bridge demo --once --json"
    )]
    Demo(DemoArgs),
    /// Run the service.
    #[command(after_help = "Example:\n  provider-bridge --config bridge.toml serve")]
    Serve,
    /// Run only the stand-ins for Entra, Partner Center and Dynamics, for trying a service against them.
    #[cfg(feature = "simulator")]
    #[command(
        after_help = SIMULATOR_HELP
    )]
    Simulator(SimulatorArgs),
    /// Match an export, offline: which CRM account is each provider account, how sure, and why.
    ///
    /// Nothing is sent anywhere. Files are JSON Lines, or CSV as Dynamics exports it where the name ends in .csv.
    #[command(
        after_help = "Example:\n  provider-bridge match --accounts accounts.csv --contacts contacts.csv --providers customers.jsonl --out decisions.jsonl"
    )]
    Match(MatchArgs),
    /// Learn a matching model from cases with known answers.
    ///
    /// Cases are made by `simulator cases`, or exported from your own confirmed mappings in the same four files.
    #[command(
        after_help = "Example:\n  provider-bridge simulator cases --seed 1 --accounts 100000 --out cases/1\n  provider-bridge train --cases cases/1 --out model.json\n  provider-bridge match --model model.json --accounts …"
    )]
    Train(TrainArgs),
    /// Bring the database to this program's schema.
    ///
    /// On SQLite `serve` does this by itself; on PostgreSQL it is yours to run, once for all instances.
    #[command(after_help = "Example:\n  provider-bridge --config bridge.toml migrate")]
    Migrate,
    /// Check settings, database, keys, schedules and connections, and say how to mend what is wrong.
    #[command(after_help = "Example:\n  provider-bridge doctor\n  provider-bridge doctor --json")]
    Doctor {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    ApiKeys(ApiKeysCommand),
    /// Change the keys that seal secrets.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make a one-time link that signs a browser in to the pages.
    #[command(
        after_help = "Example:\n  provider-bridge sign-in-link --name \"Jo Doe\" --role provisioning"
    )]
    SignInLink {
        /// Who will use it; stands in the audit trail.
        #[arg(long, default_value = "Operator")]
        name: String,
        /// What the session may do; give it several times for several roles.
        #[arg(long = "role", default_value = "admin")]
        roles: Vec<Role>,
    },
    /// Write the API's description and the Power Platform connector package, which are generated from the code.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Print every setting with its default and what it means.
    #[command(after_help = "Example:\n  provider-bridge settings > bridge.toml")]
    Settings,
}

impl Command {
    /// Whether it draws progress for a person, which log lines would tear apart.
    #[must_use]
    pub const fn is_for_watching(&self) -> bool {
        #[cfg(feature = "simulator")]
        if matches!(self, Self::Demo(_)) {
            return true;
        }
        matches!(self, Self::Doctor { .. } | Self::Match(_) | Self::Train(_))
    }
}

/// What `simulator --help` says below its options.
#[cfg(feature = "simulator")]
const SIMULATOR_HELP: &str = "\
Example:
  provider-bridge simulator --port 9400 --customers 5000 --seed 7

One port answers as Entra (/{tenant}/oauth2/v2.0/token), Partner Center (/v1/...) and Dataverse
(/api/data/v9.2/...). It prints the settings of a service that shall use it, secrets included, to standard
output (with --tls the certificate to trust follows them), and to standard error the call that connects
Partner Center. To try a service against it:
  provider-bridge simulator > simulator.env
  set -a; . ./simulator.env; provider-bridge serve        (in a second shell)


Control API while it runs, without credential:
  GET    /_simulator/             what there is: counts, settings and credentials of a service that shall
                                  use it, kinds of faults and of changes with their fields
  POST   /_simulator/faults       switch a fault on, e.g.
                                  {\"upstream\":\"dataverse\",\"kind\":\"too-many-requests\",\"seconds\":5,\"times\":3}
  GET    /_simulator/faults       the faults that are on, and how often they hit
  DELETE /_simulator/faults       switch all off; with /{id} one
  POST   /_simulator/changes      change the world, e.g.
                                  {\"change\":\"rename-account\",\"account\":\"{id}\",\"name\":\"New Ltd\"}
  GET    /_simulator/requests     the latest requests one by one
  GET    /_simulator/statistics   requests by upstream and operation; DELETE begins anew
  GET    /_simulator/truth        which customer is which account";

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Customers at the simulated Partner Center.
    #[arg(long, default_value_t = 1000)]
    pub customers: usize,
    /// The same seed gives the same customers and accounts.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Port of the service; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// End after the work is done instead of serving until Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object to standard output instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Options of `simulator`.
#[cfg(feature = "simulator")]
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SimulatorArgs {
    /// Something else than serving.
    #[command(subcommand)]
    pub command: Option<SimulatorCommand>,
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 9400)]
    pub port: u16,
    /// Customers at Partner Center.
    #[arg(long, default_value_t = 1000)]
    pub customers: usize,
    /// The same seed gives the same customers and accounts.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Serve https with a certificate made at start.
    #[arg(long)]
    pub tls: bool,
    /// Requests that Partner Center answers in a minute; without it there is no limit.
    #[arg(long)]
    pub requests_per_minute: Option<u32>,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Seal every stored secret anew under the first key of keys.ring, while the service runs.
    ///
    /// Put the new key first, leave the old one behind it, restart the instances one by one, rotate, and take the old
    /// key away at the next restart.
    #[command(after_help = "Example:\n  provider-bridge --config bridge.toml keys rotate")]
    Rotate,
}

/// What the simulator can do beside serving.
#[cfg(feature = "simulator")]
#[derive(Debug, Clone, Subcommand)]
pub enum SimulatorCommand {
    /// Write cases for training and measuring the matching engine: a CRM, a provider's customers, and which is which.
    #[command(
        after_help = "Example:\n  provider-bridge simulator cases --seed 1 --accounts 100000 --out cases/1"
    )]
    Cases(CasesArgs),
}

/// Options of `simulator cases`.
#[cfg(feature = "simulator")]
#[derive(Debug, Clone, Args)]
pub struct CasesArgs {
    /// The same seed gives the same cases.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Accounts of the CRM, roughly.
    #[arg(long, default_value_t = 100_000)]
    pub accounts: usize,
    /// Provider accounts; a fifth of the accounts unless given.
    #[arg(long)]
    pub providers: Option<usize>,
    /// Folder to write.
    #[arg(long)]
    pub out: PathBuf,
}

/// Options of `match`.
#[derive(Debug, Clone, Args)]
pub struct MatchArgs {
    /// The CRM's accounts.
    #[arg(long, value_name = "FILE")]
    pub accounts: PathBuf,
    /// The CRM's contacts.
    #[arg(long, value_name = "FILE")]
    pub contacts: PathBuf,
    /// The provider's customers.
    #[arg(long, value_name = "FILE")]
    pub providers: PathBuf,
    /// File to write; a table for people where its name ends in .csv.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// A model of your own, made by `train`.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Confidence from which a decision is automatic, between 0 and 1; the model's own unless given.
    #[arg(long)]
    pub threshold: Option<f32>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `train`.
#[derive(Debug, Clone, Args)]
pub struct TrainArgs {
    /// Folder with crm_accounts, crm_contacts, provider_accounts and truth (.jsonl); give it several times for more.
    #[arg(long, required = true, value_name = "DIR")]
    pub cases: Vec<PathBuf>,
    /// Model file to write.
    #[arg(long, default_value = "model.json", value_name = "FILE")]
    pub out: PathBuf,
    /// What the model calls itself; decisions carry it.
    #[arg(long, default_value = "own-1")]
    pub version_name: String,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `api-keys …`
#[derive(Debug, Subcommand)]
pub enum ApiKeysCommand {
    /// Make a key. It is printed once and kept nowhere.
    #[command(
        after_help = "Example:\n  provider-bridge api-keys create --name \"Flows of sales\" --role provisioning"
    )]
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it may do; give it several times for several roles.
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
    },
    /// List the keys, revoked ones too. Secrets are not among what is kept.
    #[command(after_help = "Example:\n  provider-bridge api-keys list")]
    List {
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it stops working within ten seconds everywhere.
    #[command(
        after_help = "Example:\n  provider-bridge api-keys revoke 0197a1b2-0000-7000-8000-000000000001"
    )]
    Revoke {
        /// Id of the key, as `list` shows it.
        id: ApiKeyId,
    },
}

/// `export …`
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// The OpenAPI 3.1 document.
    #[command(after_help = "Example:\n  provider-bridge export openapi --check")]
    Openapi {
        /// File to write.
        #[arg(long, default_value = "openapi/openapi.json")]
        out: PathBuf,
        /// Write nothing; fail with the difference when the file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// The Power Platform connector package.
    #[command(
        after_help = "Example:\n  provider-bridge export connector --public-url https://bridge.example.com --out my-connector"
    )]
    Connector {
        /// Folder to write.
        #[arg(long, default_value = "connector")]
        out: PathBuf,
        /// Address of your deployment, which becomes the connector's host.
        #[arg(long)]
        public_url: Option<url::Url>,
        /// Client id of the connector's own app registration at Entra; prints what is left to do there.
        #[arg(long)]
        entra_client_id: Option<uuid::Uuid>,
        /// Client id or App ID URI of this API's app registration at Entra.
        #[arg(long, default_value = "api://provider-bridge")]
        entra_resource: String,
        /// Tenant whose users sign in.
        #[arg(long, default_value = "common")]
        entra_tenant: String,
        /// Write nothing; fail with the difference when the folder is not what would be written.
        #[arg(long)]
        check: bool,
    },
}

/// Where the demo and the simulator listen: on this machine only.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
