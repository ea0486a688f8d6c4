//! Names of organisations made comparable: folded to plain letters and digits, without legal form, remarks and filler,
//! words in one spelling. What was taken off is kept beside where it tells something (the legal form, a country in
//! brackets), because "Contoso (Germany)" and "Contoso (France)" are not each other.
//!
//! ä, ae and a are made the same: people write all three. Two different words that fall together by it ("poet", "pot")
//! cost nothing, since both sides are folded alike and a name has more words.

use unicode_normalization::UnicodeNormalization;

use super::place::{self, Country};
use super::words::{Word, meaning};

/// Longer names are cut: nothing after so many characters tells organisations apart, and every step stays bounded.
const MAX_CHARS: usize = 240;
/// At most so many words of a name count.
const MAX_WORDS: usize = 16;

/// A name made comparable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// The words that count, in order, one space between them.
    pub core: String,
    /// Kind of the legal form, 0 where there is none.
    pub legal: u8,
    /// A country that stood in brackets.
    pub country: Country,
    /// It carried a remark such as "DO NOT USE" or says nothing at all ("Default Directory").
    pub remark: bool,
}

/// Letters that two spellings share: `ae`, `oe`, `ue`, `aa` as one letter.
#[must_use]
pub fn skeleton(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut previous = '\0';
    for c in folded.chars() {
        let digraph = matches!((previous, c), ('a' | 'o' | 'u', 'e') | ('a', 'a'));
        if digraph {
            previous = '\0';
            continue;
        }
        out.push(c);
        previous = c;
    }
    out
}

/// Plain lower-case letters; what is no letter or digit stays for the tokeniser to split at.
fn plain(text: &str) -> String {
    let cut = text.char_indices().nth(MAX_CHARS);
    let cut = cut.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    if cut.is_ascii() {
        return cut.to_ascii_lowercase();
    }
    let mut composed: String = cut.nfkc().flat_map(char::to_lowercase).collect();
    for (form, word) in [
        ("株式会社", " kk "),
        ("有限公司", " youxiangongsi "),
        ("有限会社", " yugen "),
        ("주식회사", " kk "),
        ("(주)", " kk "),
    ] {
        if composed.contains(form) {
            composed = composed.replace(form, word);
        }
    }
    any_ascii::any_ascii(&composed).to_ascii_lowercase()
}

struct Piece {
    text: String,
    /// In round or square brackets.
    aside: bool,
    /// After a stroke with space around it.
    after_stroke: bool,
}

/// Splits at everything that is no letter or digit; letters with single dots or strokes between them are one word.
fn pieces(plain: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::with_capacity(8);
    let (mut depth, mut stroke, mut gap) = (0_u32, false, String::new());
    let mut word = String::new();
    for c in plain.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        if matches!(c, '\'' | '`') {
            continue;
        }
        if !word.is_empty() {
            take(&mut found, &mut word, &gap, depth > 0, stroke);
            gap.clear();
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '/' if gap.ends_with(' ') => stroke = true,
            _ => {}
        }
        gap.push(c);
    }
    found.truncate(MAX_WORDS * 2);
    found
}

fn take(found: &mut Vec<Piece>, word: &mut String, gap: &str, aside: bool, stroke: bool) {
    let joins = matches!(gap, "." | "/" | ". ") && word.len() == 1;
    let text = std::mem::take(word);
    if joins
        && let Some(last) = found.last_mut()
        && last.text.len() < 6
        && last.aside == aside
        && (gap != ". " || last.text.len() == 1)
        && abbreviates(last)
    {
        last.text.push_str(&text);
        return;
    }
    found.push(Piece {
        text,
        aside,
        after_stroke: stroke,
    });
}

/// Whether single letters may still be hung on: "s" of "S.p.A.", not "main" of "main. a".
fn abbreviates(piece: &Piece) -> bool {
    piece.text.len() == 1 || !piece.text.contains(['e', 'u', 'y']) && piece.text.len() < 5
}

