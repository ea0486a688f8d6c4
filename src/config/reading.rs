//! Reads the sections so that every mistake is found in one go. A section that cannot be read as a whole is read setting
//! by setting, each beside the defaults of the others: what is wrong is named and its default takes its place, so that
//! the rest is judged all the same.

use std::collections::BTreeSet;

use config::{ConfigError, FileFormat, Value};
use serde::de::DeserializeOwned;

use super::DEFAULTS;

/// A section that can be wrong in more ways than its types say.
pub(super) trait Section: DeserializeOwned {
    /// Name of the section in the file.
    const NAME: &'static str;
    /// What is wrong, each naming the key and the mend.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The settings while they are read, and what was wrong with them so far.
pub(super) struct Reading<'c> {
    whole: &'c config::Config,
    unreadable: BTreeSet<String>,
    mistakes: Vec<String>,
}

impl<'c> Reading<'c> {
    /// Begins with the keys that are no settings.
    pub(super) fn of(whole: &'c config::Config) -> Self {
        Self {
            whole,
            unreadable: BTreeSet::new(),
            mistakes: unknown_keys(whole),
        }
    }

    /// The section, with defaults in place of what cannot be read.
    pub(super) fn section<S: Section>(&mut self) -> Option<S> {
        let section = match self.whole.get::<S>(S::NAME) {
            Ok(section) => section,
            Err(_) => self.setting_by_setting()?,
        };
        let own = section.mistakes().into_iter();
        self.add(own.map(|text| format!("{}.{text}", S::NAME)));
        Some(section)
    }

    fn setting_by_setting<S: Section>(&mut self) -> Option<S> {
        let mut readable = Vec::new();
        match self.whole.get_table(S::NAME) {
            Ok(given) => {
                for (key, value) in given {
                    let path = format!("{}.{key}", S::NAME);
                    match beside_defaults::<S>(&[(path.clone(), value.clone())]) {
                        Ok(_) => readable.push((path, value)),
                        Err(error) => {
                            self.mistakes.push(format!("{path}: {}", in_words(error)));
                            self.unreadable.insert(path);
                        }
                    }
                }
            }
            Err(_) => self.mistakes.push(format!(
                "{} is a section: write [{0}] and its settings below",
                S::NAME
            )),
        }
        beside_defaults(&readable).ok()
    }

    /// Adds mistakes that begin with their key, but none that come from a default in the place of what could not be read.
    pub(super) fn add(&mut self, mistakes: impl IntoIterator<Item = String>) {
        let unreadable = &self.unreadable;
        let of_default = |text: &str| {
            let key = text
                .split(|sign: char| sign != '.' && sign != '_' && !sign.is_ascii_alphanumeric())
                .next();
            key.is_some_and(|key| unreadable.contains(key))
        };
        let real = mistakes.into_iter().filter(|text| !of_default(text));
        self.mistakes.extend(real);
    }

    /// Everything that was wrong, in the order of its keys.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.mistakes.sort();
        self.mistakes
    }
}

fn beside_defaults<S: Section>(values: &[(String, Value)]) -> Result<S, ConfigError> {
    let mut builder =
        config::Config::builder().add_source(config::File::from_str(DEFAULTS, FileFormat::Toml));
    for (path, value) in values {
        builder = builder.set_override(path, value.clone())?;
    }
    builder.build()?.get(S::NAME)
}

/// The reader's own texts speak of bits and variants.
fn in_words(error: ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => in_words(*error),
        ConfigError::Type {
            unexpected,
            expected,
            ..
        } => {
            let wanted = match expected {
                text if text.contains("integer") => "a whole number of 0 or more",
                text if text.contains("bool") => "true or false",
                "an array" => "a list such as [\"one\", \"two\"]",
                text => text,
            };
            format!("{unexpected} is not {wanted}")
        }
        other => other.to_string(),
    }
}

/// A misspelt key would silently leave the default in force.
fn unknown_keys(whole: &config::Config) -> Vec<String> {
    let parse = |text: &str| {
        config::Config::builder()
            .add_source(config::File::from_str(text, FileFormat::Toml))
            .build()
            .and_then(config::Config::try_deserialize::<serde_json::Value>)
            .unwrap_or_default()
    };
    let known = parse(DEFAULTS);
    let given = whole
        .clone()
        .try_deserialize::<serde_json::Value>()
        .unwrap_or_default();
    let mut unknown = Vec::new();
    for (section, keys) in given.as_object().into_iter().flatten() {
        let Some(known) = known.get(section).and_then(serde_json::Value::as_object) else {
            unknown.push(format!(
                "there is no section [{section}]; `provider-bridge settings` prints them all"
            ));
            continue;
        };
        let keys = keys.as_object().into_iter().flatten().map(|(key, _)| key);
        unknown.extend(keys.filter(|key| !known.contains_key(*key)).map(|key| {
            format!("{section}.{key} is no setting; `provider-bridge settings` prints them all")
        }));
    }
    unknown
}

/// Reads a value from text, so that what cannot be read is quoted together with what would do.
pub(super) fn from_text<'de, T: std::str::FromStr, D: serde::Deserializer<'de>>(
    deserializer: D,
    wanted: &str,
) -> Result<T, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is no {wanted}")))
}
