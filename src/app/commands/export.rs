//! `export openapi|connector`: the generated files, written or compared.

use anyhow::bail;

use crate::app::cli::ExportCommand;
use crate::app::output::{note, result};
use crate::connector::host::Host;
use crate::connector::package::connection::{self, EntraConnection};
use crate::connector::{export, package};
use crate::http::document;

/// Writes or compares.
///
/// # Errors
/// When a file cannot be read or written, or `--check` finds a difference.
pub fn run(command: &ExportCommand) -> anyhow::Result<()> {
    let openapi = document::openapi();
    match command {
        ExportCommand::Openapi { out, check } => {
            let wanted = export::openapi_file(&openapi);
            if *check {
                let mend = "provider-bridge export openapi";
                return compare(export::check_file(out, &wanted, mend)?);
            }
            if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(out, wanted)?;
            note(format!("wrote {}", out.display()));
        }
        ExportCommand::Connector {
            out,
            public_url,
            entra_client_id,
            entra_resource,
            entra_tenant,
            check,
        } => {
            let mut entra = EntraConnection {
                resource: entra_resource.clone(),
                tenant: entra_tenant.clone(),
                ..EntraConnection::placeholder()
            };
            if let Some(id) = entra_client_id {
                entra.client_id = id.to_string();
            }
            let options = package::Options {
                host: connector_host(public_url.as_ref())?,
                entra,
            };
            let files = package::files(&openapi, &options)?;
            if *check {
                let mend = "provider-bridge export connector";
                return compare(export::check(out, &files, mend)?);
            }
            export::write(out, &files)?;
            note(format!("wrote {} files to {}", files.len(), out.display()));
            if entra_client_id.is_some() {
                result(connection::steps(&options.entra));
            }
        }
    }
    Ok(())
}

fn compare(difference: Option<String>) -> anyhow::Result<()> {
    let Some(difference) = difference else {
        return Ok(());
    };
    result(difference);
    bail!("the checked-in files are not what the code generates")
}

/// The connector's host: of the public URL, or a placeholder for the checked-in package.
///
/// # Errors
/// When the URL has no host that a connector can have.
pub fn connector_host(public_url: Option<&url::Url>) -> anyhow::Result<Host> {
    let Some(url) = public_url else {
        return Ok(Host::placeholder());
    };
    Ok(Host::parse(url.as_str())?)
}

/// The host of the definition that a deployment serves itself, where a stand-in on this machine is no reason to refuse: the
/// platform never sees it.
///
/// # Errors
/// When the URL has no host that a connector can have.
pub fn served_host(public_url: &url::Url) -> anyhow::Result<Host> {
    let mut https = public_url.clone();
    if https.scheme() == "http" {
        // The port is kept: 80 is http's own and is left out, as it would be in the URL.
        https = format!("https{}", https.as_str().trim_start_matches("http")).parse()?;
    }
    Ok(Host::parse(https.as_str())?)
}
