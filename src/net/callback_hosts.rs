//! The hosts that callbacks may go to: those of Power Automate in every cloud, and those an operator adds. Names are
//! compared label by label, because `evil-logic.azure.com` and `logic.azure.com.evil.example` are not Power Automate.
//!
//! A flow's callback has one of two kinds of name: the older `prod-12.westeurope.logic.azure.com`, which says nothing of
//! the environment, and the newer `{environment id}.{its last digits}.environment.api.powerplatform.com`, which does. So
//! a deployment that is pinned to its own environments takes only the newer kind.

/// Older names, by cloud: public, US Government, China.
const LOGIC_APPS: [&str; 3] = ["logic.azure.com", "logic.azure.us", "logic.azure.cn"];

/// Newer names, by cloud: public, GCC, GCC High, DoD, China, and the two sealed-off US clouds. The bases are those of the
/// Power Platform API, as Microsoft's own Terraform provider lists them.
const ENVIRONMENTS: [&str; 7] = [
    "environment.api.powerplatform.com",
    "environment.api.gov.powerplatform.microsoft.us",
    "environment.api.high.powerplatform.microsoft.us",
    "environment.api.appsplatform.us",
    "environment.api.powerplatform.partner.microsoftonline.cn",
    "environment.api.powerplatform.eaglex.ic.gov",
    "environment.api.powerplatform.microsoft.scloud",
];

/// A host in the settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostSettingError {
    /// Not a host name.
    #[error(
        "`{0}` is not a callback host; write a host name such as `hooks.contoso.com` or `*.contoso.com`, with `:port` if it is not 443"
    )]
    Host(String),
    /// Not the id of an environment.
    #[error(
        "`{0}` is not the id of a Power Platform environment, such as 0197a1b2-0000-7000-8000-000000000001 or Default-0197a1b2-0000-7000-8000-000000000001"
    )]
    Environment(String),
}

/// One host that an operator added.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    name: String,
    any_subdomain: bool,
    port: u16,
}

impl HostPattern {
    fn parse(text: &str) -> Result<Self, HostSettingError> {
        let refused = || HostSettingError::Host(text.chars().take(100).collect());
        let lower = text.trim().to_ascii_lowercase();
        let (host, port) = match lower.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| refused())?),
            None => (lower.as_str(), 443),
        };
        let (name, any_subdomain) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        // What the url crate reads as an address (`127.1`, `0x7f.1`) is not a name, and it writes names its own way.
        let is_name =
            matches!(url::Host::parse(name), Ok(url::Host::Domain(domain)) if domain == name);
        let odd = |byte: u8| !byte.is_ascii_alphanumeric() && !b"-._".contains(&byte);
        let labels = name.split('.').count();
        if !is_name || labels < 2 || name.split('.').any(str::is_empty) || name.bytes().any(odd) {
            return Err(refused());
        }
        Ok(Self {
            name: name.to_owned(),
            any_subdomain,
            port,
        })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let name = if self.any_subdomain {
            is_below(host, &self.name)
        } else {
            host == self.name
        };
        name && port == self.port
    }
}

/// Whether `host` is at least one whole label below `base`.
fn is_below(host: &str, base: &str) -> bool {
    host.strip_suffix(base)
        .and_then(|rest| rest.strip_suffix('.'))
        .is_some_and(|labels| labels.split('.').all(|label| !label.is_empty()))
}

/// `Default-0197A1B2-…` as it stands in host names: lower case, without hyphens.
fn environment_key(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let id = lower.strip_prefix("default-").unwrap_or(&lower);
    uuid::Uuid::try_parse(id).ok()?;
    Some(lower.replace('-', ""))
}

/// The hosts that callbacks may go to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackHosts {
    further: Vec<HostPattern>,
    environments: Vec<String>,
}

impl CallbackHosts {
    /// Power Automate, and `further` hosts (`hooks.contoso.com`, `*.contoso.com`, `hooks.contoso.com:8443`). With any
    /// `environments` (their ids), Power Automate means only these environments.
    ///
    /// # Errors
    /// Every entry that is no host, or no id.
    pub fn new(further: &[String], environments: &[String]) -> Result<Self, Vec<HostSettingError>> {
        let mut errors = Vec::new();
        let mut hosts = Self::default();
        for text in further {
            match HostPattern::parse(text) {
                Ok(pattern) => hosts.further.push(pattern),
                Err(error) => errors.push(error),
            }
        }
        for text in environments {
            match environment_key(text) {
                Some(key) => hosts.environments.push(key),
                None => errors.push(HostSettingError::Environment(
                    text.chars().take(100).collect(),
                )),
            }
        }
        if errors.is_empty() {
            Ok(hosts)
        } else {
            Err(errors)
        }
    }

    /// Whether callbacks may go to `host` (lower case, not an address) at `port`.
    #[must_use]
    pub fn allows(&self, host: &str, port: u16) -> bool {
        (port == 443 && self.is_power_automate(host))
            || self
                .further
                .iter()
                .any(|pattern| pattern.covers(host, port))
    }

