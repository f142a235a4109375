//! The sample month, whole: what a newcomer sees with `make run`.

use std::collections::BTreeMap;

use leadflow_harness::Backend;
use serde_json::{Value as Json, json};

use crate::support::{World, sample};

/// A Wednesday, as the sample month wants it; ahead of the machine's clock, so that nothing looks overdue.
const NOW: &str = "2030-01-02T10:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_month_becomes_the_expected_leads_and_is_sent_once() {
    let world = World::start(Backend::Sqlite, NOW).await;
    let data = world.folder.path().display().to_string();
    std::fs::write(world.folder.path().join("sample.json"), json!({ "anchor": NOW, "lines": 0 }).to_string()).unwrap();
    let folder = sample().display().to_string();
    let printed = world.cli.ok(&["sample", &folder, "--data-dir", &data]).await;
    assert!(printed.contains("588 of 588 activities sent") && printed.contains("Try next"), "{printed}");

    let leads = world.cli.json(&["leads", "--limit", "0"]).await;
    let shown: Vec<_> = leads.as_array().unwrap().iter().map(line).collect();
    let mut shown: Vec<_> = shown.iter().map(String::as_str).collect();
    shown.sort_unstable();
    insta::assert_snapshot!("leads", shown.join("\n"));

    // Who gets a lead among the members of a pool depends on who came first; through which territory does not.
    let assignments = world.cli.json(&["assignments", "--limit", "0"]).await;
    let held = leads.as_array().unwrap().iter().filter(|lead| lead["status"] == "held").count();
    assert_eq!(assignments.as_array().unwrap().len() + held, 15, "every hot lead is offered or held");
    let mut per_lead: BTreeMap<&str, usize> = BTreeMap::new();
    for one in assignments.as_array().unwrap() {
        *per_lead.entry(one["lead_id"].as_str().unwrap()).or_default() += 1;
    }
    assert!(per_lead.values().all(|count| *count == 1), "one live assignment per lead");

    let again = world.cli.ok(&["sample", &folder, "--data-dir", &data]).await;
    assert!(again.contains("none is sent again"), "{again}");
    let after = world.cli.json(&["leads", "--limit", "0"]).await;
    assert_eq!(
        after.as_array().unwrap().iter().map(line).collect::<Vec<_>>(),
        leads.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    );
    let clean = world.cli.ok(&["reconcile"]).await;
    assert!(clean.contains("588  activities in the ledger") && clean.contains("Everything is explained."), "{clean}");
    let difference = world.cli.run(&["apply", "--dry-run", "-f", &folder]).await;
    assert!(difference.status.success(), "{}", String::from_utf8_lossy(&difference.stdout));
    world.suite.stop().await.unwrap();
}

/// All of a lead that does not depend on who came first.
fn line(lead: &Json) -> String {
    let text = |field: &str| lead[field].as_str().unwrap_or_default();
    format!(
        "{} | {} | {} {:.3} | {} contacts, {} activities",
        text("account_name"),
        text("product_category"),
        text("band"),
        lead["score"].as_f64().unwrap_or_default(),
        lead["contacts"],
        lead["activities"],
    )
}
