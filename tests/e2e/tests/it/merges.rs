//! What is known twice: merged with its leads and assignments, and taken apart again; subsidiaries whose leads go up to
//! their parents; and visitors who become known.

use leadflow_harness::{Backend, eventually};
use leadflow_proto::{
    activity::v1::{Activity, RecordActivitiesRequest},
    contact::v1::Identity,
};
use serde_json::Value as Json;

use crate::support::{World, on_each_backend, quotation};

const NOW: &str = "2030-01-02T10:00:00Z";

async fn send(world: &World, activities: Vec<Activity>) {
    let request = RecordActivitiesRequest { activities, ..Default::default() };
    world.activities().record_activities(request).await.unwrap();
}

async fn lead_in(world: &World, account: &str, status: &str) -> Json {
    eventually!(some: world.cli.lead(account, "hplc").await.filter(|lead| lead["status"] == status))
}

fn text<'a>(json: &'a Json, field: &str) -> &'a str {
    json[field].as_str().unwrap()
}

async fn merged_accounts_keep_the_rep_who_has_accepted_and_each_has_its_own_again(backend: Backend) {
    let world = World::start(backend, NOW).await;
    send(&world, vec![quotation("q-1", "ines@quellwasser-labor.de", "Quellwasser Labor", "DE", "hplc")]).await;
    send(&world, vec![quotation("q-2", "ole@quellwasser.de", "Quellwasser", "DE", "hplc")]).await;
    let (labor, other) =
        (lead_in(&world, "Quellwasser Labor", "offered").await, lead_in(&world, "Quellwasser", "offered").await);
    world.cli.ok(&["accept", text(&labor, "assignment_id")]).await;
    lead_in(&world, "Quellwasser Labor", "accepted").await;

    // Into the one whose lead is only offered: the lead that somebody works on goes on under its name.
    let (survivor, merged) = (text(&other, "account_id"), text(&labor, "account_id"));
    let preview = world.cli.json(&["merge", "accounts", survivor, merged, "--dry-run"]).await;
    assert_eq!(
        (&preview["name"], preview["conflicts"][0]["hidden"].as_str()),
        (&"Quellwasser".into(), Some("Quellwasser Labor"))
    );
    let merge = world.cli.json(&["merge", "accounts", survivor, merged, "--note", "one company"]).await;
    let joined = lead_in(&world, "Quellwasser", "accepted").await;
    assert_eq!((&joined["lead_id"], &joined["activities"]), (&labor["lead_id"], &2.into()));
    assert!(world.cli.lead("Quellwasser Labor", "hplc").await.is_none());
    let withdrawn = async || world.cli.json(&["assignments", "--state", "withdrawn"]).await;
    eventually!(withdrawn().await.as_array().unwrap().len() == 1);
    let told = withdrawn().await[0].take();
    assert_eq!((&told["lead_id"], &told["reason"]), (&other["lead_id"], &"merged".into()));
    // What comes from the merged side counts for the one.
    send(&world, vec![quotation("q-3", "pia@quellwasser-labor.de", "", "DE", "hplc")]).await;
    eventually!(world.cli.lead("Quellwasser", "hplc").await.is_some_and(|lead| lead["activities"] == 3));
    world.cli.ok(&["reconcile"]).await;

    world.cli.ok(&["unmerge", text(&merge, "merge_id")]).await;
    let labor = lead_in(&world, "Quellwasser Labor", "accepted").await;
    assert_eq!((&labor["lead_id"], &labor["activities"]), (&joined["lead_id"], &2.into()));
    let again = lead_in(&world, "Quellwasser", "offered").await;
    assert_eq!((&again["lead_id"], &again["activities"]), (&other["lead_id"], &1.into()));
    world.cli.ok(&["reconcile"]).await;
    let refused = world.cli.run(&["unmerge", text(&merge, "merge_id")]).await;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("MERGE_UNDONE"));
    world.suite.stop().await.unwrap();
}

