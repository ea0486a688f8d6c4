//! Places made comparable: countries by code or name, cities by folded letters with the names that foreigners use,
//! postal codes by their letters and digits.

use std::sync::OnceLock;

use hashbrown::HashTable;
use unicode_normalization::UnicodeNormalization;

use super::hash::hash;
use super::name::skeleton;

/// A country, by its two-letter code packed into a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Country(u16);

impl Country {
    /// No country, or one that nobody can tell.
    pub const NONE: Self = Self(0);

    fn of_code(code: &str) -> Self {
        match code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Self(u16::from(a.to_ascii_uppercase()) << 8 | u16::from(b.to_ascii_uppercase()))
            }
            _ => Self::NONE,
        }
    }

    /// Whether both are known and the same; `None` when one is unknown.
    #[must_use]
    pub fn agrees(self, other: Self) -> Option<bool> {
        (self != Self::NONE && other != Self::NONE).then_some(self == other)
    }
}

/// Code, then the names that people and systems write.
const COUNTRIES: &str = "\
us;united states;united states of america;usa;u s a;america
gb;united kingdom;uk;great britain;england;scotland;wales;northern ireland
de;germany;deutschland;allemagne;alemania
fr;france;frankreich;francia
nl;netherlands;the netherlands;nederland;holland;niederlande
be;belgium;belgie;belgique;belgien
lu;luxembourg;luxemburg
ch;switzerland;schweiz;suisse;svizzera
at;austria;osterreich
it;italy;italia;italien
es;spain;espana;spanien
pt;portugal
ie;ireland;eire
dk;denmark;danmark
se;sweden;sverige
no;norway;norge
fi;finland;suomi
is;iceland
pl;poland;polska
cz;czech republic;czechia;cesko;ceska republika
sk;slovakia;slovensko
hu;hungary;magyarorszag
ro;romania
bg;bulgaria
gr;greece;hellas
hr;croatia;hrvatska
si;slovenia
rs;serbia;srbija
ba;bosnia and herzegovina
me;montenegro
mk;north macedonia;macedonia
al;albania
ee;estonia;eesti
lv;latvia
lt;lithuania
ua;ukraine
ru;russia;russian federation;rossija
by;belarus
md;moldova
tr;turkey;turkiye
cy;cyprus
mt;malta
il;israel
sa;saudi arabia
ae;united arab emirates;uae
qa;qatar
kw;kuwait
bh;bahrain
om;oman
jo;jordan
lb;lebanon
iq;iraq
ir;iran
eg;egypt
ma;morocco;maroc
dz;algeria
tn;tunisia
ly;libya
ng;nigeria
gh;ghana
ke;kenya
ug;uganda
tz;tanzania
et;ethiopia
za;south africa
zw;zimbabwe
zm;zambia
cm;cameroon
sn;senegal
ci;ivory coast;cote d ivoire
in;india
pk;pakistan
bd;bangladesh
lk;sri lanka
np;nepal
cn;china;pr china;prc
hk;hong kong
tw;taiwan
jp;japan
kr;korea;south korea;republic of korea
mn;mongolia
th;thailand
vn;vietnam;viet nam
my;malaysia
sg;singapore
id;indonesia
ph;philippines
mm;myanmar
kh;cambodia
au;australia
nz;new zealand
ca;canada
mx;mexico
br;brazil;brasil
ar;argentina
cl;chile
co;colombia
pe;peru
ve;venezuela
ec;ecuador
uy;uruguay
py;paraguay
bo;bolivia
cr;costa rica
pa;panama
gt;guatemala
do;dominican republic
pr;puerto rico
cu;cuba
jm;jamaica
kz;kazakhstan
uz;uzbekistan
ge;georgia
am;armenia
az;azerbaijan
mo;macau;macao
li;liechtenstein
mc;monaco";

/// Cities whose own name and foreign names differ by more than accents.
const CITIES: &str = "\
munich munchen;vienna wien;cologne koln koeln;geneva geneve genf;prague praha;warsaw warszawa;moscow moskva;lisbon lisboa;\
rome roma;milan milano;florence firenze;naples napoli;turin torino;venice venezia;genoa genova;brussels bruxelles brussel;\
antwerp antwerpen anvers;copenhagen kobenhavn;gothenburg goteborg;thehague denhaag;athens athina;beijing peking;\
nuremberg nurnberg;hanover hannover;zurich zuerich;basel basle;lucerne luzern;seville sevilla;bucharest bucuresti;belgrade beograd;\
kyiv kiev;cracow krakow;saintpetersburg stpetersburg sanktpeterburg;newdelhi delhi;bangalore bengaluru;bombay mumbai;\
ghent gent;bruges brugge;helsinki helsingfors;istanbul constantinople;newyork newyorkcity";

