//! The door of email providers: signed webhooks.

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{
    ApplyConfigurationRequest, Channel, ListActivitiesRequest, ListQuarantinedActivitiesRequest, Source, Webhook,
};
use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{START, World, activity, try_record};

/// An email provider with its key.
struct Provider(EcdsaKeyPair);

impl Provider {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// A world in which the source `newsletter` takes what this provider signs.
    async fn registered(database: leadflow_harness::TestDatabase) -> (World, Self) {
        let (world, provider) = (World::start(database).await, Self::new());
        let public_key = STANDARD.encode(provider.0.public_key().as_der().unwrap().as_ref());
        let source = Source {
            name: "newsletter".into(),
            default_activity_type: "email_delivered".into(),
            default_channel: Channel::Email.into(),
            webhook: Some(Webhook { provider: "sendgrid".into(), public_key }),
            ..Default::default()
        };
        let request = ApplyConfigurationRequest { sources: vec![source], ..Default::default() };
        world.client().apply_configuration(request).await.unwrap();
        (world, provider)
    }

    fn sign(&self, timestamp: &str, body: &str) -> String {
        let signed = [timestamp.as_bytes(), body.as_bytes()].concat();
        STANDARD.encode(self.0.sign(&SystemRandom::new(), &signed).unwrap())
    }

    /// Posts a body as the provider does.
    async fn post(&self, world: &World, body: &str) -> (StatusCode, Json) {
        let now = now(world);
        post(world, "sendgrid/newsletter", &now, &self.sign(&now, body), body).await
    }
}

fn now(_: &World) -> String {
    START.parse::<jiff::Timestamp>().unwrap().as_second().to_string()
}

