//! Two descriptions of organisations, field by field.

use super::{
    company,
    details::{Profile, Subject},
    line::{Agreement, Line, Verdict, limit},
    people::phones,
    place,
    text::words,
};

/// A street down to the house.
const HOUSE: f64 = 10.0;

pub(super) fn compare(left: &Profile, right: &Profile) -> Vec<Line> {
    let (one, other) = (&left.details, &right.details);
    let mut lines = Vec::new();
    let here: Vec<String> = words(&one.city).into_iter().chain(words(&other.city)).collect();
    let name = company::compare(&left.company, &right.company, &here);
    lines.extend(name.map(|name| Line::new("company", name, &one.company, &other.company)));
    let phone = phones(&left.phones, &right.phones);
    lines.extend(phone.map(|phone| Line::new("phone", phone, &one.phones.join(", "), &other.phones.join(", "))));
    lines.extend(place::compare(&left.place, &right.place, one, other));
    let shared = one.domains.iter().find(|domain| other.domains.contains(domain));
    lines.extend(shared.map(|domain| Line::new("domain", (Agreement::Same, 12.0), domain, domain)));

    let thresholds = Subject::Organisation.thresholds();
    let reached = shared.is_some() || phone.is_some_and(|(agreement, _)| agreement == Agreement::Same);
    let most = most_by_name(name, &lines, reached);
    limit(&mut lines, most, &thresholds, "another name, or each has a word of its own");
    if !reached && is_elsewhere(left, right) {
        limit(&mut lines, Verdict::Distinct, &thresholds, "another place");
    }
    if !reached && is_branch(left, right, name, &lines) {
        limit(&mut lines, Verdict::Distinct, &thresholds, "another branch");
    }
    if shared.is_none() && !one.domains.is_empty() && !other.domains.is_empty() {
        limit(&mut lines, Verdict::Review, &thresholds, "known by another domain");
    }
    lines
}

/// What a name allows: where each says something of its own, a person has to look, and only if they share a house, a
/// phone or a domain.
fn most_by_name(name: Option<(Agreement, f64)>, lines: &[Line], reached: bool) -> Verdict {
    let Some((agreement, weight)) = name else { return Verdict::Distinct };
    let house = lines.iter().any(|line| line.field == "street" && line.weight >= HOUSE);
    match agreement {
        Agreement::Far if reached && house => Verdict::Review,
        _ if weight <= 0.0 => Verdict::Distinct,
        Agreement::Far | Agreement::Different if reached || house => Verdict::Review,
        Agreement::Far | Agreement::Different => Verdict::Distinct,
        _ => Verdict::Link,
    }
}

/// Whether the name is not quite the same and the house is another one.
fn is_branch(left: &Profile, right: &Profile, name: Option<(Agreement, f64)>, lines: &[Line]) -> bool {
    let (one, other) = (&left.place.street, &right.place.street);
    let street = lines.iter().find(|line| line.field == "street").map(|line| line.agreement);
    let other_house = match street {
        Some(Agreement::Different) => true,
        Some(Agreement::Part) => !one.number.is_empty() && !other.number.is_empty() && one.number != other.number,
        _ => false,
    };
    other_house && name.is_some_and(|(agreement, _)| agreement != Agreement::Same)
}

/// Whether the two are at different places: more than the city, or the street, speaks against.
pub fn is_elsewhere(left: &Profile, right: &Profile) -> bool {
    let lines = place::compare(&left.place, &right.place, &left.details, &right.details);
    lines.iter().map(|line| line.weight).sum::<f64>() < -4.0
}
