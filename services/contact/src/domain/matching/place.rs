//! Where somebody is: street, city, postal code, region, country.

use super::{
    details::Details,
    line::{Agreement, Line},
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
/// Behind one of these stands a flat, not a house.
const UNITS: [&str; 9] = ["apt", "apartment", "unit", "suite", "ste", "flat", "floor", "room", "lot"];

/// What a street says at the most where all else says that it is another town.
const STREET_ELSEWHERE: f64 = 1.0;

/// Where somebody is, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Of the house.
    pub(super) number: String,
    /// Without the words that many streets have.
    pub(super) street: Vec<String>,
    pub(super) city: String,
    pub(super) postal_code: String,
    region: String,
    pub(super) country: String,
}

impl Place {
    pub(super) fn read(details: &Details) -> Self {
        let (number, street) = read_street(&details.street);
        let mut city = words(&details.city);
        city.iter_mut().filter(|word| *word == "st").for_each(|word| "saint".clone_into(word));
        Self {
            number,
            street,
            city: city.concat(),
            postal_code: words(&details.postal_code).concat(),
            region: words(&details.region).concat(),
            country: details.country.clone(),
        }
    }
}

/// House number and street: the number is the first word with a digit, wherever it stands.
fn read_street(text: &str) -> (String, Vec<String>) {
    let mut all = words(text);
    if let Some(unit) = all.iter().skip(1).position(|word| UNITS.contains(&word.as_str())) {
        all.drain(unit + 1..(unit + 3).min(all.len()));
    }
    let has_digit = |word: &String| word.chars().any(|letter| letter.is_ascii_digit());
    let number = all.iter().position(has_digit).map(|at| all.remove(at)).unwrap_or_default();
    // In German the word is a part of the name: `hauptstr` and `hauptstrasse` are `haupt`.
    let shortened = all.iter().map(|word| {
        let name = word.strip_suffix("strasse").or_else(|| word.strip_suffix("str"));
        name.filter(|name| name.chars().count() > 2).unwrap_or(word).to_owned()
    });
    let shortened: Vec<_> = shortened.collect();
    let named: Vec<_> = shortened.iter().filter(|word| !STREET_WORDS.contains(&word.as_str())).cloned().collect();
    (number, if named.is_empty() { shortened } else { named })
}

/// The lines of two places.
pub(super) fn compare(one: &Place, other: &Place, left: &Details, right: &Details) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |field: &str, verdict: Option<(Agreement, f64)>, left: &str, right: &str| {
        lines.extend(verdict.map(|verdict| Line::new(field, verdict, left, right)));
        verdict.is_some_and(|(_, weight)| weight > 0.0)
    };
    let street = add("street", streets(one, other), &left.street, &right.street);
    let code = add("postal_code", codes(one, other, street), &left.postal_code, &right.postal_code);
    let city = add("city", cities(one, other, code), &left.city, &right.city);
    let near = code || city;
    // Each town has its Mill Street.
    let is = |line: &Line, field: &str| line.field == field && line.agreement == Agreement::Different;
    if ["postal_code", "city"].iter().all(|field| lines.iter().any(|line| is(line, field))) {
        lines
            .iter_mut()
            .filter(|line| line.field == "street")
            .for_each(|line| line.weight = line.weight.min(STREET_ELSEWHERE));
    }
    let region = regions(one, other, near).map(|agrees| Line::new("region", agrees, &left.region, &right.region));
    let country = countries(one, other).map(|agrees| Line::new("country", agrees, &left.country, &right.country));
    lines.extend(region.into_iter().chain(country));
    lines
}

fn streets(one: &Place, other: &Place) -> Option<(Agreement, f64)> {
    if one.street.is_empty() || other.street.is_empty() {
        return None;
    }
    let shared = one.street.iter().any(|word| word.chars().count() > 2 && other.street.contains(word));
    let name = match likeness(&one.street.concat(), &other.street.concat()) {
        Likeness::Different if shared => Likeness::Far,
        name => name,
    };
    let numbers = !one.number.is_empty() && !other.number.is_empty();
    let slip = || one.number.len() > 1 && likeness(&one.number, &other.number) >= Likeness::Near;
    Some(match name {
        Likeness::Same if !numbers => (Agreement::Part, 7.0),
        Likeness::Same if one.number == other.number => (Agreement::Same, 11.0),
        Likeness::Same if slip() => (Agreement::Near, 8.0),
        Likeness::Same => (Agreement::Part, 3.0),
        Likeness::Near if !numbers => (Agreement::Near, 6.0),
        Likeness::Near if one.number == other.number => (Agreement::Near, 10.0),
        Likeness::Near => (Agreement::Part, 2.0),
        Likeness::Far if numbers && one.number == other.number => (Agreement::Far, 7.0),
        Likeness::Far => (Agreement::Far, 2.0),
        Likeness::Different if numbers && one.number == other.number => (Agreement::Part, 0.0),
        Likeness::Different => (Agreement::Different, -4.0),
    })
}

/// A postal code with one wrong digit is near where the street is the same; elsewhere it is as likely the next town.
fn codes(one: &Place, other: &Place, street: bool) -> Option<(Agreement, f64)> {
    let (one, other) = (&one.postal_code, &other.postal_code);
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let longer = one.starts_with(other.as_str()) || other.starts_with(one.as_str());
    Some(if one == other {
        (Agreement::Same, if street { 6.0 } else { 8.5 })
    } else if longer && one.len().min(other.len()) >= 4 {
        (Agreement::Part, 6.0)
    } else if one.len() >= 4 && one.len() == other.len() && strsim::osa_distance(one, other) == 1 {
        (Agreement::Near, if street { 3.0 } else { 2.0 })
    } else {
        (Agreement::Different, -3.0)
    })
}

/// The city follows from the postal code, so that it says little more.
fn cities(one: &Place, other: &Place, code: bool) -> Option<(Agreement, f64)> {
    if one.city.is_empty() || other.city.is_empty() {
        return None;
    }
    let part = one.city.contains(&other.city) || other.city.contains(&one.city);
    Some(match likeness(&one.city, &other.city) {
        Likeness::Same => (Agreement::Same, if code { 2.0 } else { 5.5 }),
        Likeness::Near => (Agreement::Near, if code { 1.5 } else { 4.0 }),
        Likeness::Far | Likeness::Different if part => (Agreement::Part, if code { 1.0 } else { 2.5 }),
        Likeness::Far => (Agreement::Far, 0.0),
        Likeness::Different => (Agreement::Different, if code { -1.0 } else { -3.5 }),
    })
}

fn regions(one: &Place, other: &Place, near: bool) -> Option<(Agreement, f64)> {
    if one.region.is_empty() || other.region.is_empty() {
        return None;
    }
    Some(if one.region == other.region {
        (Agreement::Same, if near { 0.5 } else { 1.5 })
    } else {
        (Agreement::Different, if near { 0.0 } else { -1.5 })
    })
}

/// One name in two countries is two.
fn countries(one: &Place, other: &Place) -> Option<(Agreement, f64)> {
    if one.country.is_empty() || other.country.is_empty() {
        return None;
    }
    Some(if one.country == other.country { (Agreement::Same, 0.5) } else { (Agreement::Different, -8.0) })
}