async fn a_subsidiarys_leads_go_up_to_its_parent_by_choice_and_are_its_own_again(backend: Backend) {
    let world = World::start(backend, NOW).await;
    send(&world, vec![quotation("q-1", "ole@quellwasser.de", "Quellwasser", "DE", "hplc")]).await;
    let parents = lead_in(&world, "Quellwasser", "offered").await;
    send(&world, vec![quotation("q-2", "ines@quellwasser-labor.de", "Quellwasser Labor", "DE", "hplc")]).await;
    let own = lead_in(&world, "Quellwasser Labor", "offered").await;
    let import = async |roll_up: &str| {
        let lines = format!("name,parent,roll_up\nQuellwasser Labor,Quellwasser,{roll_up}\n");
        let file = world.folder.path().join(format!("{roll_up}.csv"));
        std::fs::write(&file, lines).unwrap();
        world.cli.ok(&["import", "accounts", &file.display().to_string()]).await;
    };
    import("yes").await;
    eventually!(world.cli.lead("Quellwasser", "hplc").await.is_some_and(|lead| lead["activities"] == 2));
    let joined = lead_in(&world, "Quellwasser", "offered").await;
    assert_eq!(joined["lead_id"], parents["lead_id"]);
    assert!(world.cli.lead("Quellwasser Labor", "hplc").await.is_none());
    let withdrawn = async || world.cli.json(&["assignments", "--state", "withdrawn"]).await;
    eventually!(withdrawn().await.as_array().unwrap().len() == 1);
    // It is an account of its own all the same.
    let accounts = world.cli.json(&["accounts", "--name", "Quellwasser Labor"]).await;
    assert_eq!((&accounts[0]["account_id"], &accounts[0]["roll_up"]), (&own["account_id"], &true.into()));
    world.cli.ok(&["reconcile"]).await;
    // Who is forgotten there is forgotten in the parent's lead.
    let activities = world.cli.json(&["activities", "--account", text(&own, "account_id")]).await;
    world.cli.ok(&["erase", text(&activities[0], "contact_id"), "--reason", "asked for it"]).await;
    eventually!(world.cli.lead("Quellwasser", "hplc").await.is_some_and(|lead| lead["activities"] == 1));
    send(&world, vec![quotation("q-3", "pia@quellwasser-labor.de", "", "DE", "hplc")]).await;
    eventually!(world.cli.lead("Quellwasser", "hplc").await.is_some_and(|lead| lead["activities"] == 2));

    import("no").await;
    let own = lead_in(&world, "Quellwasser Labor", "offered").await;
    let parents = lead_in(&world, "Quellwasser", "offered").await;
    assert_eq!((&own["activities"], &parents["activities"]), (&1.into(), &1.into()));
    world.cli.ok(&["reconcile"]).await;
    world.suite.stop().await.unwrap();
}

async fn what_a_visitor_did_counts_for_the_account_when_the_visitor_becomes_known(backend: Backend) {
    let world = World::start(backend, NOW).await;
    let cookie = |id: &str, activity: Activity| {
        let identity = Identity { anonymous_id: id.into(), ..activity.identity.unwrap_or_default() };
        Activity { identity: Some(identity), ..activity }
    };
    let visit = |id: &str, by: &str| {
        let visit = Activity { activity_type: "page_viewed".into(), ..quotation(id, "", "", "", "hplc") };
        cookie(by, visit)
    };
    // One who becomes known by a form, and one who turns out to be somebody who is.
    send(&world, vec![visit("v-1", "cookie-1"), visit("v-2", "cookie-2")]).await;
    let known = quotation("q-1", "ines@quellwasser-labor.de", "Quellwasser Labor", "DE", "hplc");
    send(&world, vec![cookie("cookie-1", known)]).await;
    let lead = lead_in(&world, "Quellwasser Labor", "offered").await;
    let of_account = ["activities", "--account", text(&lead, "account_id")];
    eventually!(world.cli.json(&of_account).await.as_array().unwrap().len() == 2);
    let device = quotation("q-2", "ines@quellwasser-labor.de", "", "DE", "hplc");
    send(&world, vec![cookie("cookie-2", device)]).await;
    eventually!(world.cli.json(&of_account).await.as_array().unwrap().len() == 4);
    eventually!(world.cli.lead("Quellwasser Labor", "hplc").await.is_some_and(|lead| lead["activities"] == 4));
    let merges = world.cli.json(&["merges"]).await;
    assert_eq!(merges[0]["merge_principal"], "service:contact");
    world.cli.ok(&["reconcile"]).await;
    world.suite.stop().await.unwrap();
}

on_each_backend! {
    merged_accounts_keep_the_rep_who_has_accepted_and_each_has_its_own_again
    a_subsidiarys_leads_go_up_to_its_parent_by_choice_and_are_its_own_again
    what_a_visitor_did_counts_for_the_account_when_the_visitor_becomes_known
}
