//! Two descriptions of people, field by field.

use super::{
    company,
    details::{Profile, Subject},
    line::{Agreement, Line, Verdict, limit},
    names, own, place,
};

/// What somebody's work says at the most: the company, its domain and its address are one piece of news.
const WORK: f64 = 9.0;
/// What is left of an address where the company is the same already.
const ADDRESS_OF_WORK: f64 = 0.3;
/// From here on the rest speaks for itself beside a name.
const SPEAKS: f64 = 3.5;
/// An address down to the house.
const HOUSE: f64 = 15.0;
/// What is a person's own, where a part of it is spoilt; where it agrees; and where it leaves no doubt.
const OWN_NEARLY: f64 = 4.0;
const OWN: f64 = 9.0;
const OWN_SURELY: f64 = 17.0;
/// Names that are rare enough to stand beside a day of birth that has a slip.
const RARE_NAMES: f64 = 16.0;

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
    lines.extend(own::compare((&left.day, &right.day), (&left.number, &right.number), &one.own, &other.own));
    lines.extend(place);
    limits(left, right, &mut lines, address);
    lines
}

/// Where they work.
fn work(left: &Profile, right: &Profile) -> Vec<Line> {
    let (one, other) = (&left.details, &right.details);
    let mut lines = Vec::new();
    if let Some((agreement, weight)) = company::compare(&left.company, &right.company, &[]) {
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
    let seen = Seen::read(left, right, lines, address);
    for (verdict, why) in seen.limits() {
        limit(lines, verdict, &Subject::Person.thresholds(), why);
    }
}

/// The fields of two people, side by side.
struct Seen {
    given: Option<Agreement>,
    family: Option<Agreement>,
    /// Given and family name changed places.
    swapped: bool,
    /// Father or son, where the names say it.
    generations: (Option<u8>, Option<u8>),
    /// The bits of the names.
    names: f64,
    /// The bits of what is a person's own.
    own: f64,
    /// Known by another number.
    /// Twins have one day of birth and numbers that are near.
    same_number: bool,
    other_number: bool,
    /// How far the days of birth agree, and the bits of that.
    born: Option<(Agreement, f64)>,
    /// The bits of the address.
    address: f64,
    /// The bits of all but the names and the country.
    rest: f64,
    /// Known by one address of email, or at home by one phone.
    reached: bool,
    /// Known by another address of email.
    other_address: bool,
}

impl Seen {
    fn read(left: &Profile, right: &Profile, lines: &[Line], address: f64) -> Self {
        let find =
            |field: &str| lines.iter().find(|line| line.field == field).map(|line| (line.agreement, line.weight));
        let agreement = |field: &str| find(field).map(|(agreement, _)| agreement);
        let is_same = |field: &str| agreement(field) == Some(Agreement::Same);
        let sum = |fields: &[&str], inside: bool| -> f64 {
            let counts = |line: &&Line| fields.contains(&line.field.as_str()) == inside;
            lines.iter().filter(counts).map(|line| line.weight).sum()
        };
        Self {
            given: agreement("given_name"),
            family: agreement("family_name"),
            swapped: agreement("name").is_some(),
            generations: (left.name.generation, right.name.generation),
            names: sum(&["given_name", "family_name", "name"], true),
            own: sum(&["birth_date", "person_number"], true),
            same_number: agreement("person_number") == Some(Agreement::Same),
            other_number: agreement("person_number") == Some(Agreement::Different),
            born: find("birth_date"),
            address,
            rest: sum(&["given_name", "family_name", "name", "country", "region"], false),
            reached: is_same("email") || (address >= HOUSE && is_same("phone")),
            other_address: agreement("email").is_some_and(|agreement| agreement != Agreement::Same),
        }
    }

    fn limits(&self) -> Vec<(Verdict, &'static str)> {
        let mut all = Vec::new();
        let mut at_most = |applies: bool, verdict: Verdict, why| all.extend(applies.then_some((verdict, why)));
        let another_given = self.given == Some(Agreement::Different);
        let another_family = self.family == Some(Agreement::Different);
        let nameless = !self.swapped && self.given.is_none() && self.family.is_none();
        let (left, right) = self.generations;
        let alike = self.own >= OWN_NEARLY && !another_family && !self.other_number;
        // Who marries stays at home, or keeps the address.
        let married = self.address >= HOUSE || self.reached || self.own >= OWN_NEARLY;
        let asked_if = |asked: bool| if asked { Verdict::Review } else { Verdict::Distinct };

        at_most(nameless && self.own < OWN, Verdict::Distinct, "no part of a name to compare");
        at_most(
            another_given && !(self.own >= OWN_SURELY && self.same_number),
            asked_if(alike),
            "another given name: of one household or one company",
        );
        let far = self.given == Some(Agreement::Far) && self.own < OWN_NEARLY;
        at_most(far, Verdict::Review, "perhaps another given name");
        let far = self.family == Some(Agreement::Far) && self.own < OWN_NEARLY && self.address < HOUSE;
        at_most(far, Verdict::Review, "perhaps another family name");
        at_most(another_family && self.own < OWN, asked_if(married), "another family name");
        let both = left.is_some() && right.is_some();
        at_most(both && left != right && self.own < OWN, Verdict::Distinct, "father and son");
        at_most(left != right, Verdict::Review, "one of them is the son, or the father");
        at_most(self.is_half_a_name(), Verdict::Review, "half of a name");
        let other_day = self.born.is_some_and(|(agreement, _)| agreement == Agreement::Different);
        let named = self.swapped || !matches!(self.given, None | Some(Agreement::Far | Agreement::Initial));
        at_most(other_day && self.other_number, asked_if(named), "another day of birth and another number");
        at_most(self.is_nearly_the_birthday(), Verdict::Review, "nearly the day of birth, and nothing else");
        at_most(self.rest < SPEAKS, Verdict::Distinct, "nothing but the name agrees");
        at_most(self.other_address, Verdict::Review, "known by another address");
        all
    }

    /// Whether the names that both have leave open which one of a household or a family it is.
    fn is_half_a_name(&self) -> bool {
        if self.swapped || self.reached || self.own >= OWN_SURELY {
            return false;
        }
        let family_agrees = self.family.is_some_and(|agreement| agreement != Agreement::Different);
        match self.given {
            // Twins have one day of birth, and two numbers.
            None => !(self.own >= OWN && family_agrees && !self.other_number),
            Some(Agreement::Initial) if self.own < OWN_NEARLY => true,
            // Nobody else of that given name lives there.
            Some(_) => self.family.is_none() && self.address < HOUSE && self.own < OWN,
        }
    }

    /// Whether a day of birth with a slip is all that stands beside names that many have.
    fn is_nearly_the_birthday(&self) -> bool {
        let alone = |bits: f64| self.rest - bits < SPEAKS;
        match self.born {
            Some((Agreement::Near, bits)) => alone(bits) && self.names < RARE_NAMES,
            Some((Agreement::Part, bits)) => alone(bits),
            _ => false,
        }
    }
}
