use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::{
    activity::Channel,
    source::{Field, FieldType, ProductCategory},
};

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn source() -> Source {
    let field = |name: &str, field_type, answer| Field { name: name.into(), field_type, answer };
    Source {
        name: "website-form".into(),
        display_name: "Website".into(),
        default_activity_type: "form_submitted".into(),
        default_channel: Channel::Web,
        default_product_category: "hplc".into(),
        consent: None,
        fields: vec![field("pages", FieldType::Number, false), field("budget", FieldType::Number, true)],
        redirect_url: String::new(),
        webhook: None,
        verifies_mobile: false,
    }
}

fn catalogue_with(source: Source) -> Catalogue {
    let category = ProductCategory { name: "hplc".into(), display_name: String::new(), parent: String::new() };
    Catalogue::new([source], [category])
}

fn draft() -> Draft {
    Draft {
        source: "website-form".into(),
        identity: Identity { email: "anna@example.com".into(), ..Identity::default() },
        ..Draft::default()
    }
}

fn checked(draft: Draft) -> Result<Entry> {
    check(draft, &catalogue_with(source()), now())
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn values(count: usize) -> Values {
    (0..count).map(|n| (format!("k{n}"), json!(n))).collect()
}

fn named(key: &str, value: Json) -> Values {
    Values::from([(key.to_owned(), value)])
}

/// A draft that is right, with its identity changed.
fn who(change: impl FnOnce(&mut Identity)) -> Draft {
    let mut draft = draft();
    change(&mut draft.identity);
    draft
}

fn phone_only(phone: &str, country: &str) -> Draft {
    let (phone, country) = (phone.to_owned(), country.to_owned());
    let identity = Identity { phone, country, ..Identity::default() };
    Draft { identity, ..draft() }
}

/// The table of all reasons is in the tests of the doors; here is what looks right at first sight.
#[test]
fn what_looks_right_at_first_sight_is_refused_too() {
    let email = |email: &str| who(|identity| identity.email = email.to_owned());
    let attributes = |key: &str, value: Json| Draft { attributes: named(key, value), ..draft() };
    let long_key = "k".repeat(64);
    let shown_key = format!("attributes.{}", "k".repeat(63));
    let cases = [
        (email("  "), "MISSING_IDENTITY", "identity"),
        (email("anna@localhost"), "INVALID_EMAIL", "identity.email"),
        (email("Anna <anna@example.com>"), "INVALID_EMAIL", "identity.email"),
        (email(&"x".repeat(321)), "FIELD_TOO_LONG", "identity.email"),
        (phone_only("030 123456", ""), "INVALID_PHONE", "identity.phone"),
        (who(|identity| identity.country = "49".into()), "INVALID_COUNTRY", "identity.country"),
        (Draft { occur_time: at("2026-11-24T12:05:00.001Z"), ..draft() }, "OCCUR_TIME_IN_FUTURE", "occur_time"),
        (Draft { occur_time: at("1999-12-31T23:59:59.999Z"), ..draft() }, "OCCUR_TIME_TOO_OLD", "occur_time"),
        (Draft { activity_type: "a".repeat(64), ..draft() }, "INVALID_ACTIVITY_TYPE", "activity_type"),
        (Draft { source_event_id: "é".repeat(101), ..draft() }, "INVALID_SOURCE_EVENT_ID", "source_event_id"),
        (attributes(&long_key, json!(1)), "FIELD_TOO_LONG", &shown_key),
        (attributes("why", json!("x".repeat(1001))), "FIELD_TOO_LONG", "attributes.why"),
        (attributes("a\0", json!(1)), "INVALID_TEXT", "attributes.a"),
        (Draft { answers: values(101), ..draft() }, "TOO_MANY_FIELDS", "answers"),
    ];
    for (draft, reason, field) in cases {
        let error = checked(draft).unwrap_err();
        let violation = error.violations().first().map(|(field, _)| field.as_str());
        assert_eq!((error.reason(), violation), (reason, Some(field)), "{error}");
    }
}

#[test]
fn limits_themselves_are_within() {
    let draft = Draft {
        source_event_id: "é".repeat(100),
        activity_type: "a".repeat(63),
        occur_time: at("2026-11-24T12:05:00Z"),
        object_id: "x".repeat(500),
        notes: "x".repeat(10_000),
        attributes: values(100),
        answers: named(&"k".repeat(63), json!("x".repeat(1000))),
        identity: Identity { company: "x".repeat(320), country: "de".into(), ..Identity::default() },
        ..draft()
    };
    let entry = checked(draft).unwrap();
    assert_eq!(entry.payload.identity.country, "DE");
    checked(Draft { occur_time: at("2000-01-01T00:00:00Z"), ..self::draft() }).unwrap();
}

#[test]
fn a_phone_is_judged_only_when_nothing_else_says_who_it_was() {
    checked(who(|identity| identity.phone = "call me".into())).unwrap();
    checked(phone_only("+49 30 123456", "")).unwrap();
    checked(phone_only("030 123456", "de")).unwrap();
}

#[test]
fn what_is_not_said_comes_from_the_source() {
    let entry = checked(draft()).unwrap();
    assert_eq!(entry.activity_type, "form_submitted");
    assert_eq!(entry.channel, Channel::Web);
    assert_eq!(entry.product_category.as_deref(), Some("hplc"));
    assert_eq!((entry.source_event_id, entry.occur_time), (None, None));

    let said = Draft { activity_type: "page_viewed".into(), channel: Some(Channel::Email), ..draft() };
    let entry = checked(said).unwrap();
    assert_eq!((entry.activity_type.as_str(), entry.channel), ("page_viewed", Channel::Email));
}

#[test]
fn what_the_source_does_not_declare_is_kept_apart() {
    let attributes = Values::from([("pages".to_owned(), json!(3.0)), ("utm".to_owned(), json!("x"))]);
    // The answer `pages` is another thing than the attribute `pages`.
    let entry = checked(Draft { attributes, answers: named("pages", json!("x")), ..draft() }).unwrap();
    assert_eq!(entry.payload.attributes, named("pages", json!(3.0)));
    assert_eq!(entry.payload.undeclared_attributes, named("utm", json!("x")));
    assert_eq!(entry.payload.undeclared_answers, named("pages", json!("x")));
}

#[test]
fn all_mistakes_are_named_at_once_but_no_more_than_ten() {
    let two = Draft { identity: Identity::default(), activity_type: "X".into(), ..draft() };
    let error = checked(two).unwrap_err();
    let fields: Vec<_> = error.violations().iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["identity", "activity_type"]);

    let many = values(100).into_keys().map(|key| (key, json!("x".repeat(1001)))).collect();
    assert_eq!(checked(Draft { attributes: many, ..draft() }).unwrap_err().violations().len(), 10);
}

