//! Publishes an activity to Leadflow over NATS, again and again until Leadflow says that it has it.
//!
//! `publish-rust nats://127.0.0.1:4222 newsletter < activity.json`

use std::{io::Read as _, time::Duration};

use anyhow::{Context as _, Result};
use futures::StreamExt as _;

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (url, source) = words.next().zip(words.next()).context("usage: publish-rust URL SOURCE < activity.json")?;
    let mut activity = Vec::new();
    std::io::stdin().read_to_end(&mut activity)?;

    let client = async_nats::connect(url).await?;
    let inbox = client.new_inbox();
    let mut receipts = client.subscribe(inbox.clone()).await?;
    // Not the reply subject: there the server says that it has the message, and a server may lose what it has.
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("content-type", "application/json");
    headers.insert("leadflow-receipt", inbox);
    loop {
        let (subject, body) = (format!("leadflow.intake.v1.{source}"), activity.clone().into());
        client.publish_with_headers(subject, headers.clone(), body).await?;
        match tokio::time::timeout(Duration::from_secs(2), receipts.next()).await {
            Ok(receipt) => break println!("{}", String::from_utf8_lossy(&receipt.context("not connected")?.payload)),
            Err(_) => eprintln!("no receipt yet, sending again"),
        }
    }
    Ok(())
}
