//! What the fields of a web form mean.

use std::collections::BTreeMap;

use leadflow_platform::{Error, Result, clock::truncate};
use serde_json::Value as Json;

use crate::domain::{
    activity::Draft,
    source::{FieldType, Source},
};

/// The words that a form uses for the fields of an activity, each with the field's own name.
const WORDS: [(&str, &str); 20] = [
    ("email", "identity.email"),
    ("phone", "identity.phone"),
    ("external_id", "identity.external_id"),
    ("anonymous_id", "identity.anonymous_id"),
    ("domain", "identity.domain"),
    ("company", "identity.company"),
    ("country", "identity.country"),
    ("region", "identity.region"),
    ("postal_code", "identity.postal_code"),
    ("given_name", "identity.given_name"),
    ("family_name", "identity.family_name"),
    ("job_title", "identity.job_title"),
    ("street", "identity.street"),
    ("city", "identity.city"),
    ("product_category", "product_category"),
    ("activity_type", "activity_type"),
    ("object_id", "object_id"),
    ("message", "notes"),
    ("event_id", "source_event_id"),
    ("occur_time", "occur_time"),
];

/// Whether a form uses this name for a field of the activity, so that a source cannot declare it.
pub(crate) fn is_reserved(name: &str) -> bool {
    WORDS.iter().any(|(word, _)| *word == name)
}

/// The same error in the words of the form, for the people who fill it in.
pub(crate) fn in_form_words(error: Error) -> Error {
    let mut violations = error.violations().iter().map(|(field, text)| (form_word(field), text));
    let Some((field, text)) = violations.next() else {
        return error;
    };
    violations
        .fold(Error::field(error.reason(), field, text), |all, (field, text)| all.and(Error::invalid(field, text)))
}

fn form_word(field: &str) -> &str {
    let word = WORDS.iter().find(|(_, own)| *own == field).map(|(word, _)| *word);
    let value = || field.strip_prefix("attributes.").or_else(|| field.strip_prefix("answers."));
    word.or_else(value).unwrap_or(field)
}

/// The activity that a form of this source describes. What the source declares gets its type; a value that cannot be
/// read stays a text, and the check refuses it. Fields that are left empty say nothing.
///
/// # Errors
/// `INVALID_FIELD` when `occur_time` is no moment.
pub(crate) fn draft(source: &Source, fields: Vec<(String, String)>) -> Result<Draft> {
    let mut draft = Draft { source: source.name.clone(), ..Draft::default() };
    for (name, texts) in by_name(fields) {
        if !set_word(&mut draft, &name, &texts)? {
            set_value(&mut draft, source, name, &texts);
        }
    }
    Ok(draft)
}

/// All texts of each field, in their order; a group of checkboxes sends several.
fn by_name(fields: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut by_name = BTreeMap::<_, Vec<_>>::new();
    for (name, text) in fields {
        if !name.is_empty() && !text.trim().is_empty() {
            by_name.entry(name).or_default().push(text);
        }
    }
    by_name
}

/// Sets the activity's field that the form means by `name`, if it means one.
fn set_word(draft: &mut Draft, name: &str, texts: &[String]) -> Result<bool> {
    let text = || texts.last().cloned().unwrap_or_default();
    if let Some((_, field)) = draft.identity.fields_mut().into_iter().find(|(field, _)| *field == name) {
        *field = text();
        return Ok(true);
    }
    match name {
        "product_category" => draft.product_category = text(),
        "activity_type" => draft.activity_type = text(),
        "object_id" => draft.object_id = text(),
        "message" => draft.notes = text(),
        "event_id" => draft.source_event_id = text(),
        "occur_time" => {
            let time = text().trim().parse().map_err(|_| {
                Error::invalid("occur_time", "must be a moment with its zone, such as `2026-11-24T13:00:00Z`")
            })?;
            draft.occur_time = Some(truncate(time));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Keeps a value under its name. Several texts are one list in words; of several numbers or ticks the last counts.
fn set_value(draft: &mut Draft, source: &Source, name: String, texts: &[String]) {
    let last = || texts.last().map(String::as_str).unwrap_or_default();
    let (answer, value) = match source.form_field(&name) {
        Some(field) if field.field_type != FieldType::String => {
            (field.answer, field.field_type.parse(last()).unwrap_or_else(|| Json::String(last().to_owned())))
        }
        field => (field.is_some_and(|field| field.answer), Json::String(texts.join(", "))),
    };
    let values = if answer { &mut draft.answers } else { &mut draft.attributes };
    values.insert(name, value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::{activity::Channel, source::Field};

    fn source() -> Source {
        let field = |name: &str, field_type, answer| Field { name: name.into(), field_type, answer };
        Source {
            name: "website-form".into(),
            display_name: String::new(),
            default_activity_type: "form_submitted".into(),
            default_channel: Channel::Web,
            default_product_category: String::new(),
            consent: None,
            fields: vec![
                field("budget", FieldType::Number, true),
                field("wants_call", FieldType::Bool, false),
                field("topics", FieldType::String, false),
            ],
            redirect_url: String::new(),
            webhook: None,
            verifies_mobile: false,
        }
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Draft> {
        draft(&source(), pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect())
    }

    #[test]
    fn declared_fields_get_their_type_and_others_stay_texts() {
        let draft =
            read(&[("budget", "12.5"), ("wants_call", "on"), ("utm_source", "news"), ("message", "Hello")]).unwrap();
        assert_eq!(draft.answers["budget"], json!(12.5));
        assert_eq!(draft.attributes["wants_call"], json!(true));
        assert_eq!(draft.attributes["utm_source"], json!("news"));
        assert_eq!(draft.notes, "Hello");
    }

    #[test]
    fn a_group_of_checkboxes_is_one_list_and_the_last_number_counts() {
        let draft = read(&[("topics", "hplc"), ("topics", "gc"), ("budget", "1"), ("budget", "2")]).unwrap();
        assert_eq!(draft.attributes["topics"], json!("hplc, gc"));
        assert_eq!(draft.answers["budget"], json!(2.0));
    }

    #[test]
    fn fields_that_are_left_empty_say_nothing() {
        assert_eq!(read(&[("email", ""), ("budget", " "), ("", "x")]).unwrap(), read(&[]).unwrap());
    }

    #[test]
    fn a_value_that_cannot_be_read_stays_a_text_for_the_check() {
        assert_eq!(read(&[("budget", "a lot")]).unwrap().answers["budget"], json!("a lot"));
        for number in ["inf", "NaN", "1e999"] {
            assert_eq!(read(&[("budget", number)]).unwrap().answers["budget"], json!(number));
        }
    }

    #[test]
    fn a_moment_needs_its_zone() {
        assert!(read(&[("occur_time", "2026-11-24T13:00:00+01:00")]).unwrap().occur_time.is_some());
        let error = read(&[("occur_time", "24.11.2026")]).unwrap_err();
        assert_eq!(error.violations()[0].0, "occur_time");
    }

    #[test]
    fn errors_are_told_in_the_words_of_the_form() {
        let error = Error::field("A", "identity.email", "x").and(Error::invalid("answers.budget", "y"));
        let error = in_form_words(error.and(Error::invalid("notes", "z")));
        let fields: Vec<_> = error.violations().iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!((error.reason(), fields), ("A", vec!["email", "budget", "message"]));
    }

    proptest! {
        #[test]
        fn any_form_can_be_read(pairs in proptest::collection::vec((".{0,12}", ".{0,40}"), 0..12)) {
            let _ = draft(&source(), pairs);
        }
    }
}
