//! Names of organisations, word by word: a rare word says more than one that many have.

use crate::domain::normal;

use super::{
    line::Agreement,
    text::{Likeness, likeness, words},
};

/// Words that many names have. Left over on one side, they say nothing; on both sides, that it is another part.
const FREQUENT: [&str; 92] = [
    "group",
    "gruppe",
    "holding",
    "holdings",
    "international",
    "national",
    "global",
    "services",
    "service",
    "solutions",
    "systems",
    "system",
    "technology",
    "technologies",
    "industries",
    "industry",
    "enterprises",
    "partners",
    "consulting",
    "management",
    "restaurant",
    "cafe",
    "bar",
    "grill",
    "grille",
    "hotel",
    "inn",
    "center",
    "centre",
    "bank",
    "university",
    "hospital",
    "institute",
    "school",
    "college",
    "church",
    "store",
    "shop",
    "software",
    "engineering",
    "media",
    "trading",
    "marketing",
    "digital",
    "data",
    "energy",
    "power",
    "capital",
    "insurance",
    "health",
    "medical",
    "pharma",
    "laboratories",
    "laboratory",
    "labs",
    "works",
    "werke",
    "works",
    "products",
    "foods",
    "food",
    "house",
    "kitchen",
    "room",
    "dining",
    "company",
    "corporation",
    "association",
    "society",
    "verein",
    "foundation",
    "stiftung",
    "department",
    "design",
    "logistics",
    "transport",
    "construction",
    "bau",
    "handel",
    "vertrieb",
    "technik",
    "maschinenbau",
    "new",
    "old",
    "first",
    "american",
    "deutsche",
    "deutschland",
    "germany",
    "usa",
    "europe",
    "france",
];
/// Short forms.
const SHORT: [(&str, &str); 22] = [
    ("intl", "international"),
    ("int", "international"),
    ("natl", "national"),
    ("mfg", "manufacturing"),
    ("univ", "university"),
    ("uni", "university"),
    ("assoc", "association"),
    ("assn", "association"),
    ("dept", "department"),
    ("inst", "institute"),
    ("svc", "services"),
    ("svcs", "services"),
    ("tech", "technologies"),
    ("bros", "brothers"),
    ("gebr", "gebruder"),
    ("labs", "laboratories"),
    ("lab", "laboratory"),
    ("pharmaceuticals", "pharma"),
    ("pharmaceutical", "pharma"),
    ("rest", "restaurant"),
    ("ctr", "center"),
    ("mgmt", "management"),
];
const SILENT: [&str; 16] =
    ["the", "a", "and", "und", "et", "of", "for", "fur", "der", "die", "das", "de", "la", "le", "in", "on"];

const RARE_WORD: f64 = 6.5;
const FREQUENT_WORD: f64 = 1.5;
/// From here on a name that is a part of another says enough.
const ENOUGH: f64 = 6.0;
/// What words that only the longer name has take away at the most.
const LONGER: f64 = 4.0;

/// An organisation's name in words, without its legal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Company(Vec<String>);

