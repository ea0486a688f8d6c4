//! Made-up organisations: companies, firms called after people, institutions, and families of several on one domain. The
//! same name in several spellings, languages and scripts; domains that follow the name, shorten it, or have nothing to
//! do with it. Two of a kind are wanted: namesakes, and parts that look like their whole.

use std::collections::HashSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::vocabulary::{
    BRANCHES, CYRILLIC, ENDS, ENGLISH_WORDS, FIELDS, FRENCH_TRADES, GERMAN_TRADES, HANGUL, HANZI,
    ITALIAN_TRADES, KANJI, LANDS, Land, MIDDLES, PARTS, SPANISH_TRADES, STARTS, TOWNS, TRADES,
    Tongue,
};

/// An organisation.
#[derive(Debug, Clone)]
pub(super) struct Organisation {
    /// Name without legal form.
    pub core: String,
    /// Name as it writes itself.
    pub name: String,
    /// Other names of it: translated, native, short, of the brand.
    pub aliases: Vec<String>,
    pub acronym: Option<String>,
    pub domain: Option<String>,
    pub land: &'static Land,
    pub city: String,
    pub postcode: String,
    /// The namesake or part of which it is, for the tags.
    pub kind: Origin,
}

/// What an organisation is in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Own,
    Part,
    Twin,
}

/// Letters and digits of a name, romanised.
pub(super) fn slug(text: &str) -> String {
    let plain = any_ascii::any_ascii(text).to_ascii_lowercase();
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

pub(super) fn pick<'t>(rng: &mut ChaCha8Rng, words: &'t str, separator: char) -> &'t str {
    let words: Vec<&str> = words.split(separator).collect();
    words.choose(rng).copied().unwrap_or_default()
}

pub(super) fn chance(rng: &mut ChaCha8Rng, of_thousand: u32) -> bool {
    rng.random_range(0..1000) < of_thousand
}

/// Makes organisations, and keeps what must not be given twice.
pub(super) struct Maker {
    domains: HashSet<String>,
}

impl Maker {
    pub(super) fn new() -> Self {
        Self {
            domains: HashSet::new(),
        }
    }

    /// One organisation, or a family of several on one domain.
    pub(super) fn family(&mut self, rng: &mut ChaCha8Rng) -> Vec<Organisation> {
        let Some(land) = LANDS.choose(rng) else {
            return Vec::new();
        };
        let first = if chance(rng, 300) {
            self.institution(rng, land)
        } else {
            self.company(rng, land)
        };
        let mut family = vec![first];
        if chance(rng, 22) {
            for _ in 0..rng.random_range(1..4) {
                if let Some(part) = family
                    .first()
                    .cloned()
                    .map(|whole| self.relative(rng, &whole))
                {
                    family.push(part);
                }
            }
        }
        family
    }

    fn company(&mut self, rng: &mut ChaCha8Rng, land: &'static Land) -> Organisation {
        let core = company_name(rng, land);
        let mut aliases = Vec::new();
        if chance(rng, 60) {
            aliases.push(
                native(rng, land).unwrap_or_else(|| format!("{} {}", stem(rng), trade(rng, land))),
            );
        }
        if chance(rng, 60) {
            aliases.push(core.split(' ').next().unwrap_or_default().to_owned());
        }
        let name = if chance(rng, 850) {
            with_legal(rng, &core, land)
        } else {
            core.clone()
        };
        let basis = match rng.random_range(0..100) {
            0..62 => slug(&core),
            62..84 => slug(core.split(' ').next().unwrap_or_default()),
            84..90 => initials(&core),
            90..94 => core.split(' ').map(slug).collect::<Vec<_>>().join("-"),
            _ => slug(&stem(rng)),
        };
        self.finish(rng, land, core, name, aliases, &basis)
    }

