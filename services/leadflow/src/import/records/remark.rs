//! What is probably misspelt. It is taken as it is, or left out where it cannot be, and somebody is told.

use std::{collections::BTreeMap, sync::LazyLock};

use celes::{Country, LookupTable as _};
use serde::{Deserialize, Serialize};

use super::field::Word;
use crate::import::country;

/// The usual names of industries, to notice what is nearly one of them. An industry that is none of them is right.
const INDUSTRIES: [&str; 46] = [
    "aerospace",
    "agriculture",
    "automotive",
    "banking",
    "biotechnology",
    "chemicals",
    "construction",
    "consulting",
    "consumer goods",
    "cosmetics",
    "defence",
    "education",
    "electronics",
    "employment",
    "energy",
    "engineering",
    "entertainment",
    "environment",
    "finance",
    "food and beverages",
    "government",
    "healthcare",
    "hospitality",
    "insurance",
    "laboratory",
    "logistics",
    "machinery",
    "manufacturing",
    "marketing",
    "media",
    "medical",
    "metals",
    "mining",
    "petrochemicals",
    "pharmaceuticals",
    "plastics",
    "real estate",
    "research",
    "retail",
    "semiconductors",
    "services",
    "software",
    "technology",
    "telecommunications",
    "transport",
    "utilities",
];

/// One text of one column that looks wrong, however many lines have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remark {
    pub(crate) lines: u64,
    /// The first of them.
    pub(crate) first_line: u64,
    /// What is wrong, and what became of it.
    pub(crate) message: String,
    /// What may be meant.
    pub(crate) suggestions: Vec<String>,
}

/// All remarks on a file, by field and text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remarks(BTreeMap<String, BTreeMap<String, Remark>>);

impl Remarks {
    /// Notes a remark on a line.
    pub(crate) fn add(&mut self, line: u64, (word, text, message, suggestions): Noticed) {
        let of_word = self.0.entry(word.to_string()).or_default();
        let new = Remark { lines: 0, first_line: line, message: message.to_owned(), suggestions };
        of_word.entry(text).or_insert(new).lines += 1;
    }

    /// Field, text and remark.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Remark)> {
        self.0
            .iter()
            .flat_map(|(field, texts)| texts.iter().map(move |(text, remark)| (field.as_str(), text.as_str(), remark)))
    }
}

/// A field, its text, what is wrong, and what may be meant.
pub(crate) type Noticed = (Word, String, &'static str, Vec<String>);

/// The two letters of a country; nothing but a remark when it is none.
pub(crate) fn country(word: Word, text: &str) -> Result<&'static str, Noticed> {
    country::code(text).ok_or_else(|| (word, text.to_owned(), "is no country, and is left out", countries(text)))
}

/// What is nearly the name of an industry.
pub(crate) fn industry(word: Word, text: &str) -> Option<Noticed> {
    let said = text.to_lowercase();
    if INDUSTRIES.contains(&said.as_str()) {
        return None;
    }
    let meant: Vec<_> = INDUSTRIES.iter().filter(|known| is_near(&said, known)).map(|&it| it.to_owned()).collect();
    (!meant.is_empty()).then(|| (word, text.to_owned(), "is taken as it is", meant))
}

/// Names of countries in small letters without blanks, each with the two letters.
static COUNTRIES: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let names = |country: Country| -> Vec<_> {
        let all = std::iter::once(country.long_name).chain(country.aliases.iter().copied());
        all.map(|name| (letters(name), country.alpha2)).collect()
    };
    Country::get_countries().into_iter().flat_map(names).collect()
});

/// The countries that may be meant: nearly so written, or with a name that ends so (`Korea`).
fn countries(text: &str) -> Vec<String> {
    let said = letters(text);
    let fits = |name: &str| is_near(&said, name) || (said.len() >= 4 && name.ends_with(&said));
    let mut meant: Vec<_> =
        COUNTRIES.iter().filter(|(name, _)| fits(name)).map(|(_, code)| (*code).to_owned()).collect();
    meant.sort();
    meant.dedup();
    meant
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphabetic()).collect::<String>().to_lowercase()
}

/// Whether one is the other with a slip of the keyboard: one in a word of five letters, two in one of eight.
fn is_near(one: &str, other: &str) -> bool {
    let allowed = match one.chars().count().min(other.chars().count()) {
        0..5 => return false,
        5..8 => 1,
        _ => 2,
    };
    strsim::osa_distance(one, other) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_country_is_noticed_with_what_may_be_meant() {
        let read = |text| country(Word("country"), text).map_err(|(.., meant)| meant.join(" "));
        assert_eq!(read("Germany"), Ok("DE"));
        assert_eq!(read("Philipines"), Err("PH".to_owned()));
        assert_eq!(read("Korea"), Err("KP KR".to_owned()));
        assert_eq!(read("Elbonia"), Err(String::new()));
    }

    #[test]
    fn a_misspelt_industry_is_noticed_and_an_unusual_one_is_not() {
        let noticed = |text| industry(Word("industry"), text).map(|(.., meant)| meant.join(" "));
        assert_eq!(noticed("technolgy").as_deref(), Some("technology"));
        assert_eq!(noticed("Retial").as_deref(), Some("retail"));
        for right in ["Technology", "medical", "media", "services", "water treatment", "IT"] {
            assert_eq!(noticed(right), None, "{right}");
        }
    }

    #[test]
    fn lines_with_the_same_text_share_a_remark() {
        let mut remarks = Remarks::default();
        for line in [3, 7] {
            remarks.add(line, industry(Word("industry"), "technolgy").unwrap());
        }
        let all: Vec<_> = remarks.iter().map(|(field, text, it)| (field, text, it.lines, it.first_line)).collect();
        assert_eq!(all, [("industry", "technolgy", 2, 3)]);
    }
}
