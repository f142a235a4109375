//! Messages whose headers the client cannot read: bytes that are no UTF-8, a line without a colon. Anybody who may
//! publish can send one and the server carries it, but the client breaks its connection at each delivery, so that nothing
//! else comes through. Here they are found before anything is pulled, fetched in a form that the client can read, and
//! handled without their headers.

use async_nats::jetstream::{
    consumer::PullConsumer,
    message::StreamMessage,
    response::Response,
    stream::{RawMessage, Stream},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;
use std::future::Future;

use super::{Delivery, Headers, MAX_IN_WORK, Worker, position};
use crate::{
    bus::Bus,
    error::{Error, Result},
    trace::Origin,
};

#[derive(Deserialize)]
struct Stored {
    message: RawMessage,
}

impl<H, Fut> Worker<H>
where
    H: Fn(Vec<Delivery>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    /// Looks for them among what was delivered to somebody and is not done.
    pub(super) async fn handle_unreadable(
        &self,
        bus: &Bus,
        stream: &Stream,
        consumer: &mut PullConsumer,
    ) -> Result<()> {
        let info = consumer
            .info()
            .await
            .map_err(|cause| Error::unavailable("the consumer does not say how far it is").because(cause))?;
        if info.num_ack_pending == 0 {
            return Ok(());
        }
        let (mut sequence, last) = (info.ack_floor.stream_sequence + 1, info.delivered.stream_sequence);
        for _ in 0..MAX_IN_WORK {
            let Some(stored) = self.stored(bus, sequence).await?.filter(|stored| stored.sequence <= last) else {
                break;
            };
            sequence = stored.sequence + 1;
            if StreamMessage::try_from(stored.clone()).is_err() {
                self.handle_without_headers(stream, &stored).await?;
            }
        }
        Ok(())
    }

    /// The first message that is still there, from this place on.
    async fn stored(&self, bus: &Bus, sequence: u64) -> Result<Option<RawMessage>> {
        let question = json!({ "seq": sequence, "next_by_subj": self.consumer.subject });
        let answer: Response<Stored> = bus
            .context
            .request(format!("STREAM.MSG.GET.{}", self.consumer.stream), &question)
            .await
            .map_err(|cause| Error::unavailable("the stream does not show what it holds").because(cause))?;
        Ok(match answer {
            Response::Ok(stored) => Some(stored.message),
            Response::Err { .. } => None,
        })
    }

    /// As any other delivery, but ended by taking it out of the stream: only what was delivered can be acknowledged.
    async fn handle_without_headers(&self, stream: &Stream, stored: &RawMessage) -> Result<()> {
        let payload = BASE64_STANDARD
            .decode(&stored.payload)
            .map_err(|cause| Error::unavailable("the stream shows no message").because(cause))?;
        let delivery = Delivery {
            id: position(self.consumer.stream, stored.sequence, stored.time.unix_timestamp_nanos()),
            subject: stored.subject.clone(),
            payload: payload.into(),
            headers: Headers::Unreadable,
            origin: Origin::default(),
        };
        tracing::warn!(consumer = self.consumer.durable, event = delivery.id, "a message with unreadable headers");
        match self.hand_over(vec![delivery.clone()]).await {
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => self.set_aside(&delivery, &error).await?,
            Ok(()) => {}
        }
        // It may have been taken out meanwhile, by another replica.
        if let Err(error) = stream.delete_message(stored.sequence).await {
            tracing::debug!(%error, "it is not taken out");
        }
        Ok(())
    }
}
