//! The sample company's website: page views over the intake stream, each sent until its receipt has come.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use jiff::Timestamp;
use prost::Message as _;
use serde::Deserialize;

use super::line::ActivityLine;

/// How long receipts are waited for before what has none is sent again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often something is sent.
const TRIES: usize = 30;

#[derive(Debug, Deserialize)]
struct Receipt {
    source_event_id: String,
    outcome: String,
}

/// Publishes until Leadflow has said of each that it has it.
pub(super) async fn publish(url: &str, lines: &[&ActivityLine], anchor: Timestamp) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let client = async_nats::connect(url).await.with_context(|| format!("NATS at {url} does not answer"))?;
    let inbox = client.new_inbox();
    let mut receipts = client.subscribe(inbox.clone()).await?;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("content-type", "application/protobuf");
    headers.insert("leadflow-receipt", inbox);
    let mut waiting: BTreeMap<&str, (&str, Vec<u8>)> = BTreeMap::new();
    for line in lines {
        let body = line.to_activity(anchor)?.encode_to_vec();
        waiting.insert(&line.source_event_id, (&line.source, body));
    }
    for _ in 0..TRIES {
        for (source, body) in waiting.values() {
            let subject = format!("leadflow.intake.v1.{source}");
            client.publish_with_headers(subject, headers.clone(), body.clone().into()).await?;
        }
        while !waiting.is_empty()
            && let Ok(Some(message)) = tokio::time::timeout(PATIENCE, receipts.next()).await
        {
            let receipt: Receipt = serde_json::from_slice(&message.payload)?;
            if receipt.outcome == "quarantined" {
                bail!("{} was refused and kept: see `leadflow quarantine list`", receipt.source_event_id);
            }
            waiting.remove(receipt.source_event_id.as_str());
        }
        if waiting.is_empty() {
            return Ok(());
        }
    }
    bail!("{} activities over NATS have no receipt after {TRIES} tries", waiting.len())
}