    fn institution(&mut self, rng: &mut ChaCha8Rng, land: &'static Land) -> Organisation {
        let city = land.cities.choose(rng).copied().unwrap_or_default();
        let invented = stem(rng);
        let of = if chance(rng, 200) {
            pick(rng, ENGLISH_WORDS, ' ')
        } else if chance(rng, 700) {
            &invented
        } else {
            city
        };
        let field = pick(rng, FIELDS, '|');
        let english = match rng.random_range(0..12) {
            0 | 1 => format!("University of {of}"),
            2 => format!("{of} University"),
            3 => format!("{of} University of {field}"),
            4 => format!("{of} Institute of {field}"),
            5 => format!("National Institute of {field} of {of}"),
            6 => format!(
                "{of} {} Hospital",
                if chance(rng, 400) {
                    "General"
                } else {
                    "Memorial"
                }
            ),
            7 => format!(
                "{} Foundation for {field}",
                land.families.choose(rng).copied().unwrap_or_default()
            ),
            8 => format!("{of} Center for {field} Research"),
            9 => format!("Ministry of {field} {of}"),
            10 => format!("{of} Society of {field}"),
            _ => format!("{of} College of {field}"),
        };
        let mut names = vec![english.clone()];
        names.extend(local_institution(land.tongue, of, rng));
        names.extend(native(rng, land).filter(|_| chance(rng, 500)));
        let at = if chance(rng, 550) {
            0
        } else {
            rng.random_range(0..names.len())
        };
        let name = names.swap_remove(at);
        let basis = match rng.random_range(0..100) {
            0..45 => initials(&english),
            45..65 => format!("{}{}", if chance(rng, 500) { "uni" } else { "u" }, slug(of)),
            65..85 => slug(&name),
            85..93 => slug(of),
            _ => slug(&stem(rng)),
        };
        self.finish(rng, land, name.clone(), name, names, &basis)
    }

    fn finish(
        &mut self,
        rng: &mut ChaCha8Rng,
        land: &'static Land,
        core: String,
        name: String,
        aliases: Vec<String>,
        basis: &str,
    ) -> Organisation {
        let domain = chance(rng, 970).then(|| self.domain(rng, basis, land));
        let acronym = (core.split(' ').count() > 2).then(|| initials(&core).to_uppercase());
        let city = town(rng, land);
        let postcode = postcode(rng, land.code, &city);
        Organisation {
            core,
            name,
            aliases,
            acronym,
            domain,
            land,
            city,
            postcode,
            kind: Origin::Own,
        }
    }

    /// A domain nobody has yet.
    pub(super) fn domain(&mut self, rng: &mut ChaCha8Rng, basis: &str, land: &Land) -> String {
        let basis: String = basis.chars().take(24).collect();
        let basis = if basis.len() < 2 {
            slug(&stem(rng))
        } else {
            basis
        };
        for attempt in 0..40 {
            let label = if attempt == 0 {
                basis.clone()
            } else if attempt < 6 {
                format!(
                    "{basis}{}",
                    pick(rng, "group online it web hq co inc biz global-", ' ')
                        .trim_end_matches('-')
                )
            } else {
                format!("{basis}{}", rng.random_range(1..99_999))
            };
            let suffix = if chance(rng, 150) {
                pick(rng, "com net org io eu", ' ')
            } else {
                land.suffixes.choose(rng).copied().unwrap_or("com")
            };
            let domain = format!("{label}.{suffix}");
            if self.domains.insert(domain.clone()) {
                return domain;
            }
        }
        format!("{}.com", slug(&stem(rng)))
    }

    /// Somebody else on the same domain: a part with the whole's name, an institute of another name, or a brand.
    fn relative(&mut self, rng: &mut ChaCha8Rng, whole: &Organisation) -> Organisation {
        let core = match rng.random_range(0..100) {
            0..45 => format!("{} {}", whole.core, pick(rng, PARTS, '|')),
            45..60 => format!("{} {}", whole.core, pick(rng, BRANCHES, '|')),
            60..75 => format!("Institute of {}", pick(rng, FIELDS, '|')),
            75..85 => format!(
                "{} {}",
                whole.core.split(' ').next().unwrap_or_default(),
                pick(rng, TRADES, ' ')
            ),
            _ => company_name(rng, whole.land),
        };
        self.part(rng, whole, core, true)
    }

