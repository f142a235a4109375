//! Whoever brought an activity finds it again in the trace it came with, whatever was done for others beside it.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::trace::{Origin, SpanKind, Tracer};
use leadflow_proto::activity::v1::{ActivityRecorded, record_result::Outcome};
use prost::Message as _;

use crate::support::{World, activity, record};

fn traceparent(caller: usize) -> String {
    format!("00-{:032x}-{:016x}-01", 0xabc0 + caller, 0xdef0 + caller)
}

/// The `traceparent` of the event of this activity, once it is there.
fn announced(world: &World, activity_id: &str) -> Option<String> {
    let of_it = |message: &async_nats::Message| {
        ActivityRecorded::decode(message.payload.clone()).is_ok_and(|event| event.activity_id == activity_id)
    };
    let headers = world.events.messages().into_iter().find(of_it)?.headers?;
    Some(headers.get("traceparent").map(ToString::to_string).unwrap_or_default())
}

on_each_database! {
    async fn each_activity_keeps_its_trace_through_the_shared_transaction_the_question_and_a_crash(database) {
        let mut world = World::start(database).await;
        world.contact.fail(tonic::Code::Unavailable);
        let blocked = world.block_ledger().await;
        let calls: Vec<_> = (0..3)
            .map(|caller| {
                let client = world.client();
                let batch = (0..2).map(|n| activity(&format!("e-{caller}-{n}"), "anna@example.com")).collect();
                let door = Tracer::default().start(SpanKind::Client, "theirs", Origin::parse(&traceparent(caller)));
                tokio::spawn(door.run(async move { record(&client, batch).await }))
            })
            .collect();
        let nobody = {
            let client = world.client();
            tokio::spawn(async move { record(&client, vec![activity("e-3", "anna@example.com")]).await })
        };
        let form = format!("{}/v1/forms/website-form?format=json", world.service.web);
        let form = reqwest::Client::new().post(form).header("traceparent", traceparent(4));
        let form = tokio::spawn(form.form(&[("email", "anna@example.com")]).send());
        eventually!(world.service.metric("leadflow_activities_received", &[]).await == 8.0);
        blocked.rollback().await.unwrap();

        let mut expected = Vec::new();
        for (caller, call) in calls.into_iter().enumerate() {
            for result in call.await.unwrap() {
                assert_eq!(result.outcome(), Outcome::Accepted);
                expected.push((result.activity_id, traceparent(caller)));
            }
        }
        expected.push((nobody.await.unwrap()[0].activity_id.clone(), String::new()));
        let answer: serde_json::Value = form.await.unwrap().unwrap().json().await.unwrap();
        expected.push((answer["activity_id"].as_str().unwrap().to_owned(), traceparent(4)));

        // Nobody remembers now but the ledger.
        world.crash_and_restart().await;
        world.contact.recover();
        for (activity_id, traceparent) in expected {
            assert_eq!(eventually!(some: announced(&world, &activity_id)), traceparent);
        }
        assert!(world.contact.calls().contains(&8), "one question for all: {:?}", world.contact.calls());
    }

    async fn each_message_of_a_batch_on_nats_keeps_its_own_trace(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let body = |n: usize| format!(r#"{{ "source_event_id": "n-{n}", "identity": {{ "email": "anna@example.com" }} }}"#);
        for n in 0..3 {
            let header = traceparent(n);
            publisher.publish("website-form", &[("traceparent", header.as_str())], body(n)).await.unwrap();
        }
        publisher.publish("website-form", &[("traceparent", "nonsense")], body(3)).await.unwrap();
        for expected in [traceparent(0), traceparent(1), traceparent(2), String::new()] {
            let receipt = publisher.receipt().await.unwrap();
            let id = receipt["activity_id"].as_str().unwrap();
            assert_eq!(eventually!(some: announced(&world, id)), expected, "{receipt}");
        }
    }
}
