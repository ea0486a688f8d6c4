//! What common words of organisation names mean: legal forms, words that say nothing, and words that are the same word in
//! another language or abbreviation. Facts written down once; looked up in folded form.

use std::sync::OnceLock;

use hashbrown::HashTable;

use super::hash::hash;

/// What a word of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A legal form; forms of one kind share the number.
    Legal(u8),
    /// Says nothing about who it is.
    Filler,
    /// Another spelling of this word.
    Same(&'static str),
}

/// Legal forms, one kind a line: first the kind's plain name.
const LEGAL: &[&str] = &[
    "ltd limited ltda limitada lda",
    "inc incorporated",
    "corp corporation",
    "co company cie compagnie cia",
    "llc",
    "plc publ",
    "llp lp",
    "gmbh mbh ggmbh gesmbh haftungsbeschrankt ug",
    "ag aktiengesellschaft kgaa",
    "kg ohg gbr",
    "ev",
    "sa sau sha",
    "sas sasu",
    "sarl eurl sprl sagl",
    "bv bvba besloten vennootschap",
    "nv",
    "ab aktiebolag",
    "as asa aksjeselskap",
    "aps",
    "oy oyj",
    "spa",
    "srl srls",
    "sl slu sll",
    "sp zoo spzoo",
    "sro spol",
    "kk zhushihuishe kabushiki kaisha yugen godo",
    "youxiangongsi youxiandanwei gufen",
    "jusighoesa yuhanhoesa",
    "pty proprietary",
    "pvt private pte",
    "sdn bhd berhad",
    "tbk pt persero",
    "ooo oao zao pao ao tov",
    "jsc ojsc cjsc pjsc",
    "cv rl de",
    "ev eg",
    "doo dd",
    "kft zrt nyrt bt",
    "ood eood ad ead",
    "sti anonim sirketi",
    "se",
    "group grp groupe gruppe grupo gruppo holding holdings",
    "ae epe ike",
];

const FILLER: &str = "and the of for und et e y i da do di del della de des du d l la le les los las el der die das den van von zu en og och au aux in at a dos das para a";

/// Words that are the same word: the first of each line stands for all.
const SAME: &[&str] = &[
    "international intl internacional internationale internazionale internationaal",
    "manufacturing mfg mfrs",
    "university univ universidad universite universita universitat universiteit universidade uniwersytet universitet univerzita universitatea universitesi universitas universiti yliopisto egyetem daxue",
    "technology tech technologies technologie tecnologia tecnologias technologia technik teknologi tecnologie",
    "services svcs service servicios servizi servicos",
    "institute inst institut instituto istituto instytut institutet institutul",
    "department dept departamento departement",
    "national natl nacional nationale nazionale nationaal narodowy",
    "association assoc asociacion associacao associazione verband vereniging",
    "hospital hosp hopital ospedale krankenhaus ziekenhuis szpital hastanesi spital sjukhus",
    "center ctr centre centro zentrum centrum merkezi centar",
    "engineering eng engr ingenieria ingenierie ingegneria",
    "management mgmt gestion mgt",
    "laboratory laboratories labs lab laboratoire laboratorio laboratoires",
    "development dev developpement desarrollo",
    "system systems sys systeme sistemas",
    "saint st sankt santo santa san sao",
    "foundation fdn fondation fundacion fundacao fondazione stiftung fundacja stichting",
    "research recherche investigacion ricerca forschung pesquisa badawczy",
    "ministry ministerio ministere ministero ministerium ministerstwo",
    "school escuela ecole scuola schule escola szkola skole",
    "college colegio kolleg",
    "academy academia academie akademie akademia accademia akademi",
    "clinic clinica clinique klinik klinika",
    "science sciences ciencias wissenschaft wissenschaften scienze ciencia",
    "medical med medico medicale medizinische medica",
    "industry industries ind industrie industria industrias industrial",
    "solution solutions soluciones soluzioni",
    "consulting consultants consultancy beratung consultores conseil",
    "electronics electronic elektronik electronica",
    "electric electrical elektro electrica",
    "pharma pharmaceutical pharmaceuticals pharmaceutica farmaceutica",
    "chemical chemicals chemie chimie chem quimica",
    "construction bau constructions construcciones costruzioni",
    "bank banco banque banca",
    "insurance versicherung assurance assurances seguros assicurazioni",
    "society soc sociedad societe societa gesellschaft sociedade",
    "council consejo conseil consiglio",
    "museum museo musee muzeum",
    "library biblioteca bibliotheque bibliothek",
    "north nord norte",
    "south sud sur sul",
    "east est ost este",
    "west ouest oeste",
    "general gen",
    "federal fed federale",
    "american amer",
    "government govt",
    "brothers bros",
    "product products prod productos",
    "resource resources",
    "material materials",
    "communication communications comm",
    "network networks",
    "energy energie energia energies",
    "finance financial finanz finanzas",
    "investment investments invest",
    "property properties",
    "capital cap",
    "transport transportation transportes trasporti",
    "logistics logistik logistica logistique",
    "agriculture agricultural agricola agricole",
    "health sante salud salute gesundheit",
    "motor motors",
    "sport sports",
    "software sw",
    "hotel hotels",
    "food foods",
];

/// Whether a kind of legal form is the word for a whole group of companies.
pub(in super::super) fn names_a_group(kind: u8) -> bool {
    let line = usize::from(kind)
        .checked_sub(1)
        .and_then(|at| LEGAL.get(at));
    line.is_some_and(|line| line.starts_with("group "))
}

struct Lexicon {
    table: HashTable<(String, Word)>,
}

impl Lexicon {
    fn insert(&mut self, text: &str, word: Word) {
        let key = super::name::skeleton(text);
        let hashed = hash(key.as_bytes());
        let known = self
            .table
            .find(hashed, |(known, _)| *known == key)
            .is_some();
        if !known {
            self.table
                .insert_unique(hashed, (key, word), |(known, _)| hash(known.as_bytes()));
        }
    }

    fn build() -> Self {
        let mut lexicon = Self {
            table: HashTable::with_capacity(1024),
        };
        for (kind, line) in (1_u8..).zip(LEGAL) {
            for form in line.split(' ').filter(|form| *form != "de") {
                lexicon.insert(form, Word::Legal(kind));
            }
        }
        for filler in FILLER.split(' ') {
            lexicon.insert(filler, Word::Filler);
        }
        for line in SAME {
            let mut words = line.split(' ');
            let first = words.next().unwrap_or_default();
            for other in words {
                lexicon.insert(other, Word::Same(first));
            }
        }
        lexicon
    }
}

/// What a folded word is, where we know it.
pub(super) fn meaning(folded: &str) -> Option<Word> {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    if folded.len() > 20 {
        return None;
    }
    let lexicon = LEXICON.get_or_init(Lexicon::build);
    lexicon
        .table
        .find(hash(folded.as_bytes()), |(known, _)| known == folded)
        .map(|(_, word)| *word)
}