    /// A branch of a company: its name with a branch word, mostly on its domain.
    pub(super) fn branch(&mut self, rng: &mut ChaCha8Rng, whole: &Organisation) -> Organisation {
        let words = if chance(rng, 750) { BRANCHES } else { PARTS };
        let core = format!("{} {}", whole.core, pick(rng, words, '|'));
        let same_domain = chance(rng, 750);
        self.part(rng, whole, core, same_domain)
    }

    fn part(
        &mut self,
        rng: &mut ChaCha8Rng,
        whole: &Organisation,
        core: String,
        same_domain: bool,
    ) -> Organisation {
        let land = if chance(rng, 500) {
            whole.land
        } else {
            LANDS.choose(rng).unwrap_or(whole.land)
        };
        let name = if chance(rng, 600) {
            with_legal(rng, &core, land)
        } else {
            core.clone()
        };
        let basis = slug(&whole.core);
        let mut part = self.finish(rng, land, core, name, Vec::new(), &basis);
        if same_domain && whole.domain.is_some() {
            part.domain.clone_from(&whole.domain);
        }
        if part.land.code == whole.land.code && chance(rng, 250) {
            part.city.clone_from(&whole.city);
            part.postcode.clone_from(&whole.postcode);
        }
        part.kind = Origin::Part;
        part
    }

    /// A namesake: the same core name, another organisation elsewhere.
    pub(super) fn twin(&mut self, rng: &mut ChaCha8Rng, of: &Organisation) -> Organisation {
        let land = if chance(rng, 300) {
            of.land
        } else {
            LANDS.choose(rng).unwrap_or(of.land)
        };
        let name = with_legal(rng, &of.core, land);
        let mut twin = self.finish(
            rng,
            land,
            of.core.clone(),
            name,
            Vec::new(),
            &slug(&of.core),
        );
        twin.kind = Origin::Twin;
        twin
    }
}

/// A place: a city of the land, or a smaller town nobody has heard of.
pub(super) fn town(rng: &mut ChaCha8Rng, land: &Land) -> String {
    let city = land.cities.choose(rng).copied().unwrap_or_default();
    if chance(rng, 400) {
        return city.to_owned();
    }
    let begin = if chance(rng, 500) {
        pick(rng, STARTS, ' ')
    } else {
        land.families.choose(rng).copied().unwrap_or(city)
    };
    format!("{begin}{}", pick(rng, TOWNS, ' '))
}

fn stem(rng: &mut ChaCha8Rng) -> String {
    let start = pick(rng, STARTS, ' ');
    if chance(rng, 600) {
        format!("{start}{}{}", pick(rng, MIDDLES, ' '), pick(rng, ENDS, ' '))
    } else {
        format!("{start}{}", pick(rng, ENDS, ' '))
    }
}

fn trade(rng: &mut ChaCha8Rng, land: &Land) -> &'static str {
    let own = match land.tongue {
        Tongue::German => GERMAN_TRADES,
        Tongue::French => FRENCH_TRADES,
        Tongue::Spanish | Tongue::Portuguese => SPANISH_TRADES,
        Tongue::Italian => ITALIAN_TRADES,
        _ => TRADES,
    };
    if chance(rng, 400) {
        pick(rng, own, ' ')
    } else {
        pick(rng, TRADES, ' ')
    }
}

fn company_name(rng: &mut ChaCha8Rng, land: &Land) -> String {
    let family = |rng: &mut ChaCha8Rng| land.families.choose(rng).copied().unwrap_or_default();
    let word = |rng: &mut ChaCha8Rng| {
        if chance(rng, 750) {
            stem(rng)
        } else {
            pick(rng, ENGLISH_WORDS, ' ').to_owned()
        }
    };
    match rng.random_range(0..100) {
        0..20 => format!("{} {}", family(rng), trade(rng, land)),
        20..32 => format!("{} & {} {}", family(rng), family(rng), trade(rng, land)),
        32..60 => format!("{} {}", word(rng), trade(rng, land)),
        60..75 => format!("{} {} {}", word(rng), word(rng), trade(rng, land)),
        75..80 => format!(
            "{} {}",
            land.cities.choose(rng).copied().unwrap_or_default(),
            trade(rng, land)
        ),
        80..90 => stem(rng),
        90..95 => format!("{} {} {}", word(rng), trade(rng, land), trade(rng, land)),
        _ => format!("{} Group", word(rng)),
    }
}

