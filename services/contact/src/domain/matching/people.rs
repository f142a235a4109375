//! Two descriptions of people, field by field.

use super::{
    company,
    details::{Profile, Subject},
    line::{Agreement, Line, Verdict, limit},
    names, place,
};

/// What somebody's work says at the most: the company, its domain and its address are one piece of news.
const WORK: f64 = 9.0;
/// What is left of an address where the company is the same already.
const ADDRESS_OF_WORK: f64 = 0.3;
/// From here on the rest speaks for itself beside a name.
const SPEAKS: f64 = 4.0;
/// An address down to the house.
const HOUSE: f64 = 15.0;

pub(super) fn compare(left: &Profile, right: &Profile) -> Vec<Line> {
    let (one, other) = (&left.details, &right.details);
    let mut lines = names::compare(
        &left.name,
        &right.name,
        (&one.given_name, &one.family_name),
        (&other.given_name, &other.family_name),
    );
    let work = work(left, right);
    let at_one_company = work.iter().any(|line| line.weight > 0.0);
    let mut place = place::compare(&left.place, &right.place, one, other);
    if at_one_company {
        place.iter_mut().filter(|line| line.weight > 0.0).for_each(|line| line.weight *= ADDRESS_OF_WORK);
    }
    let address: f64 = place.iter().map(|line| line.weight).sum();
    lines.extend(work);
    lines.extend(reach(left, right, at_one_company));
    lines.extend(place);
    limits(left, right, &mut lines, address);
    lines
}

/// Where they work.
fn work(left: &Profile, right: &Profile) -> Vec<Line> {
    let (one, other) = (&left.details, &right.details);
    let mut lines = Vec::new();
    if let Some((agreement, weight)) = company::compare(&left.company, &right.company) {
        // People change jobs, so another company says less than that it is another one.
        let agrees = (agreement, weight.clamp(-4.0, WORK));
        lines.push(Line::new("company", agrees, &one.company, &other.company));
    }
    if let Some(shared) = one.domains.iter().find(|domain| other.domains.contains(domain)) {
        let known: f64 = lines.iter().map(|line| line.weight).sum();
        let weight = (WORK - known).max(1.0);
        lines.push(Line::new("domain", (Agreement::Same, weight), shared, shared));
    }
    lines
}

/// By which addresses and numbers they are reached.
fn reach(left: &Profile, right: &Profile, at_one_company: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mails, others) = (&left.details.emails, &right.details.emails);
    if let (Some(mail), Some(other)) = (mails.first(), others.first()) {
        let shared = mails.iter().find(|mail| others.contains(mail));
        let pairs = mails.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
        lines.push(match shared {
            Some(mail) => Line::new("email", (Agreement::Same, 16.0), mail, mail),
            None if pairs.into_iter().any(|(one, other)| is_alike(one, other)) => {
                Line::new("email", (Agreement::Near, 5.0), mail, other)
            }
            None => Line::new("email", (Agreement::Different, 0.0), mail, other),
        });
    }
    if let Some((agreement, weight)) = phones(&left.phones, &right.phones) {
        let written = |profile: &Profile| profile.details.phones.join(", ");
        // A switchboard is shared by all of a company.
        let weight = if at_one_company && weight > 0.0 { 2.0 } else { weight };
        lines.push(Line::new("phone", (agreement, weight), &written(left), &written(right)));
    }
    lines
}

/// Whether two addresses are of one name at two providers, or one with a slip. Numbers are given out, and no slips.
fn is_alike(one: &str, other: &str) -> bool {
    let local = |mail: &str| mail.rsplit_once('@').map_or(String::new(), |(local, _)| local.to_owned());
    let digits = |mail: &str| mail.chars().filter(char::is_ascii_digit).collect::<String>();
    (local(one).len() > 4 && local(one) == local(other))
        || (digits(one) == digits(other) && strsim::osa_distance(one, other) == 1)
}

/// Digits of two numbers; the longer one may have the country's code.
pub(super) fn phones(one: &[String], other: &[String]) -> Option<(Agreement, f64)> {
    const NATIONAL: usize = 7;
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let plain = |digits: &str| digits.trim_start_matches('0').to_owned();
    let same = |(one, other): (&String, &String)| {
        let (one, other) = (plain(one), plain(other));
        one == other || one.len().min(other.len()) >= NATIONAL && (one.ends_with(&other) || other.ends_with(&one))
    };
    let near = |(one, other): (&String, &String)| {
        one.len() >= NATIONAL && one.len() == other.len() && strsim::osa_distance(one, other) == 1
    };
    let pairs = || one.iter().flat_map(|number| other.iter().map(move |also| (number, also)));
    Some(if pairs().any(same) {
        (Agreement::Same, 9.0)
    } else if pairs().any(near) {
        (Agreement::Near, 3.0)
    } else {
        (Agreement::Different, -0.5)
    })
}

/// What the fields together do not allow.
fn limits(left: &Profile, right: &Profile, lines: &mut Vec<Line>, address: f64) {
    let thresholds = Subject::Person.thresholds();
    let find = |field: &str| lines.iter().find(|line| line.field == field).map(|line| (line.agreement, line.weight));
    let is_same = |(agreement, _): (Agreement, f64)| agreement == Agreement::Same;
    let (given, family, swapped) = (find("given_name"), find("family_name"), find("name"));
    let is_name =
        |line: &&Line| matches!(line.field.as_str(), "given_name" | "family_name" | "name" | "country" | "region");
    let rest: f64 = lines.iter().filter(|line| !is_name(line)).map(|line| line.weight).sum();
    let other_address = find("email").is_some_and(|(agreement, _)| agreement != Agreement::Same);
    let reached = find("email").is_some_and(is_same) || (address >= HOUSE && find("phone").is_some_and(is_same));
    let generations = left.name.generation.zip(right.name.generation);
    let differs = |name: Option<(Agreement, f64)>| name.is_some_and(|(agreement, _)| agreement == Agreement::Different);

    let mut at_most = |verdict, why| limit(lines, verdict, &thresholds, why);
    if swapped.is_none() && given.is_none() && family.is_none() {
        at_most(Verdict::Distinct, "no part of a name to compare");
    }
    if differs(given) {
        at_most(Verdict::Distinct, "another given name: of one household or one company");
    }
    if address >= HOUSE && given.is_some_and(|(agreement, _)| agreement == Agreement::Far) {
        at_most(Verdict::Review, "perhaps another given name of one household");
    }
    if generations.is_some_and(|(one, other)| one != other) {
        at_most(Verdict::Distinct, "father and son");
    }
    if rest < SPEAKS {
        at_most(Verdict::Distinct, "nothing but the name agrees");
    }
    if left.name.generation != right.name.generation {
        at_most(Verdict::Review, "one of them is the son, or the father");
    }
    if other_address {
        at_most(Verdict::Review, "known by another address");
    }
    if differs(family) {
        // Who marries stays at home, or keeps the address.
        let verdict = if address >= HOUSE || reached { Verdict::Review } else { Verdict::Distinct };
        at_most(verdict, "another family name");
    }
    let half = given.is_none_or(|(agreement, _)| agreement == Agreement::Initial) || family.is_none();
    if swapped.is_none() && half && !reached {
        limit(lines, Verdict::Review, &thresholds, "half of a name");
    }
}
