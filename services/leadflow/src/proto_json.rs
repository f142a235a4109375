//! Messages of the contract in the JSON of proto3, with the names of the contract.

use anyhow::{Context as _, Result};
use leadflow_proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value as Json;

/// What the contract says of the message of this name.
pub(crate) fn descriptor(name: &str) -> Result<MessageDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS)?;
    pool.get_message_by_name(name).with_context(|| format!("the contract has no {name}"))
}

/// The message of this name as JSON, with all its fields but those that say nothing.
pub(crate) fn write(name: &str, message: &impl prost::Message) -> Result<Json> {
    let mut dynamic = DynamicMessage::new(descriptor(name)?);
    dynamic.transcode_from(message)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    let json = dynamic.serialize_with_options(serde_json::value::Serializer, &options);
    json.with_context(|| format!("this {name} is not for JSON"))
}
