use jiff::SignedDuration;
use leadflow_platform::{Error, Result, clock, ids};
use leadflow_proto::{activity::v1::ConsentRecorded, contact::v1 as pb};

use super::{short, time};
use crate::domain::consent::{Basis, Channel, Consent, Permission, Question, State};

/// Bytes of the name of a purpose.
const MAX_PURPOSE: usize = 63;
/// Bytes of what shows a consent.
const MAX_PROOF: usize = 1_000;
/// How far the clocks of callers may be ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// What somebody says of a person, to be recorded now.
pub(crate) fn consent_from(said: pb::Consent, principal: &str, now: jiff::Timestamp) -> Result<Consent> {
    let at = |name: &str| format!("consent.{name}");
    let mut channels: Vec<_> =
        said.channels.iter().map(|&number| channel(&at("channels"), number)).collect::<Result<_>>()?;
    channels.sort_unstable();
    channels.dedup();
    if channels.is_empty() {
        return Err(Error::invalid(at("channels"), "is required: which ways to reach the person is it about?"));
    }
    let (state, basis) = match (said.state(), basis(said.basis())) {
        (pb::ConsentState::Granted, Some(basis)) => (State::Granted, Some(basis)),
        (pb::ConsentState::Granted, None) => return Err(Error::invalid(at("basis"), "is required with a grant")),
        (pb::ConsentState::Withdrawn, _) => (State::Withdrawn, None),
        (pb::ConsentState::Pending, _) => {
            let problem =
                "is pending, which only a source that asks for a confirmation says: record a grant or a withdrawal";
            return Err(Error::invalid(at("state"), problem));
        }
        (pb::ConsentState::Unspecified, _) => return Err(Error::invalid(at("state"), "is required")),
    };
    let purpose = purpose(&at("purpose"), &said.purpose)?;
    if purpose.is_empty() && state == State::Granted {
        return Err(Error::invalid(at("purpose"), "is required with a grant: nobody consents to everything"));
    }
    let source = short(&at("source"), &said.source)?;
    if source.is_empty() {
        return Err(Error::invalid(at("source"), "is required: where was it said?"));
    }
    if said.proof.len() > MAX_PROOF || said.proof.contains('\0') {
        return Err(Error::invalid(at("proof"), format!("must be at most {MAX_PROOF} bytes, without U+0000")));
    }
    let occurred = said.occur_time.map(|it| clock::from_proto(&at("occur_time"), &it)).transpose()?.unwrap_or(now);
    if occurred.duration_since(now) > MAX_AHEAD {
        return Err(Error::invalid(at("occur_time"), "is more than five minutes ahead"));
    }
    Ok(Consent {
        consent_id: ids::new(),
        contact_id: ids::parse(&at("contact_id"), &said.contact_id)?,
        channels,
        purpose,
        state,
        basis,
        source,
        proof: said.proof,
        imported: said.imported,
        from_activity: false,
        expire_time: None,
        occur_time: occurred.as_millisecond(),
        record_time: now.as_millisecond(),
        principal: principal.to_owned(),
    })
}

/// What an activity says of a person.
pub(crate) fn consent_recorded(event: ConsentRecorded, now: jiff::Timestamp) -> Result<Consent> {
    let (state, basis) = (event.state(), basis(event.basis()));
    let state = match (state, basis) {
        (pb::ConsentState::Granted, Some(_)) => State::Granted,
        (pb::ConsentState::Pending, Some(_)) => State::Pending,
        (pb::ConsentState::Withdrawn, _) => State::Withdrawn,
        _ => return Err(Error::invalid("state", "is a grant with its ground, pending or not, or a withdrawal")),
    };
    let until = event.expire_time.as_ref().filter(|_| state == State::Pending);
    let until = until.map(|time| clock::from_proto("expire_time", time)).transpose()?;
    if state == State::Pending && until.is_none() {
        return Err(Error::invalid("expire_time", "is required with a pending consent"));
    }
    let occurred = event.occur_time.as_ref().ok_or_else(|| Error::invalid("occur_time", "is required"))?;
    Ok(Consent {
        consent_id: ids::parse("activity_id", &event.activity_id)?,
        contact_id: ids::parse("contact_id", &event.contact_id)?,
        channels: event.channels.iter().map(|&number| channel("channels", number)).collect::<Result<_>>()?,
        purpose: event.purpose,
        state,
        basis: basis.filter(|_| state != State::Withdrawn),
        principal: format!("source:{}", event.source),
        source: event.source,
        proof: event.proof,
        imported: event.imported,
        from_activity: true,
        expire_time: until.map(|time| time.as_millisecond()),
        occur_time: clock::from_proto("occur_time", occurred)?.as_millisecond(),
        record_time: now.as_millisecond(),
    })
}

