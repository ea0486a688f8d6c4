//! What is measured of a Provider Account and an Account side by side, and which way each measure may push. The direction
//! is part of the rule, not of the training: a second namesake, another Account on the same domain or a conflict of
//! websites can never make a match look better, whatever the training data said.

/// Which kind of evidence a measure belongs to; reasons are given by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Tenant, subscription or tax number.
    Identity,
    /// Own domains.
    Domain,
    /// Letters of domains and tenants.
    Label,
    /// Domains of contact addresses at the provider.
    Contact,
    /// Names.
    Name,
    /// Others of the same name or domain.
    Rivals,
    /// Address and telephone.
    Place,
    /// The Account's own state.
    Account,
}

/// How many kinds there are.
pub const KINDS: usize = 8;

impl Kind {
    /// All kinds in order.
    pub const ALL: [Self; KINDS] = [
        Self::Identity,
        Self::Domain,
        Self::Label,
        Self::Contact,
        Self::Name,
        Self::Rivals,
        Self::Place,
        Self::Account,
    ];
}

macro_rules! features {
    ($($name:ident $text:literal $direction:literal $kind:ident;)*) => {
        /// A measure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        #[expect(missing_docs, reason = "each is described by its text in ALL")]
        pub enum Feature { $($name,)* }

        /// All measures in order: what they measure, which way they may push (0: either), and their kind.
        pub const ALL: &[(Feature, &str, i8, Kind)] = &[$((Feature::$name, $text, $direction, Kind::$kind),)*];
    };
}

features! {
    DomainMatches "own domains that the account has" 1 Domain;
    DomainContacts "contacts of the account at a shared domain" 1 Domain;
    DomainShare "share of the account's business contacts at a shared domain" 1 Domain;
    DomainWebsite "a shared domain is the account's website" 1 Domain;
    DomainEmail "a shared domain is that of the account's own address" 1 Domain;
    DomainAccounts "other accounts with the shared domain" -1 Rivals;
    DomainWebsites "other accounts whose website the shared domain is" -1 Rivals;
    DomainOwners "other provider accounts with the shared domain" -1 Rivals;
    DomainConflict "both sides have own domains and share none" -1 Domain;
    WebsiteConflict "the account's website is none of the customer's domains" -1 Domain;
    OwnDomains "own domains of the customer" 0 Domain;
    AccountDomains "domains of the account" 0 Domain;
    LabelMatch "an own domain begins like one of the account's" 1 Label;
    TenantLabel "the tenant is called like one of the account's domains" 1 Label;
    TenantName "the tenant is called like the account" 1 Label;
    LabelAccounts "other accounts with a domain that begins so" -1 Rivals;
    LabelLength "letters of the shared label" 1 Label;
    LabelLikeness "likeness of domain labels" 1 Label;
    NameLikeAccountLabel "likeness of the customer's name and the account's domains" 1 Label;
    LabelLikeAccountName "likeness of the customer's labels and the account's name" 1 Label;
    NameExplainsDomain "the customer's name explains the shared domain" 1 Label;
    AccountExplainsDomain "the account's name explains the shared domain" 0 Label;
    NameExplainsOwn "the customer's name explains its own domains" 0 Label;
    ContactMatch "a contact address at the provider is at a domain of the account" 1 Contact;
    ContactWebsite "that domain is the account's website" 1 Contact;
    ContactOthers "other customers with that contact domain" -1 Contact;
    ContactAccounts "other accounts with that contact domain" -1 Contact;
    ContactOwn "a contact address is at an own domain that the account has, or at one that it has not" 1 Contact;
    ContactEnding "a contact address is at a domain that begins like one of the account's and ends otherwise" -1 Contact;
    NameSorted "likeness of the names, words in order of the alphabet" 1 Name;
    NameCompact "likeness of the names as written" 1 Name;
    NamePrefix "part of the names that is equal from the beginning" 1 Name;
    WordsShared "weight of shared words over all words" 1 Name;
    WordsOfCustomer "weight of shared words over the customer's" 1 Name;
    WordsOfAccount "weight of shared words over the account's" 1 Name;
    WordsWeight "weight of shared words" 1 Name;
    RarestShared "weight of the rarest shared word" 1 Name;
    LeftCustomer "weight of the rarest word that only the customer has" -1 Name;
    LeftAccount "weight of the rarest word that only the account has" -1 Name;
    LeftCustomerSum "weight of the words that only the customer has" -1 Name;
    LeftAccountSum "weight of the words that only the account has" -1 Name;
    LeftDivision "words that only one side has and that name a branch" -1 Name;
    Misspelt "shared words with a slip of the pen" 0 Name;
    NameEqual "the names are equal" 1 Name;
    Initials "one side writes the initials of the other" 1 Name;
    CustomerWords "words of the customer's name" 0 Name;
    AccountWords "words of the account's name" 0 Name;
    NameLetters "letters of the customer's name" 0 Name;
    CustomerNamesakes "other accounts with the customer's name" -1 Rivals;
    AccountNamesakes "other accounts with the account's name" -1 Rivals;
    Legal "the legal forms agree or differ" 1 Name;
    Country "the countries agree or differ" 1 Place;
    NameCountry "a country in a name agrees or differs" 1 Place;
    City "the cities agree or differ" 1 Place;
    Postcode "the postal codes agree or differ" 1 Place;
    Phone "the telephone numbers agree" 1 Place;
    Contacts "business contacts of the account" 0 Account;
    Remark "a name carries a remark or says nothing" -1 Account;
    Identity "a tenant, subscription or tax number agrees" 1 Identity;
}

/// How many measures there are.
pub const COUNT: usize = ALL.len();

/// Whether a measure tells of others with the same name or domain.
#[must_use]
pub(super) fn of_rivals(measure: usize) -> bool {
    ALL.get(measure)
        .is_some_and(|feature| feature.3 == Kind::Rivals)
}

/// The measures of one pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures(pub [f32; COUNT]);

impl Measures {
    /// All measures 0.
    #[must_use]
    pub const fn none() -> Self {
        Self([0.0; COUNT])
    }

    /// One measure.
    #[must_use]
    pub fn get(&self, feature: Feature) -> f32 {
        self.0.get(feature as usize).copied().unwrap_or(0.0)
    }

    /// Whether a measure of yes or no says yes.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.get(feature) > 0.5
    }

    pub(super) fn set(&mut self, feature: Feature, value: f32) {
        if let Some(slot) = self.0.get_mut(feature as usize) {
            *slot = value;
        }
    }
}
