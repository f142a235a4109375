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
        1.5
    } else if word.chars().count() <= 2 {
        3.0
    } else {
        RARE_WORD
    }
}

/// How far two names agree.
pub(super) fn compare(one: &Company, other: &Company) -> Option<(Agreement, f64)> {
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
    let (shared, near, left, right) = align(&one.0, &other.0);
    if let (false, Some(acronym)) = (shared > 0.0, acronym(&one.0, &other.0)) {
        return Some((Agreement::Initial, acronym));
    }
    let mut weight = shared + near - 0.5 * (left.0 + right.0) - 2.0 * (left.1 + right.1);
    if left.0 > 0.0 && right.0 > 0.0 {
        // Each has what the other has not: another branch, another firm of that name.
        weight -= 1.5 + left.0.min(right.0);
    }
    let agreement = match (shared + near > left.0 + right.0, left.0 + right.0 > 0.0) {
        (true, true) => Agreement::Part,
        (true, false) if near > 0.0 => Agreement::Near,
        (true, false) => Agreement::Same,
        (false, _) => Agreement::Different,
    };
    Some((agreement, weight.max(-8.0)))
}

/// What is left of one name: its words in bits, and how many of them are numbers.
type Rest = (f64, f64);

/// The bits of the words that both have, of those that are near, and what is left of each.
fn align(one: &[String], other: &[String]) -> (f64, f64, Rest, Rest) {
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
    let is_number = |word: &&String| word.chars().any(|letter| letter.is_ascii_digit());
    let rest = |words: &[&String]| {
        let bits = words.iter().map(|word| bits(word)).sum();
        (bits, words.iter().copied().filter(is_number).count() as f64)
    };
    (shared, near, rest(&left), rest(&free))
}

/// Words but for a slip; numbers are the same or others.
fn is_near(one: &str, other: &str) -> bool {
    let has_digit = |word: &str| word.chars().any(|letter| letter.is_ascii_digit());
    !has_digit(one) && !has_digit(other) && likeness(one, other) >= Likeness::Near
}

/// `ibm` and `international business machines`.
fn acronym(one: &[String], other: &[String]) -> Option<f64> {
    let of = |short: &[String], long: &[String]| {
        let initials: String = long.iter().filter_map(|word| word.chars().next()).collect();
        (short.len() == 1 && long.len() >= 3 && short[0] == initials).then_some(5.0)
    };
    of(one, other).or_else(|| of(other, one))
}
