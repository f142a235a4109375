//! What a consumer has not done with, and how long that waits: what an operator watches, and what replicas are added for.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::{Bus, Consumer};
use crate::error::{Error, Result};

/// How long the server is asked, all consumers together: whoever reads metrics does not wait longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a consumer has not done with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Events that wait or are in work.
    pub events: u64,
    /// When the oldest of them was published.
    pub oldest: Option<Timestamp>,
}

impl Bus {
    /// From now on the backlog of this consumer is of interest.
    pub(super) async fn watch(&self, consumer: Consumer) {
        let mut consumed = self.consumed.lock().await;
        if !consumed.contains(&consumer) {
            consumed.push(consumer);
        }
    }

    /// The backlog of each consumer that runs here, as far as the server knows it. While the bus is away, none is.
    pub async fn backlogs(&self) -> Vec<(Consumer, Backlog)> {
        if !self.is_connected() {
            return Vec::new();
        }
        let consumers = self.consumed.lock().await.clone();
        let asked = consumers.into_iter().map(async |consumer| (consumer, self.backlog(&consumer).await));
        let Ok(answers) = tokio::time::timeout(PATIENCE, join_all(asked)).await else {
            tracing::warn!("NATS does not say in time what waits");
            return Vec::new();
        };
        let known = |(consumer, backlog): (Consumer, Result<Backlog>)| match backlog {
            Ok(backlog) => Some((consumer, backlog)),
            Err(error) => {
                tracing::warn!(consumer = consumer.durable, %error, "it is not known what waits");
                None
            }
        };
        answers.into_iter().filter_map(known).collect()
    }

    async fn backlog(&self, consumer: &Consumer) -> Result<Backlog> {
        let unknown = |cause: async_nats::Error| Error::unavailable("the stream cannot be asked").because(cause);
        let stream = self.context.get_stream_no_info(consumer.stream).await.map_err(|e| unknown(e.into()))?;
        let info = stream.consumer_info(consumer.durable).await.map_err(|e| unknown(e.into()))?;
        let events = info.num_pending + info.num_ack_pending as u64;
        if events == 0 {
            return Ok(Backlog::default());
        }
        // All up to the floor is done with. What comes next may have been finished, or have expired, meanwhile.
        let next = info.ack_floor.stream_sequence + 1;
        let oldest = stream.get_first_raw_message_by_subject(consumer.subject, next).await.ok();
        let published = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).ok();
        Ok(Backlog { events, oldest: oldest.and_then(|message| published(message.time.unix_timestamp_nanos())) })
    }
}
