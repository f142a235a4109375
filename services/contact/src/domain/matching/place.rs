//! Where somebody is: street, city, postal code, region, country.

use super::{
    details::Details,
    line::{Agreement, Line},
    street::{self, Street},
    text::{Likeness, likeness, words},
};

/// What a street says at the most where all else says that it is another town: the house, and less than that.
const HOUSE_ELSEWHERE: f64 = 4.0;
const STREET_ELSEWHERE: f64 = 1.0;

/// Where somebody is, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) street: Street,
    pub(super) city: String,
    pub(super) postal_code: String,
    region: String,
    pub(super) country: String,
}

impl Place {
    pub(super) fn read(details: &Details) -> Self {
        let mut city = words(&details.city);
        city.iter_mut().filter(|word| *word == "st").for_each(|word| "saint".clone_into(word));
        Self {
            street: Street::read(&details.street),
            city: city.concat(),
            postal_code: words(&details.postal_code).concat(),
            region: words(&details.region).concat(),
            country: details.country.clone(),
        }
    }
}

/// The lines of two places.
pub(super) fn compare(one: &Place, other: &Place, left: &Details, right: &Details) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |field: &str, verdict: Option<(Agreement, f64)>, left: &str, right: &str| {
        lines.extend(verdict.map(|verdict| Line::new(field, verdict, left, right)));
        verdict
    };
    let street = add("street", street::compare(&one.street, &other.street), &left.street, &right.street);
    let on_street = street.is_some_and(|(_, weight)| weight > 0.0);
    let code = add("postal_code", codes(one, other, on_street), &left.postal_code, &right.postal_code);
    let city = add("city", cities(one, other, code.map(|(code, _)| code)), &left.city, &right.city);
    let near = [code, city].into_iter().flatten().any(|(_, weight)| weight > 0.0);
    // Each town has its Mill Street.
    let elsewhere = |said: Option<(Agreement, f64)>| said.is_some_and(|(agrees, _)| agrees == Agreement::Different);
    if elsewhere(code) && elsewhere(city) {
        for line in lines.iter_mut().filter(|line| line.field == "street") {
            let house = line.agreement == Agreement::Same;
            line.weight = line.weight.min(if house { HOUSE_ELSEWHERE } else { STREET_ELSEWHERE });
        }
    }
    let region = regions(one, other, near).map(|agrees| Line::new("region", agrees, &left.region, &right.region));
    let country = countries(one, other).map(|agrees| Line::new("country", agrees, &left.country, &right.country));
    lines.extend(region.into_iter().chain(country));
    lines
}

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
        // With one wrong digit it is a slip, or as likely the next town.
        (Agreement::Near, 3.0)
    } else {
        (Agreement::Different, -3.0)
    })
}

/// The city follows from the postal code, so that it says little more.
fn cities(one: &Place, other: &Place, code: Option<Agreement>) -> Option<(Agreement, f64)> {
    if one.city.is_empty() || other.city.is_empty() {
        return None;
    }
    let (same, near, different) = match code {
        Some(Agreement::Same) => (2.0, 1.5, -1.0),
        Some(Agreement::Near | Agreement::Part) => (4.0, 3.0, -1.0),
        _ => (5.5, 4.0, -3.0),
    };
    let part = one.city.contains(&other.city) || other.city.contains(&one.city);
    let long = one.city.chars().count().min(other.city.chars().count()) > 5;
    Some(match likeness(&one.city, &other.city) {
        Likeness::Same => (Agreement::Same, same),
        Likeness::Near => (Agreement::Near, near),
        Likeness::Far | Likeness::Different if part => (Agreement::Part, near / 2.0),
        Likeness::Far => (Agreement::Far, if long { near / 2.0 } else { 0.0 }),
        Likeness::Different => (Agreement::Different, different),
    })
}

fn regions(one: &Place, other: &Place, near: bool) -> Option<(Agreement, f64)> {
    if one.region.is_empty() || other.region.is_empty() {
        return None;
    }
    Some(if one.region == other.region {
        (Agreement::Same, if near { 0.5 } else { 1.5 })
    } else {
        (Agreement::Different, if near { 0.0 } else { -1.0 })
    })
}

/// One name in two countries is two.
fn countries(one: &Place, other: &Place) -> Option<(Agreement, f64)> {
    if one.country.is_empty() || other.country.is_empty() {
        return None;
    }
    Some(if one.country == other.country { (Agreement::Same, 0.5) } else { (Agreement::Different, -8.0) })
}
