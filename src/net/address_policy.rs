//! Which callback URLs we call, judged from the text alone; [`super::guarded_dns`] judges the addresses behind the name.
//!
//! A flow's callback URL carries its own signature in the query, so its path and query must leave the house byte for byte.
//! The HTTP client can only be handed a parsed `Url`, and parsing rewrites some texts (`..`, spaces, quotes, non-ASCII).
//! Rather than sending something else than we were given, a URL that would not survive is refused when it is subscribed.
//! Host names must be written as they are sent too, which also refuses every disguised address (`0x7f.1`, `%31`).

use std::net::IpAddr;

use url::{Host, Position, Url};

use super::callback_hosts::{CallbackHosts, HostSettingError};
use crate::domain::ports::callback::{CallbackPolicy, CallbackRefused};

/// The longest URL that Power Automate itself knows (its published limit).
const LONGEST: usize = 16_384;

/// What an operator may set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackSettings {
    /// Hosts beside Power Automate's: `hooks.contoso.com`, `*.contoso.com`, with `:port` if it is not 443.
    pub further_hosts: Vec<String>,
    /// Ids of the only Power Platform environments whose flows are called; empty for any.
    pub environments: Vec<String>,
    /// Also call this very machine, over plain http too, at any port. For the demo and for tests only.
    pub allow_loopback: bool,
}

/// A callback URL that passed, ready to be called. It has no `Debug`: its query is a secret.
#[derive(Clone)]
pub struct CallbackTarget {
    /// The URL; path and query are byte for byte what was given.
    pub(super) url: Url,
    /// Host, with the port where that is not the scheme's own.
    pub(super) host: String,
}

/// Judges callback URLs. See the module's text.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    hosts: CallbackHosts,
    allow_loopback: bool,
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, CallbackRefused> {
    Err(CallbackRefused {
        reason: reason.into(),
    })
}

impl AddressPolicy {
    /// Makes the policy of these settings.
    ///
    /// # Errors
    /// Every host and environment in them that cannot be meant.
    pub fn new(settings: &CallbackSettings) -> Result<Self, Vec<HostSettingError>> {
        Ok(Self {
            hosts: CallbackHosts::new(&settings.further_hosts, &settings.environments)?,
            allow_loopback: settings.allow_loopback,
        })
    }

    /// Whether this machine itself may be called.
    #[must_use]
    pub fn allows_loopback(&self) -> bool {
        self.allow_loopback
    }

    /// Judges `text` and readies it for the call.
    ///
    /// # Errors
    /// The reason why it is refused; it never holds more of the URL than its host.
    pub fn target(&self, text: &str) -> Result<CallbackTarget, CallbackRefused> {
        let (scheme, authority, rest) = split(text)?;
        let Ok(url) = Url::parse(text) else {
            return refuse("the callback URL cannot be read; give the whole URL unchanged");
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => self.loopback_address(address.into())?,
            Some(Host::Ipv6(address)) => self.loopback_address(address.into())?,
            None => return refuse("the callback URL names no host"),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        let local = self.allow_loopback && is_loopback(&url);
        if scheme != "https" && !local {
            return refuse(format!(
                "the callback URL to `{host}` does not begin with https://"
            ));
        }
        if !local && !self.hosts.allows(&host, port) {
            return refuse(self.not_allowed(&host, port));
        }
        let named = if url.port().is_some() || authority.ends_with(&format!(":{port}")) {
            format!("{host}:{port}")
        } else {
            host.clone()
        };
        let sent = &url[Position::BeforePath..Position::AfterQuery];
        if !named.eq_ignore_ascii_case(authority) || (sent != rest && !rest.is_empty()) {
            return refuse(format!(
                "the callback URL to `{host}` would change on its way, because it is not written in normal form (dots as path segments, unescaped characters, or an unusual spelling of the host); its signature would no longer fit"
            ));
        }
        let host = if url.port().is_some() { named } else { host };
        Ok(CallbackTarget { url, host })
    }

    fn loopback_address(&self, address: IpAddr) -> Result<String, CallbackRefused> {
        if self.allow_loopback && address.is_loopback() {
            return Ok(match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            });
        }
        refuse(format!(
            "the callback URL names the network address `{address}`; only host names are called"
        ))
    }

    fn not_allowed(&self, host: &str, port: u16) -> String {
        let pinned = if self.hosts.pinned() {
            " of this deployment's own environments"
        } else {
            ""
        };
        format!(
            "callbacks go to Power Automate{pinned} only, and `{host}` at port {port} is not that; whoever runs the service can add it to the configuration key `callbacks.further_hosts`"
        )
    }
}

impl CallbackPolicy for AddressPolicy {
    fn check(&self, url: &str) -> Result<String, CallbackRefused> {
        self.target(url).map(|target| target.host)
    }
}

/// Scheme, authority, and the rest from the path on, as they are written.
fn split(text: &str) -> Result<(&str, &str, &str), CallbackRefused> {
    if text.len() > LONGEST {
        return refuse(format!(
            "the callback URL is longer than {LONGEST} characters"
        ));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("the callback URL holds spaces or characters outside ASCII");
    }
    let Some((scheme @ ("https" | "http"), after)) = text.split_once("://") else {
        return refuse("the callback URL does not begin with https://");
    };
    let path = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(path);
    if authority.contains('@') {
        return refuse("the callback URL holds a user name or password");
    }
    if rest.contains('#') {
        return refuse("the callback URL holds a fragment (`#`), which is never sent");
    }
    Ok((scheme, authority, rest))
}

