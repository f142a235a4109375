//! What columns mean, guessed from their heads: the words that badge readers and telephone systems use, in English and
//! German. A guess may be missing, and never daring: "badge number" is nobody's id beyond its show, and "event id" may
//! be the show.

use std::collections::BTreeSet;

use leadflow_proto::activity::v1::Source;

use super::{
    failures,
    field::{Field, Kind},
};

/// Heads of an identity's fields.
pub(super) const IDENTITY: [(&str, &[&str]); 12] = [
    (
        "email",
        &[
            "email",
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "e mail adresse",
            "work email",
            "business email",
        ],
    ),
    (
        "phone",
        &[
            "phone",
            "telephone",
            "tel",
            "phone number",
            "mobile",
            "mobile phone",
            "work phone",
            "telefon",
            "telefonnummer",
        ],
    ),
    ("external_id", &["external id", "crm id"]),
    ("domain", &["domain", "website", "homepage", "company website", "webseite"]),
    (
        "company",
        &[
            "company",
            "company name",
            "organisation",
            "organization",
            "account name",
            "firma",
            "unternehmen",
            "institution",
        ],
    ),
    ("country", &["country", "country code", "land"]),
    ("region", &["region", "state", "state province", "province", "bundesland"]),
    ("postal_code", &["postal code", "postcode", "zip", "zip code", "plz", "postleitzahl"]),
    (
        "street",
        &[
            "street",
            "street number",
            "house number",
            "street address",
            "address",
            "addr",
            "address 1",
            "address line 1",
            "strasse",
            "straße",
            "hausnummer",
            "adresse",
        ],
    ),
    ("city", &["city", "town", "suburb", "ort", "stadt"]),
    ("job_title", &["job title", "title", "position", "job", "role", "function", "funktion"]),
    ("given_name", &["given name", "first name", "firstname", "fname", "forename", "vorname"]),
];

pub(super) const FAMILY_NAME: &[&str] = &["family name", "last name", "lastname", "lname", "surname", "nachname"];
pub(super) const FULL_NAME: &[&str] = &["full name", "contact name", "attendee name", "visitor name"];

/// Heads in files that are matched.
const MATCHING: [(Field, &[&str]); 3] = [
    (
        Field::BirthDate,
        &["birth date", "birthdate", "date of birth", "dob", "born", "birthday", "geburtsdatum", "geboren am"],
    ),
    (
        Field::PersonNumber,
        &[
            "person number",
            "social security number",
            "soc sec id",
            "ssn",
            "national id",
            "patient id",
            "member number",
            "versicherungsnummer",
        ],
    ),
    (Field::Identity("street"), &["address 2", "address line 2"]),
];

/// Heads of a whole moment.
const MOMENT: &[&str] = &[
    "scanned at",
    "scan date time",
    "scan datetime",
    "timestamp",
    "date time",
    "datetime",
    "captured at",
    "capture time",
    "created at",
    "called at",
    "start time",
    "started at",
    "gescannt am",
    "zeitstempel",
    "zeitpunkt",
];
/// Heads of a day; with a time of day in another column.
const DAY: &[&str] = &["date", "scan date", "call date", "datum"];
/// Heads of a time of day; of a whole moment where no column holds the day.
const TIME_OF_DAY: &[&str] = &["time", "scan time", "call time", "uhrzeit"];

/// Heads of everything else.
const OTHERS: [(Field, &[&str]); 4] = [
    (Field::EventId, &["scan id", "record id"]),
    (Field::ProductCategory, &["product category", "category", "product interest", "interest"]),
    (Field::Notes, &["notes", "note", "comment", "comments", "remarks", "bemerkung", "bemerkungen", "notizen"]),
    (Field::ActivityType, &["activity type"]),
];

/// Heads in call logs.
const CALLS: [(Field, &[&str]); 6] = [
    (Field::Direction, &["direction", "call direction", "richtung"]),
    (Field::Disposition, &["disposition", "outcome", "result", "call outcome", "call result", "status", "ergebnis"]),
    (Field::Duration, &["duration", "call duration", "talk time", "duration seconds", "seconds", "dauer"]),
    (Field::DurationMinutes, &["minutes", "duration minutes", "duration min", "minuten"]),
    (Field::Agent, &["agent", "rep", "called by", "mitarbeiter"]),
    (Field::CallId, &["call id", "call sid"]),
];

/// The field of each column: the given ones, and a guess for the others.
pub(super) fn columns(header: &[String], given: Vec<Option<Field>>, kind: Kind, source: &Source) -> Vec<Field> {
    let heads: Vec<_> = header.iter().map(|head| normal(head)).collect();
    let mut taken: BTreeSet<Field> = given.iter().flatten().cloned().collect();
    let times = if taken.contains(&Field::OccurTime) { Vec::new() } else { time_columns(&heads, &given) };
    // Where a column holds the given name, "Name" is the other one.
    let given_name = Field::Identity("given_name");
    let two_names =
        taken.contains(&given_name) || heads.iter().any(|head| one_of_identity(head) == Some(given_name.clone()));
    let mut guess = |(column, given): (usize, Option<Field>)| {
        if let Some(field) = given {
            return field;
        }
        if times.contains(&column) {
            return Field::OccurTime;
        }
        let guess = literal(&header[column])
            .or_else(|| declared(&heads[column], source))
            .or_else(|| known(&heads[column], kind, two_names))
            .unwrap_or(Field::Ignored);
        let free = guess.is_joined() || taken.insert(guess.clone());
        if free { guess } else { Field::Ignored }
    };
    given.into_iter().enumerate().map(&mut guess).collect()
}

