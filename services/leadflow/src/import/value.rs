//! Texts of cells, read as what they stand for. An error says in words what is wrong and what to write instead.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::strtime, tz::TimeZone};
use leadflow_platform::value::to_proto;
use leadflow_proto::activity::v1::{CallDirection, CallDisposition, FieldType};
use serde_json::Value as Json;

use super::guess::normal;

/// How local moments are written, besides RFC 3339.
const LOCAL: [&str; 3] = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"];

/// How a file writes its moments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    zone: Option<TimeZone>,
    format: Option<String>,
}

impl Times {
    /// In a zone (`Europe/Berlin`), and in a format of `strptime` (`%m/%d/%Y %I:%M %p`); both may be missing.
    ///
    /// # Errors
    /// When there is no such zone.
    pub(crate) fn new(zone: Option<&str>, format: Option<&str>) -> Result<Self> {
        let zone = zone.map(|name| {
            TimeZone::get(name)
                .with_context(|| format!("there is no time zone `{name}`: write one such as Europe/Berlin"))
        });
        Ok(Self { zone: zone.transpose()?, format: format.map(str::to_owned) })
    }

    /// The moment that a text means. A day alone means its beginning.
    ///
    /// A time that the clocks showed twice is the earlier one, a time that they left out is an hour later.
    pub(crate) fn parse(&self, text: &str) -> Result<Timestamp, String> {
        match &self.format {
            Some(format) => self.parse_as(format, text),
            None => match text.parse() {
                Ok(moment) => Ok(moment),
                Err(_) => self.to_moment(parse_local(text)?),
            },
        }
    }

    fn parse_as(&self, format: &str, text: &str) -> Result<Timestamp, String> {
        let parsed = strtime::parse(format, text).map_err(|_| format!("`{text}` is not written as `{format}`"))?;
        if parsed.offset().is_some() {
            return parsed.to_timestamp().map_err(|cause| format!("`{text}` is no moment: {cause}"));
        }
        let local = parsed.to_datetime().or_else(|_| parsed.to_date().map(|day| day.at(0, 0, 0, 0)));
        self.to_moment(local.map_err(|cause| format!("`{text}` is no moment: {cause}"))?)
    }

    fn to_moment(&self, local: DateTime) -> Result<Timestamp, String> {
        let zone = self.zone.as_ref().ok_or_else(|| {
            format!("`{local}` may be anywhere: name the time zone of the file with --time-zone, such as Europe/Berlin")
        })?;
        zone.to_timestamp(local).map_err(|cause| format!("`{local}` is no moment: {cause}"))
    }
}

fn parse_local(text: &str) -> Result<DateTime, String> {
    let iso = text.parse().ok();
    iso.or_else(|| LOCAL.iter().find_map(|format| strtime::parse(format, text).ok().and_then(in_full))).ok_or_else(
        || {
            let hint = if text.contains('/') {
                "; day or month first? say it with --time-format '%d/%m/%Y %H:%M'"
            } else {
                ""
            };
            format!(
                "`{text}` is no moment: write 2026-11-24T10:14:00+01:00, or 2026-11-24 10:14 with --time-zone{hint}"
            )
        },
    )
}

fn in_full(parsed: strtime::BrokenDownTime) -> Option<DateTime> {
    parsed.to_datetime().or_else(|_| parsed.to_date().map(|day| day.at(0, 0, 0, 0))).ok()
}

