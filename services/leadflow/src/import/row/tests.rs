use leadflow_proto::activity::v1::{self as activity, FieldType};
use prost_types::value::Kind as ValueKind;

use super::*;

fn source() -> Source {
    let field =
        |name: &str, kind: FieldType, answer| activity::Field { name: name.into(), r#type: kind.into(), answer };
    Source {
        name: "expo".into(),
        fields: vec![field("minutes", FieldType::Number, false), field("budget", FieldType::Number, true)],
        ..Source::default()
    }
}

fn reading(kind: Kind, columns: &[&str]) -> Reading {
    Reading {
        source: source(),
        kind,
        header: columns.iter().map(|word| (*word).to_owned()).collect(),
        columns: columns.iter().map(|word| word.parse().unwrap()).collect(),
        values: Values::new(),
        times: Times::new(Some("Europe/Berlin"), None).unwrap(),
        activity_type: String::new(),
        product_category: String::new(),
    }
}

fn texts(reading: &Reading, cells: &[&str]) -> Texts {
    reading.texts(&cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())
}

fn read(reading: &Reading, cells: &[&str]) -> Result<Activity, Vec<(&'static str, String)>> {
    let problems = |problems: Vec<Problem>| problems.into_iter().map(|it| (it.reason, it.field.to_string())).collect();
    reading.activity(&texts(reading, cells)).map_err(problems)
}

const SCAN: [&str; 9] = [
    "email",
    "full_name",
    "company",
    "country",
    "occur_time",
    "occur_time",
    "attribute.minutes",
    "answer.budget",
    "notes",
];

#[test]
fn a_scan_becomes_an_activity_at_the_time_of_the_scan() {
    let reading = Reading { product_category: "hplc".into(), ..reading(Kind::Scans, &SCAN) };
    let cells =
        ["anna@example.de", "Dr. Anna Weiß", "Beispiel", "Germany", "24.11.2026", "10:14", "12", "40000", "Wants two"];
    let activity = read(&reading, &cells).unwrap();
    let identity = activity.identity.unwrap();
    assert_eq!((identity.given_name.as_str(), identity.family_name.as_str()), ("Dr. Anna", "Weiß"));
    assert_eq!((identity.email.as_str(), identity.country.as_str()), ("anna@example.de", "DE"));
    assert_eq!(activity.occur_time.unwrap().seconds, 1_795_511_640);
    assert_eq!(activity.attributes["minutes"].kind, Some(ValueKind::NumberValue(12.0)));
    assert_eq!(activity.answers["budget"].kind, Some(ValueKind::NumberValue(40_000.0)));
    assert_eq!((activity.notes.as_str(), activity.product_category.as_str()), ("Wants two", "hplc"));
    assert_eq!((activity.source.as_str(), activity.activity_type.as_str(), activity.call), ("expo", "", None));
}

#[test]
fn what_the_line_says_counts_more_than_what_was_said_of_all() {
    let columns = ["email", "occur_time", "activity_type", "product_category"];
    let base = Reading {
        activity_type: "badge_scanned".into(),
        product_category: "hplc".into(),
        ..reading(Kind::Scans, &columns)
    };
    let said = read(&base, &["a@b.de", "2026-11-24", "demo_attended", "Mass Spectrometry"]).unwrap();
    assert_eq!((said.activity_type.as_str(), said.product_category.as_str()), ("demo_attended", "mass-spectrometry"));
    let silent = read(&base, &["a@b.de", "2026-11-24", "", ""]).unwrap();
    assert_eq!((silent.activity_type.as_str(), silent.product_category.as_str()), ("badge_scanned", "hplc"));
}

#[test]
fn a_call_says_how_it_went() {
    let columns = ["phone", "occur_time", "direction", "disposition", "duration", "agent", "answer.budget"];
    let base = reading(Kind::Calls, &columns);
    let activity =
        read(&base, &["+49 30 1", "2026-11-24 10:14", "In", "Conversation", "5:30", "Oskar", "90000"]).unwrap();
    let call = activity.call.unwrap();
    assert_eq!((call.direction(), call.disposition()), (CallDirection::Inbound, activity::CallDisposition::Connected));
    assert_eq!((call.duration.unwrap().seconds, call.agent.as_str()), (330, "Oskar"));

    let problems = read(&base, &["+49 30 1", "2026-11-24 10:14", "", "great", "long", "", ""]).unwrap_err();
    let expected =
        [("INVALID_FIELD", "direction"), ("INVALID_FIELD", "disposition"), ("INVALID_CALL_DURATION", "duration")];
    assert_eq!(problems, expected.map(|(reason, field)| (reason, field.to_owned())));
    let outbound = reading(Kind::Calls, &["phone", "occur_time", "disposition"]);
    let call = read(&outbound, &["+49 30 1", "2026-11-24", "busy"]).unwrap().call.unwrap();
    assert_eq!(call.direction(), CallDirection::Outbound, "a log without directions is of those who call");
}

#[test]
fn all_that_is_wrong_with_a_line_is_named_at_once() {
    let cells = ["", "Anna", "", "Elbonia", "soon", "", "many", "40k", ""];
    let problems = read(&reading(Kind::Scans, &SCAN), &cells).unwrap_err();
    let expected = [
        ("MISSING_IDENTITY", "email"),
        ("INVALID_COUNTRY", "country"),
        ("INVALID_TIME", "occur_time"),
        ("WRONG_TYPE", "attribute.minutes"),
        ("WRONG_TYPE", "answer.budget"),
    ];
    assert_eq!(problems, expected.map(|(reason, field)| (reason, field.to_owned())));
    let problems = read(&reading(Kind::Scans, &["email", "occur_time"]), &["a@b.de", ""]).unwrap_err();
    assert_eq!(problems, [("MISSING_TIME", "occur_time".to_owned())]);
}

#[test]
fn the_words_of_a_file_are_replaced_by_those_of_its_mapping() {
    let mut base = reading(Kind::Calls, &["email", "country", "occur_time", "disposition"]);
    let words = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    base.values.insert(Field::Identity("country"), words(&[("Deutschland", "DE"), ("unbekannt", "")]));
    base.values.insert(Field::Disposition, words(&[("Gespräch", "connected")]));
    let activity = read(&base, &["a@b.de", "deutschland", "2026-11-24", "GESPRÄCH"]).unwrap();
    assert_eq!(activity.identity.unwrap().country, "DE");
    assert_eq!(read(&base, &["a@b.de", "unbekannt", "2026-11-24", "busy"]).unwrap().identity.unwrap().country, "");
}

#[test]
fn the_same_line_has_the_same_id_in_every_file() {
    let id = |columns: &[&str], cells: &[&str]| {
        let base = reading(Kind::Scans, columns);
        base.event_id(&texts(&base, cells))
    };
    let first = id(&["email", "occur_time"], &["a@b.de", "2026-11-24"]);
    assert_eq!(first, "csv-d63ef0628cb2dca624a8593e347e746e", "an id that changes sends every old file again");
    let same: [(&[&str], &[&str]); 4] = [
        (&["occur_time", "ignore", "email"], &["2026-11-24", "x", "A@b.de"]),
        (&["email", "occur_time", "company"], &["a@b.de", "2026-11-24", "Beispiel"]),
        (&["email", "occur_time", "full_name", "notes"], &["a@b.de", "2026-11-24", "Anna", "corrected"]),
        (&["email", "occur_time", "object_id", "answer.budget"], &["a@b.de", "2026-11-24", "", "5"]),
    ];
    for (columns, cells) in same {
        assert_eq!(id(columns, cells), first, "{columns:?}");
    }
    let others: [(&[&str], &[&str]); 4] = [
        (&["email", "occur_time"], &["a@b.de", "2026-11-25"]),
        (&["email", "occur_time", "object_id"], &["a@b.de", "2026-11-24", "stand 7"]),
        (&["phone", "occur_time"], &["a@b.de", "2026-11-24"]),
        (&["company", "occur_time"], &["a@b.de", "2026-11-24"]),
    ];
    for (columns, cells) in others {
        assert_ne!(id(columns, cells), first, "{columns:?}");
    }
    let card = |company: &str, name: &str| id(&["company", "occur_time", "full_name"], &[company, "2026-11-24", name]);
    assert_ne!(card("Beispiel", "Anna"), card("Beispiel", "Ben"), "who has no address is told by the name");
    let other = Reading { source: Source { name: "expo-2".into(), ..source() }, ..reading(Kind::Scans, &["email"]) };
    assert_ne!(other.event_id(&texts(&other, &["a@b.de"])), id(&["email"], &["a@b.de"]));
}

#[test]
fn an_id_of_its_own_comes_first_then_that_of_an_earlier_import_then_that_of_the_call() {
    let columns = ["event_id", "import_event_id", "call_id", "email"];
    let base = reading(Kind::Calls, &columns);
    let id = |cells: &[&str]| base.event_id(&texts(&base, cells));
    assert_eq!(id(&["e-1", "csv-1", "pbx-1", "a@b.de"]), "e-1");
    assert_eq!(id(&["", "csv-1", "pbx-1", "a@b.de"]), "csv-1");
    assert_eq!(id(&["", "", "pbx-1", "a@b.de"]), "pbx-1");
    assert!(id(&["", "", "", "a@b.de"]).starts_with("csv-"));
}

#[test]
fn names_are_split_as_they_are_written() {
    for (name, given, family) in [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"),
        ("Madonna", "", "Madonna"),
        ("", "", ""),
    ] {
        assert_eq!(split_name(name), (given.to_owned(), family.to_owned()), "{name}");
    }
}
