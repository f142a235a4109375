//! The one check before the ledger, for every door.

use std::sync::LazyLock;

use email_address::{EmailAddress, Options};
use jiff::Timestamp;
use leadflow_platform::Result;
use serde_json::Value as Json;

use crate::{
    domain::{
        activity::{Channel, ConsentGiven, Draft, Entry, Identity, Payload, Values},
        catalogue::Catalogue,
        consent::statement,
        digest::content_digest,
        door::Door,
        limits::{
            MAX_AHEAD, MAX_EVENT_ID, MAX_FIELDS, MAX_IDENTITY, MAX_KEY, MAX_NOTES, MAX_OBJECT_ID, MAX_VALUE, earliest,
        },
        problems::Problems,
        source::{Source, is_ticked},
    },
    error,
};

/// Turns what came through a door into what may enter the ledger, with what it says about contacting the person.
///
/// # Errors
/// As [`check`].
pub(crate) fn admit(draft: Draft, door: Door, catalogue: &Catalogue, now: Timestamp) -> Result<Entry> {
    let mut entry = check(draft, catalogue, now)?;
    entry.payload.statement = catalogue.sources.get(&entry.source).and_then(|source| statement(&entry, source, door));
    Ok(entry)
}

/// Turns an activity into what may enter the ledger.
///
/// # Errors
/// `INVALID_ARGUMENT` that names all fields at fault, up to ten; the reason is that of the first.
pub(crate) fn check(mut draft: Draft, catalogue: &Catalogue, now: Timestamp) -> Result<Entry> {
    tidy(&mut draft.identity);
    let mut problems = Problems::default();
    let source = catalogue.sources.get(&draft.source);
    if source.is_none() {
        problems.add(error::unknown_source(&draft.source));
    }
    if draft.linked.is_none() {
        check_identity(&draft.identity, &mut problems);
    }
    check_what(&draft, catalogue, &mut problems);
    check_when(draft.occur_time, now, &mut problems);
    check_values("attributes", &draft.attributes, &mut problems);
    check_values("answers", &draft.answers, &mut problems);
    if let Some(call) = &draft.call {
        call.check(&mut problems);
    }
    if let Some(source) = source {
        problems.add_if(draft.identity.phone_verified && !source.verifies_mobile, error::untrusted_verification);
        check_types(source, &draft, &mut problems);
    }
    problems.finish()?;
    let source = source.ok_or_else(|| error::unknown_source(&draft.source))?;
    entry(draft, source)
}

/// The identity alone, tidied, as [`check`] would take it.
///
/// # Errors
/// As [`check`].
pub(crate) fn identity(mut identity: Identity) -> Result<Identity> {
    tidy(&mut identity);
    let mut problems = Problems::default();
    check_identity(&identity, &mut problems);
    problems.finish()?;
    Ok(identity)
}

/// Blanks around what says who it was are a slip of the hand, and a country has one spelling.
fn tidy(identity: &mut Identity) {
    for (_, text) in identity.fields_mut() {
        if text.trim().len() != text.len() {
            *text = text.trim().to_owned();
        }
    }
    identity.country.make_ascii_uppercase();
}

fn check_identity(identity: &Identity, problems: &mut Problems) {
    let Identity { email, phone, external_id, anonymous_id, domain, company, country, .. } = identity;
    let others = [email, external_id, anonymous_id, domain, company];
    let only_phone = others.iter().all(|text| text.is_empty());
    let says = |texts: &[&String]| texts.iter().any(|text| !text.is_empty());
    let described =
        says(&[&identity.given_name, &identity.family_name]) && says(&[&identity.street, &identity.postal_code]);
    problems.add_if(only_phone && phone.is_empty() && !described, error::missing_identity);
    for (name, text) in identity.fields() {
        check_text(|| format!("identity.{name}"), text, MAX_IDENTITY, problems);
    }
    let country_ok = country.is_empty() || is_country(country);
    problems.add_if(!country_ok, error::invalid_country);
    problems.add_if(!email.is_empty() && email.len() <= MAX_IDENTITY && !is_email(email), error::invalid_email);
    let judge_phone = only_phone && !phone.is_empty() && phone.len() <= MAX_IDENTITY && country_ok;
    problems.add_if(judge_phone && !is_phone(phone, country), error::invalid_phone);
}

