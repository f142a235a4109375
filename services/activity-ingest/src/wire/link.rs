//! Links by which people say themselves whether they may be contacted.

use leadflow_platform::{Error, Result, clock, ids};
use leadflow_proto::activity::v1::{
    GetUnsubscribeLinkRequest, GetUnsubscribeLinkResponse, MessageHeader, PendingConfirmation,
};

use super::statement::{channel, channel_message};
use crate::{
    domain::{consent::ConsentChannel, limits::MAX_KEY, link::Asked, link::Unsubscription},
    error,
};

/// Who is to be able to unsubscribe from what.
///
/// # Errors
/// `INVALID_FIELD` or `FIELD_TOO_LONG`.
pub(crate) fn unsubscription(request: GetUnsubscribeLinkRequest) -> Result<Unsubscription> {
    let required = || Error::invalid("channel", "is required: what does the person unsubscribe from?");
    let purpose = request.purpose.trim().to_owned();
    if purpose.len() > MAX_KEY {
        return Err(error::too_long("purpose", MAX_KEY));
    }
    if purpose.chars().any(char::is_control) {
        return Err(Error::invalid("purpose", "contains control characters"));
    }
    if request.source.is_empty() {
        return Err(Error::invalid("source", "is required: whose messages are they?"));
    }
    Ok(Unsubscription {
        contact_id: ids::parse("contact_id", &request.contact_id)?,
        channel: channel(request.channel).ok_or_else(required)?,
        purpose,
        source: request.source,
    })
}

/// The link at this address, with what makes a mail program show a button for it.
pub(crate) fn link(url: String, channel: ConsentChannel) -> GetUnsubscribeLinkResponse {
    let header = |name: &str, value: String| MessageHeader { name: name.to_owned(), value };
    let headers = match channel {
        ConsentChannel::Email => vec![
            header("List-Unsubscribe", format!("<{url}>")),
            header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ],
        ConsentChannel::Phone | ConsentChannel::TextMessage | ConsentChannel::Mail | ConsentChannel::Chat => Vec::new(),
    };
    GetUnsubscribeLinkResponse { url, headers }
}

/// A consent that the person can confirm at this address.
pub(crate) fn pending_confirmation((asked, url): (Asked, String)) -> PendingConfirmation {
    let Asked { activity, contact_id, statement, expire_time } = asked;
    PendingConfirmation {
        activity_id: activity.activity_id.to_string(),
        contact_id: contact_id.to_string(),
        source: activity.source,
        channels: statement.channels.into_iter().map(|it| channel_message(it).into()).collect(),
        purpose: statement.purpose,
        email: activity.payload.identity.email,
        phone: activity.payload.identity.phone,
        url,
        record_time: Some(clock::to_proto(activity.record_time)),
        expire_time: Some(clock::to_proto(expire_time)),
    }
}
