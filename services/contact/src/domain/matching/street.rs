//! Streets: house number and name, in whatever order and however run together they are written.

use super::{
    line::Agreement,
    text::{Likeness, likeness, words},
};

/// Words of streets with their short forms; they say little, and are left out.
const STREET_WORDS: [&str; 62] = [
    "st",
    "str",
    "street",
    "strasse",
    "ave",
    "av",
    "avenue",
    "rd",
    "road",
    "dr",
    "drive",
    "ln",
    "lane",
    "blvd",
    "boulevard",
    "ct",
    "court",
    "pl",
    "place",
    "platz",
    "sq",
    "square",
    "hwy",
    "highway",
    "pkwy",
    "parkway",
    "ter",
    "terrace",
    "cres",
    "crescent",
    "cct",
    "circuit",
    "cir",
    "circle",
    "way",
    "weg",
    "allee",
    "rue",
    "via",
    "calle",
    "cl",
    "close",
    "pde",
    "parade",
    "gr",
    "grove",
    "n",
    "s",
    "e",
    "w",
    "north",
    "south",
    "east",
    "west",
    "the",
    "between",
    "near",
    "off",
    "at",
    "and",
    "of",
    "no",
];
/// Words that are written together with the name: `hauptstr` and `hauptstrasse` are `haupt`.
const ENDINGS: [&str; 9] = ["strasse", "str", "street", "road", "avenue", "crescent", "circuit", "terrace", "drive"];
/// Behind one of these stands a flat, not a house.
const UNITS: [&str; 9] = ["apt", "apartment", "unit", "suite", "ste", "flat", "floor", "room", "lot"];

/// A street in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Street {
    /// Of the house.
    pub(super) number: String,
    /// Without the words that many streets have.
    pub(super) name: Vec<String>,
}

impl Street {
    /// The number is the first word with a digit, wherever it stands.
    pub(super) fn read(text: &str) -> Self {
        let mut all = words(text);
        if let Some(unit) = all.iter().skip(1).position(|word| UNITS.contains(&word.as_str())) {
            all.drain(unit + 1..(unit + 3).min(all.len()));
        }
        let has_digit = |word: &String| word.chars().any(|letter| letter.is_ascii_digit());
        let number = all.iter().position(has_digit).map(|at| all.remove(at)).unwrap_or_default();
        let shortened = all.iter().map(|word| {
            let name = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending));
            name.filter(|name| name.chars().count() > 2).unwrap_or(word).to_owned()
        });
        let shortened: Vec<_> = shortened.collect();
        let named: Vec<_> = shortened.iter().filter(|word| !STREET_WORDS.contains(&word.as_str())).cloned().collect();
        Self { number, name: if named.is_empty() { shortened } else { named } }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty()
    }
}

/// How far two streets agree, with the house.
pub(super) fn compare(one: &Street, other: &Street) -> Option<(Agreement, f64)> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let numbers = !one.number.is_empty() && !other.number.is_empty();
    let house = numbers && one.number == other.number;
    let slip = numbers && is_slip(&one.number, &other.number);
    Some(match names(&one.name, &other.name) {
        Likeness::Same if !numbers => (Agreement::Part, 7.0),
        Likeness::Same if house => (Agreement::Same, 11.0),
        Likeness::Same if slip => (Agreement::Near, 8.0),
        Likeness::Same => (Agreement::Part, 5.0),
        Likeness::Near if !numbers => (Agreement::Near, 6.0),
        Likeness::Near if house => (Agreement::Near, 10.0),
        Likeness::Near if slip => (Agreement::Near, 7.0),
        Likeness::Near => (Agreement::Part, 3.0),
        Likeness::Far if house => (Agreement::Far, 6.0),
        Likeness::Far => (Agreement::Far, 3.0),
        Likeness::Different if house => (Agreement::Part, 0.0),
        Likeness::Different => (Agreement::Different, -4.0),
    })
}

/// Whether one number is the other but for one digit, or for the order of its digits.
fn is_slip(one: &str, other: &str) -> bool {
    let sorted = |number: &str| {
        let mut digits: Vec<char> = number.chars().collect();
        digits.sort_unstable();
        digits
    };
    sorted(one) == sorted(other) || (one.len().min(other.len()) > 1 && strsim::osa_distance(one, other) == 1)
}

