//! What the events of SendGrid's Event Webhook mean: a JSON array of flat objects, one for each thing that happened to an
//! email. The names of the fields are the provider's (Event Webhook reference, Twilio SendGrid).

use jiff::Timestamp;
use leadflow_platform::{Error, Result};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use crate::{
    domain::{
        activity::Draft,
        limits::{MAX_KEY, MAX_OBJECT_ID, MAX_VALUE},
        quarantine::{Content, Incoming, Refused},
        source::{FieldType, Source},
    },
    error,
};

/// The provider's name, in the path and in the configuration.
pub(crate) const PROVIDER: &str = "sendgrid";
/// Fields with a meaning of their own, or of none to anybody but the provider's engineers.
const KNOWN: [&str; 12] = [
    "event",
    "timestamp",
    "sg_event_id",
    "sg_message_id",
    "smtp-id",
    "url",
    "product_category",
    "object_id",
    "url_offset",
    "tls",
    "cert_err",
    "response",
];

/// What a body holds.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What happened, to be recorded or kept.
    pub(crate) incoming: Vec<Incoming>,
    /// Events that say nothing of a buyer: that an email was taken over for sending, or has to wait.
    pub(crate) ignored: usize,
}

/// Reads the body of a webhook of `source`. What cannot be read is told as refused, with its bytes, so that it can be
/// kept.
pub(crate) fn read(source: &Source, body: &[u8]) -> Told {
    let mut told = Told::default();
    match serde_json::from_slice::<Vec<Json>>(body) {
        Err(cause) => {
            let error = error::malformed_body("is no JSON array of events").because(cause);
            told.incoming.push(Err(Box::new(refused(source, error, body.to_vec()))));
        }
        Ok(events) => events.into_iter().for_each(|event| tell(source, event, &mut told)),
    }
    told
}

fn tell(source: &Source, event: Json, told: &mut Told) {
    match event.as_object().map(|fields| draft(source, fields)) {
        Some(Ok(Some(draft))) => told.incoming.push(Ok(draft)),
        Some(Ok(None)) => told.ignored += 1,
        Some(Err(error)) => told.incoming.push(Err(Box::new(refused(source, error, event.to_string().into_bytes())))),
        None => {
            let error = Error::field("MALFORMED_EVENT", "event", "is no JSON object");
            told.incoming.push(Err(Box::new(refused(source, error, event.to_string().into_bytes()))));
        }
    }
}

fn refused(source: &Source, error: Error, bytes: Vec<u8>) -> Refused {
    let digest = Sha256::digest(&bytes).into();
    Refused { source: source.name.clone(), error, content: Content::Raw(bytes), digest }
}

/// The activity that an event is; none when it says nothing of a buyer.
fn draft(source: &Source, fields: &Map<String, Json>) -> Result<Option<Draft>> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let activity_type = match text("event") {
        "processed" | "deferred" => return Ok(None),
        "delivered" => "email_delivered",
        "open" => "email_opened",
        "click" => "email_clicked",
        // Dropped: it would have bounced, so it was not even sent.
        "bounce" | "dropped" => "email_bounced",
        "unsubscribe" | "group_unsubscribe" => "email_unsubscribed",
        "group_resubscribe" => "email_resubscribed",
        "spamreport" => "email_spam_reported",
        other => return Err(error::unknown_event(other)),
    };
    let seconds = fields.get("timestamp").and_then(Json::as_i64);
    let occur_time = seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| Error::field("MALFORMED_EVENT", "timestamp", "must be a Unix time in seconds"))?;
    let mut draft = Draft {
        source: source.name.clone(),
        source_event_id: event_id(text("sg_event_id"), fields),
        activity_type: activity_type.to_owned(),
        product_category: text("product_category").to_owned(),
        occur_time: Some(occur_time),
        object_id: object(text("url"), text("object_id"), text("sg_message_id")),
        ..Draft::default()
    };
    for (name, value) in fields.iter().filter(|(name, _)| name.len() <= MAX_KEY && !KNOWN.contains(&name.as_str())) {
        if let Some((_, said)) = draft.identity.fields_mut().into_iter().find(|(field, _)| field == name) {
            *said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else if let Some((answer, value)) = typed(source, name, value) {
            let values = if answer { &mut draft.answers } else { &mut draft.attributes };
            values.insert(name.clone(), value);
        }
    }
    Ok(Some(draft))
}

