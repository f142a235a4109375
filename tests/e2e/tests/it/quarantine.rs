//! From the quarantine to the assigned rep, with the operator's commands.

use leadflow_harness::{Backend, eventually};
use leadflow_proto::activity::v1::{Door, RecordActivitiesRequest, record_result::Outcome};
use serde_json::Value as Json;

use crate::support::{World, on_each_backend, quotation};

const NOW: &str = "2030-01-02T10:00:00Z";

/// Imports requests for quotations of which each has something wrong, and returns where they are kept.
async fn import_broken(world: &World) -> Vec<String> {
    let mut no_address = quotation("q-1", "ines at quellwasser", "Quellwasser Labor", "DE", "hplc");
    no_address.notes = "asks for a quotation".into();
    let mut no_source = quotation("q-2", "li@nordlicht-analytik.de", "Nordlicht Analytik", "DE", "hplc");
    no_source.source = "expo-2029".into();
    let test = quotation("q-3", "test", "Test", "DE", "hplc");
    let activities = vec![no_address, no_source, test];
    let request = RecordActivitiesRequest { activities, door: Door::Csv.into() };
    let results = world.activities().record_activities(request).await.unwrap().into_inner().results;
    assert!(results.iter().all(|result| result.outcome() == Outcome::Quarantined));
    results.into_iter().map(|result| result.quarantine_id).collect()
}

async fn assigned(world: &World, account: &str) {
    eventually!(world.cli.lead(account, "hplc").await.is_some_and(|lead| lead["status"] == "offered"));
}

fn of<'a>(rows: &'a Json, field: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

async fn what_was_quarantined_is_corrected_and_replayed_to_the_assigned_rep(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let ids = import_broken(&world).await;
    let listed = world.cli.json(&["quarantine", "list"]).await;
    assert_eq!(of(&listed, "reason"), ["INVALID_EMAIL", "UNKNOWN_SOURCE", "INVALID_EMAIL"]);
    assert!(listed[0]["activity"].is_null(), "a list shows no personal data");
    let unknown = world.cli.json(&["quarantine", "list", "--door", "csv", "--reason", "UNKNOWN_SOURCE"]).await;
    assert_eq!(of(&unknown, "quarantine_id"), [ids[1].as_str()]);
    let shown = world.cli.ok(&["quarantine", "show", &ids[0]]).await;
    assert!(shown.contains("identity.email is no address") && shown.contains("asks for a quotation"), "{shown}");
    let counted = world.cli.ok(&["reconcile"]).await;
    assert!(counted.contains("3  in the quarantine: open"), "{counted}");

    // Nobody replays what is still wrong.
    let refused = world.cli.run(&["quarantine", "replay", &ids[0]]).await;
    assert_eq!(refused.status.code(), Some(1));
    let not_right = world.cli.run(&["quarantine", "correct", &ids[0], "--set", "identity.email=still not"]).await;
    let said = String::from_utf8_lossy(&not_right.stderr).into_owned();
    assert!(!not_right.status.success() && said.contains("INVALID_EMAIL"), "{said}");

    let corrected = ["quarantine", "correct", &ids[0], "--set", "identity.email=ines@quellwasser-labor.de"];
    assert_eq!(world.cli.json(&corrected).await["activity"]["identity"]["email"], "ines@quellwasser-labor.de");
    // A person edits the other in a file, as it was shown.
    let mut edited = world.cli.json(&["quarantine", "show", &ids[1]]).await["activity"].take();
    edited["source"] = "website-form".into();
    let file = world.folder.path().join("activity.json");
    std::fs::write(&file, edited.to_string()).unwrap();
    world.cli.ok(&["quarantine", "correct", &ids[1], "--file", &file.display().to_string()]).await;

    let discarded = world.cli.json(&["quarantine", "discard", &ids[2], "--note", "a test of ours"]).await;
    assert_eq!(of(&discarded, "outcome"), ["discarded"]);
    let foreseen = world.cli.json(&["quarantine", "replay", "--all", "--dry-run"]).await;
    assert_eq!(of(&foreseen, "outcome"), ["replayed", "replayed"]);
    assert_eq!(of(&world.cli.json(&["quarantine", "list"]).await, "state"), ["open", "open"]);
    let by_reason = ["quarantine", "replay", "--all", "--reason", "UNKNOWN_SOURCE"];
    assert_eq!(of(&world.cli.json(&by_reason).await, "quarantine_id"), [ids[1].as_str()]);
    let rest = world.cli.ok(&["quarantine", "replay", "--all", "--note", "typing error"]).await;
    assert!(rest.contains("1 replayed"), "{rest}");

    for account in ["Quellwasser Labor", "Nordlicht Analytik"] {
        assigned(&world, account).await;
    }
    let all = world.cli.json(&["quarantine", "list", "--all"]).await;
    assert_eq!(of(&all, "state"), ["replayed", "replayed", "discarded"]);
    assert_eq!(of(&all, "resolve_principal"), ["anna"; 3]);
    assert_eq!(all[0]["resolve_note"], "typing error");
    world.cli.ok(&["reconcile"]).await;
    world.suite.stop().await.unwrap();
}

async fn what_the_roles_have_set_aside_is_listed_redriven_and_discarded(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let bus = async_nats::jetstream::new(async_nats::connect(world.nats.url()).await.unwrap());
    for subject in ["leadflow.activity.v1.recorded", "leadflow.lead.v1.sales_ready"] {
        bus.publish(subject, vec![0xff; 20].into()).await.unwrap().await.unwrap();
    }
    let list = async || world.cli.json(&["quarantine", "events", "list"]).await;
    eventually!(list().await.as_array().unwrap().len() == 2);
    let listed = list().await;
    assert_eq!(of(&listed, "consumer"), ["scoring-activities", "routing-leads"]);
    let id = listed[0]["id"].as_str().unwrap();
    let shown = world.cli.ok(&["quarantine", "events", "show", id]).await;
    assert!(shown.contains("published on leadflow.activity.v1.recorded") && shown.contains("20 bytes"), "{shown}");

    let failed = world.cli.run(&["quarantine", "events", "redrive", id]).await;
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(failed.status.code() == Some(1) && said.contains("failed"), "{said}");
    let discarded = ["quarantine", "events", "discard", "--all", "--consumer", "scoring-activities"];
    assert_eq!(of(&world.cli.json(&discarded).await, "id"), [id]);
    assert_eq!(of(&list().await, "consumer"), ["routing-leads"]);
    for (id, expected) in
        [(id, "it was redriven or discarded"), ("nothing/1", "is a consumer of no role"), ("nothing", "is no event")]
    {
        let refused = world.cli.run(&["quarantine", "events", "redrive", id]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(expected), "{said}");
    }
    world.suite.stop().await.unwrap();
}

on_each_backend! {
    what_the_roles_have_set_aside_is_listed_redriven_and_discarded
    what_was_quarantined_is_corrected_and_replayed_to_the_assigned_rep
}
