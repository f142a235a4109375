//! What comes in through a door is in the ledger when it is answered, with what the source says of it.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Activity, ActivityState, Channel, record_result::Outcome},
    contact::v1::Identity,
};

use crate::support::{World, activity, get, number, record, record_one, text, try_record, values};

on_each_database! {
    async fn an_accepted_activity_is_in_the_ledger_with_the_defaults_of_its_source(database) {
        let world = World::start(database).await;
        let result = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        assert_eq!((result.outcome(), result.derived, result.conflicting), (Outcome::Accepted, false, false));

        let stored = get(&world.client(), &result.activity_id).await;
        assert_eq!(stored.activity_type, "form_submitted");
        assert_eq!(stored.channel(), Channel::Web);
        assert_eq!(stored.product_category, "hplc");
        assert_eq!(stored.source_event_id, "e-1");
        assert_eq!(stored.principal, "tester");
        // Not said when: the moment of acceptance.
        assert_eq!(stored.occur_time, stored.record_time);
        assert_eq!(stored.record_time.unwrap().seconds, world.hand.now().as_second());
    }

    async fn everything_that_was_said_is_kept(database) {
        let world = World::start(database).await;
        let sent = Activity {
            activity_type: "demo_requested".into(),
            channel: Channel::Meeting.into(),
            product_category: "chromatography".into(),
            occur_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
            object_id: "brochure-7".into(),
            attributes: values([("pages", number(3.0)), ("utm_source", text("newsletter"))]),
            answers: values([("budget", number(12.5)), ("colour", text("blue"))]),
            notes: "Prefers mornings.\nÄ ß 試".into(),
            identity: Some(Identity {
                email: "anna@example.com".into(),
                company: "Example GmbH".into(),
                country: "de".into(),
                ..Identity::default()
            }),
            ..activity("e-1", "")
        };
        let result = record_one(&world.client(), sent.clone()).await;
        let stored = get(&world.client(), &result.activity_id).await;
        assert_eq!((stored.attributes, stored.answers, stored.notes), (sent.attributes, sent.answers, sent.notes));
        assert_eq!((stored.object_id, stored.product_category), (sent.object_id, sent.product_category));
        assert_eq!(stored.occur_time.unwrap().nanos, 123_000_000, "times are kept in milliseconds");
        let identity = stored.identity.unwrap();
        assert_eq!((identity.company.as_str(), identity.country.as_str()), ("Example GmbH", "DE"));
    }

    async fn an_item_that_is_refused_leaves_the_others_alone(database) {
        let world = World::start(database).await;
        let unknown = Activity { source: "nowhere".into(), ..activity("e-2", "anna@example.com") };
        let batch = vec![activity("e-1", "anna@example.com"), unknown, activity("e-3", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        let outcomes: Vec<_> = results.iter().map(|result| result.outcome()).collect();
        assert_eq!(outcomes, [Outcome::Accepted, Outcome::Rejected, Outcome::Accepted]);
        assert_eq!(results[1].activity_id, "");
        assert_ne!(results[0].activity_id, results[2].activity_id);
    }

    async fn a_call_that_carries_too_much_is_refused_as_a_whole(database) {
        let world = World::start(database).await;
        let many = |count: usize| (0..count).map(|n| activity(&format!("e-{n}"), "anna@example.com")).collect();
        let status = try_record(&world.client(), many(1001)).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert!(status.message().contains("activities"), "{status}");
        let results = record(&world.client(), many(1000)).await;
        assert!(results.iter().all(|result| result.outcome() == Outcome::Accepted));
        assert_eq!(record(&world.client(), vec![]).await, vec![]);
    }

    async fn both_doors_end_in_the_same_ledger(database) {
        let world = World::start(database).await;
        let over_grpc = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        let form = [("event_id", "e-1"), ("email", "anna@example.com")];
        let url = format!("{}/v1/forms/website-form?format=json", world.service.web);
        let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(answer["outcome"], "duplicate");
        assert_eq!(answer["activity_id"], over_grpc.activity_id);
        // And the same thing is no conflict because it came through another door.
        let again = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        assert!(!again.conflicting);
    }

    async fn an_activity_is_identified_and_announced(database) {
        let world = World::start(database).await;
        let sent = Activity {
            object_id: "brochure-7".into(),
            attributes: values([("pages", number(3.0))]),
            answers: values([("budget", number(12.5))]),
            ..activity("e-1", "anna@example.com")
        };
        let id = record_one(&world.client(), sent).await.activity_id;
        let event = eventually!(some: world.events.of(&id));
        assert_eq!(event.contact_id, world.contact.id("anna@example.com"));
        assert_eq!(event.account_id, world.contact.id("example.com"));
        assert_eq!(event.account_revision, 3);
        assert_eq!((event.source.as_str(), event.source_event_id.as_str()), ("website-form", "e-1"));
        assert_eq!((event.activity_type.as_str(), event.channel()), ("form_submitted", Channel::Web));
        assert_eq!((event.product_category.as_str(), event.object_id.as_str()), ("hplc", "brochure-7"));
        assert_eq!(event.attributes, values([("pages", number(3.0))]));
        assert_eq!(event.answers, values([("budget", number(12.5))]));
        assert_eq!(event.record_time, event.occur_time);

        let stored = get(&world.client(), &id).await;
        assert_eq!(stored.state(), ActivityState::Identified);
        assert_eq!((stored.contact_id, stored.account_id), (event.contact_id, event.account_id));
    }

    async fn nobody_sends_activities_without_saying_who(database) {
        let world = World::start(database).await;
        let url = world.service.rpc.clone();
        let channel = tonic::transport::Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let mut nameless = leadflow_proto::activity::v1::activity_service_client::ActivityServiceClient::new(channel);
        let status = nameless.record_activities(leadflow_proto::activity::v1::RecordActivitiesRequest::default()).await;
        assert_eq!(status.unwrap_err().code(), tonic::Code::Unauthenticated);
    }
}
