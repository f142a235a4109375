//! How buyers buy, what colleagues tell of them, and which of it is used.

use leadflow_harness::{Backend, eventually};
use leadflow_proto::activity::v1::RecordActivitiesRequest;

use crate::support::{World, quotation, sample};

/// A Wednesday at eleven in Berlin.
const NOW: &str = "2026-11-25T10:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleagues_tip_counts_for_the_lead_and_for_the_one_who_told() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let activities = vec![quotation("tip-1", "ada@hinweis-labor.de", "Hinweis Labor", "DE", "hplc")];
    world.activities().record_activities(RecordActivitiesRequest { activities, ..Default::default() }).await.unwrap();
    let lead = eventually!(some: world.cli.lead("Hinweis Labor", "hplc").await);
    let (before, account) = (lead["score"].as_f64().unwrap(), lead["account_id"].as_str().unwrap());
    let notes = "The old instrument stands in the corridor";
    let told = world.cli.json(&["observe", notes, "--account", account, "--category", "hplc"]).await;
    // The rule `colleague-tip` gives four points.
    eventually!(world.cli.lead("Hinweis Labor", "hplc").await.is_some_and(|it| it["score"] == before + 4.0));
    let recorded = world.cli.json(&["activities", "--source", "colleagues"]).await;
    assert_eq!((&recorded[0]["activity_id"], &recorded[0]["principal"]), (&told["activity_id"], &"anna".into()));
    let nobody = world.cli.run(&["observe", notes]).await;
    assert_eq!(nobody.status.code(), Some(2), "an observation is of somebody");
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_map_is_kept_and_read_from_the_command_line() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let accounts = world.cli.json(&["accounts", "--limit", "1"]).await;
    let account = accounts[0]["account_id"].as_str().unwrap();
    let sure = ["--confidence", "80", "--source", "call"];
    let add = async |words: &[&str]| world.cli.json(&[&["site-map", "add", account], words, &sure].concat()).await;
    add(&["--kind", "player", "--role", "decision_maker", "--job-title", "Head of laboratory"]).await;
    let budget = add(&["--kind", "budget", "--amount", "40000"]).await;
    let map = world.cli.json(&["site-map", "show", account]).await;
    let kinds: Vec<_> = map["facts"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["player", "budget"]);
    assert_eq!((&map["gaps"][0]["kind"], &map["gaps"][0]["cause"]), (&"requirement".into(), &"missing".into()));

    let fact = budget["fact_id"].as_str().unwrap();
    world.cli.ok(&["site-map", "retract", fact, "--reason", "another budget"]).await;
    let printed = world.cli.ok(&["site-map", "show", account]).await;
    assert!(printed.contains("Is there a budget") && printed.contains("Head of laboratory"), "{printed}");
    let all = world.cli.json(&["site-map", "facts", account]).await;
    assert_eq!((all[0]["state"].as_str(), all.as_array().unwrap().len()), (Some("retracted"), 2));
    world.suite.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_nobody_uses_are_named_from_files_as_from_the_services() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let folder = sample().display().to_string();
    let written = world.cli.run(&["profile", "lint", "-f", &folder]).await;
    let printed = String::from_utf8_lossy(&written.stdout).into_owned();
    assert_eq!(written.status.code(), Some(1), "a declared field is idle: {printed}");
    assert!(printed.contains("activity.attributes.campaign") && !printed.contains("answers.budget"), "{printed}");
    let applied = world.cli.run(&["profile", "lint"]).await;
    assert_eq!(String::from_utf8_lossy(&applied.stdout), printed);
    world.suite.stop().await.unwrap();
}