/// The provider's id of the event. Where it gives none, the event is its own name: it is sent again as it was.
fn event_id(given: &str, fields: &Map<String, Json>) -> String {
    if !given.is_empty() {
        return given.to_owned();
    }
    format!("sha256-{}", digest(&Json::Object(fields.clone()).to_string()))
}

/// What it was done to: the link; or else what the sender has named; or else the message, whose id is what comes before
/// the name of the machine that sent it.
fn object(url: &str, named: &str, message_id: &str) -> String {
    match (url, named) {
        ("", "") => message_id.split('.').next().unwrap_or_default().to_owned(),
        ("", named) => named.to_owned(),
        (url, _) if url.len() <= MAX_OBJECT_ID => url.to_owned(),
        // Its beginning, for people, and what tells it from others that begin so.
        (url, _) => {
            let digest = digest(url);
            let beginning = cut(url.to_owned(), MAX_OBJECT_ID - digest.len() - 1);
            format!("{beginning}~{digest}")
        }
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A custom argument, or a fact of the provider's, with the type that the source declares. Lists become one text.
fn typed(source: &Source, name: &str, value: &Json) -> Option<(bool, Json)> {
    let field = source.form_field(name);
    let answer = field.is_some_and(|field| field.answer);
    let text = match value {
        Json::Number(_) | Json::Bool(_) if field.is_none_or(|field| field.field_type.admits(value)) => {
            return Some((answer, value.clone()));
        }
        Json::Number(_) | Json::Bool(_) => value.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        Json::Null | Json::Object(_) => return None,
    };
    // Custom arguments are always texts; a number is one all the same where it is declared.
    let declared = field.filter(|field| field.field_type != FieldType::String);
    let typed = declared.and_then(|field| field.field_type.parse(&text));
    Some((answer, typed.unwrap_or_else(|| Json::String(cut(text, MAX_VALUE)))))
}

/// As much of a text as a value may have; a description of a machine may be longer.
fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{activity::Channel, source::Field};

    fn source() -> Source {
        let field = |name: &str, field_type, answer| Field { name: name.into(), field_type, answer };
        Source {
            name: "newsletter".into(),
            display_name: String::new(),
            default_activity_type: "email_delivered".into(),
            default_channel: Channel::Email,
            default_product_category: String::new(),
            consent: None,
            fields: vec![
                field("issue", FieldType::Number, false),
                field("campaign", FieldType::String, false),
                field("budget", FieldType::Number, true),
            ],
            redirect_url: String::new(),
            webhook: None,
            verifies_mobile: false,
        }
    }

    fn told(events: Json) -> Told {
        read(&source(), events.to_string().as_bytes())
    }

    fn one(event: Json) -> Draft {
        told(json!([event])).incoming.remove(0).unwrap()
    }

    #[test]
    fn each_event_means_what_it_means() {
        for (event, expected) in [
            ("delivered", "email_delivered"),
            ("open", "email_opened"),
            ("click", "email_clicked"),
            ("bounce", "email_bounced"),
            ("dropped", "email_bounced"),
            ("unsubscribe", "email_unsubscribed"),
            ("group_unsubscribe", "email_unsubscribed"),
            ("group_resubscribe", "email_resubscribed"),
            ("spamreport", "email_spam_reported"),
        ] {
            let draft = one(json!({"event": event, "email": "a@example.org", "timestamp": 1_700_000_000}));
            assert_eq!(draft.activity_type, expected);
        }
        let quiet = told(json!([{"event": "processed"}, {"event": "deferred"}]));
        assert_eq!((quiet.ignored, quiet.incoming.len()), (2, 0));
    }

    #[test]
    fn a_click_is_on_its_link_and_an_opening_on_its_message() {
        let event = |name: &str| {
            json!({"event": name, "email": "ada@example.org", "timestamp": 1_700_000_000, "sg_event_id": "e-1",
                "sg_message_id": "abc.filter0001.16648.5515E0B88.0", "url": "https://example.com/hplc"})
        };
        let click = one(event("click"));
        assert_eq!((click.object_id.as_str(), click.source_event_id.as_str()), ("https://example.com/hplc", "e-1"));
        assert_eq!(click.occur_time, Timestamp::from_second(1_700_000_000).ok());
        assert_eq!(click.identity.email, "ada@example.org");
        let mut open = event("open");
        open["url"] = Json::Null;
        assert_eq!(one(open).object_id, "abc");
    }

    #[test]
    fn custom_arguments_get_the_type_that_the_source_declares() {
        let draft =
            one(json!({"event": "open", "email": "a@example.org", "timestamp": 1, "issue": "12", "budget": "9",
            "campaign": "spring", "category": ["news", "hplc"], "sg_machine_open": true, "product_category": "hplc",
            "asm_group_id": 7, "smtp-id": "<x>", "nested": {"a": 1}}));
        let attributes = json!(draft.attributes);
        let expected = json!({"issue": 12.0, "campaign": "spring", "category": "news, hplc", "sg_machine_open": true,
            "asm_group_id": 7});
        assert_eq!(attributes, expected);
        assert_eq!(json!(draft.answers), json!({"budget": 9.0}));
        assert_eq!(draft.product_category, "hplc");
    }

    #[test]
    fn a_value_that_came_with_another_type_is_read_with_the_declared_one() {
        let draft = one(json!({"event": "open", "timestamp": 1, "campaign": 41, "issue": true, "budget": 9}));
        assert_eq!(
            json!(draft.attributes),
            json!({"campaign": "41", "issue": "true"}),
            "the check refuses what is none"
        );
        assert_eq!(json!(draft.answers), json!({"budget": 9}));
    }

    #[test]
    fn custom_arguments_say_who_it_was_and_what_it_was_about() {
        let mut event = json!({"event": "open", "email": "a@example.org", "timestamp": 1, "external_id": "sub-7",
            "company": "Example", "object_id": "bench-notes-41", "sg_message_id": "abc.filter", "postal_code": 8010});
        let draft = one(event.clone());
        assert_eq!((draft.identity.email.as_str(), draft.identity.external_id.as_str()), ("a@example.org", "sub-7"));
        assert_eq!((draft.identity.company.as_str(), draft.identity.postal_code.as_str()), ("Example", "8010"));
        assert_eq!((draft.object_id.as_str(), draft.attributes.len()), ("bench-notes-41", 0));
        event["url"] = json!("https://example.com/hplc");
        assert_eq!(
            one(event).object_id,
            "https://example.com/hplc",
            "a link is what was clicked, whatever else is said"
        );
    }

    #[test]
    fn an_event_without_an_id_is_its_own_name() {
        let mut event = json!({"event": "dropped", "email": "a@example.org", "timestamp": 1});
        let first = one(event.clone()).source_event_id;
        assert_eq!(first, one(event.clone()).source_event_id);
        assert_eq!((first.len(), first.starts_with("sha256-")), (71, true));
        event["timestamp"] = json!(2);
        assert_ne!(first, one(event).source_event_id);
    }

    #[test]
    fn a_link_that_is_too_long_keeps_what_tells_it_from_others() {
        let clicked = |tail: &str| {
            let url = format!("https://example.com/{}{tail}", "ü".repeat(300));
            one(json!({"event": "click", "timestamp": 1, "url": url})).object_id
        };
        assert!(clicked("1").len() <= MAX_OBJECT_ID && clicked("1").starts_with("https://example.com/ü"));
        assert_eq!(clicked("1"), clicked("1"));
        assert_ne!(clicked("1"), clicked("2"));
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_it_came_and_stops_nothing() {
        let mixed = told(json!([{"event": "invented", "timestamp": 1}, 7, {"event": "open"}, {"event": "open",
            "email": "a@example.org", "timestamp": 1}]));
        let reasons: Vec<_> =
            mixed.incoming.iter().map(|one| one.as_ref().err().map(|refused| refused.error.reason())).collect();
        assert_eq!(reasons, [Some("UNKNOWN_EVENT"), Some("MALFORMED_EVENT"), Some("MALFORMED_EVENT"), None]);
        let broken = read(&source(), b"[{\"event\": \"open\",");
        let refused = broken.incoming.into_iter().next().unwrap().unwrap_err();
        assert_eq!(refused.error.reason(), "MALFORMED_BODY");
        assert_eq!(refused.content, Content::Raw(b"[{\"event\": \"open\",".to_vec()));
    }

    #[test]
    fn a_long_description_is_cut_between_characters() {
        let draft = one(json!({"event": "open", "timestamp": 1, "useragent": "ü".repeat(MAX_VALUE)}));
        assert_eq!(draft.attributes["useragent"].as_str().unwrap().len(), MAX_VALUE);
    }
}
