//! What a column can mean.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Anything that somebody did: badge scans, visits, downloads.
    #[default]
    Scans,
    /// Telephone calls.
    Calls,
}

/// What a column means. The order is that in which a line is told to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    /// The source's own id of the event.
    EventId,
    /// The id under which an earlier import tried this line; stands in its file of errors.
    EarlierEventId,
    /// When it happened. A date and a time of day in two columns are both this.
    OccurTime,
    /// A field of the identity, by its name in the contract.
    Identity(&'static str),
    /// Given and family name in one.
    FullName,
    /// The day of birth, also in three columns; only files that are matched have it.
    BirthDate,
    /// The number by which a register knows somebody; only files that are matched have it.
    PersonNumber,
    ActivityType,
    ProductCategory,
    ObjectId,
    /// Who rang.
    Direction,
    /// How a call ended.
    Disposition,
    /// How long a call took: seconds, `m:ss`, `h:mm:ss`, or with units.
    Duration,
    /// The same in minutes.
    DurationMinutes,
    Agent,
    CallId,
    Attribute(String),
    Answer(String),
    Notes,
    /// Nothing.
    Ignored,
}

/// The fields of an identity, as the contract names them.
pub(crate) const IDENTITY: [&str; 14] = [
    "email",
    "phone",
    "external_id",
    "anonymous_id",
    "domain",
    "company",
    "country",
    "region",
    "postal_code",
    "given_name",
    "family_name",
    "job_title",
    "street",
    "city",
];

/// The other words, each with its field.
const WORDS: [(&str, Field); 17] = [
    ("event_id", Field::EventId),
    ("import_event_id", Field::EarlierEventId),
    ("occur_time", Field::OccurTime),
    ("full_name", Field::FullName),
    ("birth_date", Field::BirthDate),
    ("person_number", Field::PersonNumber),
    ("activity_type", Field::ActivityType),
    ("product_category", Field::ProductCategory),
    ("object_id", Field::ObjectId),
    ("direction", Field::Direction),
    ("disposition", Field::Disposition),
    ("duration", Field::Duration),
    ("duration_minutes", Field::DurationMinutes),
    ("agent", Field::Agent),
    ("call_id", Field::CallId),
    ("notes", Field::Notes),
    ("ignore", Field::Ignored),
];

impl Field {
    /// Whether several columns may mean it; their texts are joined.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self, Self::OccurTime | Self::BirthDate | Self::Notes | Self::Ignored | Self::Identity("street"))
    }

    /// Whether it only tells people apart where a file is matched; contact keeps none of it.
    pub(crate) fn is_of_matching(&self) -> bool {
        matches!(self, Self::BirthDate | Self::PersonNumber)
    }

    /// Whether it may name somebody.
    pub(crate) fn names(&self) -> bool {
        matches!(self, Self::FullName | Self::Identity("given_name" | "family_name")) || self.identifies()
    }

    /// Whether only a call has it.
    pub(crate) fn is_of_calls(&self) -> bool {
        matches!(
            self,
            Self::Direction | Self::Disposition | Self::Duration | Self::DurationMinutes | Self::Agent | Self::CallId
        )
    }

    /// Whether it makes the event another one; otherwise it is a detail of it.
    pub(crate) fn is_of_event(&self) -> bool {
        match self {
            Self::OccurTime
            | Self::Identity(_)
            | Self::FullName
            | Self::ActivityType
            | Self::ProductCategory
            | Self::ObjectId
            | Self::Direction
            | Self::Disposition
            | Self::Duration
            | Self::DurationMinutes => true,
            Self::EventId
            | Self::EarlierEventId
            | Self::Agent
            | Self::CallId
            | Self::BirthDate
            | Self::PersonNumber
            | Self::Attribute(_)
            | Self::Answer(_)
            | Self::Notes
            | Self::Ignored => false,
        }
    }

    /// Whether it says who it was.
    pub(crate) fn identifies(&self) -> bool {
        let strong = ["email", "phone", "external_id", "anonymous_id", "domain", "company"];
        matches!(self, Self::Identity(name) if strong.contains(name))
    }

    /// The field of the activity that it ends up in, as the service names it in errors.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Identity(name) => format!("identity.{name}"),
            Self::FullName => "identity.given_name".into(),
            Self::EventId | Self::EarlierEventId => "source_event_id".into(),
            Self::Direction | Self::Disposition | Self::Duration | Self::Agent | Self::CallId => format!("call.{self}"),
            Self::DurationMinutes => "call.duration".into(),
            Self::Attribute(name) => format!("attributes.{name}"),
            Self::Answer(name) => format!("answers.{name}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(name) => f.write_str(name),
            Self::Attribute(name) => write!(f, "attribute.{name}"),
            Self::Answer(name) => write!(f, "answer.{name}"),
            other => f.write_str(WORDS.iter().find(|(_, field)| field == other).map_or("", |(word, _)| word)),
        }
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        if let Some(name) = IDENTITY.into_iter().find(|name| *name == text) {
            return Ok(Self::Identity(name));
        }
        if let Some((_, field)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(field.clone());
        }
        named("attribute.").map(Self::Attribute).or_else(|| named("answer.").map(Self::Answer)).ok_or_else(|| {
            let words: Vec<_> = IDENTITY.into_iter().chain(WORDS.iter().map(|(word, _)| *word)).collect();
            format!("there is no field `{text}`: use {}, attribute.NAME or answer.NAME", words.join(", "))
        })
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        let words = IDENTITY.into_iter().chain(WORDS.iter().map(|(word, _)| *word));
        for word in words.chain(["attribute.minutes", "answer.budget"]) {
            assert_eq!(word.parse::<Field>().unwrap().to_string(), word);
        }
        assert!("answer.".parse::<Field>().unwrap_err().contains("answer.NAME"));
    }
}