async fn post(world: &World, path: &str, timestamp: &str, signature: &str, body: &str) -> (StatusCode, Json) {
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/webhooks/{path}", world.service.web))
        .header("X-Twilio-Email-Event-Webhook-Signature", signature)
        .header("X-Twilio-Email-Event-Webhook-Timestamp", timestamp)
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn event(id: &str, name: &str) -> Json {
    json!({"event": name, "email": "ada@example.org", "timestamp": 1_795_500_000, "sg_event_id": id,
        "sg_message_id": "m1.filter", "url": "https://example.com/hplc", "product_category": "hplc"})
}

fn counts(accepted: usize, duplicate: usize, quarantined: usize, ignored: usize) -> Json {
    json!({"accepted": accepted, "duplicate": duplicate, "quarantined": quarantined, "ignored": ignored})
}

async fn ledger(world: &World) -> usize {
    let request = ListActivitiesRequest { page_size: 1000, ..Default::default() };
    world.client().list_activities(request).await.unwrap().into_inner().activities.len()
}

on_each_database! {
    async fn what_a_provider_signs_is_in_the_ledger_once_however_often_it_comes(database) {
        let (world, provider) = Provider::registered(database).await;
        let body = json!([event("e1", "delivered"), event("e2", "open"), event("e3", "click"), event("e4", "processed")]);
        let answer = provider.post(&world, &body.to_string()).await;
        assert_eq!(answer, (StatusCode::OK, counts(3, 0, 0, 1)));
        // The provider has not seen the answer, and sends it again; with one more.
        assert_eq!(provider.post(&world, &body.to_string()).await, (StatusCode::OK, counts(0, 3, 0, 1)));
        let more = json!([event("e3", "click"), event("e5", "unsubscribe")]);
        assert_eq!(provider.post(&world, &more.to_string()).await, (StatusCode::OK, counts(1, 1, 0, 0)));
        assert_eq!(ledger(&world).await, 4);
        assert_eq!(world.service.metric("leadflow_activities_accepted_total", &["door=\"webhook\""]).await, 4.0);
        assert_eq!(world.service.metric("leadflow_activities_ignored_total", &["door=\"webhook\""]).await, 2.0);
    }

    async fn forged_and_old_signatures_are_refused_and_counted_and_nothing_is_kept(database) {
        let (world, provider) = Provider::registered(database).await;
        let (now, body) = (now(&world), json!([event("e1", "open")]).to_string());
        let signature = provider.sign(&now, &body);
        let then = (now.parse::<i64>().unwrap() - 26 * 3600).to_string();
        let forged = Provider::new().sign(&now, &body);
        for (timestamp, signature, body, reason) in [
            (&*now, &*forged, &*body, "INVALID_SIGNATURE"),
            (&now, &signature, &body.replace("ada", "eve"), "INVALID_SIGNATURE"),
            (&now, &signature, &body.replace("\":", "\": "), "INVALID_SIGNATURE"),
            (&then, &signature, &body, "INVALID_SIGNATURE"),
            (&now, "MEUCIQDx", &body, "INVALID_SIGNATURE"),
            (&then, &provider.sign(&then, &body), &body, "STALE_SIGNATURE"),
        ] {
            let (status, answer) = post(&world, "sendgrid/newsletter", timestamp, signature, body).await;
            assert_eq!((status, answer["error"]["reason"].as_str()), (StatusCode::UNAUTHORIZED, Some(reason)));
        }
        let bare = reqwest::Client::new().post(format!("{}/v1/webhooks/sendgrid/newsletter", world.service.web));
        assert_eq!(bare.body(body.clone()).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        assert_eq!(ledger(&world).await, 0);
        let kept = world.client().list_quarantined_activities(ListQuarantinedActivitiesRequest::default()).await;
        assert!(kept.unwrap().into_inner().quarantined_activities.is_empty(), "a stranger cannot fill the quarantine");
        for (reason, times) in [("INVALID_SIGNATURE", 5.0), ("STALE_SIGNATURE", 1.0), ("SIGNATURE_REQUIRED", 1.0)] {
            let labels = ["door=\"webhook\"", reason];
            assert_eq!(world.service.metric("leadflow_activities_rejected_total", &labels).await, times, "{reason}");
        }
        // The true one still gets in.
        assert_eq!(provider.post(&world, &body).await, (StatusCode::OK, counts(1, 0, 0, 0)));
    }

    async fn what_a_provider_signs_and_nobody_can_record_is_kept_and_holds_nothing_up(database) {
        let (world, provider) = Provider::registered(database).await;
        let mut nobody = event("e2", "open");
        nobody["email"] = json!("nonsense");
        let mut unknown = event("e3", "click");
        unknown["product_category"] = json!("telescopes");
        let body = json!([event("e1", "open"), nobody, unknown, event("e4", "invented"), 5]).to_string();
        assert_eq!(provider.post(&world, &body).await, (StatusCode::OK, counts(1, 0, 4, 0)));
        assert_eq!(provider.post(&world, &body).await, (StatusCode::OK, counts(0, 1, 4, 0)), "kept once");
        assert_eq!(provider.post(&world, "[{").await, (StatusCode::OK, counts(0, 0, 1, 0)));
        let request = ListQuarantinedActivitiesRequest::default();
        let kept = world.client().list_quarantined_activities(request).await.unwrap().into_inner();
        let mut reasons: Vec<_> = kept.quarantined_activities.iter().map(|one| one.reason.as_str()).collect();
        reasons.sort_unstable();
        let expected = ["INVALID_EMAIL", "MALFORMED_BODY", "MALFORMED_EVENT", "UNKNOWN_EVENT", "UNKNOWN_PRODUCT_CATEGORY"];
        assert_eq!(reasons, expected);
        assert!(kept.quarantined_activities.iter().all(|one| one.source == "newsletter"));
    }

    async fn a_source_takes_webhooks_of_its_own_provider_only(database) {
        let (world, provider) = Provider::registered(database).await;
        let (now, body) = (now(&world), json!([event("e1", "open")]).to_string());
        let signature = provider.sign(&now, &body);
        for (path, status, reason) in [
            ("sendgrid/website-form", StatusCode::FORBIDDEN, "WEBHOOK_NOT_CONFIGURED"),
            ("postmark/newsletter", StatusCode::FORBIDDEN, "WEBHOOK_NOT_CONFIGURED"),
            ("sendgrid/nobody", StatusCode::BAD_REQUEST, "UNKNOWN_SOURCE"),
        ] {
            let (found, answer) = post(&world, path, &now, &signature, &body).await;
            assert_eq!((found, answer["error"]["reason"].as_str()), (status, Some(reason)), "{path}");
        }
        let large = json!(vec!["x".repeat(1000); 1100]).to_string();
        let (status, answer) = provider.post(&world, &large).await;
        assert_eq!((status, answer["error"]["reason"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("BODY_TOO_LARGE")));
    }

    async fn more_events_than_a_transaction_holds_are_all_taken(database) {
        let (world, provider) = Provider::registered(database).await;
        let many: Vec<_> = (0..2300).map(|n| event(&format!("e{n}"), "open")).collect();
        assert_eq!(provider.post(&world, &json!(many).to_string()).await, (StatusCode::OK, counts(2300, 0, 0, 0)));
    }

    async fn what_our_own_fault_keeps_out_of_the_ledger_is_kept_and_the_others_pass(database) {
        let (world, provider) = Provider::registered(database).await;
        world.refuse_rows("object_id = 'https://example.com/poison'").await;
        let mut poison = event("e2", "click");
        poison["url"] = json!("https://example.com/poison");
        let body = json!([event("e1", "click"), poison, event("e3", "processed"), event("e4", "open")]).to_string();
        assert_eq!(provider.post(&world, &body).await, (StatusCode::OK, counts(2, 0, 1, 1)));
        let kept = world.client().list_quarantined_activities(ListQuarantinedActivitiesRequest::default()).await;
        let kept = kept.unwrap().into_inner().quarantined_activities;
        assert_eq!((kept.len(), kept[0].reason.as_str()), (1, "INTERNAL"));
        assert!(!kept[0].message.contains("refused the work"), "the inside stays inside: {}", kept[0].message);
    }

    async fn when_too_much_waits_the_provider_is_asked_to_try_again(database) {
        let (world, provider) = Provider::registered(database).await;
        let body = json!([event("e1", "click")]).to_string();
        let blocked = world.block_ledger().await;
        let calls: Vec<_> = (0..11)
            .map(|call| {
                let activities = (0..1000).map(|n| activity(&format!("w-{call}-{n}"), "ada@example.org")).collect();
                let client = world.client();
                tokio::spawn(async move { try_record(&client, activities).await })
            })
            .collect();
        eventually!(world.service.metric("leadflow_activities_rejected", &["reason=\"LEDGER_FULL\""]).await == 1_000.0);
        let (status, answer) = provider.post(&world, &body).await;
        let reason = answer["error"]["reason"].as_str();
        assert_eq!((status, reason), (StatusCode::TOO_MANY_REQUESTS, Some("LEDGER_FULL")));
        blocked.rollback().await.unwrap();
        join_all(calls).await;
        assert_eq!(provider.post(&world, &body).await, (StatusCode::OK, counts(1, 0, 0, 0)));
    }

    async fn what_says_that_it_is_no_json_is_refused(database) {
        let (world, provider) = Provider::registered(database).await;
        let (now, body) = (now(&world), "event=open");
        let request = reqwest::Client::new()
            .post(format!("{}/v1/webhooks/sendgrid/newsletter", world.service.web))
            .header("X-Twilio-Email-Event-Webhook-Signature", provider.sign(&now, body))
            .header("X-Twilio-Email-Event-Webhook-Timestamp", &now);
        let typed = |content_type: &str| {
            let request = request.try_clone().unwrap();
            request.header("content-type", content_type.to_owned()).body(body).send()
        };
        for content_type in ["application/x-www-form-urlencoded", "text/plain; charset=utf-8", "application/jsonp"] {
            assert_eq!(typed(content_type).await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        assert_eq!(typed("Application/JSON; charset=utf-8").await.unwrap().status(), StatusCode::OK);
    }

    async fn a_key_that_is_none_is_refused_when_it_is_configured(database) {
        let (world, _) = Provider::registered(database).await;
        let source = |webhook| Source {
            name: "other".into(),
            default_activity_type: "email_delivered".into(),
            default_channel: Channel::Email.into(),
            webhook: Some(webhook),
            ..Default::default()
        };
        let wrong = Webhook { provider: "pigeon".into(), public_key: "bm8ga2V5".into() };
        let request = ApplyConfigurationRequest { sources: vec![source(wrong)], ..Default::default() };
        let error = world.client().apply_configuration(request).await.unwrap_err();
        assert!(error.message().contains("sources[0].webhook.provider"), "{}", error.message());
        assert!(error.message().contains("webhook.public_key"), "{}", error.message());
    }
}
