use leadflow_platform::{Error, Result};
use leadflow_proto::activity::v1::{
    CallDetails, CallDirection as DirectionMessage, CallDisposition as DispositionMessage,
};
use prost_types::Duration;

use crate::{
    domain::{
        call::{Call, Direction, Disposition},
        problems::Problems,
    },
    error,
};

/// The call in a message. What is wrong with its fields is noted; then there is none.
pub(super) fn call(message: &CallDetails, problems: &mut Problems) -> Option<Call> {
    let direction = problems.note(direction(message.direction));
    let disposition = problems.note(disposition(message.disposition));
    let duration_ms = problems.note(message.duration.as_ref().map(millis).transpose());
    Some(Call {
        direction: direction?,
        disposition: disposition?,
        duration_ms: duration_ms?,
        agent: message.agent.clone(),
        call_id: message.call_id.clone(),
    })
}

fn direction(number: i32) -> Result<Direction> {
    match DirectionMessage::try_from(number) {
        Ok(DirectionMessage::Inbound) => Ok(Direction::Inbound),
        Ok(DirectionMessage::Outbound) => Ok(Direction::Outbound),
        Ok(DirectionMessage::Unspecified) => Err(Error::invalid("call.direction", "is required: inbound or outbound")),
        Err(_) => Err(Error::invalid("call.direction", "is no direction of the contract")),
    }
}

fn disposition(number: i32) -> Result<Disposition> {
    match DispositionMessage::try_from(number) {
        Ok(DispositionMessage::Connected) => Ok(Disposition::Connected),
        Ok(DispositionMessage::Voicemail) => Ok(Disposition::Voicemail),
        Ok(DispositionMessage::NoAnswer) => Ok(Disposition::NoAnswer),
        Ok(DispositionMessage::Busy) => Ok(Disposition::Busy),
        Ok(DispositionMessage::WrongNumber) => Ok(Disposition::WrongNumber),
        Ok(DispositionMessage::CallbackRequested) => Ok(Disposition::CallbackRequested),
        Ok(DispositionMessage::NotInterested) => Ok(Disposition::NotInterested),
        Ok(DispositionMessage::DoNotCall) => Ok(Disposition::DoNotCall),
        Ok(DispositionMessage::Unspecified) => {
            Err(Error::invalid("call.disposition", "is required: say how the call ended"))
        }
        Err(_) => Err(Error::invalid("call.disposition", "is no disposition of the contract")),
    }
}

/// Whole milliseconds; the check looks at how long it is.
fn millis(duration: &Duration) -> Result<i64> {
    let whole = (-999_999_999..=999_999_999).contains(&duration.nanos)
        && i64::from(duration.nanos).signum() * duration.seconds.signum() >= 0;
    let millis =
        duration.seconds.checked_mul(1000).and_then(|millis| millis.checked_add(i64::from(duration.nanos / 1_000_000)));
    millis.filter(|_| whole).ok_or_else(error::invalid_call_duration)
}

/// The call as the ledger has it.
pub(super) fn message(call: Call) -> CallDetails {
    let direction = match call.direction {
        Direction::Inbound => DirectionMessage::Inbound,
        Direction::Outbound => DirectionMessage::Outbound,
    };
    let disposition = match call.disposition {
        Disposition::Connected => DispositionMessage::Connected,
        Disposition::Voicemail => DispositionMessage::Voicemail,
        Disposition::NoAnswer => DispositionMessage::NoAnswer,
        Disposition::Busy => DispositionMessage::Busy,
        Disposition::WrongNumber => DispositionMessage::WrongNumber,
        Disposition::CallbackRequested => DispositionMessage::CallbackRequested,
        Disposition::NotInterested => DispositionMessage::NotInterested,
        Disposition::DoNotCall => DispositionMessage::DoNotCall,
    };
    let duration = |millis: i64| Duration { seconds: millis / 1000, nanos: (millis % 1000) as i32 * 1_000_000 };
    CallDetails {
        direction: direction.into(),
        disposition: disposition.into(),
        duration: call.duration_ms.map(duration),
        agent: call.agent,
        call_id: call.call_id,
    }
}
