//! Where activities come from, and what an interest may be in.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::domain::{activity::Channel, consent::ConsentChannel};

/// A registered place that activities come from. Empty means not said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) display_name: String,
    pub(crate) default_activity_type: String,
    pub(crate) default_channel: Channel,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) default_product_category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consent: Option<Consent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<Field>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) redirect_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Webhook>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) verifies_mobile: bool,
}

/// Who posts the source's events, and the key that checks its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) provider: String,
    /// `SubjectPublicKeyInfo` in DER, in Base64, as the provider shows it.
    pub(crate) public_key: String,
}

impl Source {
    /// The declared attribute (or answer) of this name.
    pub(crate) fn field(&self, name: &str, answer: bool) -> Option<&Field> {
        self.fields.iter().find(|field| field.answer == answer && field.name == name)
    }

    /// The declared field of this name, attribute or answer. A source has one of a name.
    pub(crate) fn form_field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The consent that an activity of the source brings with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) basis: Basis,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) purpose: String,
    /// The field that must be ticked; empty: sending is consenting.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) field: String,
    /// The ways to reach the person that it is for; empty: email.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<ConsentChannel>,
    /// The person has to confirm it (double opt-in).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirmation: Option<Confirmation>,
}

/// How a consent is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confirmation {
    /// How long the person has time for it.
    pub(crate) within_seconds: u32,
}

impl Default for Confirmation {
    /// A week: a message may lie over somebody's holidays, and what lies longer was not wanted.
    fn default() -> Self {
        Self { within_seconds: 7 * 86_400 }
    }
}

/// A checkbox sends its value (`on` by default) when it is ticked, and nothing when it is not.
pub(crate) fn is_ticked(value: &Json) -> bool {
    match value {
        Json::Bool(ticked) => *ticked,
        Json::String(text) => !text.trim().is_empty() && FieldType::parse_bool(text) != Some(Json::Bool(false)),
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
    }
}

/// The legal ground of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Basis {
    Consent,
    Contract,
    LegitimateInterest,
    None,
}

impl Basis {
    /// The word in the contract.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegitimateInterest => "legitimate_interest",
            Self::None => "none",
        }
    }

    /// The basis of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Consent, Self::Contract, Self::LegitimateInterest, Self::None]
            .into_iter()
            .find(|basis| basis.as_str() == word)
    }
}

/// One field of a source that rules may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) field_type: FieldType,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) answer: bool,
}

/// The type of a declared field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldType {
    String,
    Number,
    Bool,
}

impl FieldType {
    /// What a value of this type is, for messages.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Number => "a number such as `12.5`",
            Self::Bool => "yes or no (true, false, yes, no, on, off, 1, 0)",
        }
    }

    /// Whether the value is of this type.
    pub(crate) fn admits(self, value: &Json) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
        }
    }

    /// The value that a form's text stands for.
    pub(crate) fn parse(self, text: &str) -> Option<Json> {
        match self {
            Self::String => Some(Json::String(text.to_owned())),
            Self::Number => text.trim().parse().ok().and_then(serde_json::Number::from_f64).map(Json::Number),
            Self::Bool => Self::parse_bool(text),
        }
    }

    fn parse_bool(text: &str) -> Option<Json> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(Json::Bool(true)),
            "false" | "no" | "off" | "0" => Some(Json::Bool(false)),
            _ => None,
        }
    }
}

/// What an interest is in. Categories form a tree. Empty means not said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductCategory {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) parent: String,
}