    /// Whether Power Automate means certain environments only.
    #[must_use]
    pub fn pinned(&self) -> bool {
        !self.environments.is_empty()
    }

    fn is_power_automate(&self, host: &str) -> bool {
        if !self.pinned() {
            return LOGIC_APPS
                .iter()
                .chain(&ENVIRONMENTS)
                .any(|base| is_below(host, base));
        }
        let below = ENVIRONMENTS
            .iter()
            .filter(|base| is_below(host, base))
            .find_map(|base| host.strip_suffix(base));
        // The id's last one or two digits are a label of their own: `{head}.{tail}.`
        let labels: Vec<&str> = below.unwrap_or_default().split('.').collect();
        let [head, tail, ""] = labels.as_slice() else {
            return false;
        };
        (1..=2).contains(&tail.len()) && self.environments.contains(&format!("{head}{tail}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(further: &[&str], environments: &[&str]) -> CallbackHosts {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        CallbackHosts::new(&owned(further), &owned(environments)).unwrap()
    }

    #[test]
    fn power_automate_is_allowed_in_every_cloud_under_old_and_new_names() {
        let hosts = hosts(&[], &[]);
        for host in [
            "prod-12.westeurope.logic.azure.com",
            "prod-00.usgovtexas.logic.azure.us",
            "prod-01.chinaeast2.logic.azure.cn",
            "0197a1b20000700080000000000000.01.environment.api.powerplatform.com",
            "default0197a1b20000700080000000000000.01.environment.api.powerplatform.com",
            "a.b.c.environment.api.gov.powerplatform.microsoft.us",
            "a.1.environment.api.high.powerplatform.microsoft.us",
            "a.1.environment.api.appsplatform.us",
            "a.1.environment.api.powerplatform.partner.microsoftonline.cn",
        ] {
            assert!(hosts.allows(host, 443), "{host}");
            assert!(!hosts.allows(host, 8443), "{host}");
        }
    }

    #[test]
    fn names_that_only_look_like_power_automate_are_refused() {
        let hosts = hosts(&[], &[]);
        for host in [
            "logic.azure.com",
            "evil-logic.azure.com",
            "evillogic.azure.com",
            ".logic.azure.com",
            "a..logic.azure.com",
            "prod-12.westeurope.logic.azure.com.",
            "prod-12.westeurope.logic.azure.com.evil.example",
            "api.powerplatform.com",
            "environment.api.powerplatform.com.evil.example",
            "logic.azure.com.cn",
            "",
        ] {
            assert!(!hosts.allows(host, 443), "{host}");
        }
    }

    #[test]
    fn pinning_takes_only_the_named_environments() {
        let id = "0197A1B2-0000-7000-8000-000000000001";
        let hosts = hosts(&["hooks.contoso.com"], &[id, &format!("Default-{id}")]);
        assert!(hosts.pinned());
        let base = "environment.api.powerplatform.com";
        for host in [
            format!("0197a1b20000700080000000000000.01.{base}"),
            format!("default0197a1b20000700080000000000000.01.{base}"),
            "0197a1b200007000800000000000000.1.environment.api.appsplatform.us".to_owned(),
            "hooks.contoso.com".to_owned(),
        ] {
            assert!(hosts.allows(&host, 443), "{host}");
        }
        for host in [
            format!("0197a1b20000700080000000000000.02.{base}"),
            format!("0197a1b2000070008000000000.0001.{base}"),
            format!("x.0197a1b20000700080000000000000.01.{base}"),
            format!("0197a1b2000070008000000000000001.{base}"),
            "prod-12.westeurope.logic.azure.com".to_owned(),
        ] {
            assert!(!hosts.allows(&host, 443), "{host}");
        }
    }

    #[test]
    fn further_hosts_match_whole_labels_at_their_own_port() {
        let hosts = hosts(&["Hooks.Contoso.com", "*.fabrikam.com:8443"], &[]);
        assert!(hosts.allows("hooks.contoso.com", 443));
        assert!(hosts.allows("a.b.fabrikam.com", 8443));
        for (host, port) in [
            ("hooks.contoso.com", 8443),
            ("a.hooks.contoso.com", 443),
            ("fabrikam.com", 8443),
            ("a.fabrikam.com", 443),
            ("afabrikam.com", 8443),
        ] {
            assert!(!hosts.allows(host, port), "{host}:{port}");
        }
    }

    #[test]
    fn every_wrong_setting_is_reported() {
        let further = [
            "*",
            "*.com",
            "com",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "[::1]",
            "a..b",
            "a.b.",
            "a.b:x",
            "https://a.b",
            "münchen.de",
            "a.*.b",
        ]
        .map(str::to_owned);
        let environments = ["production".to_owned()];
        let errors = CallbackHosts::new(&further, &environments).unwrap_err();
        assert_eq!(errors.len(), further.len() + 1, "{errors:#?}");
    }
}
