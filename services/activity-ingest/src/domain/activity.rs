//! An activity, on its way from a door into the ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use leadflow_platform::trace::Origin;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{call::Call, consent::Statement, link::Linked, resolution::Recognised};

/// Typed values by name: strings, numbers and booleans.
pub(crate) type Values = BTreeMap<String, Json>;

/// An activity as it came through a door, before anything is checked. Empty means not said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Draft {
    pub(crate) source: String,
    /// Told apart from content: it names the content.
    #[serde(skip)]
    pub(crate) source_event_id: String,
    pub(crate) activity_type: String,
    pub(crate) channel: Option<Channel>,
    pub(crate) product_category: String,
    pub(crate) occur_time: Option<Timestamp>,
    pub(crate) identity: Identity,
    pub(crate) object_id: String,
    pub(crate) attributes: Values,
    pub(crate) answers: Values,
    pub(crate) notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<Call>,
    /// What a link of ours says, and of whom; there is no identity then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linked: Option<Linked>,
    /// What it was sent by, where that is not simply the call it came with.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Who did it, as the source said. Empty means not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Identity {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) phone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) external_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) anonymous_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) domain: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) company: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) country: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) region: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) postal_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) given_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) family_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) job_title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) street: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) city: String,
    /// The source has made sure that the phone is the person's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) phone_verified: bool,
}

impl Identity {
    /// Each text with its name.
    pub(crate) fn fields(&self) -> [(&'static str, &str); 14] {
        [
            ("email", &self.email),
            ("phone", &self.phone),
            ("external_id", &self.external_id),
            ("anonymous_id", &self.anonymous_id),
            ("domain", &self.domain),
            ("company", &self.company),
            ("country", &self.country),
            ("region", &self.region),
            ("postal_code", &self.postal_code),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("job_title", &self.job_title),
            ("street", &self.street),
            ("city", &self.city),
        ]
    }

    /// Each text, to change it, with its name.
    pub(crate) fn fields_mut(&mut self) -> [(&'static str, &mut String); 14] {
        [
            ("email", &mut self.email),
            ("phone", &mut self.phone),
            ("external_id", &mut self.external_id),
            ("anonymous_id", &mut self.anonymous_id),
            ("domain", &mut self.domain),
            ("company", &mut self.company),
            ("country", &mut self.country),
            ("region", &mut self.region),
            ("postal_code", &mut self.postal_code),
            ("given_name", &mut self.given_name),
            ("family_name", &mut self.family_name),
            ("job_title", &mut self.job_title),
            ("street", &mut self.street),
            ("city", &mut self.city),
        ]
    }
}

/// How an activity reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    Web,
    Email,
    Phone,
    Event,
    Meeting,
    Mail,
    Chat,
    Other,
}

impl Channel {
    /// All of them.
    pub(crate) const ALL: [Self; 8] =
        [Self::Web, Self::Email, Self::Phone, Self::Event, Self::Meeting, Self::Mail, Self::Chat, Self::Other];

    /// The word in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Event => "event",
            Self::Meeting => "meeting",
            Self::Mail => "mail",
            Self::Chat => "chat",
            Self::Other => "other",
        }
    }

    /// The channel of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

/// How far an activity has come in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Pending,
    Identified,
    Quarantined,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Pending, Self::Identified, Self::Quarantined];

    /// The word in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Identified => "identified",
            Self::Quarantined => "quarantined",
        }
    }

    /// The state of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Whether the consent that the source stands for was given with this activity: on record, also where it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsentGiven {
    pub(crate) basis: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) purpose: String,
    pub(crate) given: bool,
}

/// What only the ledger keeps: who it was, and what was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Payload {
    pub(crate) identity: Identity,
    /// Who it is, where a link of ours says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<Uuid>,
    /// Declared by the source: rules may use them.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub(crate) attributes: Values,
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub(crate) answers: Values,
    /// Declared by nobody: kept, and used by nobody.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub(crate) undeclared_attributes: Values,
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub(crate) undeclared_answers: Values,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consent: Option<ConsentGiven>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<Statement>,
}

impl Payload {
    /// Forgets what was said, but not who it was, nor what the rules may see.
    pub(crate) fn forget(&mut self) {
        self.notes.clear();
        self.undeclared_attributes.clear();
        self.undeclared_answers.clear();
    }

    /// The attribute or answer of this name, declared or not.
    pub(crate) fn value(&self, name: &str) -> Option<&Json> {
        [&self.attributes, &self.undeclared_attributes, &self.answers, &self.undeclared_answers]
            .into_iter()
            .find_map(|values| values.get(name))
    }
}

/// An activity that may enter the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) source: String,
    /// None: told apart by its content.
    pub(crate) source_event_id: Option<String>,
    pub(crate) activity_type: String,
    pub(crate) channel: Channel,
    pub(crate) product_category: Option<String>,
    /// None: the moment of acceptance.
    pub(crate) occur_time: Option<Timestamp>,
    pub(crate) object_id: Option<String>,
    pub(crate) payload: Payload,
    pub(crate) digest: [u8; 32],
    /// Who did it, when contact has recognised them; otherwise that is found out from the ledger.
    pub(crate) recognised: Option<Recognised>,
    pub(crate) origin: Origin,
}

/// An activity in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activity {
    pub(crate) activity_id: Uuid,
    pub(crate) source: String,
    pub(crate) source_event_id: String,
    pub(crate) activity_type: String,
    pub(crate) channel: Channel,
    pub(crate) product_category: Option<String>,
    pub(crate) occur_time: Timestamp,
    pub(crate) record_time: Timestamp,
    pub(crate) object_id: Option<String>,
    pub(crate) payload: Payload,
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) account_revision: i64,
    pub(crate) state: State,
    pub(crate) attempts: i32,
    pub(crate) principal: String,
    /// What has brought it into the ledger; while it is being identified, that.
    pub(crate) origin: Origin,
}

impl Activity {
    /// The same without anything that may tell who it was.
    pub(crate) fn suppressed(self) -> Self {
        let Identity { email, phone, external_id, anonymous_id, .. } = &self.payload.identity;
        let said = [email, phone, external_id, anonymous_id].into_iter().filter(|text| !text.is_empty());
        let event_id = self.source_event_id.to_lowercase();
        let tells = said.into_iter().any(|text| event_id.contains(&text.to_lowercase()));
        let source_event_id =
            if tells { format!("suppressed-{}", self.activity_id) } else { self.source_event_id.clone() };
        Self { source_event_id, object_id: None, payload: Payload::default(), ..self }
    }
}
