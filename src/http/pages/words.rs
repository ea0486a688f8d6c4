//! How things are said on the pages: times, sentences, confidence.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::domain::domain_name::readable;
use crate::domain::provider_account::ProviderAccount;
use crate::domain::subscription::{FieldDifference, ListedSubscription};

/// `text` with a capital letter and a full stop. What the API sets in backticks stands in quotation marks, as people write.
pub(super) fn sentence(text: &str) -> String {
    stopped(quoted(&capital(text)))
}

fn quoted(text: &str) -> String {
    let mut parts = text.split('`');
    let mut said = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match parts.next() {
            Some(rest) => {
                said.push('“');
                said.push_str(part);
                said.push('”');
                said.push_str(rest);
            }
            None => {
                said.push('`');
                said.push_str(part);
            }
        }
    }
    said
}

/// `text` with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let capital: String = first.into_iter().flatten().collect();
    format!("{capital}{}", letters.as_str())
}

/// `text` with a full stop, where it has none yet: names may end with one ("Müller e.K.").
pub(super) fn stopped(mut text: String) -> String {
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// The domains of a Provider Account as people write them, not in punycode.
pub(super) fn readable_domains(account: &ProviderAccount) -> String {
    let names = account.domain_names();
    let names: Vec<String> = names.into_iter().map(readable).collect();
    names.join(", ")
}

/// An instant as people say it ("12 min ago"), with the exact one in the title; a script puts that into the reader's zone.
/// The result is HTML made of numbers and fixed words only.
pub(super) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    time(at, &relative(now - at, at))
}

/// An instant to come, said and made as by [`ago`].
pub(super) fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let left = at - now;
    let said = match left.num_seconds() {
        ..60 => "now".to_owned(),
        60..3600 => format!("in {} min", left.num_minutes()),
        3600..172_800 => format!("in {} h", left.num_hours()),
        _ => format!("in {} days", left.num_days()),
    };
    time(at, &said)
}

fn time(at: DateTime<Utc>, said: &str) -> String {
    let exact = at.format("%Y-%m-%dT%H:%M:%SZ");
    let title = at.format("%Y-%m-%d %H:%M UTC");
    format!(r#"<time datetime="{exact}" title="{title}">{said}</time>"#)
}

fn relative(past: TimeDelta, at: DateTime<Utc>) -> String {
    match past.num_seconds() {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", past.num_minutes()),
        3600..86_400 => format!("{} h ago", past.num_hours()),
        86_400..2_592_000 => {
            let days = past.num_days();
            format!("{days} day{} ago", if days == 1 { "" } else { "s" })
        }
        _ => at.format("%Y-%m-%d").to_string(),
    }
}

/// An instant in a link: with no plus sign, which a link would take for a space.
pub(super) fn in_a_link(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A value as people read it, and a word for none.
pub(super) fn value(text: Option<&str>) -> String {
    let known = text.filter(|text| !text.is_empty());
    known.unwrap_or("nothing").to_owned()
}

/// A field, its value before and its value now.
pub(super) fn difference(it: &FieldDifference) -> (String, String, String) {
    let (old, new) = (value(it.old.as_deref()), value(it.new.as_deref()));
    (it.field.clone(), old, new)
}

/// What a unit costs at the provider.
pub(super) fn cost(listed: &ListedSubscription) -> String {
    let currency = listed.currency.as_ref().map(|it| it.code());
    match (listed.unit_cost, currency) {
        (Some(cost), Some(currency)) => format!("{cost} {currency}"),
        (Some(cost), None) => cost.to_string(),
        (None, _) => "unknown".to_owned(),
    }
}

/// Confidence as word and number.
pub(super) fn confidence(value: f64) -> String {
    let word = match value {
        0.99.. => "strong",
        0.8..0.99 => "likely",
        0.5..0.8 => "possible",
        _ => "weak",
    };
    format!("{word}, {value:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_sets_in_backticks_stands_in_quotation_marks() {
        let said = sentence("`Mars/Base` is no time zone; use `UTC` or another`");
        assert_eq!(said, "“Mars/Base” is no time zone; use “UTC” or another`.");
        assert_eq!(sentence("made for Müller e.K."), "Made for Müller e.K.");
    }

    #[test]
    fn instants_are_said_as_people_say_them() {
        let now: DateTime<Utc> = "2026-03-10T12:00:00Z".parse().unwrap();
        let said = |seconds| ago(now - TimeDelta::seconds(seconds), now);
        assert!(said(-5).contains(">just now<"));
        assert!(said(720).contains(">12 min ago<"));
        assert!(said(86_400).contains(">1 day ago<"));
        assert!(said(86_400 * 40).contains(">2026-01-29<"));
        let to_come = |seconds| until(now + TimeDelta::seconds(seconds), now);
        assert!(to_come(5).contains(">now<") && to_come(720).contains(">in 12 min<"));
        assert!(to_come(7200).contains(">in 2 h<") && to_come(864_000).contains(">in 10 days<"));
        assert!(said(720).contains(r#"datetime="2026-03-10T11:48:00Z""#));
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_ends_once() {
        assert_eq!(sentence("ä wurst."), "Ä wurst.");
        assert_eq!(sentence(""), ".");
        assert_eq!(stopped("Müller e.K.".to_owned()), "Müller e.K.");
        assert_eq!(stopped("It is unmapped".to_owned()), "It is unmapped.");
    }
}