/// How like two names of streets are. What is written beside the street (a building, an estate) may stand before or
/// behind it, or be missing.
fn names(one: &[String], other: &[String]) -> Likeness {
    let numbered = |name: &[String]| -> Vec<String> {
        name.iter().filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit())).cloned().collect()
    };
    let (left, right) = (numbered(one), numbered(other));
    if !left.is_empty() && !right.is_empty() && left != right {
        // 54th Street is no slip of 58th Street.
        let shared = one.iter().any(|word| !left.contains(word) && other.contains(word));
        return if shared { Likeness::Far } else { Likeness::Different };
    }
    let whole = likeness(&one.concat(), &other.concat());
    let shared = one.iter().any(|word| word.chars().count() > 2 && other.contains(word));
    let (of_shorter, of_both) = in_common(one, other);
    if whole == Likeness::Same || of_both > 0.99 {
        Likeness::Same
    } else if of_both >= 0.85 || (of_shorter >= 0.9 && of_both >= 0.5) {
        whole.max(Likeness::Near)
    } else if of_shorter >= 0.5 || shared {
        whole.max(Likeness::Far)
    } else {
        whole
    }
}

/// The share of letters in words that both have, but for slips: of the shorter name, and of both.
fn in_common(one: &[String], other: &[String]) -> (f64, f64) {
    let letters = |word: &String| word.chars().count();
    // The same from both sides, whatever a word could be paired with.
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    let mut free: Vec<&String> = other.iter().collect();
    let mut take = |fits: &dyn Fn(&String) -> bool| {
        let at = free.iter().position(|word| fits(word))?;
        Some(free.remove(at))
    };
    let (mut shared, mut unmatched) = (0, Vec::new());
    for word in one {
        match take(&|also| also == word) {
            Some(_) => shared += 2 * letters(word),
            None => unmatched.push(word),
        }
    }
    unmatched.retain(|word| {
        let near = take(&|also| letters(word) > 2 && likeness(word, also) >= Likeness::Near);
        shared += near.map_or(0, |also| letters(word) + letters(also));
        near.is_none()
    });
    // Words that were run together.
    let (rest, also) =
        (unmatched.into_iter().cloned().collect::<String>(), free.into_iter().cloned().collect::<String>());
    if !rest.is_empty() && !also.is_empty() && likeness(&rest, &also) >= Likeness::Near {
        shared += letters(&rest) + letters(&also);
    }
    let all = |name: &[String]| name.iter().map(letters).sum::<usize>();
    let (left, right) = (all(one), all(other));
    (shared as f64 / 2.0 / left.min(right) as f64, shared as f64 / (left + right) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(one: &str, other: &str) -> Agreement {
        let (one, other) = (Street::read(one), Street::read(other));
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        assert_eq!(there, back);
        there.unwrap().0
    }

    #[test]
    fn a_street_is_the_same_with_its_words_in_any_order_and_run_together() {
        for (one, other, expected) in [
            ("12 Mill Street", "Mill St 12", Agreement::Same),
            ("12 Hauptstr.", "Hauptstraße 12", Agreement::Same),
            ("12 Mill Street Rosehill", "12 Rosehill Mill Street", Agreement::Same),
            ("12 Lindenau Crescent", "12 lindenaucrescent", Agreement::Same),
            ("12 Old Lindenau Road", "12 oldlindenau road", Agreement::Same),
            ("12 Lindenau Crescent Rosehill", "12 Lindenau Crescent", Agreement::Near),
            ("12 Lindenau Crescent", "21 Lindenau Crescent", Agreement::Near),
            ("12 Lindenau Crescent", "97 Lindenau Crescent", Agreement::Part),
            ("12 Mill Street", "12 Goethe Street", Agreement::Part),
            ("12 Mill Street", "7 Goethe Street", Agreement::Different),
        ] {
            assert_eq!(agreement(one, other), expected, "{one}, {other}");
        }
    }

    #[test]
    fn a_numbered_street_is_no_slip_of_the_next() {
        assert_eq!(agreement("57 W. 58th St.", "55 E. 54th St."), Agreement::Different);
        assert_eq!(agreement("57 W. 58th St.", "57 West 58th Street"), Agreement::Same);
    }
}
