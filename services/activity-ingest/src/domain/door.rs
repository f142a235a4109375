//! The ways in.

use serde::Serialize;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Door {
    /// `RecordActivities`.
    Grpc,
    /// A web form.
    Form,
    /// A CSV import, over `RecordActivities`.
    Csv,
    /// A provider's webhook.
    Webhook,
    /// The intake stream.
    Nats,
    /// A signed link that a person has followed.
    Link,
}

impl Door {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [Self::Grpc, Self::Form, Self::Csv, Self::Webhook, Self::Nats, Self::Link];

    /// The word in the database and on the metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Form => "form",
            Self::Csv => "csv",
            Self::Webhook => "webhook",
            Self::Nats => "nats",
            Self::Link => "link",
        }
    }

    /// The door of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.as_str() == word)
    }

    /// Whether what is refused is kept: nobody stands at the other side of a one-way door to mend it.
    pub(crate) fn keeps(self) -> bool {
        match self {
            Self::Grpc | Self::Form | Self::Link => false,
            Self::Csv | Self::Webhook | Self::Nats => true,
        }
    }
}