/// Whether the URL names this very machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLOW: &str = "https://prod-12.westeurope.logic.azure.com";

    fn policy(allow_loopback: bool) -> AddressPolicy {
        AddressPolicy::new(&CallbackSettings {
            further_hosts: vec!["hooks.contoso.com:8443".to_owned()],
            environments: Vec::new(),
            allow_loopback,
        })
        .unwrap()
    }

    #[test]
    fn flow_urls_pass_unchanged_with_and_without_an_explicit_port() {
        let rest = "/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-_c%2B~d|e";
        for base in [FLOW, "https://PROD-12.westeurope.logic.azure.com:443"] {
            let target = policy(false).target(&format!("{base}{rest}")).unwrap();
            assert_eq!(target.host, "prod-12.westeurope.logic.azure.com");
            assert_eq!(&target.url[Position::BeforePath..], rest);
        }
        let url = "https://hooks.contoso.com:8443/x";
        assert_eq!(policy(false).check(url).unwrap(), "hooks.contoso.com:8443");
    }

    #[test]
    fn urls_that_would_change_on_the_wire_are_refused() {
        for rest in [
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "\\a",
            "/a\\b",
            "?q=canary",
            "/a?q='canary'",
            "/a?q=\"canary\"",
            "/a?q=<canary>",
            "/a{b}",
            "/a`b",
            "/a#b",
            "/a?b#",
            "/a b",
            "/ä",
            "/a\tb",
            "/a\n",
        ] {
            let refused = policy(false).check(&format!("{FLOW}{rest}")).unwrap_err();
            assert!(!refused.reason.contains("canary"), "{rest}: {refused}");
        }
    }

    #[test]
    fn everything_that_is_not_a_public_https_host_name_is_refused() {
        for url in [
            "",
            "https://",
            "https:///a",
            "//prod-12.westeurope.logic.azure.com/a",
            "ftp://prod-12.westeurope.logic.azure.com/a",
            "http://prod-12.westeurope.logic.azure.com/a",
            " https://prod-12.westeurope.logic.azure.com/a",
            "https://u@prod-12.westeurope.logic.azure.com/a",
            "https://u:p@prod-12.westeurope.logic.azure.com/a",
            "https://prod-12.westeurope.logic.azure.com:8443/a",
            "https://prod-12.westeurope.logic.azure.com:80/a",
            "https://prod-12.westeurope.logic.azure.com:0443/a",
            "https://prod-12.westeurope.logic.azure.com:/a",
            "https://prod-12.westeurope.logic.azure.com./a",
            "https://prod-12.westeurope.logic%2Eazure.com/a",
            "https://10.0.0.1\\@prod-12.westeurope.logic.azure.com/a",
            "https://example.com/a",
            "https://localhost/a",
            "https://127.0.0.1/a",
            "https://8.8.8.8/a",
            "https://2130706433/a",
            "https://0x7f000001/a",
            "https://0177.0.0.1/a",
            "https://127.1/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://[64:ff9b::10.0.0.1]/a",
            "https://[2002:7f00:1::]/a",
            "https://[2603:1020:206::1]/a",
            "https://[fe80::1%25eth0]/a",
        ] {
            assert!(policy(false).check(url).is_err(), "{url}");
        }
        assert!(
            policy(false)
                .check(&format!("{FLOW}/{}", "a".repeat(LONGEST)))
                .is_err()
        );
    }

    #[test]
    fn loopback_needs_its_setting_and_opens_nothing_else() {
        for url in [
            "http://127.0.0.1:8080/a?b=c",
            "http://localhost:8080/a",
            "https://127.0.0.1:8443/a",
            "http://[::1]:8080/a",
        ] {
            assert!(policy(false).check(url).is_err(), "{url}");
            assert!(policy(true).check(url).is_ok(), "{url}");
        }
        assert_eq!(
            policy(true).check("http://127.0.0.1:8080/a").unwrap(),
            "127.0.0.1:8080"
        );
        for url in [
            "http://10.0.0.1/a",
            "http://169.254.169.254/latest",
            "http://0.0.0.0/a",
            "http://[::ffff:127.0.0.1]/a",
            "http://2130706433/a",
            "http://localhost.evil.example/a",
            "http://prod-12.westeurope.logic.azure.com/a",
        ] {
            assert!(policy(true).check(url).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn whatever_passes_is_sent_as_it_was_given(rest in "/[ -~]{0,80}") {
            if let Ok(target) = policy(false).target(&format!("{FLOW}{rest}")) {
                prop_assert_eq!(&target.url[Position::BeforePath..], rest);
            }
        }

        #[test]
        fn no_text_makes_the_policy_panic_or_leak_more_than_the_host(text in ".{0,60}", scheme in "(https://)?") {
            if let Err(refused) = policy(true).target(&format!("{scheme}{text}/?sig=secret-query")) {
                prop_assert!(!refused.reason.contains("secret-query"));
            }
        }
    }
}