#[test]
fn blanks_around_an_identity_make_no_other_content() {
    let spaced = Identity { email: " anna@example.com ".into(), ..Identity::default() };
    let digest = |draft| checked(draft).unwrap().digest;
    assert_eq!(digest(Draft { identity: spaced, ..draft() }), digest(draft()));
}

prop_compose! {
    fn any_identity()(texts in proptest::collection::vec(".{0,30}", 12), phone in "[+0-9 ().;a-z=-]{0,24}") -> Identity {
        let mut identity = Identity::default();
        for ((_, field), text) in identity.fields_mut().into_iter().zip(texts) {
            *field = text;
        }
        Identity { phone, ..identity }
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_accepted_or_refused(
        identity in any_identity(),
        texts in proptest::collection::vec(".{0,70}", 5),
        seconds in any::<i32>(),
        attributes in proptest::collection::btree_map(".{0,70}", any::<Option<f64>>(), 0..8),
    ) {
        let draft = Draft {
            source: "website-form".into(),
            source_event_id: texts[0].clone(),
            activity_type: texts[1].clone(),
            product_category: texts[2].clone(),
            object_id: texts[3].clone(),
            notes: texts[4].clone(),
            occur_time: Timestamp::from_second(i64::from(seconds)).ok(),
            identity,
            attributes: attributes.into_iter().map(|(key, value)| (key, json!(value))).collect(),
            ..Draft::default()
        };
        if let Err(error) = checked(draft) {
            prop_assert!(!error.violations().is_empty());
        }
    }

    #[test]
    fn any_text_is_a_phone_or_none(phone in ".{0,40}", digits in "[+]?[0-9 ()/.-]{0,30}", country in "[A-Z]{2}|") {
        is_phone(&phone, &country);
        is_phone(&digits, &country);
    }

    #[test]
    fn any_text_is_an_address_or_none(text in ".{0,60}", at in "[^@]{0,20}@[^@]{0,20}") {
        is_email(&text);
        is_email(&at);
    }
}
