//! What an activity says about contacting the person who did it.

use jiff::{SignedDuration, Timestamp};
use leadflow_platform::mailbox;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{
    activity::{Entry, Payload},
    call::Disposition,
    door::Door,
    source::{Basis, Consent, Source},
};

/// The attribute by which an unsubscription says from what; without it, it is from everything.
pub(crate) const PURPOSE: &str = "purpose";
/// By it an email provider says that an unsubscription is from one group of its mailings: those of the source.
const GROUP: &str = "asm_group_id";

/// What an activity says about contacting the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) said: Said,
    pub(crate) channels: Vec<ConsentChannel>,
    /// Empty: everything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<Basis>,
    /// It came with an import: it never overrules what the person has said otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) imported: bool,
    /// What shows it, in words that name nobody.
    pub(crate) proof: String,
    /// Of what was only asked for: how long the person has to confirm it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_within: Option<u32>,
    /// The activity that asked for what this one confirms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirms: Option<Uuid>,
}

impl Statement {
    /// Until when the person may confirm what an activity has asked for that was recorded then; nothing when there is
    /// nothing to confirm.
    pub(crate) fn expire_time(&self, record_time: Timestamp) -> Option<Timestamp> {
        let within = SignedDuration::from_secs(self.confirm_within?.into());
        Some(record_time.saturating_add(within).unwrap_or(Timestamp::MAX))
    }
}

/// Yes, no, or a yes that the person has to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Granted,
    Withdrawn,
    Requested,
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsentChannel {
    Email,
    Phone,
    TextMessage,
    Mail,
    Chat,
}

/// What an entry that came through this door says, if it says anything. A stranger's form may give the consent that it
/// asks for, and nothing else: anybody may write anybody's address into it.
pub(crate) fn statement(entry: &Entry, source: &Source, door: Door) -> Option<Statement> {
    let said = match door {
        Door::Form => granted(entry, source),
        Door::Grpc | Door::Csv | Door::Webhook | Door::Nats => {
            // What has to be confirmed is confirmed by its link only; a provider signs who has pressed what.
            let asks = door != Door::Webhook && source.consent.as_ref().is_some_and(|it| it.confirmation.is_some());
            let said = withdrawn(entry, source).filter(|it| it.said == Said::Withdrawn || !asks);
            said.or_else(|| granted(entry, source))
        }
        // It says so itself.
        Door::Link => return entry.payload.statement.clone(),
    };
    said.map(|it| Statement { imported: door == Door::Csv, ..it })
}

/// What the person wants no more; and what takes that back.
fn withdrawn(entry: &Entry, source: &Source) -> Option<Statement> {
    use ConsentChannel::{Email, Phone, TextMessage};
    let no = |channels: &[ConsentChannel], purpose: String| Statement {
        said: Said::Withdrawn,
        channels: channels.to_vec(),
        purpose,
        basis: None,
        imported: false,
        proof: entry.activity_type.clone(),
        confirm_within: None,
        confirms: None,
    };
    if entry.payload.call.as_ref().is_some_and(|call| call.disposition == Disposition::DoNotCall) {
        return Some(Statement { proof: "do_not_call".into(), ..no(&[Phone, TextMessage], String::new()) });
    }
    match entry.activity_type.as_str() {
        "email_unsubscribed" => Some(no(&[Email], unsubscribed_from(&entry.payload, source))),
        "email_spam_reported" => Some(no(&[Email], String::new())),
        "email_resubscribed" => {
            let purpose = unsubscribed_from(&entry.payload, source);
            let yes = Statement { said: Said::Granted, basis: Some(Basis::Consent), ..no(&[Email], purpose) };
            (!yes.purpose.is_empty()).then_some(yes)
        }
        _ => None,
    }
}

/// The purpose that the activity names, or that of the source's mailings where it is about one group of them.
fn unsubscribed_from(payload: &Payload, source: &Source) -> String {
    if let Some(purpose) = payload.value(PURPOSE).and_then(Json::as_str) {
        return purpose.to_owned();
    }
    let of_source = || source.consent.as_ref().map(|consent| consent.purpose.clone());
    payload.value(GROUP).and_then(|_| of_source()).unwrap_or_default()
}

/// The consent that the source stands for, where it is given; or asked for, where the person has to confirm it, whoever
/// that is: a known address proves nothing about who has written it.
fn granted(entry: &Entry, source: &Source) -> Option<Statement> {
    let Consent { basis, purpose, field, channels, confirmation } = source.consent.as_ref()?;
    // Deliveries and openings of mails, and calls that nobody took, are no one's consent.
    let is_theirs = !entry.activity_type.starts_with("email_") && entry.activity_type != "call_attempted";
    let given = entry.payload.consent.as_ref().is_some_and(|consent| consent.given);
    if *basis == Basis::None || purpose.is_empty() || !is_theirs || !given {
        return None;
    }
    // The link goes to the address. One that leads to no person says for no person that they consent.
    let email = entry.payload.identity.email.trim().to_lowercase();
    if confirmation.is_some() && (email.is_empty() || mailbox::names_a_role(&email)) {
        return None;
    }
    let proof = if field.is_empty() {
        entry.activity_type.clone()
    } else {
        format!("{}: `{field}` was ticked", entry.activity_type)
    };
    let channels = if channels.is_empty() { vec![ConsentChannel::Email] } else { channels.clone() };
    let (purpose, basis) = (purpose.clone(), Some(*basis));
    let confirm_within = confirmation.as_ref().map(|confirmation| confirmation.within_seconds);
    let said = if confirm_within.is_some() { Said::Requested } else { Said::Granted };
    Some(Statement { said, channels, purpose, basis, imported: false, proof, confirm_within, confirms: None })
}

#[cfg(test)]
mod tests;