impl Company {
    pub(super) fn read(name: &str) -> Self {
        let mut all = words(&normal::company_key(name));
        for word in &mut all {
            if let Some((_, long)) = SHORT.iter().find(|(short, _)| short == word) {
                (*long).clone_into(word);
            }
        }
        let loud: Vec<_> = all.iter().filter(|word| !SILENT.contains(&word.as_str())).cloned().collect();
        Self(if loud.is_empty() { all } else { loud })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn words(&self) -> &[String] {
        &self.0
    }

    /// The word that says the most: of the rarest the longest, the first of equals.
    pub(super) fn rarest(&self) -> Option<&String> {
        let key = |word: &&String| (bits(word) as i64, word.chars().count());
        self.0.iter().rev().max_by_key(key)
    }
}

/// What a word says.
fn bits(word: &str) -> f64 {
    if word.chars().all(|letter| letter.is_ascii_digit()) {
        4.0
    } else if FREQUENT.contains(&word) {
        FREQUENT_WORD
    } else if word.chars().count() <= 2 {
        3.0
    } else {
        RARE_WORD
    }
}

/// How far two names agree. `here` are the words of the place: a name may add them, and says nothing with them.
///
/// `Part` is a name that says all that the other says, and more; `Far` are two that each say something of their own:
/// another branch, another firm of that name.
pub(super) fn compare(one: &Company, other: &Company, here: &[String]) -> Option<(Agreement, f64)> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let all = |words: &[String]| words.iter().map(|word| bits(word)).sum::<f64>();
    if one == other {
        return Some((Agreement::Same, all(&one.0) + 4.0));
    }
    // Blanks and hyphens come and go.
    if one.0.concat() == other.0.concat() {
        return Some((Agreement::Same, all(&one.0).min(all(&other.0)) + 2.5));
    }
    let Aligned { shared, near, left, right } = align(&one.0, &other.0, here);
    if let (false, Some(acronym)) = (shared > 0.0, acronym(&one.0, &other.0)) {
        return Some((Agreement::Initial, acronym));
    }
    let both_more = left.bits > 0.0 && right.bits > 0.0;
    let more = 0.5 * (left.bits + right.bits);
    let mut weight = shared + near - 2.0 * (left.numbers + right.numbers) as f64;
    weight -= if both_more { more + 1.5 + left.bits.min(right.bits) } else { more.min(LONGER) };
    let agreement = if shared + near >= ENOUGH && !both_more {
        match (left.bits + right.bits > 0.0, near > 0.0) {
            (true, _) => Agreement::Part,
            (false, true) => Agreement::Near,
            (false, false) => Agreement::Same,
        }
    } else if (shared + near > 0.0 && !both_more) || shared + near > left.bits + right.bits {
        Agreement::Far
    } else {
        Agreement::Different
    };
    Some((agreement, weight.max(-8.0)))
}

/// Two names word by word.
struct Aligned {
    /// The bits of the words that both have.
    shared: f64,
    /// Of those that are near.
    near: f64,
    left: Rest,
    right: Rest,
}

/// What is left of one name, without the words of its place.
struct Rest {
    bits: f64,
    numbers: usize,
}

fn align(one: &[String], other: &[String], here: &[String]) -> Aligned {
    let is_here = |word: &String| here.contains(word);
    let bits = |word: &String| if is_here(word) { bits(word).min(FREQUENT_WORD) } else { bits(word) };
    let mut free: Vec<&String> = other.iter().collect();
    let (mut shared, mut near, mut left) = (0.0, 0.0, Vec::new());
    let mut unmatched = Vec::new();
    for word in one {
        match free.iter().position(|other| *other == word) {
            Some(at) => shared += bits(free.remove(at)),
            None => unmatched.push(word),
        }
    }
    for word in unmatched {
        match free.iter().position(|other| is_near(word, other)) {
            Some(at) => near += 0.7 * bits(free.remove(at)).min(bits(word)),
            None => left.push(word),
        }
    }
    let rest = |words: &[&String]| Rest {
        bits: words.iter().filter(|word| !is_here(word)).map(|word| bits(word)).sum(),
        numbers: words.iter().filter(|word| has_digit(word)).count(),
    };
    Aligned { shared, near, left: rest(&left), right: rest(&free) }
}

fn has_digit(word: &str) -> bool {
    word.chars().any(|letter| letter.is_ascii_digit())
}

/// Words but for a slip, or cut short (`deli`); numbers are the same or others.
fn is_near(one: &str, other: &str) -> bool {
    let cut = |short: &str, long: &str| short.chars().count() >= 4 && long.starts_with(short);
    let alike = likeness(one, other) >= Likeness::Near || cut(one, other) || cut(other, one);
    !has_digit(one) && !has_digit(other) && alike
}

/// `ibm` and `international business machines`.
fn acronym(one: &[String], other: &[String]) -> Option<f64> {
    let of = |short: &[String], long: &[String]| {
        let initials: String = long.iter().filter_map(|word| word.chars().next()).collect();
        (short.len() == 1 && long.len() >= 3 && short[0] == initials).then_some(5.0)
    };
    of(one, other).or_else(|| of(other, one))
}
