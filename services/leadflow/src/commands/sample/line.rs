//! The lines of `activities.jsonl`: what happened, how long ago, and through which door it comes in.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use leadflow_platform::{clock::to_proto, value};
use leadflow_proto::{
    activity::v1::{Activity, CallDetails, CallDirection, CallDisposition, Channel},
    contact::v1::Identity,
};
use serde::Deserialize;

/// One line.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "door", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// gRPC.
    Grpc(Box<ActivityLine>),
    /// A badge scan of a trade show, in a CSV file.
    Csv(Box<ActivityLine>),
    /// An event of the email provider's webhook.
    Webhook(Box<ActivityLine>),
    /// The intake stream.
    Nats(Box<ActivityLine>),
    /// A web form.
    Form(FormLine),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivityLine {
    minutes_ago: i64,
    pub(super) source: String,
    pub(super) source_event_id: String,
    #[serde(default)]
    pub(super) activity_type: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    pub(super) product_category: String,
    pub(super) identity: HashMap<String, String>,
    #[serde(default)]
    pub(super) object_id: String,
    #[serde(default)]
    pub(super) attributes: HashMap<String, serde_json::Value>,
    #[serde(default)]
    answers: HashMap<String, serde_json::Value>,
    #[serde(default)]
    pub(super) notes: String,
    call: Option<CallLine>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallLine {
    direction: String,
    disposition: String,
    #[serde(default)]
    minutes: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormLine {
    pub(super) minutes_ago: i64,
    pub(super) source: String,
    pub(super) source_event_id: String,
    pub(super) fields: HashMap<String, String>,
}

/// So many minutes before the moment that the sample month ends at.
pub(super) fn ago(anchor: Timestamp, minutes: i64) -> Result<Timestamp> {
    Ok(anchor.checked_sub(SignedDuration::from_mins(minutes))?)
}

impl ActivityLine {
    pub(super) fn occur_time(&self, anchor: Timestamp) -> Result<Timestamp> {
        ago(anchor, self.minutes_ago)
    }

    /// What the identity says under this name.
    pub(super) fn says(&self, name: &str) -> String {
        self.identity.get(name).cloned().unwrap_or_default()
    }

    /// The line as a message of the contract.
    pub(super) fn to_activity(&self, anchor: Timestamp) -> Result<Activity> {
        let channel = match self.channel.as_str() {
            "" => Channel::Unspecified,
            name => Channel::from_str_name(&format!("CHANNEL_{}", name.to_uppercase()))
                .with_context(|| format!("there is no channel `{name}`"))?,
        };
        let values = |values: &HashMap<String, serde_json::Value>| {
            values.iter().map(|(name, value)| (name.clone(), value::to_proto(value))).collect()
        };
        Ok(Activity {
            source: self.source.clone(),
            source_event_id: self.source_event_id.clone(),
            activity_type: self.activity_type.clone(),
            channel: channel.into(),
            product_category: self.product_category.clone(),
            occur_time: Some(to_proto(self.occur_time(anchor)?)),
            identity: Some(Identity {
                email: self.says("email"),
                phone: self.says("phone"),
                external_id: self.says("external_id"),
                anonymous_id: self.says("anonymous_id"),
                domain: self.says("domain"),
                company: self.says("company"),
                country: self.says("country"),
                region: self.says("region"),
                postal_code: self.says("postal_code"),
                given_name: self.says("given_name"),
                family_name: self.says("family_name"),
                job_title: self.says("job_title"),
                street: self.says("street"),
                city: self.says("city"),
                ..Identity::default()
            }),
            object_id: self.object_id.clone(),
            attributes: values(&self.attributes),
            answers: values(&self.answers),
            notes: self.notes.clone(),
            call: self.call.as_ref().map(CallLine::to_details).transpose()?,
            ..Default::default()
        })
    }
}

impl CallLine {
    fn to_details(&self) -> Result<CallDetails> {
        let named = |prefix: &str, word: &str| format!("{prefix}{}", word.to_uppercase());
        let direction = CallDirection::from_str_name(&named("CALL_DIRECTION_", &self.direction))
            .with_context(|| format!("no call goes `{}`", self.direction))?;
        let disposition = CallDisposition::from_str_name(&named("CALL_DISPOSITION_", &self.disposition))
            .with_context(|| format!("no call ends `{}`", self.disposition))?;
        Ok(CallDetails {
            direction: direction.into(),
            disposition: disposition.into(),
            duration: Some(prost_types::Duration { seconds: self.minutes * 60, nanos: 0 }),
            ..Default::default()
        })
    }
}
