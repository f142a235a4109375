//! The reasons for which this service refuses something. A caller may rely on them; the words may change.

use std::time::Duration;

use leadflow_platform::error::{Code, Error};

use crate::domain::limits::{MAX_FIELDS, MAX_ITEMS, MAX_KEY};

/// Characters of a message that quotes a stranger.
const MAX_EXCERPT: usize = 200;
/// How long a caller waits before it tries a full ledger again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The source is not registered.
pub(crate) fn unknown_source(name: &str) -> Error {
    let description = format!("is not registered{}: apply a Source of this name first", quoted(name));
    Error::field("UNKNOWN_SOURCE", "source", description)
}

/// Nothing says who did it.
pub(crate) fn missing_identity() -> Error {
    let description =
        "is missing: give one of email, phone, external_id, anonymous_id, domain and company, or a name and an address";
    Error::field("MISSING_IDENTITY", "identity", description)
}

/// The address is none.
pub(crate) fn invalid_email() -> Error {
    Error::field("INVALID_EMAIL", "identity.email", "is no address such as `anna@example.com`")
}

/// The number is none, and nothing else says who did it.
pub(crate) fn invalid_phone() -> Error {
    let description = "cannot be read: write it as `+49 30 123456`, or give its country, or another identity";
    Error::field("INVALID_PHONE", "identity.phone", description)
}

/// Nobody has made sure whose phone it is.
pub(crate) fn untrusted_verification() -> Error {
    let description =
        "is only for sources that declare `verifies_mobile`: leave it out, or let VerifyMobile of contact say so";
    Error::field("UNTRUSTED_VERIFICATION", "identity.phone_verified", description)
}

/// The country is none.
pub(crate) fn invalid_country() -> Error {
    Error::field("INVALID_COUNTRY", "identity.country", "must be two letters (ISO 3166-1), such as `DE`")
}

/// It would happen only later.
pub(crate) fn occur_time_in_future() -> Error {
    let description = "is more than five minutes ahead: check the clock and the time zone of the source";
    Error::field("OCCUR_TIME_IN_FUTURE", "occur_time", description)
}

/// It would have happened before anything did.
pub(crate) fn occur_time_too_old() -> Error {
    Error::field("OCCUR_TIME_TOO_OLD", "occur_time", "is before the year 2000: check the clock of the source")
}

/// The category is not registered.
pub(crate) fn unknown_product_category(field: &str, name: &str) -> Error {
    let description = format!("is not registered{}: apply a ProductCategory of this name first", quoted(name));
    Error::field("UNKNOWN_PRODUCT_CATEGORY", field, description)
}

/// The type is no word of ours.
pub(crate) fn invalid_activity_type(field: &str) -> Error {
    let description = "must be lower snake case such as `form_submitted`, a letter first, at most 63 characters";
    Error::field("INVALID_ACTIVITY_TYPE", field, description)
}

/// The source's id of the event cannot be kept.
pub(crate) fn invalid_source_event_id() -> Error {
    let description = "must be at most 200 bytes without control characters";
    Error::field("INVALID_SOURCE_EVENT_ID", "source_event_id", description)
}

/// Longer than anything of its kind.
pub(crate) fn too_long(field: impl Into<String>, bytes: usize) -> Error {
    Error::field("FIELD_TOO_LONG", field, format!("must be at most {bytes} bytes long"))
}

/// No text that every database can keep.
pub(crate) fn invalid_text(field: impl Into<String>) -> Error {
    Error::field("INVALID_TEXT", field, "must not contain the character U+0000")
}

/// No length that a call can have.
pub(crate) fn invalid_call_duration() -> Error {
    Error::field("INVALID_CALL_DURATION", "call.duration", "must be from zero to 24 hours")
}

/// More than an activity may carry.
pub(crate) fn too_many_fields(field: &str) -> Error {
    Error::field("TOO_MANY_FIELDS", field, format!("must not hold more than {MAX_FIELDS} values"))
}

/// Declared with another type, or of a type that nothing has.
pub(crate) fn wrong_type(field: impl Into<String>, expected: &str) -> Error {
    Error::field("WRONG_TYPE", field, format!("must be {expected}"))
}

/// More items than a call may carry.
pub(crate) fn too_many(field: &str) -> Error {
    Error::field("TOO_MANY_ITEMS", field, format!("must not hold more than {MAX_ITEMS} items: send several calls"))
}

/// More than the ledger can write right now.
pub(crate) fn ledger_full() -> Error {
    Error::new(Code::ResourceExhausted, "LEDGER_FULL", "too much at once: try again in a moment")
        .retry_after(RETRY_AFTER)
}

/// The service is ending.
pub(crate) fn stopping() -> Error {
    Error::unavailable("the service is stopping: try again")
}

/// A body that cannot be read.
pub(crate) fn malformed_body(description: impl Into<String>) -> Error {
    malformed_field("body", description)
}

/// A part of a body that cannot be read.
pub(crate) fn malformed_field(field: impl Into<String>, description: impl Into<String>) -> Error {
    Error::field("MALFORMED_BODY", field, description)
}

/// Headers that cannot be read.
pub(crate) fn malformed_headers(description: impl Into<String>) -> Error {
    Error::field("MALFORMED_HEADERS", "headers", description)
}

