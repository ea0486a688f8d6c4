//! The closer look: one Provider Account and one Account side by side, measured.

use super::align::{Other, Shared, align};
use super::features::{Feature as F, Measures};
use super::index::{Entry, Index, Link, Term, term};
use super::prepare::{Domain, Subject};
use super::text::hash::hash;
use super::text::place::Country;
use super::text::similarity::ratio;

/// At most so many domains of an Account have their labels compared.
const MAX_LINKS: usize = 16;

/// The Account's side of the texts that several measures need.
struct Texts<'i> {
    words: Vec<Other<'i>>,
    compact: String,
    sorted: String,
    initials: String,
    labels: Vec<&'i str>,
}

impl<'i> Texts<'i> {
    fn of(index: &'i Index, entry: &Entry) -> Self {
        let words: Vec<Other<'i>> = entry
            .words
            .iter()
            .map(|number| Other {
                number: *number,
                text: index.words.text(*number),
                rarity: index.rarity(Some(*number)),
            })
            .collect();
        let mut in_order: Vec<&str> = words.iter().map(|word| word.text).collect();
        let compact = in_order.concat();
        in_order.sort_unstable();
        let mut labels: Vec<&str> = entry
            .links
            .iter()
            .take(MAX_LINKS)
            .map(|link| index.label(link.domain))
            .filter(|label| label.len() > 1)
            .collect();
        labels.sort_unstable();
        labels.dedup();
        Self {
            sorted: in_order.join(" "),
            initials: words
                .iter()
                .filter_map(|word| word.text.chars().next())
                .collect(),
            words,
            compact,
            labels,
        }
    }
}

/// Measures a pair.
#[must_use]
pub fn measure(index: &Index, subject: &Subject<'_>, number: u32) -> Option<Measures> {
    let entry = index.entry(number)?;
    let texts = Texts::of(index, entry);
    let mut measures = Measures::none();
    domains(index, subject, entry, &texts, &mut measures);
    labels(index, subject, &texts, &mut measures);
    contacts(index, subject, entry, &texts, &mut measures);
    names(index, subject, entry, &texts, &mut measures);
    places(index, subject, entry, &mut measures);
    let mine = &subject.customer.identities;
    let identity = entry
        .identities
        .iter()
        .any(|identity| mine.binary_search(identity).is_ok());
    measures.set(F::Identity, yes(identity));
    measures.set(F::Contacts, capped(entry.contacts, 20));
    measures.set(
        F::Remark,
        yes(entry.remark) + yes(subject.customer.name.remark),
    );
    Some(measures)
}

fn yes(it: bool) -> f32 {
    if it { 1.0 } else { 0.0 }
}

/// A count as a number, cut off where more makes no difference.
fn capped(count: u32, most: u16) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX).min(most))
}

fn others(list: &[u32]) -> u32 {
    u32::try_from(list.len())
        .unwrap_or(u32::MAX)
        .saturating_sub(1)
}

fn agreement(agrees: Option<bool>) -> f32 {
    agrees.map_or(0.0, |agrees| if agrees { 1.0 } else { -1.0 })
}

/// What the Account has of a domain of the customer, with the domain's number.
fn link_of<'e>(entry: &'e Entry, domain: &Domain<'_>) -> Option<(u32, &'e Link)> {
    let number = domain.number?;
    let links = &entry.links;
    let at = links.binary_search_by_key(&number, |link| link.domain);
    Some((number, links.get(at.ok()?)?))
}

fn domains(
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    texts: &Texts<'_>,
    measures: &mut Measures,
) {
    let mut matches = 0;
    let (mut contacts, mut website, mut email) = (0_u32, false, false);
    let (mut accounts, mut websites, mut owners) = (u32::MAX, u32::MAX, u32::MAX);
    let (mut explained, mut account_explains) = (0.0_f32, 0.0_f32);
    for own in &subject.own {
        let Some((domain, link)) = link_of(entry, own) else {
            continue;
        };
        matches += 1;
        contacts += u32::from(link.contacts);
        website |= link.website;
        email |= link.email;
        accounts = accounts.min(others(index.with_domain(domain)));
        websites = websites.min(
            index
                .websites_at(domain)
                .saturating_sub(u32::from(link.website)),
        );
        owners = owners.min(own.others);
        let label = index.label(domain);
        let (compact, initials) = (&subject.compact, &subject.initials);
        let likeness = || subject.pattern.ratio(label.as_bytes());
        explained = explained.max(explains(compact, initials, likeness, label));
        let likeness = || ratio(texts.compact.as_bytes(), label.as_bytes());
        let part = explains(&texts.compact, &texts.initials, likeness, label);
        account_explains = account_explains.max(part);
    }
    let counted = |number: u32| if matches == 0 { 0 } else { number };
    measures.set(F::DomainMatches, capped(matches, 3));
    measures.set(F::DomainContacts, capped(contacts, 6));
    if entry.contacts > 0 {
        measures.set(
            F::DomainShare,
            capped(contacts, u16::MAX) / capped(entry.contacts, u16::MAX),
        );
    }
    measures.set(F::DomainWebsite, yes(website));
    measures.set(F::DomainEmail, yes(email));
    measures.set(F::DomainAccounts, capped(counted(accounts), 30));
    measures.set(F::DomainWebsites, capped(counted(websites), 10));
    measures.set(F::DomainOwners, capped(counted(owners), 10));
    measures.set(F::NameExplainsDomain, explained);
    measures.set(F::AccountExplainsDomain, account_explains);
    conflicts(subject, entry, matches > 0, measures);
}

