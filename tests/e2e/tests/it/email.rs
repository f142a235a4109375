//! From the signed webhook of an email provider to the assigned rep, whatever comes twice or late.

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadflow_harness::{Backend, eventually};
use serde_json::{Value as Json, json};

use crate::support::{World, on_each_backend, sample};

const NOW: &str = "2030-01-02T10:00:00Z";
const DAY: i64 = 86_400;

/// The company's email provider.
struct Provider {
    key: EcdsaKeyPair,
    url: String,
    now: i64,
}

impl Provider {
    /// Registered with its key for the newsletter; a click is worth a rep's call at once.
    async fn registered(world: &World) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public_key = STANDARD.encode(key.public_key().as_der().unwrap().as_ref());
        let model = std::fs::read_to_string(sample().join("scoring-model.yaml")).unwrap();
        let (cold, hot) = ("- id: email-click\n", "- id: email-click\n      fast_track: 14d\n");
        assert!(model.contains(cold));
        let source = format!(
            "kind: Source\nname: newsletter\ndefault_activity_type: email_delivered\ndefault_channel: email\n\
             fields: [{{name: campaign, type: string}}]\n\
             webhook: {{provider: sendgrid, public_key: \"{public_key}\"}}\n---\n"
        );
        let file = world.folder.path().join("email.yaml");
        std::fs::write(&file, source + &model.replace(cold, hot)).unwrap();
        world.cli.ok(&["apply", "-f", &file.display().to_string()]).await;
        let url = format!("{}/v1/webhooks/sendgrid/newsletter", world.suite.listening.http_url());
        Self { key, url, now: NOW.parse::<jiff::Timestamp>().unwrap().as_second() }
    }

    /// What one person did with the newsletter, so many seconds ago.
    fn event(&self, id: &str, name: &str, email: &str, ago: i64) -> Json {
        json!({
            "event": name, "email": email, "timestamp": self.now - ago, "sg_event_id": id,
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "category": ["newsletter"],
            "url": "https://www.tarnwell.com/hplc", "campaign": "bench-notes-41", "product_category": "hplc",
            "company": "Quellwasser Labor", "country": "DE",
        })
    }

    /// Posts a body, and returns the answer when it is let in.
    async fn post(&self, body: &str) -> Option<Json> {
        let timestamp = self.now.to_string();
        let signed = [timestamp.as_bytes(), body.as_bytes()].concat();
        let signature = STANDARD.encode(self.key.sign(&SystemRandom::new(), &signed).unwrap());
        self.post_signed(body, &timestamp, &signature).await
    }

    async fn post_signed(&self, body: &str, timestamp: &str, signature: &str) -> Option<Json> {
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("content-type", "application/json")
            .header("X-Twilio-Email-Event-Webhook-Signature", signature)
            .header("X-Twilio-Email-Event-Webhook-Timestamp", timestamp);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        if answer.status().is_success() { Some(answer.json().await.unwrap()) } else { None }
    }
}

fn counts(accepted: usize, duplicate: usize, quarantined: usize, ignored: usize) -> Option<Json> {
    Some(json!({"accepted": accepted, "duplicate": duplicate, "quarantined": quarantined, "ignored": ignored}))
}

async fn a_signed_webhook_reaches_the_rep_whatever_comes_twice_or_late(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let provider = Provider::registered(&world).await;
    let ines = "ines@quellwasser-labor.de";
    let first = json!([
        provider.event("e-1", "processed", ines, 90),
        provider.event("e-2", "delivered", ines, 60),
        provider.event("e-3", "open", ines, 30),
        provider.event("e-4", "click", ines, 10),
        provider.event("e-4", "click", ines, 10),
        provider.event("e-5", "telephoned", ines, 5),
    ]);
    let forged = provider.post_signed(&first.to_string(), &provider.now.to_string(), "MEUCIQ==").await;
    assert_eq!(forged, None);
    assert_eq!(provider.post(&first.to_string()).await, counts(3, 1, 1, 1));
    // The provider has not seen the answer.
    assert_eq!(provider.post(&first.to_string()).await, counts(0, 4, 1, 1));

    let lead = async || world.cli.lead("Quellwasser Labor", "hplc").await;
    let offered = eventually!(some: lead().await.filter(|lead| lead["status"] == "offered"));
    assert_eq!((offered["band"].as_str(), offered["activities"].as_i64()), (Some("hot"), Some(3)));
    let id = offered["lead_id"].as_str().unwrap();
    let rep = offered["assigned_rep"].as_str().unwrap();
    let decision = world.cli.ok(&["explain-assignment", id]).await;
    assert!(decision.contains(&format!("→ to {rep}")), "{decision}");

    // A colleague clicked eleven days ago; the provider tells only now, and it counts for then.
    let mut late = provider.event("e-6", "click", "jan@quellwasser-labor.de", 11 * DAY);
    late["url"] = json!("https://www.tarnwell.com/columns");
    assert_eq!(provider.post(&json!([late]).to_string()).await, counts(1, 0, 0, 0));
    let more = eventually!(some: lead().await.filter(|lead| lead["activities"] == 4));
    assert_eq!((more["lead_id"].as_str(), more["assigned_rep"].as_str()), (Some(id), Some(rep)), "nobody else gets it");
    let explained = world.cli.json(&["explain", id]).await;
    let lines = explained["lines"].as_array().unwrap();
    let clicks: Vec<_> = lines.iter().filter(|line| line["rule_id"] == "email-click").collect();
    let points = |line: &Json| line["points"].as_f64().unwrap();
    let (fresh, old) = (points(clicks[0]).max(points(clicks[1])), points(clicks[0]).min(points(clicks[1])));
    assert!((old / fresh - 0.5_f64.powf(11.0 / 14.0)).abs() < 0.01, "{old} of {fresh}: {clicks:#?}");

    // Who does not want our emails opens no lead.
    let mut away = provider.event("e-7", "unsubscribe", "karl@brennwerk-analytik.de", 5);
    away["company"] = json!("Brennwerk Analytik");
    assert_eq!(provider.post(&json!([away]).to_string()).await, counts(1, 0, 0, 0));
    eventually!(world.cli.run(&["reconcile", "--settle", "0s"]).await.status.success());
    assert!(world.cli.lead("Brennwerk Analytik", "hplc").await.is_none());
    let kept = world.cli.json(&["quarantine", "list", "--door", "webhook"]).await;
    assert_eq!((kept[0]["reason"].as_str(), kept[0]["receive_count"].as_i64()), (Some("UNKNOWN_EVENT"), Some(2)));
    world.suite.stop().await.unwrap();
}

on_each_backend! {
    a_signed_webhook_reaches_the_rep_whatever_comes_twice_or_late
}
