//! A repeated activity has one effect.

use futures::future::join_all;
use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{Activity, ListActivitiesRequest, RecordResult, record_result::Outcome};

use crate::support::{Client, World, activity, record, record_one};

const MINUTE: i64 = 60_000;

async fn count(client: &Client) -> usize {
    let request = ListActivitiesRequest { page_size: 1000, ..ListActivitiesRequest::default() };
    client.clone().list_activities(request).await.unwrap().into_inner().activities.len()
}

fn accepted(results: &[RecordResult]) -> usize {
    results.iter().filter(|result| result.outcome() == Outcome::Accepted).count()
}

/// All name the same activity, and one of them is the first.
fn assert_one_effect(results: &[RecordResult]) {
    assert_eq!(accepted(results), 1, "{results:?}");
    assert!(results.iter().all(|result| result.outcome() != Outcome::Rejected));
    assert!(results.iter().all(|result| result.activity_id == results[0].activity_id), "{results:?}");
}

on_each_database! {
    async fn the_same_id_again_is_a_duplicate_however_late(database) {
        let world = World::start(database).await;
        let first = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        world.hand.advance(400 * 24 * 60 * MINUTE);
        let again = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        assert_eq!(again.outcome(), Outcome::Duplicate);
        assert_eq!((again.activity_id, again.conflicting, again.derived), (first.activity_id.clone(), false, false));
        assert_eq!(count(&world.client()).await, 1);
        eventually!(world.events.of(&first.activity_id).is_some());
        assert_eq!(world.events.recorded().len(), 1);
    }

    async fn the_same_id_of_another_source_is_another_activity(database) {
        let world = World::start(database).await;
        let other = Activity { source: "expo".into(), ..activity("e-1", "anna@example.com") };
        let results = record(&world.client(), vec![activity("e-1", "anna@example.com"), other]).await;
        assert_eq!(accepted(&results), 2);
    }

    async fn the_same_id_with_another_content_is_a_conflict_and_the_first_stands(database) {
        let world = World::start(database).await;
        let first = record_one(&world.client(), activity("e-1", "anna@example.com")).await;
        let again = record_one(&world.client(), activity("e-1", "ben@example.com")).await;
        assert_eq!((again.outcome(), again.conflicting), (Outcome::Duplicate, true));
        assert_eq!(again.activity_id, first.activity_id);
    }

    async fn thirty_two_at_the_same_time_are_one(database) {
        let world = World::start(database).await;
        let replica = world.replica().await;
        let calls = (0..32).map(|n| {
            let client = if n % 2 == 0 { world.client() } else { replica.client.clone() };
            async move { record_one(&client, activity("e-1", "anna@example.com")).await }
        });
        assert_one_effect(&join_all(calls).await);
        assert_eq!(count(&world.client()).await, 1);
    }

    async fn the_same_id_twice_in_one_call_is_one(database) {
        let world = World::start(database).await;
        let batch = vec![activity("e-1", "anna@example.com"), activity("e-1", "ben@example.com")];
        let results = record(&world.client(), batch).await;
        assert_one_effect(&results);
        assert_eq!(results[0].outcome(), Outcome::Accepted, "the first of the call is the first");
        assert!(results[1].conflicting);
    }

    async fn without_an_id_the_same_content_within_ten_minutes_is_a_duplicate(database) {
        let world = World::start(database).await;
        let send = async || record_one(&world.client(), activity("", "anna@example.com")).await;
        let first = send().await;
        assert_eq!((first.outcome(), first.derived), (Outcome::Accepted, true));

        // The window begins with the first and is not drawn out by what comes in between.
        for minutes in [6, 3] {
            world.hand.advance(minutes * MINUTE);
            let again = send().await;
            assert_eq!((again.outcome(), again.derived, again.conflicting), (Outcome::Duplicate, true, false));
            assert_eq!(again.activity_id, first.activity_id);
        }
        world.hand.advance(MINUTE - 1);
        assert_eq!(send().await.outcome(), Outcome::Duplicate);
        world.hand.advance(1);
        let later = send().await;
        assert_eq!((later.outcome(), later.derived), (Outcome::Accepted, true));
        assert_ne!(later.activity_id, first.activity_id);
    }

    async fn without_an_id_another_content_is_another_activity(database) {
        let world = World::start(database).await;
        let base = activity("", "anna@example.com");
        let batch = vec![
            base.clone(),
            Activity { notes: "Call me.".into(), ..base.clone() },
            Activity { object_id: "x".into(), ..base.clone() },
            Activity { source: "expo".into(), ..base.clone() },
            Activity { occur_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }), ..base.clone() },
            activity("", "ben@example.com"),
            // With an id of its own it is told apart by that.
            activity("e-1", "anna@example.com"),
        ];
        assert_eq!(accepted(&record(&world.client(), batch).await), 7);
    }

    async fn a_double_click_is_one_activity_also_across_replicas(database) {
        let world = World::start(database).await;
        let replica = world.replica().await;
        let calls = (0..32).map(|n| {
            let client = if n % 2 == 0 { world.client() } else { replica.client.clone() };
            async move { record_one(&client, activity("", "anna@example.com")).await }
        });
        let results = join_all(calls).await;
        assert_one_effect(&results);
        assert!(results.iter().all(|result| result.derived));
        assert_eq!(count(&world.client()).await, 1);
    }

    async fn the_same_content_twice_in_one_call_is_one(database) {
        let world = World::start(database).await;
        let twice = vec![activity("", "anna@example.com"), activity("", "anna@example.com")];
        assert_one_effect(&record(&world.client(), twice).await);
    }
}
