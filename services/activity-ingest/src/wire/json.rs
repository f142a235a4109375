use leadflow_platform::{Error, Result};
use leadflow_proto::{DESCRIPTORS, activity::v1::Activity};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value as Json;
use serde_path_to_error::{Deserializer, Track};

use crate::error;

/// Reads activities in the JSON of proto3, with the names of the contract or in lowerCamelCase.
#[derive(Clone, Debug)]
pub(crate) struct ActivityJson(MessageDescriptor);

impl ActivityJson {
    /// Reads the contract.
    ///
    /// # Errors
    /// `INTERNAL` when it has no descriptors.
    pub(crate) fn new() -> Result<Self> {
        let pool = DescriptorPool::decode(DESCRIPTORS)
            .map_err(|cause| Error::internal("the contract has no descriptors").because(cause))?;
        pool.get_message_by_name("leadflow.activity.v1.Activity")
            .map(Self)
            .ok_or_else(|| Error::internal("the contract has no activity"))
    }

    /// The activity that this JSON says.
    ///
    /// # Errors
    /// `MALFORMED_BODY`, with the field at fault, when it is none or has a field that no activity has.
    pub(crate) fn read(&self, json: Json) -> Result<Activity> {
        let mut track = Track::new();
        let tracked = Deserializer::new(json, &mut track);
        let message = DynamicMessage::deserialize(self.0.clone(), tracked).map_err(|cause| {
            let field = error::path(&track.path().to_string());
            error::malformed_field(field, error::without_values(&cause.to_string()))
        })?;
        message.transcode_to().map_err(|cause| error::malformed_body("is no activity").because(cause))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(json: Json) -> (String, String) {
        let error = ActivityJson::new().unwrap().read(json).unwrap_err();
        assert_eq!(error.reason(), "MALFORMED_BODY");
        error.violations()[0].clone()
    }

    #[test]
    fn a_mistake_is_named_by_its_field() {
        assert_eq!(problem(json!([1])).0, "body");
        assert_eq!(problem(json!({ "notes": 5 })).0, "notes");
        let (field, description) = problem(json!({ "identity": { "mail": "x" } }));
        assert!(field == "identity" && description.contains("mail"), "{field} {description}");
        assert_eq!(problem(json!({ "occurTime": "yesterday" })).0, "occurTime");
        assert_eq!(problem(json!({ "channel": "WEB" })).0, "channel");
    }

    #[test]
    fn a_mistake_shows_nothing_of_a_person() {
        for identity in
            [json!({ "phone": 4_930_123_456_u64 }), json!("anna@example.com"), json!(["anna\"@example.com"])]
        {
            let (field, description) = problem(json!({ "identity": identity }));
            assert!(field.starts_with("identity"), "{field}");
            assert!(!description.contains("anna") && !description.contains("123"), "{description}");
        }
    }
}
