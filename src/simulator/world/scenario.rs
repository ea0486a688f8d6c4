//! What customers look like on both sides, and how often. Of each hundred customers the deck below deals exactly so many of
//! each scenario, in mixed order.
//!
//! The default deck keeps one promise: whenever all domains of a customer together lead to exactly one active account, it
//! is that customer's account. So a stranger's address in an account's contacts always belongs to someone whose own account
//! has that domain too (a tie) or to nobody who is a customer.

/// One way a customer can look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Own domain as default domain; website, account e-mail and contacts agree.
    Plain,
    /// Default domain is `onmicrosoft.com`; the own domain shows only by id.
    HiddenDomain,
    /// No website: only contacts have the domain.
    ContactsOnly,
    /// Only the account's e-mail address has the domain.
    AccountEmailOnly,
    /// Several own domains, of which the CRM knows one; sub-domains of it.
    SeveralDomains,
    /// The account was merged with a duplicate; the survivor counts.
    Merged,
    /// The account exists twice, both active.
    Duplicate,
    /// Parent and subsidiary use one domain.
    Group,
    /// Someone of this organisation is also a contact in another's account.
    ContactElsewhere,
    /// Only `onmicrosoft.com` and public mail addresses.
    PublicMailOnly,
    /// The CRM knows the organisation, but no domain of it.
    NoEvidence,
    /// Not in the CRM; own domain.
    Unknown,
    /// Not in the CRM; no own domain.
    UnknownWithoutDomain,
    /// Its account is inactive.
    Closed,
    /// Not in the CRM; two others share its domain.
    Franchise,
    /// Deceptive: a sub-organisation without account, on the domain of its parent.
    SubOrganisation,
    /// Deceptive: not in the CRM, but its employee is a contact of somebody else's account.
    ForeignContact,
    /// Deceptive: its account has no domain, its parent's account has.
    HiddenBehindParent,
}

/// The default deck of a hundred.
const DECK: &[(Scenario, usize)] = &[
    (Scenario::Plain, 26),
    (Scenario::HiddenDomain, 20),
    (Scenario::ContactsOnly, 6),
    (Scenario::AccountEmailOnly, 3),
    (Scenario::SeveralDomains, 3),
    (Scenario::Merged, 2),
    (Scenario::Duplicate, 4),
    (Scenario::Group, 4),
    (Scenario::ContactElsewhere, 2),
    (Scenario::PublicMailOnly, 4),
    (Scenario::NoEvidence, 3),
    (Scenario::Unknown, 11),
    (Scenario::UnknownWithoutDomain, 6),
    (Scenario::Closed, 3),
    (Scenario::Franchise, 3),
];
/// What a deceptive world puts in the place of some of [`Scenario::Unknown`] and [`Scenario::NoEvidence`].
const DECEPTIVE: &[(Scenario, usize)] = &[
    (Scenario::SubOrganisation, 4),
    (Scenario::ForeignContact, 3),
    (Scenario::HiddenBehindParent, 3),
];

/// A deck of a hundred, not yet shuffled.
pub(super) fn deck(deceptive: bool) -> Vec<Scenario> {
    let mut deck: Vec<Scenario> = DECK
        .iter()
        .flat_map(|(scenario, count)| std::iter::repeat_n(*scenario, *count))
        .collect();
    if deceptive {
        let lies = DECEPTIVE
            .iter()
            .flat_map(|(lie, count)| std::iter::repeat_n(*lie, *count));
        let places = deck
            .iter_mut()
            .filter(|s| matches!(s, Scenario::Unknown | Scenario::NoEvidence));
        for (place, lie) in places.zip(lies) {
            *place = lie;
        }
    }
    deck
}
