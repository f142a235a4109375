//! Bad input: a clear error with a stable reason and the field's name, and nothing half-written.

use leadflow_harness::on_each_database;
use leadflow_proto::{
    activity::v1::{Activity, CallDetails, ListActivitiesRequest, RecordResult, record_result::Outcome},
    contact::v1::Identity,
};
use prost_types::{Duration, ListValue, Timestamp, value::Kind};
use tonic_types::RpcStatusExt as _;

use crate::{
    calls::conversation,
    support::{World, activity, flag, number, record, text, values},
};

/// The reason of a refusal and the first field that it names.
fn refusal(result: &RecordResult) -> (String, String) {
    assert_eq!(result.outcome(), Outcome::Rejected, "{result:?}");
    let status = result.error.as_ref().unwrap();
    assert_eq!(status.code, tonic::Code::InvalidArgument as i32);
    let details = status.get_error_details();
    let field = details.bad_request().unwrap().field_violations[0].field.clone();
    (details.error_info().unwrap().reason.clone(), field)
}

fn who(identity: Identity) -> Activity {
    Activity { identity: Some(identity), ..good() }
}

fn good() -> Activity {
    activity("e-1", "anna@example.com")
}

fn identity() -> Identity {
    Identity { email: "anna@example.com".into(), ..Identity::default() }
}

fn at(seconds: i64, nanos: i32) -> Activity {
    Activity { occur_time: Some(Timestamp { seconds, nanos }), ..good() }
}

fn cases(now: i64) -> Vec<(Activity, &'static str, &'static str)> {
    let list = prost_types::Value { kind: Some(Kind::ListValue(ListValue { values: vec![] })) };
    let many = (0..101).map(|n| (format!("k{n}"), number(1.0))).collect();
    vec![
        (Activity { source: "nowhere".into(), ..good() }, "UNKNOWN_SOURCE", "source"),
        (Activity { source: String::new(), ..good() }, "UNKNOWN_SOURCE", "source"),
        (Activity { identity: None, ..good() }, "MISSING_IDENTITY", "identity"),
        (who(Identity { given_name: "Anna".into(), ..Identity::default() }), "MISSING_IDENTITY", "identity"),
        (who(Identity { email: "anna@".into(), ..Identity::default() }), "INVALID_EMAIL", "identity.email"),
        (who(Identity { phone: "call me".into(), ..Identity::default() }), "INVALID_PHONE", "identity.phone"),
        (who(Identity { country: "Germany".into(), ..identity() }), "INVALID_COUNTRY", "identity.country"),
        (at(now + 301, 0), "OCCUR_TIME_IN_FUTURE", "occur_time"),
        (at(946_684_799, 999_999_999), "OCCUR_TIME_TOO_OLD", "occur_time"),
        (at(now, -1), "INVALID_FIELD", "occur_time"),
        (Activity { product_category: "lasers".into(), ..good() }, "UNKNOWN_PRODUCT_CATEGORY", "product_category"),
        (Activity { activity_type: "Form Submitted".into(), ..good() }, "INVALID_ACTIVITY_TYPE", "activity_type"),
        (Activity { channel: 99, ..good() }, "INVALID_FIELD", "channel"),
        (Activity { source_event_id: "x".repeat(201), ..good() }, "INVALID_SOURCE_EVENT_ID", "source_event_id"),
        (Activity { source_event_id: "a\u{7}".into(), ..good() }, "INVALID_SOURCE_EVENT_ID", "source_event_id"),
        (who(Identity { company: "x".repeat(321), ..identity() }), "FIELD_TOO_LONG", "identity.company"),
        (Activity { object_id: "x".repeat(501), ..good() }, "FIELD_TOO_LONG", "object_id"),
        (Activity { notes: "x".repeat(10_001), ..good() }, "FIELD_TOO_LONG", "notes"),
        (Activity { notes: "a\0b".into(), ..good() }, "INVALID_TEXT", "notes"),
        (Activity { attributes: many, ..good() }, "TOO_MANY_FIELDS", "attributes"),
        (Activity { attributes: values([("pages", text("3"))]), ..good() }, "WRONG_TYPE", "attributes.pages"),
        (Activity { answers: values([("budget", flag(true))]), ..good() }, "WRONG_TYPE", "answers.budget"),
        (Activity { attributes: values([("any", list)]), ..good() }, "WRONG_TYPE", "attributes.any"),
        (Activity { answers: values([("any", number(f64::NAN))]), ..good() }, "WRONG_TYPE", "answers.any"),
    ]
}