/// What is known of a person's consent, as everybody may see it.
pub(crate) fn consent(consent: &Consent) -> pb::Consent {
    let channels = consent.channels.iter().map(|channel| channel_message(*channel).into()).collect();
    pb::Consent {
        consent_id: consent.consent_id.to_string(),
        contact_id: consent.contact_id.to_string(),
        channels,
        purpose: consent.purpose.clone(),
        state: match consent.state {
            State::Pending => pb::ConsentState::Pending,
            State::Granted => pb::ConsentState::Granted,
            State::Withdrawn => pb::ConsentState::Withdrawn,
        }
        .into(),
        basis: basis_message(consent.basis).into(),
        source: consent.source.clone(),
        proof: consent.proof.clone(),
        imported: consent.imported,
        occur_time: Some(time(consent.occur_time)),
        record_time: Some(time(consent.record_time)),
        principal: consent.principal.clone(),
        expire_time: consent.expire_time.map(time),
        activity_id: if consent.from_activity { consent.consent_id.to_string() } else { String::new() },
    }
}

/// The question of this place in a request.
pub(crate) fn question((index, asked): (usize, pb::ContactQuestion)) -> Result<Question> {
    let at = |name: &str| format!("questions[{index}].{name}");
    let purpose = purpose(&at("purpose"), &asked.purpose)?;
    if purpose.is_empty() {
        return Err(Error::invalid(at("purpose"), "is required: what is the contact for?"));
    }
    let moment = asked.at_time.map(|it| clock::from_proto(&at("at_time"), &it)).transpose()?;
    Ok(Question {
        contact_id: ids::parse(&at("contact_id"), &asked.contact_id)?,
        channel: channel(&at("channel"), asked.channel)?,
        purpose,
        at: moment.map(|moment| moment.as_millisecond()),
    })
}

/// The answer to a question.
pub(crate) fn permission(permission: Permission) -> pb::ContactPermission {
    use pb::contact_permission::Reason;
    let answer = |allowed, reason: Reason, decided_by: Option<Consent>| pb::ContactPermission {
        allowed,
        reason: reason.into(),
        basis: basis_message(decided_by.as_ref().filter(|_| allowed).and_then(|it| it.basis)).into(),
        consent_id: decided_by.map(|it| it.consent_id.to_string()).unwrap_or_default(),
    };
    match permission {
        Permission::Granted(consent) => answer(true, Reason::Granted, Some(consent)),
        Permission::Withdrawn(consent) => answer(false, Reason::Withdrawn, Some(consent)),
        Permission::Pending(consent) => answer(false, Reason::PendingConfirmation, Some(consent)),
        Permission::NoBasis => answer(false, Reason::NoBasis, None),
        Permission::UnknownContact => answer(false, Reason::UnknownContact, None),
    }
}

fn purpose(field: &str, text: &str) -> Result<String> {
    let purpose = short(field, text)?;
    if purpose.len() > MAX_PURPOSE {
        return Err(Error::invalid(field, format!("is longer than {MAX_PURPOSE} bytes")));
    }
    Ok(purpose)
}

fn channel(field: &str, number: i32) -> Result<Channel> {
    match pb::ConsentChannel::try_from(number) {
        Ok(pb::ConsentChannel::Email) => Ok(Channel::Email),
        Ok(pb::ConsentChannel::Phone) => Ok(Channel::Phone),
        Ok(pb::ConsentChannel::TextMessage) => Ok(Channel::TextMessage),
        Ok(pb::ConsentChannel::Mail) => Ok(Channel::Mail),
        Ok(pb::ConsentChannel::Chat) => Ok(Channel::Chat),
        Ok(pb::ConsentChannel::Unspecified) | Err(_) => {
            Err(Error::invalid(field, "is required, and one of the contract"))
        }
    }
}

fn channel_message(channel: Channel) -> pb::ConsentChannel {
    match channel {
        Channel::Email => pb::ConsentChannel::Email,
        Channel::Phone => pb::ConsentChannel::Phone,
        Channel::TextMessage => pb::ConsentChannel::TextMessage,
        Channel::Mail => pb::ConsentChannel::Mail,
        Channel::Chat => pb::ConsentChannel::Chat,
    }
}

fn basis(message: pb::LawfulBasis) -> Option<Basis> {
    match message {
        pb::LawfulBasis::Unspecified => None,
        pb::LawfulBasis::Consent => Some(Basis::Consent),
        pb::LawfulBasis::Contract => Some(Basis::Contract),
        pb::LawfulBasis::LegitimateInterest => Some(Basis::LegitimateInterest),
    }
}

fn basis_message(basis: Option<Basis>) -> pb::LawfulBasis {
    match basis {
        None => pb::LawfulBasis::Unspecified,
        Some(Basis::Consent) => pb::LawfulBasis::Consent,
        Some(Basis::Contract) => pb::LawfulBasis::Contract,
        Some(Basis::LegitimateInterest) => pb::LawfulBasis::LegitimateInterest,
    }
}
