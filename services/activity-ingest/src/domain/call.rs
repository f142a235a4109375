//! What is known of a telephone call.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    domain::{
        activity::Values,
        limits::{MAX_CALL, MAX_CALL_ID, MAX_IDENTITY},
        problems::Problems,
    },
    error,
};

/// The names under which conditions find what is known of a call. No source can give them another meaning.
const ATTRIBUTES: [&str; 3] = ["call_direction", "call_disposition", "call_duration_seconds"];

/// Whether a call fills the attribute of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    ATTRIBUTES.contains(&name)
}

/// A telephone call. Empty means not said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) direction: Direction,
    pub(crate) disposition: Disposition,
    /// In whole milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<i64>,
    /// Who of us made or took it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) agent: String,
    /// The telephone system's own id of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) call_id: String,
}

impl Call {
    /// What is wrong with it.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let longest = MAX_CALL.as_millis();
        let fits = self.duration_ms.is_none_or(|millis| (0..=longest).contains(&i128::from(millis)));
        problems.add_if(!fits, error::invalid_call_duration);
        for (field, text, bytes) in
            [("call.agent", &self.agent, MAX_IDENTITY), ("call.call_id", &self.call_id, MAX_CALL_ID)]
        {
            problems.add_if(text.len() > bytes, || error::too_long(field, bytes));
            problems.add_if(text.contains('\0'), || error::invalid_text(field));
        }
    }

    /// The type of an activity that says nothing but this call.
    ///
    /// Who rings us shows interest, and a lead may open with it; what we do shows none. A caller who wants nothing of
    /// us has not asked for anything either.
    pub(crate) fn activity_type(&self) -> &'static str {
        use Disposition::{
            Busy, CallbackRequested, Connected, DoNotCall, NoAnswer, NotInterested, Voicemail, WrongNumber,
        };
        match (self.disposition, self.direction) {
            (WrongNumber, _) => "call_attempted",
            (NotInterested | DoNotCall, _) => "call_completed",
            (Connected | CallbackRequested | Voicemail | NoAnswer | Busy, Direction::Inbound) => "call_received",
            (Connected | CallbackRequested, Direction::Outbound) => "call_completed",
            (Voicemail | NoAnswer | Busy, Direction::Outbound) => "call_attempted",
        }
    }

    /// What conditions may use of it: no names, no ids.
    pub(crate) fn attributes(&self) -> Values {
        let [direction, disposition, duration] = ATTRIBUTES;
        let seconds = self.duration_ms.map(|millis| SignedDuration::from_millis(millis).as_secs_f64());
        let mut values = Values::from([
            (direction.to_owned(), Json::from(self.direction.as_str())),
            (disposition.to_owned(), Json::from(self.disposition.as_str())),
        ]);
        values.extend(seconds.map(|seconds| (duration.to_owned(), Json::from(seconds))));
        values
    }
}

/// Who rang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    /// The word that conditions compare with.
    fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disposition {
    Connected,
    Voicemail,
    NoAnswer,
    Busy,
    WrongNumber,
    CallbackRequested,
    NotInterested,
    DoNotCall,
}

impl Disposition {
    /// The word that conditions compare with.
    fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Voicemail => "voicemail",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::WrongNumber => "wrong_number",
            Self::CallbackRequested => "callback_requested",
            Self::NotInterested => "not_interested",
            Self::DoNotCall => "do_not_call",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(direction: Direction, disposition: Disposition) -> Call {
        Call { direction, disposition, duration_ms: None, agent: "Oskar".into(), call_id: "pbx-1".into() }
    }

    #[test]
    fn who_rings_us_opens_a_lead_and_who_wants_nothing_does_not() {
        use Direction::{Inbound, Outbound};
        for (direction, disposition, expected) in [
            (Inbound, Disposition::Connected, "call_received"),
            (Inbound, Disposition::NoAnswer, "call_received"),
            (Inbound, Disposition::DoNotCall, "call_completed"),
            (Inbound, Disposition::WrongNumber, "call_attempted"),
            (Outbound, Disposition::Connected, "call_completed"),
            (Outbound, Disposition::CallbackRequested, "call_completed"),
            (Outbound, Disposition::NotInterested, "call_completed"),
            (Outbound, Disposition::Voicemail, "call_attempted"),
            (Outbound, Disposition::Busy, "call_attempted"),
        ] {
            assert_eq!(call(direction, disposition).activity_type(), expected, "{direction:?} {disposition:?}");
        }
    }

    #[test]
    fn conditions_see_how_it_went_and_not_who_it_was() {
        let long = Call { duration_ms: Some(330_500), ..call(Direction::Outbound, Disposition::Connected) };
        let expected = [
            ("call_direction", json!("outbound")),
            ("call_disposition", json!("connected")),
            ("call_duration_seconds", json!(330.5)),
        ];
        assert_eq!(long.attributes(), expected.map(|(name, value)| (name.to_owned(), value)).into());
        let untimed = call(Direction::Inbound, Disposition::DoNotCall).attributes();
        assert!(!untimed.contains_key("call_duration_seconds"), "not said is not zero");
    }

    #[test]
    fn the_word_in_the_ledger_is_the_word_in_conditions() {
        for disposition in [Disposition::NoAnswer, Disposition::CallbackRequested, Disposition::DoNotCall] {
            assert_eq!(json!(disposition), json!(disposition.as_str()));
        }
    }
}
