//! What is kept is corrected, replayed into the ledger with one effect, or discarded; each by somebody.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{
        Activity, ActivityState, ApplyConfigurationRequest, QuarantineFilter, QuarantineSelection, QuarantineState,
        ReplayQuarantinedActivitiesRequest, Source, quarantine_decision::Outcome,
        record_result::Outcome as RecordOutcome,
    },
    contact::v1::Identity,
};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::Code;

use crate::support::{
    World, activity, expo, get,
    quarantine::{
        correct, correct_as_read, discard, everything, import, import_one, kept, list, outcomes, replay, these,
        unknown_source,
    },
    record_one, state,
};

fn by(external_id: &str) -> Option<Identity> {
    Some(Identity { external_id: external_id.into(), ..Identity::default() })
}

async fn register_nowhere(world: &World) {
    let source = Source { name: "nowhere".into(), ..expo() };
    let request = ApplyConfigurationRequest { sources: vec![source], ..ApplyConfigurationRequest::default() };
    world.client().apply_configuration(request).await.unwrap();
}

async fn count(world: &World, sql: &str) -> i64 {
    let database = world.database().await;
    let statement = Statement::from_string(database.get_database_backend(), sql);
    database.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

on_each_database! {
    async fn a_corrected_activity_is_replayed_with_one_effect(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = import_one(&client, activity("e-1", "anna at example")).await;
        let arrival = world.hand.now();
        world.hand.advance(3_600_000);
        correct(&client, &id, activity("e-1", "anna@example.com")).await.unwrap();
        assert_eq!(kept(&client, &id).await.state(), QuarantineState::Open);

        let decided = replay(&client, these(&[&id])).await;
        assert_eq!(outcomes(&decided), [Outcome::Replayed]);
        let event = eventually!(some: world.events.of(&decided[0].activity_id));
        assert_eq!(event.contact_id, world.contact.id("anna@example.com"));
        // It says nothing of when: it happened when it came, not when it was mended.
        assert_eq!(event.occur_time.unwrap().seconds, arrival.as_second());
        let one = kept(&client, &id).await;
        assert_eq!((one.state(), one.activity_id.as_str()), (QuarantineState::Replayed, event.activity_id.as_str()));
        assert_eq!((one.resolve_principal.as_str(), one.resolve_note.as_str()), ("tester", "mended"));
        assert_eq!(one.resolve_time.unwrap().seconds, world.hand.now().as_second());

        let again = replay(&client, these(&[&id])).await;
        assert_eq!(outcomes(&again), [Outcome::Duplicate]);
        assert_eq!(again[0].activity_id, event.activity_id);
        assert_eq!(count(&world, "SELECT count(*) FROM activities").await, 1);
        // And the same bad line, imported once more, has had its effect too.
        let line = import(&client, vec![activity("e-1", "anna at example")]).await.remove(0);
        assert_eq!((line.outcome(), line.activity_id), (RecordOutcome::Duplicate, event.activity_id));
    }

    async fn a_correction_has_to_be_right(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = import_one(&client, activity("e-1", "x")).await;
        let status = correct(&client, &id, activity("e-1", "still x")).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("identity.email"), "{status}");
        assert_eq!(kept(&client, &id).await.activity.unwrap().identity.unwrap().email, "x");

        let etag = kept(&client, &id).await.etag;
        correct_as_read(&client, &id, activity("e-1", "anna@example.com"), &etag).await.unwrap();
        let late = correct_as_read(&client, &id, activity("e-1", "ben@example.com"), &etag).await.unwrap_err();
        assert_eq!(late.code(), Code::Aborted);
        replay(&client, these(&[&id])).await;
        let resolved = correct(&client, &id, activity("e-1", "ben@example.com")).await.unwrap_err();
        assert_eq!(resolved.code(), Code::FailedPrecondition);
    }

    async fn once_the_cause_is_gone_all_are_replayed_page_by_page(database) {
        let world = World::start(database).await;
        let client = world.client();
        let bad = (0..5).map(|n| unknown_source(&format!("e-{n}"))).chain([activity("e-5", "x")]).collect();
        import(&client, bad).await;
        register_nowhere(&world).await;

        let foreseen = ReplayQuarantinedActivitiesRequest {
            selection: everything(),
            validate_only: true,
            ..Default::default()
        };
        let foreseen = client.clone().replay_quarantined_activities(foreseen).await.unwrap().into_inner().decisions;
        let expected = [vec![Outcome::Replayed; 5], vec![Outcome::Refused]].concat();
        assert_eq!(outcomes(&foreseen), expected);
        assert_eq!(count(&world, "SELECT count(*) FROM activities").await, 0);

        let (mut token, mut decided) = (String::new(), Vec::new());
        loop {
            let selection = QuarantineSelection {
                filter: Some(QuarantineFilter::default()),
                page_size: 4,
                page_token: token,
                ..Default::default()
            };
            let request = ReplayQuarantinedActivitiesRequest { selection: Some(selection), ..Default::default() };
            let page = client.clone().replay_quarantined_activities(request).await.unwrap().into_inner();
            decided.extend(page.decisions);
            token = page.next_page_token;
            if token.is_empty() { break; }
        }
        assert_eq!(outcomes(&decided), expected);
        let stays = &decided[5];
        assert_eq!((stays.reason.as_str(), stays.fields[0].field.as_str()), ("INVALID_EMAIL", "identity.email"));
        assert_eq!(count(&world, "SELECT count(*) FROM activities").await, 5);
        let open = list(&client, QuarantineFilter { state: QuarantineState::Open.into(), ..Default::default() }).await;
        assert_eq!(open.len(), 1);
    }

    async fn what_is_refused_again_says_why_it_is_now(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = import_one(&client, Activity { object_id: "x".repeat(501), ..unknown_source("e-1") }).await;
        register_nowhere(&world).await;
        assert_eq!(outcomes(&replay(&client, these(&[&id])).await), [Outcome::Refused]);
        let one = kept(&client, &id).await;
        assert_eq!((one.reason.as_str(), one.fields[0].field.as_str()), ("FIELD_TOO_LONG", "object_id"));
        assert_eq!(one.state(), QuarantineState::Open);
    }

    async fn a_replay_of_what_has_come_meanwhile_is_a_duplicate(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = import_one(&client, unknown_source("e-1")).await;
        register_nowhere(&world).await;
        let first = import(&client, vec![unknown_source("e-1")]).await.remove(0);
        let decided = replay(&client, these(&[&id])).await;
        assert_eq!((decided[0].outcome(), &decided[0].activity_id), (Outcome::Duplicate, &first.activity_id));
        assert_eq!(kept(&client, &id).await.activity_id, first.activity_id);
    }

    async fn what_is_nothing_is_discarded_with_a_reason(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = import_one(&client, unknown_source("e-1")).await;
        let status = discard(&client, these(&[&id]), "  ").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        for _ in ["first", "again"] {
            let decided = discard(&client, these(&[&id]), "a test of ours").await.unwrap();
            assert_eq!(outcomes(&decided), [Outcome::Discarded]);
        }
        let one = kept(&client, &id).await;
        assert_eq!((one.state(), one.resolve_note.as_str()), (QuarantineState::Discarded, "a test of ours"));
        let decided = replay(&client, these(&[&id])).await;
        assert_eq!((decided[0].outcome(), decided[0].reason.as_str()), (Outcome::Refused, "QUARANTINE_RESOLVED"));
        assert_eq!(world.service.metric("leadflow_activities_quarantine_open", &[]).await, 0.0);

        let other = import_one(&client, activity("e-2", "x")).await;
        correct(&client, &other, activity("e-2", "anna@example.com")).await.unwrap();
        replay(&client, these(&[&other])).await;
        let decided = discard(&client, these(&[&other]), "too late").await.unwrap();
        assert_eq!(outcomes(&decided), [Outcome::Refused]);
    }

    async fn a_selection_says_what_it_means(database) {
        let world = World::start(database).await;
        let client = world.client();
        let unknown = "0190a6a0-0000-7000-8000-000000000000";
        let decided = replay(&client, these(&[unknown])).await;
        assert_eq!((decided[0].outcome(), decided[0].reason.as_str()), (Outcome::Refused, "NOT_FOUND"));
        let both = QuarantineSelection { quarantine_ids: vec![unknown.into()], ..everything().unwrap() };
        let replayed = QuarantineFilter { state: QuarantineState::Replayed.into(), ..Default::default() };
        let of_state = QuarantineSelection { filter: Some(replayed), ..Default::default() };
        for selection in [None, these(&[]), these(&["x"]), Some(both), Some(of_state)] {
            let request = ReplayQuarantinedActivitiesRequest { selection: selection.clone(), ..Default::default() };
            let status = client.clone().replay_quarantined_activities(request).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{selection:?}");
        }
    }

    async fn a_repeated_request_gets_the_first_answer_and_each_decision_has_its_principal(database) {
        let world = World::start(database).await;
        let id = import_one(&world.client(), unknown_source("e-1")).await;
        register_nowhere(&world).await;
        let request = ReplayQuarantinedActivitiesRequest {
            selection: these(&[&id]),
            request_id: "0190a6a0-0000-7000-8000-000000000001".into(),
            ..Default::default()
        };
        let mut answers = Vec::new();
        for _ in ["first", "again"] {
            let answer = world.client().replay_quarantined_activities(request.clone()).await.unwrap().into_inner();
            answers.push(answer);
        }
        assert_eq!(answers[0].decisions[0].outcome(), Outcome::Replayed);
        assert_eq!(answers[0], answers[1]);
        let recorded = "SELECT count(*) FROM mutations WHERE method = 'ReplayQuarantinedActivities' \
            AND principal = 'tester'";
        assert_eq!(count(&world, recorded).await, 1);
    }

    async fn an_activity_of_the_ledger_is_identified_after_its_identity_was_corrected(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = record_one(&client, Activity { identity: by("poison"), ..activity("e-1", "") }).await.activity_id;
        eventually!(state(&client, &id).await == ActivityState::Quarantined);

        let stored = kept(&client, &id).await.activity.unwrap();
        let other = Activity { notes: "and more".into(), ..stored.clone() };
        assert_eq!(correct(&client, &id, other).await.unwrap_err().code(), Code::InvalidArgument);
        let nobody = Activity { identity: None, ..stored.clone() };
        assert_eq!(correct(&client, &id, nobody).await.unwrap_err().code(), Code::InvalidArgument);
        correct(&client, &id, Activity { identity: activity("", "anna@example.com").identity, ..stored }).await.unwrap();
        assert_eq!(state(&client, &id).await, ActivityState::Quarantined, "it waits until it is replayed");
        assert_eq!(outcomes(&replay(&client, everything()).await), [Outcome::Replayed]);
        let event = eventually!(some: world.events.of(&id));
        assert_eq!(event.contact_id, world.contact.id("anna@example.com"));
        assert_eq!(kept(&client, &id).await.state(), QuarantineState::Replayed);
        // What was sent stays what tells a repetition.
        let again = record_one(&client, Activity { identity: by("poison"), ..activity("e-1", "") }).await;
        assert_eq!((again.outcome(), again.conflicting), (RecordOutcome::Duplicate, false));
    }

    async fn an_activity_of_the_ledger_that_is_set_aside_again_is_open_again(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = record_one(&client, Activity { identity: by("poison"), ..activity("e-1", "") }).await.activity_id;
        eventually!(state(&client, &id).await == ActivityState::Quarantined);
        replay(&client, these(&[&id])).await;
        let one = eventually!(some: Some(kept(&client, &id).await).filter(|one| one.receive_count == 2));
        assert_eq!((one.state(), one.resolve_principal.as_str()), (QuarantineState::Open, ""));
        assert_eq!(get(&client, &id).await.state(), ActivityState::Quarantined);
    }

    async fn what_was_set_aside_before_there_was_a_quarantine_is_in_it(database) {
        let world = World::start(database).await;
        let client = world.client();
        let id = record_one(&client, Activity { identity: by("poison"), ..activity("e-1", "") }).await.activity_id;
        eventually!(state(&client, &id).await == ActivityState::Quarantined);
        let before = kept(&client, &id).await;
        let database = world.database().await;
        database.execute_unprepared("DROP TABLE quarantined_activities").await.unwrap();
        let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%_quarantine'";
        database.execute_unprepared(forget).await.unwrap();
        world.migrate().await;
        let after = kept(&client, &id).await;
        assert_eq!(after.state(), QuarantineState::Open);
        assert_eq!((after.reason, after.message, after.activity), (before.reason, before.message, before.activity));
    }
}
