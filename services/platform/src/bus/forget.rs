//! Deleting single messages of a stream, so that nothing of them is left in its files.

use async_nats::jetstream::stream::RawMessageErrorKind;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::Bus;
use crate::error::{Error, Result};

/// Messages that are asked for at once.
const IN_FLIGHT: usize = 64;

impl Bus {
    /// Deletes the messages of a stream that `is_one` picks by subject and body, and says how many. The server writes over
    /// them. What comes while this looks is not looked at. A stream that is not there holds nothing.
    ///
    /// It reads the whole stream, which no index can spare it: a stream holds three days and 1 GiB at the most.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the server does not answer; then some may be deleted.
    pub async fn forget(&self, stream: &str, is_one: impl Fn(&str, &[u8]) -> bool + Send + Sync) -> Result<u64> {
        let failed = |cause: async_nats::Error| Error::unavailable("the stream cannot be searched").because(cause);
        self.restore(stream).await?;
        let mut stream = self.context.get_stream(stream).await.map_err(|e| failed(e.into()))?;
        let state = stream.info().await.map_err(|e| failed(e.into()))?.state.clone();
        let stream = &stream;
        let look = |sequence| async move {
            match stream.get_raw_message(sequence).await {
                Ok(message) => Ok(Some(message)),
                Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(None),
                Err(error) => Err(failed(error.into())),
            }
        };
        let found = stream::iter(state.first_sequence..=state.last_sequence)
            .map(look)
            .buffer_unordered(IN_FLIGHT)
            .try_filter_map(|message| std::future::ready(Ok(message)))
            .try_filter(|message| std::future::ready(is_one(&message.subject, &message.payload)))
            .map_ok(|message| message.sequence);
        let sequences: Vec<u64> = found.try_collect().await?;
        for &sequence in &sequences {
            stream.delete_message(sequence).await.map_err(|e| failed(e.into()))?;
        }
        Ok(sequences.len() as u64)
    }
}
