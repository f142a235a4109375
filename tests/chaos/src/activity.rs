//! An activity as it is sent: what the oracle reads, and the same in the words of each door.

use std::collections::BTreeMap;

use jiff::Timestamp;
use leadflow_platform::{
    clock::{from_millis, to_proto},
    value::map_to_proto,
};
use leadflow_proto::{
    activity::v1::{self as proto, Channel},
    contact::v1::Identity as IdentityMessage,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Door {
    Grpc,
    Http,
    Nats,
}

impl Door {
    /// The source whose activities come this way, as the company has registered it.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Grpc => "desk",
            Self::Http => "website",
            Self::Nats => "mailing",
        }
    }
}

/// Who did it. What is empty is not said.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Identity {
    pub(crate) email: String,
    pub(crate) domain: String,
    pub(crate) company: String,
    pub(crate) country: String,
}

/// What somebody did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Activity {
    #[serde(rename = "type")]
    pub(crate) activity_type: String,
    pub(crate) channel: String,
    pub(crate) product_category: String,
    /// Unix milliseconds.
    pub(crate) occur_time: i64,
    pub(crate) identity: Identity,
    pub(crate) attributes: BTreeMap<String, Json>,
    pub(crate) answers: BTreeMap<String, Json>,
    pub(crate) object_id: String,
}

impl Activity {
    fn occurred(&self) -> Timestamp {
        from_millis(self.occur_time)
    }

    fn channel_word(&self) -> String {
        format!("CHANNEL_{}", self.channel.to_uppercase())
    }

    /// For gRPC.
    pub(crate) fn message(&self, source: &str, source_event_id: &str) -> proto::Activity {
        proto::Activity {
            source: source.to_owned(),
            source_event_id: source_event_id.to_owned(),
            activity_type: self.activity_type.clone(),
            channel: Channel::from_str_name(&self.channel_word()).unwrap_or_default().into(),
            product_category: self.product_category.clone(),
            occur_time: Some(to_proto(self.occurred())),
            identity: Some(IdentityMessage {
                email: self.identity.email.clone(),
                domain: self.identity.domain.clone(),
                company: self.identity.company.clone(),
                country: self.identity.country.clone(),
                ..Default::default()
            }),
            object_id: self.object_id.clone(),
            attributes: map_to_proto(&self.attributes),
            answers: map_to_proto(&self.answers),
            ..Default::default()
        }
    }

    /// For NATS, in JSON.
    pub(crate) fn json(&self, source_event_id: &str) -> Json {
        json!({
            "source_event_id": source_event_id,
            "activity_type": self.activity_type,
            "channel": self.channel_word(),
            "product_category": self.product_category,
            "occur_time": self.occurred().to_string(),
            "identity": self.identity,
            "attributes": self.attributes,
            "answers": self.answers,
            "object_id": self.object_id,
        })
    }

    /// For a form: names and texts. The channel is that of the source.
    pub(crate) fn form(&self, source_event_id: &str) -> Vec<(String, String)> {
        let words = [
            ("event_id", source_event_id),
            ("activity_type", &self.activity_type),
            ("product_category", &self.product_category),
            ("object_id", &self.object_id),
            ("email", &self.identity.email),
            ("domain", &self.identity.domain),
            ("company", &self.identity.company),
            ("country", &self.identity.country),
        ];
        let mut fields: Vec<_> = words.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        fields.push(("occur_time".into(), self.occurred().to_string()));
        let values = self.attributes.iter().chain(&self.answers);
        fields.extend(values.map(|(name, value)| (name.clone(), text(value))));
        fields.retain(|(_, text)| !text.is_empty());
        fields
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_says_the_same() {
        let activity = Activity {
            activity_type: "form_submitted".into(),
            channel: "web".into(),
            product_category: "pumps".into(),
            occur_time: 1_700_000_000_123,
            identity: Identity { email: "a@b.de".into(), ..Identity::default() },
            attributes: [("form".to_owned(), json!("contact"))].into(),
            answers: [("budget".to_owned(), json!(5000))].into(),
            object_id: String::new(),
        };
        let message = activity.message("website", "x");
        assert_eq!(message.channel(), Channel::Web);
        assert_eq!(message.occur_time.unwrap().nanos, 123_000_000);
        let form = activity.form("x");
        let said = |name: &str| form.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str());
        assert_eq!((said("occur_time"), said("budget")), (Some("2023-11-14T22:13:20.123Z"), Some("5000")));
        assert_eq!(said("object_id"), None);
        assert_eq!(activity.json("x")["identity"]["email"], "a@b.de");
    }
}
