use leadflow_platform::clock;
use leadflow_proto::{
    activity::v1::ConsentRecorded,
    contact::v1::{ConsentChannel as ChannelMessage, ConsentState, LawfulBasis},
};
use uuid::Uuid;

use crate::domain::{
    activity::Activity,
    consent::{ConsentChannel, Said, Statement},
    source::Basis,
};

/// What is announced of what an activity says about contacting this person.
pub(crate) fn consent_recorded(activity: &Activity, statement: &Statement, contact_id: Uuid) -> ConsentRecorded {
    let basis = match statement.basis {
        None | Some(Basis::None) => LawfulBasis::Unspecified,
        Some(Basis::Consent) => LawfulBasis::Consent,
        Some(Basis::Contract) => LawfulBasis::Contract,
        Some(Basis::LegitimateInterest) => LawfulBasis::LegitimateInterest,
    };
    let state = match statement.said {
        Said::Granted => ConsentState::Granted,
        Said::Withdrawn => ConsentState::Withdrawn,
        Said::Requested => ConsentState::Pending,
    };
    ConsentRecorded {
        activity_id: activity.activity_id.to_string(),
        contact_id: contact_id.to_string(),
        source: activity.source.clone(),
        channels: statement.channels.iter().map(|channel| channel_message(*channel).into()).collect(),
        purpose: statement.purpose.clone(),
        state: state.into(),
        basis: basis.into(),
        imported: statement.imported,
        proof: statement.proof.clone(),
        occur_time: Some(clock::to_proto(activity.occur_time)),
        expire_time: statement.expire_time(activity.record_time).map(clock::to_proto),
    }
}

pub(super) fn channel_message(channel: ConsentChannel) -> ChannelMessage {
    match channel {
        ConsentChannel::Email => ChannelMessage::Email,
        ConsentChannel::Phone => ChannelMessage::Phone,
        ConsentChannel::TextMessage => ChannelMessage::TextMessage,
        ConsentChannel::Mail => ChannelMessage::Mail,
        ConsentChannel::Chat => ChannelMessage::Chat,
    }
}

/// The way to reach a person that a message names.
pub(super) fn channel(number: i32) -> Option<ConsentChannel> {
    match ChannelMessage::try_from(number) {
        Ok(ChannelMessage::Email) => Some(ConsentChannel::Email),
        Ok(ChannelMessage::Phone) => Some(ConsentChannel::Phone),
        Ok(ChannelMessage::TextMessage) => Some(ConsentChannel::TextMessage),
        Ok(ChannelMessage::Mail) => Some(ConsentChannel::Mail),
        Ok(ChannelMessage::Chat) => Some(ConsentChannel::Chat),
        Ok(ChannelMessage::Unspecified) | Err(_) => None,
    }
}