/// What a head means in a file that is matched, and in no other.
pub(super) fn of_matching(head: &str) -> Option<Field> {
    let head = normal(head);
    MATCHING.iter().find(|(_, words)| words.contains(&head.as_str())).map(|(field, _)| field.clone())
}

/// A head in lower case, with one blank for all that is neither letter nor digit.
pub(super) fn normal(head: &str) -> String {
    let words = head.split(|symbol: char| !symbol.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The columns that together say when it happened.
fn time_columns(heads: &[String], given: &[Option<Field>]) -> Vec<usize> {
    let first = |words: &[&str]| {
        heads.iter().zip(given).position(|(head, given)| given.is_none() && words.contains(&head.as_str()))
    };
    let moment = heads.iter().zip(given).position(|(head, given)| given.is_none() && head == "occur time");
    match moment.or_else(|| first(MOMENT)) {
        Some(moment) => vec![moment],
        None => first(DAY).into_iter().chain(first(TIME_OF_DAY)).collect(),
    }
}

/// A head that is the word itself, or one of an import's own file of errors.
fn literal(head: &str) -> Option<Field> {
    match head.parse::<Field>() {
        Ok(field) => Some(field).filter(|field| !field.is_of_matching()),
        Err(_) => head.starts_with(failures::PREFIX).then_some(Field::Ignored),
    }
}

/// A head that names a field of the source.
fn declared(head: &str, source: &Source) -> Option<Field> {
    let field = source.fields.iter().find(|field| normal(&field.name) == head)?;
    let name = field.name.clone();
    Some(if field.answer { Field::Answer(name) } else { Field::Attribute(name) })
}

fn known(head: &str, kind: Kind, two_names: bool) -> Option<Field> {
    let calls = CALLS.iter().filter(|_| kind == Kind::Calls);
    let other = calls.chain(&OTHERS).find(|(_, words)| words.contains(&head)).map(|(field, _)| field.clone());
    other.or_else(|| one_of_identity(head)).or_else(|| match head {
        "name" if two_names => Some(Field::Identity("family_name")),
        "name" => Some(Field::FullName),
        _ if FAMILY_NAME.contains(&head) => Some(Field::Identity("family_name")),
        _ => FULL_NAME.contains(&head).then_some(Field::FullName),
    })
}

fn one_of_identity(head: &str) -> Option<Field> {
    IDENTITY.iter().find(|(_, words)| words.contains(&head)).map(|(name, _)| Field::Identity(name))
}

#[cfg(test)]
mod tests {
    use leadflow_proto::activity::v1 as activity;

    use super::*;

    fn source() -> Source {
        let field = |name: &str, answer| activity::Field { name: name.into(), r#type: 2, answer };
        Source { fields: vec![field("minutes", false), field("time_frame_months", true)], ..Source::default() }
    }

    fn guessed(kind: Kind, heads: &[&str]) -> String {
        let header: Vec<_> = heads.iter().map(|head| (*head).to_owned()).collect();
        let fields = columns(&header, vec![None; heads.len()], kind, &source());
        fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_usual_heads_are_understood() {
        let heads = ["First Name", "Last Name", "E-Mail", "Company", "Country", "Scanned At", "Booth", "Comments"];
        let expected = "given_name family_name email company country occur_time ignore notes";
        assert_eq!(guessed(Kind::Scans, &heads), expected);
        let heads = ["Vorname", "Name", "E-Mail-Adresse", "Firma", "Land", "PLZ", "Datum", "Uhrzeit"];
        let expected = "given_name family_name email company country postal_code occur_time occur_time";
        assert_eq!(guessed(Kind::Scans, &heads), expected);
        assert_eq!(guessed(Kind::Scans, &["Name"]), "full_name");
    }

    #[test]
    fn a_time_of_day_is_a_moment_only_without_a_day_and_both_only_without_a_moment() {
        assert_eq!(guessed(Kind::Scans, &["Scan Time", "email"]), "occur_time email");
        assert_eq!(guessed(Kind::Scans, &["Scan Time", "Scan Date"]), "occur_time occur_time");
        assert_eq!(guessed(Kind::Scans, &["Date", "Timestamp"]), "ignore occur_time");
    }

    #[test]
    fn what_the_source_declares_is_found_by_its_name() {
        assert_eq!(
            guessed(Kind::Scans, &["Time frame (months)", "Minutes"]),
            "answer.time_frame_months attribute.minutes"
        );
        assert_eq!(guessed(Kind::Scans, &["answer.budget", "attribute.hall"]), "answer.budget attribute.hall");
    }

    #[test]
    fn words_of_calls_count_in_call_logs_only() {
        let heads = ["Direction", "Outcome", "Duration", "Agent", "Call ID"];
        assert_eq!(guessed(Kind::Calls, &heads), "direction disposition duration agent call_id");
        assert_eq!(guessed(Kind::Scans, &heads), "ignore ignore ignore ignore ignore");
    }

    #[test]
    fn the_first_of_two_columns_with_one_meaning_counts() {
        assert_eq!(guessed(Kind::Scans, &["Email", "Work Email"]), "email ignore");
        assert_eq!(guessed(Kind::Scans, &["Notes", "Comments"]), "notes notes", "free text adds up");
    }

    #[test]
    fn a_file_of_errors_is_understood() {
        let heads = ["import_line", "import_event_id", "import_reason", "email"];
        assert_eq!(guessed(Kind::Scans, &heads), "ignore import_event_id ignore email");
    }
}
