//! Where the made-up organisations live. Lists are short; variety comes from combining them.

/// What names in a country are made of.
#[derive(Debug)]
pub(super) struct Country {
    /// ISO 3166.
    pub code: &'static str,
    /// As CRM users write it.
    pub name: &'static str,
    pub culture: &'static str,
    /// Where its organisations register domains.
    pub suffixes: &'static [&'static str],
    pub legal_forms: &'static [&'static str],
    /// The legal form stands before the name.
    pub legal_first: bool,
    /// City and postal code; a `#` in it is a digit.
    pub cities: &'static [(&'static str, &'static str)],
    pub streets: &'static [&'static str],
    /// The number stands before the street.
    pub number_first: bool,
    pub given: &'static [&'static str],
    pub family: &'static [&'static str],
    /// Own words for names; empty means invented Latin words.
    pub stems: &'static [&'static str],
    pub trades: &'static [&'static str],
    /// What goes between the words of a name.
    pub join: &'static str,
    pub public_mail: &'static [&'static str],
    /// Of a thousand organisations so many are here.
    pub share: u32,
}

/// Beginnings of invented names.
pub(super) const STARTS: &[&str] = &[
    "Nor", "Vel", "Kas", "Bri", "Tor", "Mar", "Hel", "Sol", "Ven", "Cal", "Dor", "Fen", "Gal",
    "Hav", "Jor", "Lum", "Mon", "Ner", "Ori", "Pel", "Qua", "Riv", "Sen", "Tal", "Ulm", "Var",
    "Wes", "Xan", "Yor", "Zen", "Alb", "Bel", "Cor", "Del", "Ever", "Fal", "Gran", "Hol", "Ing",
    "Kel",
];
/// Middles of invented names.
pub(super) const MIDDLES: &[&str] = &[
    "da", "vi", "re", "lo", "ma", "ti", "no", "sa", "ri", "be", "co", "du", "fi", "ga", "ha", "ki",
    "la", "mo", "ne", "pa", "ro", "si", "ta", "va",
];
/// Ends of invented names.
pub(super) const ENDS: &[&str] = &[
    "tec", "na", "lis", "ra", "gen", "x", "nt", "ris", "mont", "berg", "dale", "ford", "wick",
    "stone", "field", "tron", "via", "nova", "plex", "dyne", "cor", "land", "ton", "mar", "lux",
    "med", "bau", "soft", "net", "gas",
];