fn folded(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    if cut.is_ascii() {
        return cut.to_ascii_lowercase();
    }
    let composed: String = cut.nfkc().flat_map(char::to_lowercase).collect();
    any_ascii::any_ascii(&composed).to_ascii_lowercase()
}

type Table = HashTable<(String, String)>;

fn table_of(lines: impl Iterator<Item = (String, String)>) -> Table {
    let mut table = Table::new();
    for (key, value) in lines {
        let hashed = hash(key.as_bytes());
        if table.find(hashed, |(known, _)| *known == key).is_none() {
            table.insert_unique(hashed, (key, value), |(known, _)| hash(known.as_bytes()));
        }
    }
    table
}

fn find<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table
        .find(hash(key.as_bytes()), |(known, _)| known == key)
        .map(|(_, value)| value.as_str())
}

/// A country by its code or by a name of it. Codes nobody gave out are taken as they are: a match needs both sides.
#[must_use]
pub fn country(text: &str) -> Country {
    static NAMES: OnceLock<Table> = OnceLock::new();
    let text = text.trim();
    if text.len() == 2 {
        return Country::of_code(text);
    }
    if text.len() < 2 || text.len() > 60 {
        return Country::NONE;
    }
    let names = NAMES.get_or_init(|| {
        table_of(COUNTRIES.lines().flat_map(|line| {
            let (code, names) = line.split_once(';').unwrap_or((line, ""));
            names
                .split(';')
                .map(move |name| (skeleton(name), code.to_owned()))
        }))
    });
    let words: Vec<String> = folded(text)
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(skeleton)
        .collect();
    find(names, &words.join(" ")).map_or(Country::NONE, Country::of_code)
}

/// A city in letters that can be compared; empty when it has none.
#[must_use]
pub fn city(text: &str) -> String {
    static OTHER_NAMES: OnceLock<Table> = OnceLock::new();
    let letters: String = folded(text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let letters = skeleton(&letters);
    let other_names = OTHER_NAMES.get_or_init(|| {
        table_of(CITIES.split(';').flat_map(|line| {
            let mut names = line.split(' ').map(skeleton);
            let first = names.next().unwrap_or_default();
            names.map(move |name| (name, first.clone()))
        }))
    });
    match find(other_names, &letters) {
        Some(first) => first.to_owned(),
        None => letters,
    }
}

/// A postal code in upper-case letters and digits; empty when it has none.
#[must_use]
pub fn postcode(text: &str) -> String {
    text.nfkc()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// The last nine digits of a telephone number; `None` with fewer than seven.
#[must_use]
pub fn phone(text: &str) -> Option<u64> {
    let digits: Vec<u64> = text
        .nfkc()
        .filter_map(|c| c.to_digit(10))
        .map(u64::from)
        .collect();
    (digits.len() >= 7).then(|| {
        let skip = digits.len().saturating_sub(9);
        digits
            .iter()
            .skip(skip)
            .fold(0, |sum, digit| sum * 10 + digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_code_and_by_name() {
        assert_eq!(country("DE"), country("Germany"));
        assert_eq!(country("de"), country("Deutschland"));
        assert_eq!(country("Österreich"), country("AT"));
        assert_eq!(country("Nowhere Land"), Country::NONE);
        assert_eq!(country("DE").agrees(country("")), None);
    }

    #[test]
    fn a_city_is_known_by_the_name_that_foreigners_use() {
        assert_eq!(city("München"), city("Munich"));
        assert_eq!(city("Muenchen"), city("MÜNCHEN"));
        assert_ne!(city("Bern"), city("Berlin"));
        assert_eq!(city("東京"), city("東京"));
        assert_eq!(postcode("ab1 2cd"), "AB12CD");
        assert_eq!(phone("+44 20 7946 0018"), phone("020 7946 0018"));
        assert_eq!(phone("n/a"), None);
    }
}