pub(super) fn with_legal(rng: &mut ChaCha8Rng, core: &str, land: &Land) -> String {
    let form = land.legal.choose(rng).copied().unwrap_or("Ltd");
    match form {
        "株式会社" if chance(rng, 500) => format!("{form}{core}"),
        "PT" | "ООО" | "ОАО" if chance(rng, 600) => format!("{form} {core}"),
        _ => format!("{core} {form}"),
    }
}

fn native(rng: &mut ChaCha8Rng, land: &Land) -> Option<String> {
    let (words, gap) = match land.tongue {
        Tongue::Japanese => (KANJI, ""),
        Tongue::Chinese => (HANZI, ""),
        Tongue::Korean => (HANGUL, ""),
        Tongue::Russian => (CYRILLIC, " "),
        _ => return None,
    };
    let many = rng.random_range(3..6);
    let chosen: Vec<&str> = (0..many).map(|_| pick(rng, words, ' ')).collect();
    Some(chosen.join(gap))
}

fn local_institution(tongue: Tongue, of: &str, rng: &mut ChaCha8Rng) -> Option<String> {
    let words = match tongue {
        Tongue::German => "Universität|Technische Universität|Krankenhaus|Hochschule für Technik",
        Tongue::French => "Université de|Hôpital de|Institut National de|École Supérieure de",
        Tongue::Spanish => {
            "Universidad de|Universidad Nacional de|Hospital General de|Instituto Tecnológico de"
        }
        Tongue::Italian => {
            "Università degli Studi di|Ospedale di|Istituto Nazionale di|Politecnico di"
        }
        Tongue::Portuguese => {
            "Universidade Federal de|Universidade de|Hospital de|Instituto Politécnico de"
        }
        Tongue::Dutch => "Universiteit|Hogeschool|Ziekenhuis",
        Tongue::Nordic => "Universitet|Högskolan i|Sjukhuset i",
        Tongue::Slavic => "Uniwersytet|Politechnika|Szpital|Instytut",
        Tongue::Turkish => "Üniversitesi|Hastanesi",
        _ => return None,
    };
    let word = pick(rng, words, '|');
    Some(if tongue == Tongue::Turkish {
        format!("{of} {word}")
    } else {
        format!("{word} {of}")
    })
}

/// First letters of the words that begin with a capital.
pub(super) fn initials(text: &str) -> String {
    let plain = any_ascii::any_ascii(text);
    let capitals = plain
        .split([' ', '-'])
        .filter_map(|word| word.chars().next())
        .filter(char::is_ascii_uppercase);
    capitals.collect::<String>().to_ascii_lowercase()
}

pub(super) fn postcode(rng: &mut ChaCha8Rng, land: &str, city: &str) -> String {
    // A city has a dozen postal codes here, so that they tell something without telling everything.
    let district: u32 = rng.random_range(0..12);
    let seed = city.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let number = seed
        .wrapping_mul(13)
        .wrapping_add(district.wrapping_mul(7919));
    let letters = |n: u32| -> String {
        (0..2)
            .map(|at| char::from(b'A' + u8::try_from((n >> (at * 5)) % 26).unwrap_or(0)))
            .collect()
    };
    match land {
        "GB" => format!(
            "{}{} {}{}",
            letters(seed),
            number % 30 + 1,
            district % 9,
            letters(number)
        ),
        "NL" => format!("{} {}", 1000 + number % 9000, letters(number)),
        "CA" => format!(
            "{}{}{} {}{}",
            letters(seed).chars().next().unwrap_or('A'),
            number % 9,
            letters(number),
            district % 9,
            letters(number / 7)
        ),
        "CH" | "AT" | "BE" | "DK" | "NO" | "AU" | "PT" => format!("{}", 1000 + number % 9000),
        "JP" => format!("{}-{}", 100 + number % 900, 1000 + (number / 11) % 9000),
        "CN" | "IN" | "RU" | "SG" | "KR" => format!("{}", 100_000 + number % 900_000),
        _ => format!("{:05}", number % 100_000),
    }
}