/// A message in another encoding than ours.
pub(crate) fn unsupported_content_type() -> Error {
    let description = "must be application/protobuf, application/json or application/cloudevents+json";
    Error::field("UNSUPPORTED_MEDIA_TYPE", "content-type", description)
}

/// An activity of another source than that for which it was published.
pub(crate) fn source_mismatch(published_for: &str) -> Error {
    let description = format!("is not the one for which it was published{}: leave it out", quoted(published_for));
    Error::field("SOURCE_MISMATCH", "source", description)
}

/// A webhook for which its source has no key.
pub(crate) fn webhook_not_configured(provider: &str, source: &str) -> Error {
    let message =
        format!("`{}` takes no webhooks of `{}`: give it a `webhook` with the key", shown(source), shown(provider));
    Error::new(Code::PermissionDenied, "WEBHOOK_NOT_CONFIGURED", message)
}

/// A webhook that nobody has signed.
pub(crate) fn signature_required() -> Error {
    Error::new(
        Code::Unauthenticated,
        "SIGNATURE_REQUIRED",
        "sign the body: the headers of signature and time are missing",
    )
}

/// A webhook that its provider has not signed, or not so.
pub(crate) fn invalid_signature() -> Error {
    Error::new(
        Code::Unauthenticated,
        "INVALID_SIGNATURE",
        "the signature is not one of this source's provider over this body",
    )
}

/// A webhook that was signed too long ago.
pub(crate) fn stale_signature() -> Error {
    Error::new(Code::Unauthenticated, "STALE_SIGNATURE", "the signature is older than 25 hours, or from the future")
}

/// An event of a provider that nobody has taught us.
pub(crate) fn unknown_event(name: &str) -> Error {
    Error::field("UNKNOWN_EVENT", "event", format!("is none that is known{}", quoted(name)))
}

/// A link that none of our keys has signed, or that something is missing of.
pub(crate) fn invalid_link() -> Error {
    Error::field(
        "INVALID_LINK",
        "token",
        "is not that of a link of ours: use the whole address as it stands in the message",
    )
}

/// A link that can be used no more. Whether it was erased what it is about, it does not tell.
pub(crate) fn link_expired() -> Error {
    let message = "the link can no longer be used: if you still want it, please fill in the form once more";
    Error::precondition("LINK_EXPIRED", message)
}

/// A post that does not say what RFC 8058 has it say.
pub(crate) fn not_one_click() -> Error {
    Error::invalid("List-Unsubscribe", "must be `One-Click`")
}

/// Too little time to confirm something, or too much.
pub(crate) fn invalid_confirmation_time(field: impl Into<String>) -> Error {
    Error::invalid(field, "must be whole seconds, one minute to 90 days: long enough to read a message")
}

/// A form with a file in it.
pub(crate) fn files_not_accepted(field: impl Into<String>) -> Error {
    Error::field("FILES_NOT_ACCEPTED", field, "is a file: send the form without files")
}

/// The same name twice in one call: which one is meant?
pub(crate) fn duplicate_name(field: impl Into<String>, name: &str) -> Error {
    Error::field("DUPLICATE_NAME", field, format!("`{name}` comes twice: keep one"))
}

/// A category above itself.
pub(crate) fn category_cycle(field: impl Into<String>, name: &str) -> Error {
    Error::field("CATEGORY_CYCLE", field, format!("puts `{name}` below itself: categories form a tree"))
}

/// Somebody has decided already.
pub(crate) fn resolved(state: &str) -> Error {
    Error::precondition("QUARANTINE_RESOLVED", format!("it is {state} already: it stays as it is"))
}

/// It holds no activity.
pub(crate) fn unreadable() -> Error {
    Error::precondition("UNREADABLE", "what came is no activity: correct it first, with the activity that it should be")
}

/// What happened cannot be changed.
pub(crate) fn immutable() -> Error {
    let description = "is in the ledger: only its identity can be corrected, because what happened is immutable";
    Error::field("IMMUTABLE_ACTIVITY", "activity", description)
}

/// The field of an attribute or an answer, with no more of its name than a name may have.
pub(crate) fn value_field(kind: &str, key: &str) -> String {
    format!("{kind}.{}", shown(key))
}

/// As much of a name that a stranger chose as can be shown.
pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(MAX_KEY).collect()
}

/// The place in a document that a stranger wrote; `body` for the document itself.
pub(crate) fn path(path: &str) -> String {
    if path == "." { "body".to_owned() } else { excerpt(path) }
}

/// What a reader says of a stranger's document, without the values that it quotes: they may be somebody's address.
pub(crate) fn without_values(message: &str) -> String {
    let quotes = ['"', '`'];
    match (message.find(quotes), message.rfind(quotes)) {
        (Some(begin), Some(end)) if begin < end => excerpt(&format!("{}…{}", &message[..begin], &message[end + 1..])),
        _ => excerpt(message),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_EXCERPT).collect()
}

/// The name for a message, when it can be shown.
fn quoted(name: &str) -> String {
    let shown = !name.is_empty() && name.len() <= MAX_KEY && !name.chars().any(char::is_control);
    if shown { format!(" (`{name}`)") } else { String::new() }
}
