//! Evidence in plain words. Each reason tells one kind of evidence, what it was, and how many points of log-odds the
//! learned model gave or took for it: the weights of a candidate's reasons add up to its score.

use super::features::{Feature as F, Kind, Measures};
use super::index::{Entry, Index};
use super::model::Model;
use super::prepare::Subject;
use super::rank::{Group, IDENTITY_POINTS};
use crate::domain::domain_name::readable;

/// One reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Points of log-odds; negative where it speaks against.
    pub weight: f32,
    /// In plain words.
    pub text: String,
}

/// Weights below this are not worth a line.
const SLIGHT: f32 = 0.05;

/// The reasons for and against one candidate, the weightiest first.
#[must_use]
pub fn reasons(
    index: &Index,
    model: &Model,
    subject: &Subject<'_>,
    group: &Group,
    all: &[Group],
) -> Vec<Reason> {
    let Some(entry) = index.entry(group.best.number) else {
        return Vec::new();
    };
    let measures = &group.best.measures;
    let shares = model.pair.shares(&measures.0);
    let mut reasons: Vec<Reason> = Kind::ALL
        .into_iter()
        .zip(shares)
        .filter_map(|(kind, share)| {
            let by_rule = if kind == Kind::Identity {
                measures.get(F::Identity) * IDENTITY_POINTS
            } else {
                0.0
            };
            let weight = share + by_rule;
            if weight.abs() <= SLIGHT {
                return None;
            }
            let text = words(kind, index, subject, entry, measures)?;
            Some(Reason { weight, text })
        })
        .collect();
    if let Some(text) = rivals(index, group, all) {
        reasons.push(Reason {
            weight: -SLIGHT,
            text,
        });
    }
    if !group.duplicates.is_empty() {
        let text = duplicates(index, group);
        reasons.push(Reason {
            weight: -SLIGHT,
            text,
        });
    }
    reasons.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    reasons
}

fn words(
    kind: Kind,
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    measures: &Measures,
) -> Option<String> {
    match kind {
        Kind::Identity => measures
            .has(F::Identity)
            .then(|| "tenant, subscription or tax number are the same".to_owned()),
        Kind::Domain => domain(index, subject, entry, measures),
        Kind::Label => label(subject, measures),
        Kind::Contact => contact(index, subject, entry, measures),
        Kind::Name => Some(name(entry, measures)),
        Kind::Rivals => others(measures),
        Kind::Place => place(measures),
        Kind::Account => (entry.remark || subject.customer.name.remark)
            .then(|| "a name carries a remark, or says nothing".to_owned())
            .or_else(|| {
                (entry.contacts > 0).then(|| {
                    let contacts = counted(entry.contacts, "business contact");
                    format!("the account has {contacts}")
                })
            }),
    }
}

fn domain(
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    measures: &Measures,
) -> Option<String> {
    let link = subject.own.iter().find_map(|own| {
        let at = entry
            .links
            .binary_search_by_key(&own.number?, |link| link.domain)
            .ok()?;
        entry.links.get(at)
    });
    let Some(link) = link else {
        if measures.has(F::DomainConflict) {
            let links = entry.links.iter().take(3);
            let theirs: Vec<String> = links
                .map(|link| readable(index.domains.text(link.domain)))
                .collect();
            return Some(format!(
                "the account's domains are others: {}",
                theirs.join(", ")
            ));
        }
        let none = if subject.own.is_empty() {
            "the customer"
        } else {
            "the account"
        };
        return Some(format!("{none} has no domain of its own"));
    };
    let mut roles = Vec::new();
    if link.website {
        roles.push("the account's website".to_owned());
    }
    if link.email {
        roles.push("the account's own mail domain".to_owned());
    }
    if link.contacts > 0 {
        roles.push(if link.contacts == 1 && entry.contacts == 1 {
            "the domain of its only business contact".to_owned()
        } else {
            let contacts = counted(entry.contacts, "business contact");
            format!("the domain of {} of its {contacts}", link.contacts)
        });
    }
    Some(format!(
        "{} is {}",
        readable(index.domains.text(link.domain)),
        roles.join(" and ")
    ))
}

fn label(subject: &Subject<'_>, measures: &Measures) -> Option<String> {
    if measures.has(F::LabelMatch) && !measures.has(F::DomainMatches) {
        Some(
            "a domain of the customer begins like one of the account's, with another ending"
                .to_owned(),
        )
    } else if measures.has(F::TenantLabel) || measures.has(F::TenantName) {
        Some("the tenant is called like the account or its domain".to_owned())
    } else if subject.labels.is_empty() {
        None
    } else if measures
        .get(F::LabelLikeAccountName)
        .max(measures.get(F::LabelLikeness))
        > 0.8
    {
        Some("domain or tenant are called nearly like the account".to_owned())
    } else {
        Some("domain and tenant are not called like the account".to_owned())
    }
}

fn contact(
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    measures: &Measures,
) -> Option<String> {
    if !measures.has(F::ContactMatch) {
        return other_contact(subject, measures);
    }
    let linked = |number: Option<u32>| {
        number.is_some_and(|number| entry.links.iter().any(|link| link.domain == number))
    };
    let contact = subject
        .contact
        .iter()
        .find(|contact| linked(contact.number))?;
    let domain = contact
        .number
        .map_or("", |number| index.domains.text(number));
    let domain = readable(domain);
    Some(match contact.others {
        0 => format!("the contact address at the provider is at {domain}, a domain of the account"),
        others => format!(
            "the contact address at the provider is at {domain}, as for {}",
            counted(others, "other customer")
        ),
    })
}

