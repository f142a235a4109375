//! The door for marketing tools: published on NATS, recorded, and only then confirmed by a receipt.

use std::time::Duration;

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{
    Activity, ApplyConfigurationRequest, ListActivitiesRequest, QuarantineFilter, QuarantinedActivity, Source,
    quarantine_decision::Outcome,
};
use serde_json::{Value as Json, json};

use crate::support::{
    Client, World, expo, get,
    quarantine::{list, replay, these},
};

pub(crate) const SOURCE: &str = "website-form";

/// What anna did, as JSON.
pub(crate) fn click(source_event_id: &str) -> String {
    json!({ "source_event_id": source_event_id, "identity": { "email": "anna@example.com" } }).to_string()
}

pub(crate) async fn ledger(client: &Client) -> Vec<Activity> {
    client.clone().list_activities(ListActivitiesRequest::default()).await.unwrap().into_inner().activities
}

pub(crate) async fn quarantined(client: &Client) -> Vec<QuarantinedActivity> {
    list(client, QuarantineFilter::default()).await
}

pub(crate) fn word<'a>(receipt: &'a Json, field: &str) -> &'a str {
    receipt[field].as_str().unwrap_or_else(|| panic!("no {field} in {receipt}"))
}

/// Messages that are not done with.
pub(crate) async fn left(world: &World) -> u64 {
    let client = async_nats::connect(world.nats.url()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("LEADFLOW_INTAKE").await.unwrap();
    stream.cached_info().state.messages
}

on_each_database! {
    async fn a_receipt_comes_after_the_commit_and_the_message_is_gone(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let blocked = world.block_ledger().await;
        publisher.publish(SOURCE, &[], click("c-1")).await.unwrap();
        eventually!(world.service.metric("leadflow_activities_received", &["door=\"nats\""]).await == 1.0);
        assert_eq!(publisher.receipt_within(Duration::from_millis(300)).await.unwrap(), None, "nothing is committed yet");
        blocked.rollback().await.unwrap();

        let receipt = publisher.receipt().await.unwrap();
        let id = word(&receipt, "activity_id").to_owned();
        let expected = json!({
            "source_event_id": "c-1",
            "outcome": "accepted",
            "activity_id": id,
            "derived": false,
            "conflicting": false,
            "quarantine_id": null,
            "error": null,
        });
        assert_eq!(receipt, expected);
        let stored = get(&world.client(), &id).await;
        assert_eq!((stored.source.as_str(), stored.principal.as_str()), (SOURCE, "nats"));
        assert_eq!((stored.activity_type.as_str(), stored.product_category.as_str()), ("form_submitted", "hplc"));
        eventually!(left(&world).await == 0);
    }

    async fn the_same_message_five_times_is_one_activity_with_five_receipts(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        for _ in 0..5 {
            // Also with an id by which the server itself would drop a repetition, and with it the receipt.
            publisher.publish(SOURCE, &[("Nats-Msg-Id", "c-1")], click("c-1")).await.unwrap();
        }
        let mut receipts = Vec::new();
        while let Some(receipt) = publisher.receipt_within(Duration::from_secs(1)).await.unwrap() {
            receipts.push(receipt);
        }
        // Later than what the server takes for the same.
        receipts.push(publisher.deliver(SOURCE, &[("Nats-Msg-Id", "c-1")], click("c-1")).await.unwrap());
        let outcomes: Vec<_> = receipts.iter().map(|receipt| word(receipt, "outcome")).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "accepted").count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.last(), Some(&"duplicate"));
        let id = word(&receipts[0], "activity_id");
        assert!(receipts.iter().all(|receipt| word(receipt, "activity_id") == id), "{receipts:?}");
        assert_eq!(ledger(&world.client()).await.len(), 1);
        eventually!(world.events.of(id).is_some());
        assert_eq!(world.events.recorded().len(), 1);
    }

    async fn a_repetition_with_another_content_says_so_and_one_without_an_id_too(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let other = json!({ "sourceEventId": "c-1", "identity": { "email": "ben@example.com" } }).to_string();
        for body in [click("c-1"), other, click(""), click("")] {
            publisher.publish(SOURCE, &[], body).await.unwrap();
        }
        let mut seen = Vec::new();
        for _ in 0..4 {
            let receipt = publisher.receipt().await.unwrap();
            let flags = (receipt["derived"].clone(), receipt["conflicting"].clone());
            seen.push((word(&receipt, "outcome").to_owned(), flags));
        }
        let flags = |derived: bool, conflicting: bool| (Json::Bool(derived), Json::Bool(conflicting));
        assert_eq!(seen[0], ("accepted".into(), flags(false, false)));
        assert_eq!(seen[1], ("duplicate".into(), flags(false, true)));
        assert_eq!(seen[2], ("accepted".into(), flags(true, false)));
        assert_eq!(seen[3], ("duplicate".into(), flags(true, false)));
    }

    async fn who_wants_no_receipt_gets_none_and_nobody_has_it_sent_where_it_may_not_go(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        publisher.publish_bare(SOURCE, &[], click("c-1")).await.unwrap();
        for (n, subject) in ["leadflow.activity.v1.recorded", "$JS.API.INFO", "a.>", "a b", ""].iter().enumerate() {
            publisher.publish_bare(SOURCE, &[("leadflow-receipt", subject)], click(&format!("r-{n}"))).await.unwrap();
        }
        publisher.publish(SOURCE, &[], click("c-2")).await.unwrap();
        assert_eq!(word(&publisher.receipt().await.unwrap(), "source_event_id"), "c-2");
        assert_eq!(ledger(&world.client()).await.len(), 7);
        let count = async |name| world.service.metric(name, &[]).await;
        let sent = (count("leadflow_receipts_sent").await, count("leadflow_receipts_failed").await);
        assert_eq!(sent, (1.0, 5.0));
        assert_eq!(world.service.metric("leadflow_activities_accepted", &["door=\"nats\""]).await, 7.0);
    }

    async fn while_the_database_is_down_there_is_no_receipt_and_afterwards_one_effect(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let outage = world.take_database_away().await;
        publisher.publish(SOURCE, &[], click("c-1")).await.unwrap();
        let labels = ["door=\"nats\"", "reason=\"UNAVAILABLE\""];
        eventually!(world.service.metric("leadflow_activities_rejected", &labels).await > 0.0);
        assert_eq!(publisher.receipt_within(Duration::ZERO).await.unwrap(), None);
        outage.end().await;
        assert_eq!(word(&publisher.receipt().await.unwrap(), "outcome"), "accepted");
        assert_eq!(ledger(&world.client()).await.len(), 1);
        assert_eq!(quarantined(&world.client()).await, vec![]);
    }

    async fn what_our_own_fault_keeps_out_of_the_ledger_is_kept_too(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        world.refuse_rows("object_id = 'unwritable'").await;
        let body = json!({ "object_id": "unwritable", "source_event_id": "bad", "identity": { "email": "a@example.com" } });
        publisher.publish(SOURCE, &[], body.to_string()).await.unwrap();
        publisher.publish(SOURCE, &[], click("c-1")).await.unwrap();
        let (first, second) = (publisher.receipt().await.unwrap(), publisher.receipt().await.unwrap());
        let of = |id| if first["source_event_id"] == id { &first } else { &second };
        assert_eq!(word(of("bad"), "outcome"), "quarantined", "{first} {second}");
        assert_eq!(of("bad")["error"]["reason"], "INTERNAL");
        assert_eq!(word(of("c-1"), "outcome"), "accepted");
        eventually!(left(&world).await == 0);
    }

    async fn what_was_kept_and_replayed_is_a_duplicate_for_who_sends_it_again(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let kept = publisher.deliver("webinar", &[], click("c-1")).await.unwrap();
        assert_eq!((word(&kept, "outcome"), kept["error"]["reason"].as_str()), ("quarantined", Some("UNKNOWN_SOURCE")));
        let webinar = Source { name: "webinar".into(), ..expo() };
        let request = ApplyConfigurationRequest { sources: vec![webinar], ..Default::default() };
        world.client().apply_configuration(request).await.unwrap();
        let decisions = replay(&world.client(), these(&[word(&kept, "quarantine_id")])).await;
        assert_eq!(decisions[0].outcome(), Outcome::Replayed, "{decisions:?}");
        let again = publisher.deliver("webinar", &[], click("c-1")).await.unwrap();
        assert_eq!((word(&again, "outcome"), word(&again, "activity_id")), ("duplicate", decisions[0].activity_id.as_str()));
        assert_eq!(ledger(&world.client()).await.len(), 1);
    }

    async fn what_was_in_work_when_the_service_died_has_one_effect_and_its_receipt(database) {
        let mut world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let blocked = world.block_ledger().await;
        publisher.publish(SOURCE, &[], click("c-1")).await.unwrap();
        eventually!(world.service.metric("leadflow_activities_received", &["door=\"nats\""]).await == 1.0);
        world.crash().await;
        blocked.rollback().await.unwrap();
        world.restart().await;
        let receipt = publisher.receipt().await.unwrap();
        // The transaction may have gone through without anybody left to hear of it.
        assert!(["accepted", "duplicate"].contains(&word(&receipt, "outcome")), "{receipt}");
        assert_eq!(ledger(&world.client()).await.len(), 1);
        eventually!(left(&world).await == 0);
    }

    async fn a_message_that_breaks_the_connection_is_kept_and_what_comes_behind_it_passes(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let headers = b"NATS/1.0\r\nX-Tool: one\rtwo\r\n\r\n";
        world.nats.publish_raw("leadflow.intake.v1.website-form", headers, click("c-1").as_bytes()).unwrap();
        publisher.publish(SOURCE, &[], click("c-2")).await.unwrap();
        assert_eq!(word(&publisher.receipt().await.unwrap(), "source_event_id"), "c-2");
        eventually!(left(&world).await == 0);
        let kept = quarantined(&world.client()).await;
        let reasons: Vec<_> = kept.iter().map(|it| (it.source.as_str(), it.reason.as_str())).collect();
        assert_eq!(reasons, [(SOURCE, "MALFORMED_HEADERS")]);
    }

    async fn when_nats_forgets_everything_the_stream_comes_back_and_who_sends_again_loses_nothing(database) {
        let mut world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let receipt = publisher.deliver(SOURCE, &[], click("c-1")).await.unwrap();
        // What is announced makes the streams again as well; here there is nothing to announce any more.
        eventually!(world.events.of(word(&receipt, "activity_id")).is_some());
        world.nats.kill();
        world.nats.forget().unwrap();
        world.nats.restart().unwrap();
        let receipt = publisher.deliver(SOURCE, &[], click("c-2")).await.unwrap();
        assert_eq!((word(&receipt, "outcome"), word(&receipt, "source_event_id")), ("accepted", "c-2"));
        assert_eq!(ledger(&world.client()).await.len(), 2);
    }
}