const REMARKS: &[&str] = &[
    "old",
    "new",
    "prospect",
    "inactive",
    "closed",
    "duplicate",
    "former",
    "test",
    "archived",
    "lead",
    "do not use",
    "deleted",
    "merged",
];
const MEANINGLESS: &[&str] = &[
    "default directory",
    "test",
    "personal",
    "company",
    "main office",
    "home",
    "tenant",
    "my company",
    "demo",
    "office",
    "organization",
    "organisation",
    "customer",
    "unknown",
    "na",
    "none",
    "contoso",
    "trial",
    "default",
];

/// Makes a name comparable. `city` is the record's own: people hang it on to the name.
#[must_use]
pub fn read(text: &str, city: Option<&str>) -> Name {
    let plain = plain(text);
    let mut pieces = pieces(&plain);
    let mut name = Name::default();
    drop_remarks(&mut pieces, &mut name);
    drop_asides(&mut pieces, &mut name, city);
    let words: Vec<String> = pieces
        .into_iter()
        .map(|piece| skeleton(&piece.text))
        .collect();
    name.core = core(&words, &mut name.legal);
    name.remark |= MEANINGLESS.contains(&name.core.as_str());
    name
}

fn drop_remarks(pieces: &mut Vec<Piece>, name: &mut Name) {
    if pieces.len() > 1
        && pieces.first().is_some_and(|piece| {
            piece.text.len() < 4 && piece.text.bytes().all(|b| b == b'z' || b == b'x')
        })
    {
        pieces.remove(0);
        name.remark = true;
    }
    let tail = |pieces: &[Piece], n: usize| -> String {
        let skip = pieces.len().saturating_sub(n);
        let words: Vec<&str> = pieces
            .iter()
            .skip(skip)
            .map(|piece| piece.text.as_str())
            .collect();
        words.join(" ")
    };
    if pieces.len() > 3 && tail(pieces, 3) == "do not use" {
        pieces.truncate(pieces.len() - 3);
        name.remark = true;
    }
}

