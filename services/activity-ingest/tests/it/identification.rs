//! Intake goes on without contact, poison blocks nobody, and what waits is never forgotten.

use std::collections::HashSet;

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Activity, ActivityRecorded, ActivityState, record_result::Outcome},
    contact::v1::Identity,
};
use prost::Message as _;
use sea_orm::ConnectionTrait as _;

use crate::support::{World, activity, get, record, record_one, state};

/// An activity that the fake contact treats in a special way.
fn special(external_id: &str) -> Activity {
    let identity = Identity { external_id: external_id.into(), ..Identity::default() };
    Activity { identity: Some(identity), ..activity(external_id, "") }
}

on_each_database! {
    async fn while_contact_is_down_activities_are_accepted_and_wait(database) {
        let world = World::start(database).await;
        world.contact.fail(tonic::Code::Unavailable);
        let batch = (0..500).map(|n| activity(&format!("e-{n}"), "anna@example.com")).collect();
        let results = record(&world.client(), batch).await;
        assert!(results.iter().all(|result| result.outcome() == Outcome::Accepted));
        assert_eq!(world.service.metric("leadflow_activities_pending", &[]).await, 500.0);
        world.hand.advance(90_000);
        assert_eq!(world.service.metric("leadflow_activities_oldest_pending_age", &[]).await, 90.0);
        assert!(world.events.recorded().is_empty());

        world.contact.recover();
        eventually!(world.events.recorded().len() >= 500);
        assert_eq!(world.events.recorded().len(), 500);
        assert_eq!(world.service.metric("leadflow_activities_pending", &[]).await, 0.0);
        assert_eq!(world.service.metric("leadflow_activities_identified", &[]).await, 500.0);
        // In few questions, not in one for each.
        assert!(world.contact.calls().len() < 100, "{:?}", world.contact.calls());
        assert!(world.contact.calls().iter().all(|size| *size <= 500));
    }

    async fn a_claim_that_contact_can_never_resolve_is_set_aside_and_the_others_pass(database) {
        let world = World::start(database).await;
        let batch = vec![activity("e-1", "anna@example.com"), special("poison"), activity("e-2", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        let client = world.client();
        eventually!(state(&client, &results[1].activity_id).await == ActivityState::Quarantined);
        eventually!(world.events.of(&results[0].activity_id).is_some());
        eventually!(world.events.of(&results[2].activity_id).is_some());
        assert!(world.events.of(&results[1].activity_id).is_none());
        assert_eq!(world.service.metric("leadflow_activities_quarantined", &[]).await, 1.0);
        let row = world.database().await;
        let row = row
            .query_one_raw(sea_orm::Statement::from_string(
                row.get_database_backend(),
                "SELECT error_reason, error_message FROM activities WHERE state = 'quarantined'",
            ))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.try_get::<String>("", "error_reason").unwrap(), "POISONED");
        assert!(row.try_get::<String>("", "error_message").unwrap().contains("can never be read"));
    }

    async fn an_activity_that_makes_contact_refuse_the_whole_call_is_found_and_set_aside(database) {
        let world = World::start(database).await;
        world.contact.fail(tonic::Code::Unavailable);
        let batch = vec![activity("e-1", "anna@example.com"), special("refuse-call"), activity("e-2", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        world.contact.recover();
        let client = world.client();
        eventually!(state(&client, &results[1].activity_id).await == ActivityState::Quarantined);
        eventually!(world.events.recorded().len() == 2);
    }

    async fn an_activity_that_makes_contact_fail_waits_and_the_others_pass(database) {
        let world = World::start(database).await;
        world.contact.fail(tonic::Code::Unavailable);
        let batch = vec![activity("e-1", "anna@example.com"), special("crash-call"), activity("e-2", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        world.contact.recover();
        eventually!(world.events.recorded().len() == 2);
        let later = record_one(&world.client(), activity("e-3", "carl@example.com")).await;
        eventually!(world.events.of(&later.activity_id).is_some());
        assert_eq!(get(&world.client(), &results[1].activity_id).await.state(), ActivityState::Pending);
    }

    async fn a_fault_of_contact_passes_and_nothing_is_set_aside_for_it(database) {
        let world = World::start(database).await;
        world.contact.fail(tonic::Code::Internal);
        let id = record_one(&world.client(), activity("e-1", "anna@example.com")).await.activity_id;
        let connection = world.database().await;
        let attempts = async || {
            let sql = "SELECT attempts FROM activities";
            let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
            connection.query_one_raw(statement).await.unwrap().unwrap().try_get::<i32>("", "attempts").unwrap()
        };
        eventually!(attempts().await == 1);
        world.hand.advance(1_000);
        eventually!(attempts().await == 2);
        assert_eq!(state(&world.client(), &id).await, ActivityState::Pending);
        world.contact.recover();
        world.hand.advance(2_000);
        eventually!(world.events.of(&id).is_some());
    }

    async fn an_activity_without_an_organisation_is_announced_too(database) {
        let world = World::start(database).await;
        let id = record_one(&world.client(), activity("e-1", "anna@mail.example")).await.activity_id;
        let event = eventually!(some: world.events.of(&id));
        assert_eq!((event.account_id.as_str(), event.account_revision), ("", 0));
        assert_eq!(event.contact_id, world.contact.id("anna@mail.example"));
        assert_eq!(get(&world.client(), &id).await.account_id, "");
    }

    async fn an_organisation_without_a_person_is_announced_too(database) {
        let world = World::start(database).await;
        let identity = Identity { domain: "example.com".into(), ..Identity::default() };
        let sent = Activity { identity: Some(identity), ..activity("e-1", "") };
        let id = record_one(&world.client(), sent).await.activity_id;
        let event = eventually!(some: world.events.of(&id));
        assert_eq!((event.contact_id.as_str(), event.account_id), ("", world.contact.id("example.com")));
    }

    async fn what_waited_when_the_service_died_is_identified_after_the_restart(database) {
        let mut world = World::start(database).await;
        world.contact.fail(tonic::Code::Unavailable);
        let batch = (0..50).map(|n| activity(&format!("e-{n}"), "anna@example.com")).collect();
        record(&world.client(), batch).await;
        world.crash_and_restart().await;
        world.contact.recover();
        eventually!(world.events.recorded().len() >= 50);
    }

    async fn a_claim_of_one_who_died_is_free_after_a_while(database) {
        let world = World::start(database).await;
        let id = record_one(&world.client(), activity("e-1", "anna@example.com")).await.activity_id;
        eventually!(world.events.of(&id).is_some());
        // As if a replica had claimed it just now, and were gone.
        let lease_end = world.hand.now().as_millisecond() + 60_000;
        let sql = format!("UPDATE activities SET state = 'pending', next_attempt_time = {lease_end}");
        world.database().await.execute_unprepared(&sql).await.unwrap();
        let other = record_one(&world.client(), activity("e-2", "ben@example.com")).await.activity_id;
        eventually!(world.events.of(&other).is_some());
        assert_eq!(state(&world.client(), &id).await, ActivityState::Pending);
        world.hand.advance(60_000);
        let client = world.client();
        eventually!(state(&client, &id).await == ActivityState::Identified);
    }

    async fn replicas_share_the_work_and_announce_each_activity_once(database) {
        let world = World::start(database).await;
        let _replica = world.replica().await;
        for round in 0..4 {
            let batch = (0..250).map(|n| activity(&format!("e-{round}-{n}"), "anna@example.com")).collect();
            record(&world.client(), batch).await;
        }
        let distinct = |of: fn(&async_nats::Message) -> String| {
            world.events.messages().iter().map(of).collect::<HashSet<_>>().len()
        };
        let activity = |event: &async_nats::Message| ActivityRecorded::decode(event.payload.clone()).unwrap().activity_id;
        eventually!(distinct(activity) == 1000);
        // The relay may publish one event twice; it has the same id then, and counts once.
        let event = |event: &async_nats::Message| event.headers.as_ref().unwrap().get("ce-id").unwrap().to_string();
        assert_eq!(distinct(event), 1000);
    }
    async fn who_comes_late_with_an_answer_announces_nothing_twice(database) {
        let world = World::start(database).await;
        let go_on = world.contact.hold_next();
        let id = record_one(&world.client(), activity("e-1", "anna@example.com")).await.activity_id;
        eventually!(world.contact.holds());
        // A replica that starts takes what seems to be left behind.
        let replica = world.replica().await;
        eventually!(world.events.of(&id).is_some());
        replica.begin_shutdown();
        replica.ended().await;

        go_on.notify_one();
        let next = record_one(&world.client(), activity("e-2", "anna@example.com")).await.activity_id;
        eventually!(world.events.of(&next).is_some());
        assert_eq!(world.events.recorded().iter().filter(|event| event.activity_id == id).count(), 1);
    }
}