fn calls() -> Vec<(Activity, &'static str, &'static str)> {
    let call = |call| Activity { call: Some(call), ..good() };
    let lasting = |seconds, nanos| call(CallDetails { duration: Some(Duration { seconds, nanos }), ..conversation() });
    vec![
        (call(CallDetails { direction: 0, ..conversation() }), "INVALID_FIELD", "call.direction"),
        (call(CallDetails { direction: 9, ..conversation() }), "INVALID_FIELD", "call.direction"),
        (call(CallDetails { disposition: 0, ..conversation() }), "INVALID_FIELD", "call.disposition"),
        (call(CallDetails { disposition: 99, ..conversation() }), "INVALID_FIELD", "call.disposition"),
        (lasting(-1, 0), "INVALID_CALL_DURATION", "call.duration"),
        (lasting(86_400, 1_000_000), "INVALID_CALL_DURATION", "call.duration"),
        (lasting(i64::MAX, 0), "INVALID_CALL_DURATION", "call.duration"),
        (lasting(1, -1), "INVALID_CALL_DURATION", "call.duration"),
        (lasting(0, 1_000_000_000), "INVALID_CALL_DURATION", "call.duration"),
        (call(CallDetails { agent: "x".repeat(321), ..conversation() }), "FIELD_TOO_LONG", "call.agent"),
        (call(CallDetails { call_id: "x".repeat(201), ..conversation() }), "FIELD_TOO_LONG", "call.call_id"),
        (call(CallDetails { agent: "a\0".into(), ..conversation() }), "INVALID_TEXT", "call.agent"),
    ]
}

on_each_database! {
    async fn each_mistake_is_refused_with_its_reason_and_its_field_and_nothing_is_written(database) {
        let world = World::start(database).await;
        let mut cases = cases(world.hand.now().as_second());
        cases.extend(calls());
        let results = record(&world.client(), cases.iter().map(|(sent, ..)| sent.clone()).collect()).await;
        for (index, ((_, reason, field), result)) in cases.iter().zip(&results).enumerate() {
            assert_eq!(refusal(result), ((*reason).to_owned(), format!("activities[{index}].{field}")));
        }
        let all = world.client().list_activities(ListActivitiesRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.activities, vec![]);
        let unknown = world.service.metric("leadflow_activities_rejected", &["UNKNOWN_SOURCE", "door=\"grpc\""]).await;
        assert_eq!(unknown, 2.0);
    }

    async fn the_limits_themselves_are_within(database) {
        let world = World::start(database).await;
        let now = world.hand.now().as_second();
        let batch = vec![
            Activity { source_event_id: "x".repeat(200), ..good() },
            Activity { source_event_id: "e-2".into(), ..at(now + 300, 0) },
            Activity { source_event_id: "e-3".into(), ..at(946_684_800, 0) },
            Activity { source_event_id: "e-4".into(), notes: "x".repeat(10_000), ..good() },
            Activity {
                source_event_id: "e-5".into(),
                call: Some(CallDetails { duration: Some(Duration { seconds: 86_400, nanos: 0 }), ..conversation() }),
                ..good()
            },
        ];
        let results = record(&world.client(), batch).await;
        assert!(results.iter().all(|result| result.outcome() == Outcome::Accepted), "{results:?}");
    }
}
