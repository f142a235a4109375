//! How messages wait: those that were written together in few rows. A row for each would cost as much as what they tell of.

use jiff::Timestamp;
use sea_orm::{Set, entity::prelude::*};

use super::{ActiveModel, Model};
use crate::{
    bus::Event,
    clock::from_millis,
    error::{Error, Result},
    trace::Origin,
};

/// Messages in one row at the most.
const MESSAGES: usize = 100;
/// Bytes of the bodies in one row at the most, unless one alone is longer.
const BYTES: usize = 256 << 10;

/// What stands in one row.
#[derive(Clone, PartialEq, prost::Message)]
struct Content {
    #[prost(message, repeated, tag = "1")]
    messages: Vec<Waiting>,
}

/// One message that waits to be published.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Waiting {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) event_id: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) subject: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) payload: Vec<u8>,
    #[prost(string, optional, tag = "4")]
    pub(crate) traceparent: Option<String>,
}

/// The rows for these, in their order.
pub(crate) fn rows(messages: Vec<Waiting>, time: Timestamp) -> Vec<ActiveModel> {
    let mut rows = Vec::with_capacity(messages.len().div_ceil(MESSAGES));
    let (mut content, mut bytes) = (Content::default(), 0);
    for message in messages {
        bytes += message.payload.len();
        let is_full = content.messages.len() == MESSAGES || bytes > BYTES;
        if is_full && !content.messages.is_empty() {
            bytes = message.payload.len();
            rows.push(row(&std::mem::take(&mut content), time));
        }
        content.messages.push(message);
    }
    if !content.messages.is_empty() {
        rows.push(row(&content, time));
    }
    rows
}

fn row(content: &Content, time: Timestamp) -> ActiveModel {
    ActiveModel {
        event_time: Set(time.as_millisecond()),
        messages: Set(content.messages.len() as i64),
        content: Set(prost::Message::encode_to_vec(content)),
        ..Default::default()
    }
}

impl Model {
    /// The events that wait in this row, in the order in which they were announced.
    ///
    /// # Errors
    /// `INTERNAL` when the row cannot be read.
    pub fn events(&self, source: &'static str) -> Result<Vec<Event>> {
        let content: Content = prost::Message::decode(self.content.as_slice())
            .map_err(|cause| Error::internal("a row of the outbox cannot be read").because(cause))?;
        let event = |message: Waiting| {
            let id = Uuid::from_slice(&message.event_id)
                .map_err(|cause| Error::internal("an event of the outbox without an id").because(cause))?;
            Ok(Event {
                id: id.to_string(),
                subject: message.subject,
                source,
                time: from_millis(self.event_time),
                payload: message.payload,
                origin: message.traceparent.as_deref().map(Origin::parse).unwrap_or_default(),
            })
        };
        content.messages.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(sizes: &[usize]) -> Vec<Waiting> {
        let message = |&size: &usize| Waiting { payload: vec![0; size], ..Waiting::default() };
        sizes.iter().map(message).collect()
    }

    fn counts(sizes: &[usize]) -> Vec<i64> {
        rows(messages(sizes), Timestamp::UNIX_EPOCH).into_iter().map(|row| row.messages.unwrap()).collect()
    }

    #[test]
    fn a_row_is_full_by_number_or_by_size_and_a_long_message_has_one_of_its_own() {
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&[10; 250]), [100, 100, 50]);
        assert_eq!(counts(&[BYTES / 2; 5]), [2, 2, 1]);
        assert_eq!(counts(&[10, 2 * BYTES, 10]), [1, 1, 1]);
        assert_eq!(counts(&[2 * BYTES]), [1]);
    }
}