fn is_country(country: &str) -> bool {
    country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn is_email(email: &str) -> bool {
    static OPTIONS: LazyLock<Options> =
        LazyLock::new(|| Options::default().with_required_tld().without_domain_literal().without_display_text());
    EmailAddress::parse_with_options(email, *OPTIONS).is_ok()
}

/// Whether anything can be made of the number. Whether it exists is for contact to say.
fn is_phone(phone: &str, country: &str) -> bool {
    phone.is_ascii() && phonenumber::parse(country.parse().ok(), phone).is_ok()
}

fn check_what(draft: &Draft, catalogue: &Catalogue, problems: &mut Problems) {
    let category = &draft.product_category;
    let known = category.is_empty() || catalogue.product_categories.contains_key(category);
    problems.add_if(!known, || error::unknown_product_category("product_category", category));
    let type_ok = draft.activity_type.is_empty() || is_activity_type(&draft.activity_type);
    problems.add_if(!type_ok, || error::invalid_activity_type("activity_type"));
    let id = &draft.source_event_id;
    problems.add_if(id.len() > MAX_EVENT_ID || id.chars().any(char::is_control), error::invalid_source_event_id);
    check_text(|| "object_id".into(), &draft.object_id, MAX_OBJECT_ID, problems);
    check_text(|| "notes".into(), &draft.notes, MAX_NOTES, problems);
}

/// Lower snake case, a letter first.
pub(crate) fn is_activity_type(name: &str) -> bool {
    name.len() <= MAX_KEY
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn check_when(occur_time: Option<Timestamp>, now: Timestamp, problems: &mut Problems) {
    let Some(occur_time) = occur_time else { return };
    let latest = now.saturating_add(MAX_AHEAD).unwrap_or(Timestamp::MAX);
    problems.add_if(occur_time > latest, error::occur_time_in_future);
    problems.add_if(occur_time < earliest(), error::occur_time_too_old);
}

fn check_values(kind: &str, values: &Values, problems: &mut Problems) {
    if values.len() > MAX_FIELDS {
        return problems.add(error::too_many_fields(kind));
    }
    for (key, value) in values {
        check_text(|| error::value_field(kind, key), key, MAX_KEY, problems);
        if let Json::String(text) = value {
            check_text(|| error::value_field(kind, key), text, MAX_VALUE, problems);
        }
    }
}

fn check_text(field: impl Fn() -> String, text: &str, bytes: usize, problems: &mut Problems) {
    problems.add_if(text.len() > bytes, || error::too_long(field(), bytes));
    problems.add_if(text.contains('\0'), || error::invalid_text(field()));
}

fn check_types(source: &Source, draft: &Draft, problems: &mut Problems) {
    for field in &source.fields {
        let (kind, values) = if field.answer { ("answers", &draft.answers) } else { ("attributes", &draft.attributes) };
        if let Some(value) = values.get(&field.name) {
            let fits = field.field_type.admits(value);
            problems.add_if(!fits, || {
                error::wrong_type(error::value_field(kind, &field.name), field.field_type.described())
            });
        }
    }
}

fn entry(draft: Draft, source: &Source) -> Result<Entry> {
    let digest = content_digest(&draft)?;
    let or_default = |text: String, default: &str| {
        if text.is_empty() { default.to_owned() } else { text }
    };
    let ticked = |field: &str| draft.attributes.get(field).or_else(|| draft.answers.get(field)).is_some_and(is_ticked);
    let consent = source.consent.as_ref().map(|consent| ConsentGiven {
        basis: consent.basis.as_str().to_owned(),
        purpose: consent.purpose.clone(),
        given: consent.field.is_empty() || ticked(&consent.field),
    });
    let split = |values: Values, answer: bool| -> (Values, Values) {
        values.into_iter().partition(|(name, _)| source.field(name, answer).is_some())
    };
    let (attributes, undeclared_attributes) = split(draft.attributes, false);
    let (answers, undeclared_answers) = split(draft.answers, true);
    // What a call says of itself is nearer to it than what its source says of all.
    let (default_type, default_channel) = match &draft.call {
        Some(call) => (call.activity_type(), Channel::Phone),
        None => (&*source.default_activity_type, source.default_channel),
    };
    let (contact_id, statement) = draft.linked.map(|it| (it.contact_id, it.statement)).unzip();
    Ok(Entry {
        source_event_id: not_empty(draft.source_event_id),
        activity_type: or_default(draft.activity_type, default_type),
        channel: draft.channel.unwrap_or(default_channel),
        product_category: not_empty(or_default(draft.product_category, &source.default_product_category)),
        occur_time: draft.occur_time,
        recognised: None,
        object_id: not_empty(draft.object_id),
        payload: Payload {
            identity: draft.identity,
            contact_id,
            attributes,
            answers,
            undeclared_attributes,
            undeclared_answers,
            notes: draft.notes,
            call: draft.call,
            consent,
            statement,
        },
        origin: draft.origin,
        source: draft.source,
        digest,
    })
}

fn not_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