/// What is said of contact addresses that are at none of the Account's domains but perhaps an own one of the customer's.
fn other_contact(subject: &Subject<'_>, measures: &Measures) -> Option<String> {
    let own = subject.own.iter().find(|own| own.contact);
    if let Some(own) = own {
        let domain = readable(own.name);
        return Some(if measures.has(F::ContactOwn) {
            "the contact address at the provider is at a domain of the account".to_owned()
        } else {
            format!(
                "the contact address at the provider is at {domain}, which is no domain of the account"
            )
        });
    }
    let contact = subject.contact.first()?;
    let domain = readable(contact.name);
    Some(if measures.has(F::ContactEnding) {
        format!(
            "the contact address at the provider is at {domain}, which begins like a domain of the account and ends otherwise"
        )
    } else {
        "the contact address at the provider is at no domain of the account".to_owned()
    })
}

fn name(entry: &Entry, measures: &Measures) -> String {
    let written = &entry.written;
    if measures.has(F::NameEqual) {
        return format!("the name is that of {written}");
    }
    if measures.has(F::Initials) {
        return format!("one side writes the initials of the other ({written})");
    }
    let (customer, account) = (
        measures.get(F::LeftCustomer) > 0.05,
        measures.get(F::LeftAccount) > 0.05,
    );
    match (measures.get(F::WordsShared) > 0.6, customer, account) {
        (true, true, false) => {
            format!("the names share most words, but the customer's says more than {written}")
        }
        (true, false, true) => {
            format!("the names share most words, but {written} says more than the customer's")
        }
        (true, _, _) => format!("the name is nearly that of {written}"),
        (false, _, _) if measures.get(F::NameCompact) > 0.8 => {
            format!("the name resembles that of {written}")
        }
        (false, _, _) => format!("the name is not that of {written}"),
    }
}

fn others(measures: &Measures) -> Option<String> {
    let (domain, named) = (
        measures.get(F::DomainAccounts),
        measures.get(F::AccountNamesakes),
    );
    if domain > 0.5 {
        Some(rivalling(domain, "uses", "use", "the same domain"))
    } else if named > 0.5 {
        Some(rivalling(named, "has", "have", "the same name"))
    } else if measures.get(F::DomainOwners) > 0.5 {
        Some("other provider accounts have the same domain".to_owned())
    } else {
        Some("no other account has this name or domain".to_owned())
    }
}

fn place(measures: &Measures) -> Option<String> {
    let mut agree = Vec::new();
    let mut differ = Vec::new();
    for (feature, word) in [
        (F::Country, "country"),
        (F::City, "city"),
        (F::Postcode, "postal code"),
        (F::NameCountry, "country in the name"),
        (F::Phone, "telephone"),
    ] {
        let value = measures.get(feature);
        if value > 0.7 {
            agree.push(word);
        } else if value < -0.01 {
            differ.push(word);
        }
    }
    match (agree.is_empty(), differ.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("same {}", agree.join(", "))),
        (true, false) => Some(format!("another {}", differ.join(", "))),
        (false, false) => Some(format!(
            "same {}, but another {}",
            agree.join(", "),
            differ.join(", ")
        )),
    }
}

fn rivalling(accounts: f32, one: &str, several: &str, what: &str) -> String {
    if accounts < 1.5 {
        format!("another account {one} {what}")
    } else {
        format!("{accounts} other accounts {several} {what}")
    }
}

/// "1 contact", "2 contacts".
fn counted(count: impl Into<u64>, thing: &str) -> String {
    match count.into() {
        1 => format!("1 {thing}"),
        several => format!("{several} {thing}s"),
    }
}

/// The other records of the same customer; by name, and where that is no other name, by how many they are.
fn duplicates(index: &Index, group: &Group) -> String {
    let name = |number: u32| index.entry(number).map_or("", |entry| &*entry.written);
    let own = name(group.best.number);
    let mut names: Vec<&str> = Vec::new();
    for record in &group.duplicates {
        let other = name(record.number);
        if other != own && !names.contains(&other) {
            names.push(other);
        }
    }
    match (names.as_slice(), group.duplicates.len()) {
        ([], 1) => format!("there is another account {own}, which looks like the same customer"),
        ([], several) => {
            format!("there are {several} other accounts {own}, which look like the same customer")
        }
        ([one], 1) => format!("{one} looks like the same customer again"),
        (names, _) => format!("{} look like the same customer again", names.join(", ")),
    }
}

/// The next best customer, by name.
fn rivals(index: &Index, group: &Group, all: &[Group]) -> Option<String> {
    let rival = all
        .iter()
        .find(|other| other.best.number != group.best.number)?;
    if rival.score() < group.score() - 8.0 {
        return None;
    }
    let entry = index.entry(rival.best.number)?;
    let shared = if rival.best.measures.has(F::DomainMatches) {
        "uses the same domain"
    } else if rival.best.measures.has(F::NameEqual) {
        "has the same name"
    } else {
        "is another possibility"
    };
    Some(format!("{} {shared}", entry.written))
}