/// Domains of both sides that do not agree, and how many there are.
fn conflicts(subject: &Subject<'_>, entry: &Entry, shared: bool, measures: &mut Measures) {
    let site = entry.links.iter().find(|link| link.website);
    let site_is_ours = site.is_some_and(|link| {
        subject
            .own
            .iter()
            .any(|own| own.number == Some(link.domain))
    });
    let conflict = !shared && !subject.own.is_empty() && !entry.links.is_empty();
    measures.set(F::DomainConflict, yes(conflict));
    measures.set(
        F::WebsiteConflict,
        yes(site.is_some() && !subject.own.is_empty() && !site_is_ours),
    );
    measures.set(
        F::OwnDomains,
        capped(u32::try_from(subject.own.len()).unwrap_or(u32::MAX), 4),
    );
    measures.set(
        F::AccountDomains,
        capped(u32::try_from(entry.links.len()).unwrap_or(u32::MAX), 6),
    );
}

/// How well a name explains the letters of a domain: it is the name, its beginning, its initials or its first word.
fn explains(compact: &str, initials: &str, likeness: impl FnOnce() -> f32, label: &str) -> f32 {
    if label.len() < 2 || compact.is_empty() {
        return 0.0;
    }
    if label == compact || label.len() > 2 && label == initials {
        return 1.0;
    }
    if compact.starts_with(label) || label.starts_with(compact) && compact.len() > 3 {
        return 0.9;
    }
    let likeness = 0.85 * likeness();
    if label.len() > 3 && compact.contains(label) {
        likeness.max(0.8)
    } else {
        likeness
    }
}

fn labels(index: &Index, subject: &Subject<'_>, texts: &Texts<'_>, measures: &mut Measures) {
    let mut rivals = u32::MAX;
    let mut length = 0;
    let mut best = [0.0_f32; 3];
    for (at, (label, pattern)) in subject
        .labels
        .iter()
        .zip(&subject.label_patterns)
        .enumerate()
    {
        let tenant = at >= subject.own_labels;
        if texts.labels.contains(label) {
            measures.set(
                if tenant {
                    F::TenantLabel
                } else {
                    F::LabelMatch
                },
                1.0,
            );
            length = length.max(label.len());
            rivals = rivals.min(others(
                index.terms.list(term(Term::Label, hash(label.as_bytes()))),
            ));
        }
        let cut = label.len() > 17 && texts.compact.starts_with(label);
        if tenant && (texts.compact == *label || cut) {
            measures.set(F::TenantName, 1.0);
        }
        for theirs in &texts.labels {
            best[0] = best[0].max(pattern.ratio(theirs.as_bytes()));
        }
        best[1] = best[1].max(pattern.ratio(texts.compact.as_bytes()));
        if cut {
            best[1] = 1.0;
        }
        if !tenant {
            let likeness = || subject.pattern.ratio(label.as_bytes());
            let explained = explains(&subject.compact, &subject.initials, likeness, label);
            measures.set(
                F::NameExplainsOwn,
                measures.get(F::NameExplainsOwn).max(explained),
            );
        }
    }
    for theirs in &texts.labels {
        best[2] = best[2].max(subject.pattern.ratio(theirs.as_bytes()));
    }
    let [likeness, of_account_name, of_account_label] = best;
    measures.set(F::LabelLikeness, likeness);
    measures.set(F::LabelLikeAccountName, of_account_name);
    measures.set(F::NameLikeAccountLabel, of_account_label);
    measures.set(
        F::LabelLength,
        capped(u32::try_from(length).unwrap_or(u32::MAX), 15),
    );
    measures.set(
        F::LabelAccounts,
        if length > 0 { capped(rivals, 30) } else { 0.0 },
    );
}

fn contacts(
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    texts: &Texts<'_>,
    measures: &mut Measures,
) {
    let mut own = subject.own.iter().filter(|own| own.contact).peekable();
    if own.peek().is_some() {
        let has = own.any(|own| link_of(entry, own).is_some());
        measures.set(F::ContactOwn, agreement(Some(has)));
    }
    let mut contacts = subject.contact.iter();
    let shared = contacts
        .find_map(|contact| link_of(entry, contact).map(|(domain, link)| (contact, domain, link)));
    if shared.is_none() {
        let mut labels = subject.contact.iter().map(|contact| contact.label);
        let ending = labels.any(|label| texts.labels.binary_search(&label).is_ok());
        measures.set(F::ContactEnding, yes(ending));
    }
    if let Some((contact, domain, link)) = shared {
        measures.set(F::ContactMatch, 1.0);
        measures.set(F::ContactWebsite, yes(link.website));
        measures.set(F::ContactOthers, capped(contact.others, 30));
        measures.set(
            F::ContactAccounts,
            capped(others(index.with_domain(domain)), 30),
        );
    }
}

