//! Telephone calls, over CSV and over gRPC, score alike by how long they were and how they ended.

use leadflow_harness::{Backend, eventually};
use leadflow_proto::{
    activity::v1::{
        Activity, CallDetails, CallDirection, CallDisposition, RecordActivitiesRequest, record_result::Outcome,
    },
    contact::v1::Identity,
};
use serde_json::Value as Json;

use super::NOW;
use crate::support::World;

/// They ring; we ring back, for long and for short; one does not want it.
const LOG: &str = "\
Called at,Direction,E-Mail,Company,Country,Product category,Outcome,Duration,Agent,Notes,answer.budget,answer.decision_maker
2026-11-24 10:00,in,eva@rufwerk.de,Rufwerk,DE,hplc,answered,2:10,Nadine,\"Rang us.\",180000,yes
2026-11-24 11:00,out,eva@rufwerk.de,Rufwerk,DE,hplc,conversation,5:00,Nadine,,,
2026-11-24 12:00,out,ben@rufwerk.de,Rufwerk,DE,hplc,connected,4:59,Nadine,,,
2026-11-24 13:00,out,ben@rufwerk.de,Rufwerk,DE,hplc,no answer,0:40,Nadine,,,
2026-11-24 14:00,out,kai@rufwerk.de,Rufwerk,DE,hplc,not interested,0:45,Nadine,,,
";

async fn rules(world: &World, account: &str) -> Option<Vec<String>> {
    let lead = world.cli.lead(account, "hplc").await?;
    let explained = world.cli.json(&["explain", lead["lead_id"].as_str().unwrap()]).await;
    let lines = explained["lines"].as_array().unwrap();
    let activities = lines.iter().filter(|line| line["kind"] != "cap" && !line["rule_id"].is_null());
    let mut rules: Vec<_> = activities.map(|line| line["rule_id"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    Some(rules)
}

async fn calls_score_by_duration_and_disposition(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let log = world.write("calls.csv", LOG);
    let imported = world.import_from(&log, "inside-sales", &["--kind", "calls"]).await;
    assert_eq!((imported.code, imported.counts()), (Some(0), [5, 5, 5, 0, 0, 0, 0, 0]), "{}", imported.errors);
    let types: Vec<Json> =
        world.recorded("inside-sales").await.iter().map(|one| one["activity_type"].clone()).collect();
    assert_eq!(types, ["call_received", "call_completed", "call_completed", "call_attempted", "call_completed"]);
    let expected = ["budget", "conversation", "decides", "inbound-call", "large-budget", "said-no"];
    eventually!(rules(&world, "Rufwerk").await.is_some_and(|rules| rules == expected));

    // Over gRPC: the lead opens with their call, and our conversation of ten minutes counts like one of the log.
    let call = |direction: CallDirection, seconds| CallDetails {
        direction: direction.into(),
        disposition: CallDisposition::Connected.into(),
        duration: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..CallDetails::default()
    };
    let activity = |id: &str, call| Activity {
        source: "inside-sales".into(),
        source_event_id: id.into(),
        product_category: "hplc".into(),
        identity: Some(Identity { email: "ada@draht.de".into(), company: "Draht".into(), ..Identity::default() }),
        call: Some(call),
        ..Activity::default()
    };
    let activities = vec![
        activity("g-1", call(CallDirection::Inbound, 20)),
        activity("g-2", call(CallDirection::Outbound, 299)),
        activity("g-3", call(CallDirection::Outbound, 600)),
    ];
    let request = RecordActivitiesRequest { activities, ..RecordActivitiesRequest::default() };
    let answer = world.activities().record_activities(request).await.unwrap().into_inner();
    assert!(answer.results.iter().all(|result| result.outcome() == Outcome::Accepted), "{answer:?}");
    eventually!(rules(&world, "Draht").await.is_some_and(|rules| rules == ["conversation", "inbound-call"]));

    // The same log again, and one call more of it.
    let more = world.write("more.csv", format!("{LOG}2026-11-24 15:00,out,ben@rufwerk.de,,,hplc,busy,,Nadine,,,\n"));
    let imported = world.import_from(&more, "inside-sales", &["--kind", "calls"]).await;
    assert_eq!(imported.counts(), [6, 6, 1, 5, 0, 0, 0, 0]);
    world.reconciled().await;
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_score_by_duration_and_disposition_on_sqlite() {
    calls_score_by_duration_and_disposition(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_score_by_duration_and_disposition_on_postgres() {
    calls_score_by_duration_and_disposition(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_do_not_say_how_they_ended_are_refused() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let log = world.write(
        "calls.csv",
        "phone,called at,direction,outcome,duration\n\
         +49 30 123456,2026-11-24 10:00,sideways,busy,0:10\n\
         +49 30 123456,2026-11-24 11:00,out,,0:10\n\
         +49 30 123456,2026-11-24 12:00,out,connected,25:00:00\n",
    );
    let imported = world.import_from(&log, "inside-sales", &["--kind", "calls"]).await;
    assert_eq!((imported.code, imported.counts()), (Some(1), [3, 1, 0, 0, 1, 0, 0, 2]), "{}", imported.errors);
    let errors = std::fs::read_to_string(world.folder.path().join("calls.errors.csv")).unwrap();
    for expected in ["2,INVALID_FIELD,direction", "3,INVALID_FIELD,outcome", "4,INVALID_CALL_DURATION,duration"] {
        assert!(errors.contains(expected), "{errors}");
    }
    let plain = world.import_from(&log, "inside-sales", &["--map", "outcome=disposition"]).await;
    assert!(plain.code == Some(1) && plain.errors.contains("--kind calls"), "{}", plain.errors);
    world.suite.stop().await.unwrap();
}
