//! Telephone calls: what is known of one reaches scoring as typed values, and what was said stays in the ledger.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{
    Activity, ApplyConfigurationRequest, CallDetails, CallDirection, CallDisposition, Channel, FieldType, Source,
    record_result::Outcome,
};
use prost_types::Duration;

use crate::support::{World, activity, expo, field, get, number, record_one, text, values};

/// A conversation of five and a half minutes that we began.
pub(crate) fn conversation() -> CallDetails {
    CallDetails {
        direction: CallDirection::Outbound.into(),
        disposition: CallDisposition::Connected.into(),
        duration: Some(Duration { seconds: 330, nanos: 500_000_000 }),
        agent: "Oskar Lindqvist".into(),
        call_id: "pbx-81".into(),
    }
}

fn of(call: CallDetails, id: &str) -> Activity {
    Activity { call: Some(call), ..activity(id, "anna@example.com") }
}

on_each_database! {
    async fn a_call_reaches_scoring_as_typed_values_that_no_source_has_to_declare(database) {
        let world = World::start(database).await;
        let sent = Activity {
            notes: "Wants two, in spring.".into(),
            attributes: values([("pages", number(3.0)), ("call_direction", text("no rule sees this"))]),
            ..of(conversation(), "c-1")
        };
        let result = record_one(&world.client(), sent.clone()).await;
        assert_eq!(result.outcome(), Outcome::Accepted, "{result:?}");
        let event = eventually!(some: world.events.of(&result.activity_id));
        let expected = [
            ("call_direction", text("outbound")),
            ("call_disposition", text("connected")),
            ("call_duration_seconds", number(330.5)),
            ("pages", number(3.0)),
        ];
        assert_eq!(event.attributes, values(expected));
        assert_eq!((event.activity_type.as_str(), event.channel()), ("call_completed", Channel::Phone));
        for message in world.events.messages() {
            let body = String::from_utf8_lossy(&message.payload).into_owned();
            let secrets = ["Oskar", "pbx-81", "spring", "no rule"];
            assert!(secrets.iter().all(|secret| !body.contains(secret)), "{body}");
        }
        let stored = get(&world.client(), &result.activity_id).await;
        assert_eq!((stored.call, stored.notes), (sent.call, sent.notes));
        assert_eq!(stored.attributes, sent.attributes, "the ledger keeps what was sent");
    }

    async fn what_the_sender_says_counts_more_than_the_call_and_the_call_more_than_the_source(database) {
        let world = World::start(database).await;
        let missed = CallDetails { disposition: CallDisposition::NoAnswer.into(), duration: None, ..conversation() };
        let inbound = CallDetails { direction: CallDirection::Inbound.into(), ..missed.clone() };
        let said = Activity { activity_type: "demo_attended".into(), channel: Channel::Meeting.into(), ..of(missed.clone(), "c-3") };
        for (sent, activity_type, channel) in [
            (of(missed, "c-1"), "call_attempted", Channel::Phone),
            (of(inbound, "c-2"), "call_received", Channel::Phone),
            (said, "demo_attended", Channel::Meeting),
        ] {
            let stored = get(&world.client(), &record_one(&world.client(), sent).await.activity_id).await;
            assert_eq!((stored.activity_type.as_str(), stored.channel()), (activity_type, channel));
        }
    }

    async fn another_disposition_under_the_same_id_is_a_conflict(database) {
        let world = World::start(database).await;
        record_one(&world.client(), of(conversation(), "c-1")).await;
        let again = record_one(&world.client(), of(conversation(), "c-1")).await;
        assert_eq!((again.outcome(), again.conflicting), (Outcome::Duplicate, false));
        let other = CallDetails { disposition: CallDisposition::NotInterested.into(), ..conversation() };
        assert!(record_one(&world.client(), of(other, "c-1")).await.conflicting);
    }

    async fn no_source_gives_the_values_of_a_call_another_meaning(database) {
        let world = World::start(database).await;
        let taken = vec![field("call_disposition", FieldType::Number, false)];
        let sources = vec![Source { fields: taken, ..expo() }];
        let request = ApplyConfigurationRequest { sources, ..ApplyConfigurationRequest::default() };
        let status = world.client().apply_configuration(request).await.unwrap_err();
        assert!(status.message().contains("sources[0].fields[0].name"), "{status}");
        assert!(status.message().contains("details of a call"), "{status}");
    }
}
