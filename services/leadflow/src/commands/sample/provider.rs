//! The sample company's email provider: events as SendGrid posts them, signed with the sample's own key.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::line::ActivityLine;

/// PKCS #8 in Base64; its public half stands in the sample's `sources.yaml`.
const KEY_FILE: &str = "email-provider.key";

/// The provider.
#[derive(Debug)]
pub(super) struct Provider(EcdsaKeyPair);

impl Provider {
    /// With the key in the sample's folder.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let der = STANDARD.decode(text.trim()).with_context(|| format!("{} is no Base64", path.display()))?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der);
        Ok(Self(key.with_context(|| format!("{} is no key of P-256", path.display()))?))
    }

    /// Posts the events of one source to the webhook.
    pub(super) async fn post(
        &self,
        http: &reqwest::Client,
        base: &str,
        lines: &[&ActivityLine],
        anchor: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let Some(source) = lines.first().map(|line| &line.source) else { return Ok(()) };
        let events = lines.iter().map(|line| event(line, anchor)).collect::<Result<Vec<_>>>()?;
        let (body, timestamp) = (serde_json::to_vec(&events)?, now.as_second().to_string());
        let signed = [timestamp.as_bytes(), &body].concat();
        let signature = self.0.sign(&SystemRandom::new(), &signed).context("the events cannot be signed")?;
        let answer = http
            .post(format!("{base}/v1/webhooks/sendgrid/{source}"))
            .header("x-twilio-email-event-webhook-signature", STANDARD.encode(signature))
            .header("x-twilio-email-event-webhook-timestamp", timestamp)
            .body(body)
            .send()
            .await
            .with_context(|| format!("the webhook at {base} does not answer"))?;
        if !answer.status().is_success() {
            bail!("the webhook of {source} was refused: {}", answer.text().await?);
        }
        Ok(())
    }
}

/// A line as the provider tells it.
fn event(line: &ActivityLine, anchor: Timestamp) -> Result<Json> {
    let name = match line.activity_type.as_str() {
        "email_delivered" => "delivered",
        "email_opened" => "open",
        "email_clicked" => "click",
        "email_bounced" => "bounce",
        "email_unsubscribed" => "unsubscribe",
        other => bail!("no email provider tells of `{other}`"),
    };
    let object = if name == "click" { "url" } else { "sg_message_id" };
    let mut event = json!({
        "event": name,
        "timestamp": line.occur_time(anchor)?.as_second(),
        "sg_event_id": line.source_event_id,
        "product_category": line.product_category,
        object: line.object_id,
    });
    for (name, text) in &line.identity {
        event[name] = json!(text);
    }
    for (name, value) in &line.attributes {
        event[name] = value.clone();
    }
    Ok(event)
}
