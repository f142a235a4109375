//! What a one-way door lets in and cannot be recorded is kept, typed, once; a two-way door keeps nothing.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{
        Activity, Door, ListQuarantinedActivitiesRequest, QuarantineFilter, QuarantineState, RecordActivitiesRequest,
        record_result::Outcome,
    },
    contact::v1::Identity,
};

use crate::support::{
    World, activity, number,
    quarantine::{import, kept, list, unknown_source},
    record, record_one, text, values,
};

on_each_database! {
    async fn what_an_import_brings_and_cannot_be_recorded_is_kept_with_all_that_was_said(database) {
        let world = World::start(database).await;
        let client = world.client();
        let bad = Activity {
            attributes: values([("pages", text("many")), ("utm_source", text("news"))]),
            answers: values([("budget", number(12.5))]),
            notes: "a \0 in it".into(),
            occur_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..activity("e-2", "anna at example")
        };
        let results = import(&client, vec![activity("e-1", "anna@example.com"), bad.clone()]).await;
        assert_eq!(results[0].outcome(), Outcome::Accepted);
        assert_eq!((results[1].outcome(), results[1].activity_id.as_str()), (Outcome::Quarantined, ""));
        let error = results[1].error.as_ref().unwrap();
        assert!(error.message.contains("activities[1].identity.email"), "{}", error.message);

        let listed = list(&client, QuarantineFilter::default()).await;
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].activity.as_ref(), listed[0].raw.len()), (None, 0), "a list shows no personal data");
        let one = kept(&client, &results[1].quarantine_id).await;
        assert_eq!((one.door(), one.state(), one.reason.as_str()), (Door::Csv, QuarantineState::Open, "INVALID_EMAIL"));
        assert_eq!((one.source.as_str(), one.principal.as_str()), ("website-form", "tester"));
        let fields: Vec<_> = one.fields.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["identity.email", "notes", "attributes.pages"]);
        assert_eq!(one.record_time.unwrap().seconds, world.hand.now().as_second());
        assert_eq!(one.activity.unwrap(), bad);
        let count = async |labels: &[&str]| world.service.metric("leadflow_activities_quarantined", labels).await;
        assert_eq!(count(&[r#"door="csv""#, r#"reason="INVALID_EMAIL""#]).await, 1.0);
        assert_eq!(world.service.metric("leadflow_activities_rejected", &[]).await, 0.0);
    }

    async fn who_stands_at_a_two_way_door_gets_the_error_and_nothing_is_kept(database) {
        let world = World::start(database).await;
        let result = record_one(&world.client(), unknown_source("e-1")).await;
        assert_eq!((result.outcome(), result.quarantine_id.as_str()), (Outcome::Rejected, ""));
        let form = [("email", "nobody")];
        let url = format!("{}/v1/forms/website-form?format=json", world.service.web);
        assert_eq!(reqwest::Client::new().post(url).form(&form).send().await.unwrap().status(), 400);
        assert_eq!(list(&world.client(), QuarantineFilter::default()).await, vec![]);
    }

    async fn no_other_door_leads_through_a_call(database) {
        let world = World::start(database).await;
        let request = RecordActivitiesRequest { activities: vec![], door: Door::Webhook.into() };
        let status = world.client().record_activities(request).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
    }

    async fn the_same_poison_is_kept_once_and_counted(database) {
        let world = World::start(database).await;
        let client = world.client();
        // With values in a map, whose order changes from one encoding to the next.
        let pairs = ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, text(name)));
        let poison = Activity { attributes: values(pairs), ..unknown_source("e-1") };
        let first = import(&client, vec![poison.clone(), poison.clone()]).await;
        world.hand.advance(60_000);
        let second = import(&client, vec![poison]).await;
        let ids: Vec<_> = first.iter().chain(&second).map(|result| result.quarantine_id.clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let one = kept(&client, &ids[0]).await;
        assert_eq!(one.receive_count, 3);
        assert_eq!(one.last_receive_time.unwrap().seconds - one.record_time.unwrap().seconds, 60);
        // Another id of the event is another thing.
        assert_ne!(import(&client, vec![unknown_source("e-2")]).await[0].quarantine_id, ids[0]);
    }

    async fn a_message_that_cannot_be_read_is_kept_as_it_came(database) {
        let world = World::start(database).await;
        let list_of_pages = prost_types::Value {
            kind: Some(prost_types::value::Kind::ListValue(prost_types::ListValue { values: vec![number(1.0)] })),
        };
        let broken = Activity {
            channel: 99,
            attributes: values([("pages", list_of_pages)]),
            occur_time: Some(prost_types::Timestamp { seconds: 1, nanos: -1 }),
            ..activity("e-1", "anna@example.com")
        };
        let result = import(&world.client(), vec![broken.clone()]).await.remove(0);
        assert_eq!(kept(&world.client(), &result.quarantine_id).await.activity.unwrap(), broken);
        let again = import(&world.client(), vec![broken]).await.remove(0);
        assert_eq!(again.quarantine_id, result.quarantine_id);
    }

    async fn what_is_far_too_long_is_kept_in_part(database) {
        let world = World::start(database).await;
        let huge = Activity {
            source: "x".repeat(100_000),
            notes: "y".repeat(300_000),
            ..activity("e-1", "anna@example.com")
        };
        let result = import(&world.client(), vec![huge]).await.remove(0);
        let one = kept(&world.client(), &result.quarantine_id).await;
        assert_eq!((one.source.len(), one.activity, one.raw.len()), (63, None, 256 << 10));
        assert!(one.raw_size > 400_000);
    }

    async fn the_list_is_filtered_and_paged(database) {
        let world = World::start(database).await;
        let client = world.client();
        let bad = (0..5).map(|n| if n < 3 { unknown_source(&format!("e-{n}")) } else { activity(&format!("e-{n}"), "x") });
        let came: Vec<_> = import(&client, bad.collect()).await.into_iter().map(|one| one.quarantine_id).collect();
        let of = async |filter| list(&client, filter).await.len();
        assert_eq!(of(QuarantineFilter { source: "nowhere".into(), ..Default::default() }).await, 3);
        assert_eq!(of(QuarantineFilter { reason: "INVALID_EMAIL".into(), ..Default::default() }).await, 2);
        assert_eq!(of(QuarantineFilter { door: Door::Csv.into(), ..Default::default() }).await, 5);
        assert_eq!(of(QuarantineFilter { door: Door::Nats.into(), ..Default::default() }).await, 0);
        assert_eq!(of(QuarantineFilter { state: QuarantineState::Discarded.into(), ..Default::default() }).await, 0);
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let request = ListQuarantinedActivitiesRequest { page_size: 2, page_token: token, filter: None };
            let page = client.clone().list_quarantined_activities(request).await.unwrap().into_inner();
            seen.extend(page.quarantined_activities.into_iter().map(|one| one.quarantine_id));
            token = page.next_page_token;
            if token.is_empty() { break; }
        }
        assert!(seen.is_sorted());
        assert_eq!(seen, came, "in the order in which they came");
    }

    async fn an_activity_whose_person_contact_refuses_for_good_is_in_the_list_too(database) {
        let world = World::start(database).await;
        let identity = Identity { external_id: "poison".into(), ..Identity::default() };
        let poison = Activity { identity: Some(identity.clone()), ..activity("e-1", "") };
        let id = record(&world.client(), vec![poison]).await.remove(0).activity_id;
        let listed = eventually!(some: list(&world.client(), QuarantineFilter::default()).await.pop());
        assert_eq!((listed.quarantine_id.as_str(), listed.activity_id.as_str()), (id.as_str(), id.as_str()));
        assert_eq!((listed.door(), listed.reason.as_str()), (Door::Unspecified, "POISONED"));
        assert_eq!(kept(&world.client(), &id).await.activity.unwrap().identity.unwrap(), identity);
        world.hand.advance(5_000);
        assert_eq!(world.service.metric("leadflow_activities_quarantine_open", &[]).await, 1.0);
        assert_eq!(world.service.metric("leadflow_activities_oldest_quarantined_age", &[]).await, 5.0);
    }
}