fn names(
    index: &Index,
    subject: &Subject<'_>,
    entry: &Entry,
    texts: &Texts<'_>,
    measures: &mut Measures,
) {
    let shared: Shared = align(&subject.words, &texts.words);
    let over = |part: f32, whole: f32| {
        if whole > 1e-6 {
            (part / whole).min(1.0)
        } else {
            0.0
        }
    };
    let (ours, theirs) = (shared.customer_total, shared.account_total);
    measures.set(
        F::NameSorted,
        subject.sorted_pattern.ratio(texts.sorted.as_bytes()),
    );
    measures.set(
        F::NameCompact,
        subject.pattern.ratio(texts.compact.as_bytes()),
    );
    let equal_bytes = subject
        .compact
        .bytes()
        .zip(texts.compact.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let longest = subject.compact.len().max(texts.compact.len());
    let length = |n: usize| capped(u32::try_from(n).unwrap_or(u32::MAX), 240);
    measures.set(F::NamePrefix, over(length(equal_bytes), length(longest)));
    measures.set(
        F::WordsShared,
        over(shared.weight, ours + theirs - shared.weight),
    );
    measures.set(F::WordsOfCustomer, over(shared.weight, ours));
    measures.set(F::WordsOfAccount, over(shared.weight, theirs));
    measures.set(F::WordsWeight, shared.weight);
    measures.set(F::RarestShared, shared.rarest);
    measures.set(F::LeftCustomer, shared.left_customer);
    measures.set(F::LeftAccount, shared.left_account);
    measures.set(F::LeftCustomerSum, shared.left_customer_sum);
    measures.set(F::LeftAccountSum, shared.left_account_sum);
    measures.set(F::LeftDivision, shared.left_divisions);
    measures.set(F::Misspelt, shared.misspelt);
    let equal = subject.sorted == texts.sorted || subject.compact == texts.compact;
    measures.set(F::NameEqual, yes(equal && !texts.compact.is_empty()));
    let long = |initials: &str| initials.len() > 2;
    let initials = long(&texts.initials)
        && (subject.compact == texts.initials || subject.labels.contains(&texts.initials.as_str()))
        || long(&subject.initials)
            && (texts.compact == subject.initials
                || texts.labels.contains(&subject.initials.as_str()));
    measures.set(F::Initials, yes(initials));
    measures.set(F::CustomerWords, length(subject.words.len()));
    measures.set(F::AccountWords, length(texts.words.len()));
    measures.set(F::NameLetters, length(subject.compact.len()).min(60.0));
    let named = |hashed: u64| index.terms.list(term(Term::Compact, hashed)).len();
    let ours = hash(subject.compact.as_bytes());
    let customers = named(ours).saturating_sub(usize::from(ours == entry.compact));
    measures.set(F::CustomerNamesakes, length(customers).min(40.0));
    measures.set(
        F::AccountNamesakes,
        length(named(entry.compact).saturating_sub(1)).min(40.0),
    );
    let (a, b) = (subject.customer.name.legal, entry.legal);
    measures.set(F::Legal, agreement((a != 0 && b != 0).then_some(a == b)));
}

/// Names of cities that are less alike are no misspellings of one another, whatever letters they share.
const SAME_CITY: f32 = 0.65;
/// What another city counts for at least.
const OTHER_CITY: f32 = -0.2;

fn places(index: &Index, subject: &Subject<'_>, entry: &Entry, measures: &mut Measures) {
    let customer = subject.customer;
    measures.set(
        F::Country,
        agreement(customer.country.agrees(entry.country)),
    );
    let named = [
        (customer.name.country, entry.country),
        (customer.country, entry.name_country),
        (customer.name.country, entry.name_country),
    ];
    let conflict = named
        .iter()
        .any(|(a, b): &(Country, Country)| a.agrees(*b) == Some(false));
    let agrees = named.iter().any(|(a, b)| a.agrees(*b) == Some(true));
    measures.set(F::NameCountry, if conflict { -1.0 } else { yes(agrees) });
    let city = index.places.text(entry.city);
    if !city.is_empty() && !customer.city.is_empty() {
        let likeness = subject.city_pattern.ratio(city.as_bytes());
        let other = if likeness < SAME_CITY {
            OTHER_CITY
        } else {
            1.0
        };
        measures.set(F::City, other.min(2.0 * likeness - 1.0));
    }
    let postcode = index.places.text(entry.postcode);
    let known = !postcode.is_empty() && !customer.postcode.is_empty();
    measures.set(
        F::Postcode,
        agreement(known.then(|| postcode == customer.postcode)),
    );
    let phone = customer.phone.is_some_and(|phone| phone == entry.phone);
    measures.set(F::Phone, yes(phone));
}