/// How long a call took, in milliseconds: `245`, `4:05`, `0:04:05`, `4m 5s`, `PT4M5S`. A number alone counts `unit`s.
pub(crate) fn duration(text: &str, unit: SignedDuration) -> Result<i64, String> {
    let problem = || format!("`{text}` is no length of time such as 245, 4:05, 0:04:05 or 4m 5s");
    let parts: Option<Vec<u32>> = text.split(':').map(|part| part.trim().parse().ok()).collect();
    let found = match parts.as_deref() {
        Some([minutes, seconds]) if *seconds < 60 => Some(i64::from(*minutes) * 60_000 + i64::from(*seconds) * 1000),
        Some([hours, minutes, seconds]) if *minutes < 60 && *seconds < 60 => {
            Some((i64::from(*hours) * 3600 + i64::from(*minutes) * 60 + i64::from(*seconds)) * 1000)
        }
        Some([_, _, ..]) => None,
        _ => match text.parse::<f64>() {
            Ok(count) => millis(count * unit.as_secs_f64()),
            Err(_) => text.parse::<SignedDuration>().ok().and_then(|length| i64::try_from(length.as_millis()).ok()),
        },
    };
    found.ok_or_else(problem)
}

fn millis(seconds: f64) -> Option<i64> {
    SignedDuration::try_from_secs_f64(seconds).ok().and_then(|length| i64::try_from(length.as_millis()).ok())
}

/// Who rang.
pub(crate) fn direction(text: &str) -> Result<CallDirection, String> {
    match normal(text).as_str() {
        "inbound" | "in" | "incoming" | "received" => Ok(CallDirection::Inbound),
        "outbound" | "out" | "outgoing" | "made" => Ok(CallDirection::Outbound),
        _ => Err(format!("`{text}` is no direction: write inbound or outbound")),
    }
}

/// How a call ended.
pub(crate) fn disposition(text: &str) -> Result<CallDisposition, String> {
    match normal(text).as_str() {
        "connected" | "conversation" | "answered" | "completed" | "talked" => Ok(CallDisposition::Connected),
        "voicemail" | "voice mail" | "left voicemail" | "left message" => Ok(CallDisposition::Voicemail),
        "no answer" | "noanswer" | "not answered" | "unanswered" => Ok(CallDisposition::NoAnswer),
        "busy" => Ok(CallDisposition::Busy),
        "wrong number" | "bad number" | "invalid number" => Ok(CallDisposition::WrongNumber),
        "callback requested" | "callback" | "call back" | "call back later" => Ok(CallDisposition::CallbackRequested),
        "not interested" => Ok(CallDisposition::NotInterested),
        "do not call" | "dnc" => Ok(CallDisposition::DoNotCall),
        _ => Err(format!(
            "`{text}` is no disposition: write connected, voicemail, no_answer, busy, wrong_number, callback_requested, \
             not_interested or do_not_call, or put it under `values` of the mapping"
        )),
    }
}

/// A value of the type that the source declares; what it does not declare stays a text.
pub(crate) fn typed(text: &str, declared: Option<FieldType>) -> Result<prost_types::Value, String> {
    let json = match declared {
        Some(FieldType::Number) => number(text)?,
        Some(FieldType::Bool) => Json::Bool(yes_or_no(text)?),
        Some(FieldType::String | FieldType::Unspecified) | None => Json::from(text),
    };
    Ok(to_proto(&json))
}

fn number(text: &str) -> Result<Json, String> {
    let number = text.parse().ok().and_then(serde_json::Number::from_f64);
    number.map(Json::Number).ok_or_else(|| {
        format!("`{text}` is no number: write it as 40000 or 12.5, without unit and thousands separators")
    })
}

pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" | "x" | "ja" | "wahr" => Ok(true),
        "false" | "no" | "n" | "off" | "0" | "nein" | "falsch" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_berlin(format: Option<&str>, text: &str) -> Result<String, String> {
        Times::new(Some("Europe/Berlin"), format).unwrap().parse(text).map(|moment| moment.to_string())
    }

    #[test]
    fn moments_are_read_with_their_zone_or_in_that_of_the_file() {
        for (text, expected) in [
            ("2026-11-24T10:14:05+01:00", "2026-11-24T09:14:05Z"),
            ("2026-11-24T10:14:05Z", "2026-11-24T10:14:05Z"),
            ("2026-11-24 10:14", "2026-11-24T09:14:00Z"),
            ("2026-07-24T10:14:05.5", "2026-07-24T08:14:05.5Z"),
            ("24.11.2026 10:14", "2026-11-24T09:14:00Z"),
            ("24.11.2026 10:14:05", "2026-11-24T09:14:05Z"),
            ("24.11.2026", "2026-11-23T23:00:00Z"),
            ("2026-11-24", "2026-11-23T23:00:00Z"),
        ] {
            assert_eq!(in_berlin(None, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_the_clocks_showed_twice_or_never_has_one_meaning() {
        assert_eq!(in_berlin(None, "2026-10-25 02:30").as_deref(), Ok("2026-10-25T00:30:00Z"), "the earlier one");
        assert_eq!(in_berlin(None, "2026-03-29 02:30").as_deref(), Ok("2026-03-29T01:30:00Z"), "an hour later");
    }

    #[test]
    fn a_format_is_taken_at_its_word() {
        let american = Some("%m/%d/%Y %I:%M %p");
        assert_eq!(in_berlin(american, "11/24/2026 02:14 PM").as_deref(), Ok("2026-11-24T13:14:00Z"));
        assert!(in_berlin(american, "2026-11-24 10:14").unwrap_err().contains("not written as"));
        let offset = Some("%Y%m%d %H%M %z");
        assert_eq!(in_berlin(offset, "20261124 1014 -0500").as_deref(), Ok("2026-11-24T15:14:00Z"));
        assert_eq!(in_berlin(Some("%d/%m/%Y"), "24/11/2026").as_deref(), Ok("2026-11-23T23:00:00Z"));
    }

    #[test]
    fn what_could_be_two_moments_is_none() {
        let error = Times::default().parse("2026-11-24 10:14").unwrap_err();
        assert!(error.contains("--time-zone"), "{error}");
        let error = in_berlin(None, "03/04/2026 10:14").unwrap_err();
        assert!(error.contains("--time-format"), "{error}");
        assert!(in_berlin(None, "yesterday").is_err());
        assert!(Times::new(Some("Europe/Atlantis"), None).unwrap_err().to_string().contains("Atlantis"));
    }

    #[test]
    fn lengths_of_calls_are_read_as_systems_write_them() {
        let (second, minute) = (SignedDuration::from_secs(1), SignedDuration::from_mins(1));
        for (text, unit, expected) in [
            ("245", second, 245_000),
            ("245.5", second, 245_500),
            ("4:05", second, 245_000),
            ("1:04:05", second, 3_845_000),
            ("4m 5s", second, 245_000),
            ("PT4M5S", second, 245_000),
            ("2.5", minute, 150_000),
            ("4:05", minute, 245_000),
            ("0", second, 0),
        ] {
            assert_eq!(duration(text, unit), Ok(expected), "{text}");
        }
        for text in ["", "long", "4:75", "1:2:3:4", "4:-5", "NaN", "inf"] {
            assert!(duration(text, second).is_err(), "{text}");
        }
    }

    #[test]
    fn words_of_calls_are_understood_as_people_write_them() {
        assert_eq!(direction("Incoming"), Ok(CallDirection::Inbound));
        assert_eq!(disposition("No-Answer"), Ok(CallDisposition::NoAnswer));
        assert_eq!(disposition("callback_requested"), Ok(CallDisposition::CallbackRequested));
        assert!(disposition("fine").unwrap_err().contains("not_interested"));
        assert!(direction("sideways").is_err());
    }

    #[test]
    fn values_get_the_type_that_the_source_declares() {
        let shown = |text, declared| format!("{:?}", typed(text, declared).map(|value| value.kind));
        assert!(shown("40000", Some(FieldType::Number)).contains("NumberValue(40000.0)"));
        assert!(shown("Ja", Some(FieldType::Bool)).contains("BoolValue(true)"));
        assert!(shown("40000", None).contains("StringValue"));
        for (text, declared) in
            [("40,000", FieldType::Number), ("1e999", FieldType::Number), ("perhaps", FieldType::Bool)]
        {
            assert!(typed(text, Some(declared)).is_err(), "{text}");
        }
    }
}
