//! Whom contact knows is known when the activity is accepted; nobody waits long for contact.

use std::time::Duration;

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{Activity, ActivityState, record_result::Outcome};

use crate::support::{World, activity, get, record, record_one, state};

on_each_database! {
    async fn whom_contact_knows_is_identified_with_the_acceptance_and_announced_once(database) {
        let world = World::start(database).await;
        world.contact.knows("anna@example.com");
        let batch = vec![activity("e-1", "anna@example.com"), activity("e-2", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        let known = get(&world.client(), &results[0].activity_id).await;
        assert_eq!(known.state(), ActivityState::Identified);
        assert_eq!((known.contact_id, known.account_id), (world.contact.id("anna@example.com"), world.contact.id("example.com")));
        let event = eventually!(some: world.events.of(&results[0].activity_id));
        assert_eq!((event.contact_id, event.account_revision), (world.contact.id("anna@example.com"), 3));
        // The other one tells something new, and is found out afterwards.
        eventually!(world.events.of(&results[1].activity_id).is_some());
        assert_eq!(world.contact.calls(), [1]);
        assert_eq!(world.events.recorded().len(), 2);
        assert_eq!(world.service.metric("leadflow_activities_identified", &[]).await, 2.0);
    }

    async fn who_is_known_and_not_where_is_left_to_the_identifier(database) {
        let world = World::start(database).await;
        // Free mail: a person, and no organisation.
        world.contact.knows("anna@mail.example");
        let result = record_one(&world.client(), activity("e-1", "anna@mail.example")).await;
        let event = eventually!(some: world.events.of(&result.activity_id));
        assert_eq!((event.contact_id, event.account_id), (world.contact.id("anna@mail.example"), String::new()));
        assert_eq!(world.contact.calls(), [1], "the identifier has asked who it was");
    }

    async fn what_comes_again_of_whom_contact_knows_has_one_effect(database) {
        let world = World::start(database).await;
        world.contact.knows("anna@example.com");
        let first = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        let changed = Activity { notes: "another".into(), ..activity("e-1", "anna@example.com") };
        let again = record(&world.client(), vec![activity("e-1", "anna@example.com"), changed, activity("e-2", "anna@example.com")]).await;
        assert_eq!([again[0].outcome(), again[1].outcome()], [Outcome::Duplicate, Outcome::Duplicate]);
        assert_eq!(again[1].activity_id, first.activity_id);
        eventually!(world.events.of(&again[2].activity_id).is_some());
        assert_eq!(world.events.recorded().len(), 2);
        assert_eq!(world.service.metric("leadflow_activities_identified", &[]).await, 2.0);
    }

    async fn a_contact_that_does_not_answer_keeps_nobody_waiting(database) {
        let world = World::start(database).await;
        world.contact.knows("anna@example.com");
        world.contact.fall_silent();
        // Far less than a call may take, and more than a busy machine needs.
        let patience = Duration::from_secs(5);
        let client = world.client();
        let sent = tokio::time::timeout(patience, record_one(&client, activity("e-1", "anna@example.com"))).await.unwrap();
        assert_eq!(sent.outcome(), Outcome::Accepted);
        eventually!(state(&client, &sent.activity_id).await == ActivityState::Identified);
    }

    async fn replicas_that_take_the_same_announce_it_once(database) {
        let world = World::start(database).await;
        let replica = world.replica().await;
        world.contact.knows("anna@example.com");
        let batch = || (0..200).map(|n| activity(&format!("e-{n}"), "anna@example.com")).collect::<Vec<_>>();
        let (here, there) = (world.client(), replica.client.clone());
        let (one, other) = tokio::join!(record(&here, batch()), record(&there, batch()));
        let accepted = one.iter().chain(&other).filter(|result| result.outcome() == Outcome::Accepted).count();
        assert_eq!(accepted, 200);
        eventually!(world.events.recorded().len() >= 200);
        let last = record_one(&here, activity("last", "anna@example.com")).await;
        eventually!(world.events.of(&last.activity_id).is_some());
        let mut events: Vec<_> = world.events.recorded().into_iter().map(|event| event.activity_id).collect();
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), 201);
    }
}
