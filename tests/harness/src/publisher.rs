use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::{Client, HeaderMap, Subscriber};
use futures::StreamExt as _;
use serde_json::Value as Json;

/// A marketing tool: it publishes to the intake stream and reads the receipts.
#[derive(Debug)]
pub struct Publisher {
    client: Client,
    inbox: String,
    receipts: Subscriber,
}

impl Publisher {
    /// Connects to a server.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn connect(nats_url: &str) -> Result<Self> {
        let client = async_nats::connect(nats_url).await?;
        let inbox = client.new_inbox();
        let receipts = client.subscribe(inbox.clone()).await?;
        Ok(Self { client, inbox, receipts })
    }

    /// Publishes for a source, and wishes for a receipt.
    ///
    /// # Errors
    /// When the connection has gone.
    pub async fn publish(&self, source: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Result<()> {
        let receipt = [("leadflow-receipt", self.inbox.as_str())];
        self.publish_bare(source, &[headers, &receipt].concat(), body).await
    }

    /// Publishes with these headers and no other.
    ///
    /// # Errors
    /// When the connection has gone.
    pub async fn publish_bare(&self, source: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Result<()> {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| map.append(*name, *value));
        let (subject, body) = (format!("leadflow.intake.v1.{source}"), body.as_ref().to_vec());
        self.client.publish_with_headers(subject, map, body.into()).await?;
        Ok(self.client.flush().await?)
    }

    /// The next receipt.
    ///
    /// # Errors
    /// When none comes within 30 seconds.
    pub async fn receipt(&mut self) -> Result<Json> {
        self.receipt_within(Duration::from_secs(30)).await?.context("no receipt")
    }

    /// The next receipt, when it comes in time.
    ///
    /// # Errors
    /// When it is no JSON, or the connection has gone.
    pub async fn receipt_within(&mut self, time: Duration) -> Result<Option<Json>> {
        match tokio::time::timeout(time, self.receipts.next()).await {
            Ok(message) => Ok(Some(serde_json::from_slice(&message.context("the connection has gone")?.payload)?)),
            Err(_) => Ok(None),
        }
    }

    /// Publishes again every second until there is a receipt, as a tool does that wants to lose nothing.
    ///
    /// # Errors
    /// When none comes within 30 seconds.
    pub async fn deliver(&mut self, source: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Result<Json> {
        for _ in 0..30 {
            self.publish(source, headers, &body).await?;
            if let Some(receipt) = self.receipt_within(Duration::from_secs(1)).await? {
                return Ok(receipt);
            }
        }
        bail!("no receipt")
    }
}
