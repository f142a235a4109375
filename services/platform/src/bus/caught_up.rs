//! Whether a consumer has handled what its stream holds.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    consumer::Info,
    context::{ConsumerInfoErrorKind, GetStreamErrorKind},
    stream::Stream,
};

use super::{Bus, Consumer};
use crate::error::{Error, Result};

impl Bus {
    /// Waits until `consumer` has handled all that its stream holds by now. A stream that is not there holds nothing.
    ///
    /// # Errors
    /// `UNAVAILABLE` when that takes longer than `patience`, or the server does not answer.
    pub(crate) async fn caught_up(&self, consumer: &Consumer, patience: Duration) -> Result<()> {
        let stream = match self.context.get_stream(consumer.stream).await {
            Ok(stream) => stream,
            Err(error) => {
                return match error.kind() {
                    GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(()),
                    _ => Err(Error::unavailable("the stream cannot be asked").because(error)),
                };
            }
        };
        tokio::time::timeout(patience, handled(&stream, consumer))
            .await
            .unwrap_or_else(|_| Err(Error::unavailable(format!("{} is behind", consumer.durable))))
    }
}

async fn handled(stream: &Stream, consumer: &Consumer) -> Result<()> {
    let last = stream.cached_info().state.last_sequence;
    loop {
        match stream.consumer_info(consumer.durable).await {
            Ok(info) if has_handled(&info, last) => return Ok(()),
            Ok(_) => {}
            // It is about to be made.
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => {}
            Err(error) => return Err(Error::unavailable("the consumer cannot be asked").because(error)),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether everything up to `last` is acknowledged, or everything at all: the floor stays where the last event of the
/// consumer's own subject was.
fn has_handled(info: &Info, last: u64) -> bool {
    info.ack_floor.stream_sequence >= last || (info.num_pending == 0 && info.num_ack_pending == 0)
}
