//! Two descriptions of organisations, field by field.

use super::{
    company,
    details::{Profile, Subject},
    line::{Agreement, Line, Verdict, limit},
    people::phones,
    place,
};

pub(super) fn compare(left: &Profile, right: &Profile) -> Vec<Line> {
    let (one, other) = (&left.details, &right.details);
    let mut lines = Vec::new();
    let name = company::compare(&left.company, &right.company);
    lines.extend(name.map(|name| Line::new("company", name, &one.company, &other.company)));
    if let Some(phone) = phones(&left.phones, &right.phones) {
        lines.push(Line::new("phone", phone, &one.phones.join(", "), &other.phones.join(", ")));
    }
    lines.extend(place::compare(&left.place, &right.place, one, other));
    let shared = one.domains.iter().find(|domain| other.domains.contains(domain));
    lines.extend(shared.map(|domain| Line::new("domain", (Agreement::Same, 12.0), domain, domain)));

    let thresholds = Subject::Organisation.thresholds();
    if name.is_none_or(|(_, weight)| weight <= 0.0) {
        limit(&mut lines, Verdict::Distinct, &thresholds, "another name");
    }
    if is_elsewhere(left, right) {
        limit(&mut lines, Verdict::Distinct, &thresholds, "another place");
    }
    if shared.is_none() && !one.domains.is_empty() && !other.domains.is_empty() {
        limit(&mut lines, Verdict::Review, &thresholds, "known by another domain");
    }
    lines
}

/// Whether the two are at different places: more than the city, or the street, speaks against.
pub fn is_elsewhere(left: &Profile, right: &Profile) -> bool {
    let lines = place::compare(&left.place, &right.place, &left.details, &right.details);
    lines.iter().map(|line| line.weight).sum::<f64>() < -4.0
}