/// Takes off what stands in brackets or after a stroke and is a remark, a country or the record's own city.
fn drop_asides(pieces: &mut Vec<Piece>, name: &mut Name, city: Option<&str>) {
    if !pieces.iter().any(|piece| piece.aside || piece.after_stroke) {
        return;
    }
    let phrase = |aside: bool| -> String {
        let of = pieces.iter().filter(|piece| {
            if aside {
                piece.aside
            } else {
                piece.after_stroke
            }
        });
        of.map(|piece| piece.text.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let own_city = city.map(|city| self::plain(city).trim().to_owned());
    let (aside, stroked) = (phrase(true), phrase(false));
    let main = pieces
        .iter()
        .filter(|piece| !piece.aside && !piece.after_stroke)
        .count();
    if main == 0 {
        return;
    }
    let is_city = |text: &str| {
        own_city.as_ref().is_some_and(|city| {
            let (a, b): (String, String) = (letters(text), letters(city));
            !a.is_empty()
                && (a == b
                    || super::similarity::edits_within(a.as_bytes(), b.as_bytes(), 1 + a.len() / 7))
        })
    };
    let country = place::country(&aside);
    if REMARKS.contains(&aside.as_str()) {
        name.remark = true;
        pieces.retain(|piece| !piece.aside);
    } else if country != Country::NONE {
        name.country = country;
        pieces.retain(|piece| !piece.aside);
    } else if is_city(&aside) {
        pieces.retain(|piece| !piece.aside);
    }
    if stroked == "hq" || is_city(&stroked) {
        pieces.retain(|piece| !piece.after_stroke);
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The words that count. A name of nothing but legal forms and filler keeps its words.
fn core(whole: &[String], legal: &mut u8) -> String {
    let mut words = whole;
    while let [before @ .., last] = words
        && !before.is_empty()
    {
        match meaning(last) {
            Some(Word::Legal(kind)) => *legal = kind,
            Some(Word::Filler) => {}
            _ if words.len() > 2 && ends_as(words, "z", "o") => {
                *legal = 24;
                if let ([earlier @ .., _], true) = (before, last == "o" || last == "oo") {
                    words = earlier;
                    continue;
                }
            }
            _ => break,
        }
        words = before;
    }
    while let [first, after @ ..] = words
        && !after.is_empty()
    {
        match first.as_str() {
            form @ ("pt" | "ooo" | "oao" | "zao" | "kk" | "pao" | "ao" | "cv") => {
                if let Some(Word::Legal(kind)) = meaning(form) {
                    *legal = kind;
                }
            }
            _ => break,
        }
        words = after;
    }
    let mut kept: Vec<&str> = Vec::with_capacity(words.len());
    for word in words {
        match meaning(word) {
            Some(Word::Filler) => {}
            Some(Word::Same(first)) => kept.push(first),
            _ => kept.push(word),
        }
    }
    if kept.is_empty() {
        kept = whole.iter().map(String::as_str).collect();
    }
    kept.truncate(MAX_WORDS);
    kept.join(" ")
}

fn ends_as(words: &[String], before: &str, last: &str) -> bool {
    matches!(words, [.., b, l] if b == before && (l == last || l == "oo"))
        || matches!(words, [.., l] if l == "zoo" || l == "zo")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn core_of(text: &str) -> String {
        read(text, Some("Zürich")).core
    }

    #[test]
    fn legal_forms_fillers_and_remarks_are_no_part_of_who_it_is() {
        for text in [
            "Contoso Travel",
            "CONTOSO TRAVEL GmbH & Co. KG",
            "Contoso Travel S.p.A.",
            "Contoso Travel S.A. de C.V.",
            "Contoso Travel Sp. z o.o.",
            "PT Contoso Travel Tbk",
            "ООО Contoso Travel",
            "Contoso Travel, L.L.C.",
            "Contoso Travel (Pty) Ltd",
            "Contoso Travel UG (haftungsbeschränkt)",
            "Contoso Travel 株式会社",
            "ZZ Contoso Travel",
            "Contoso Travel - DO NOT USE",
            "[Prospect] Contoso Travel",
            "Contoso Travel (OLD)",
            "*Contoso Travel*",
            "Contoso Travel / Zurich",
            "Contoso Travel (Zürich)",
            "Contoso Travel A/S",
            "The Contoso Travel Holdings",
        ] {
            assert_eq!(core_of(text), "contoso travel", "{text}");
        }
    }

    #[test]
    fn one_word_in_several_spellings_is_one_word() {
        assert_eq!(core_of("Müller Bäckerei"), core_of("Mueller Baeckerei"));
        assert_eq!(core_of("Müller Bäckerei"), core_of("Muller Backerei"));
        assert_eq!(core_of("Univ. of Zürich"), core_of("Universität Zürich"));
        assert_eq!(
            core_of("Ｃｏｎｔｏｓｏ Ｔｅｃｈ"),
            core_of("contoso technologies")
        );
        assert_eq!(core_of("O'Brien Foods"), core_of("OBrien Food"));
    }

    #[test]
    fn a_country_in_brackets_is_kept_beside_the_name() {
        let name = read("Contoso (Germany)", None);
        assert_eq!(name.core, "contoso");
        assert_eq!(name.country, place::country("DE"));
    }

    #[test]
    fn a_name_of_nothing_but_legal_forms_keeps_a_word() {
        for text in ["Limited", "The Company", "AG", "and of"] {
            assert!(!core_of(text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn case_never_matters_and_size_is_bounded(text in "\\PC{0,400}") {
            let name = read(&text, None);
            prop_assert!(name.core.split(' ').count() <= MAX_WORDS);
            prop_assert!(name.core.bytes().all(|b| b == b' ' || b.is_ascii_alphanumeric()));
        }

        #[test]
        fn upper_and_lower_case_read_the_same(text in "[A-Za-zäöüéñ .&-]{0,60}") {
            prop_assert_eq!(read(&text.to_uppercase(), None), read(&text.to_lowercase(), None));
        }
    }
}
