//! Who changes employer leaves what was done with the old account and its lead, and counts for the new one from then on.

use leadflow_harness::{Backend, eventually};
use leadflow_platform::{auth::Credentials, rpc::channel};
use leadflow_proto::{
    activity::v1::{Activity, RecordActivitiesRequest},
    contact::v1::{Contact, UpdateContactRequest, contact_service_client::ContactServiceClient},
};
use serde_json::Value as Json;

use crate::support::{World, on_each_backend, quotation};

const NOW: &str = "2030-01-02T10:00:00Z";

async fn send(world: &World, activity: Activity) {
    let request = RecordActivitiesRequest { activities: vec![activity], ..Default::default() };
    world.activities().record_activities(request).await.unwrap();
}

/// The lead of an account, once it has so many activities.
async fn lead_with(world: &World, account: &str, activities: i64) -> Json {
    eventually!(some: world.cli.lead(account, "hplc").await.filter(|lead| lead["activities"] == activities))
}

async fn activities_of(world: &World, lead: &Json) -> Vec<String> {
    let found = world.cli.json(&["activities", "--account", lead["account_id"].as_str().unwrap()]).await;
    found.as_array().unwrap().iter().map(|one| one["source_event_id"].as_str().unwrap().to_owned()).collect()
}

async fn who_changes_employer_counts_for_the_new_account_from_then_on(backend: Backend) {
    let world = World::start(backend, NOW).await;
    send(&world, quotation("q-1", "ines@quellwasser-labor.de", "Quellwasser Labor", "DE", "hplc")).await;
    send(&world, quotation("q-2", "ole@saline-werke.de", "Saline Werke", "DE", "hplc")).await;
    let (old, new) = (lead_with(&world, "Quellwasser Labor", 1).await, lead_with(&world, "Saline Werke", 1).await);
    let of_ines = world.cli.json(&["activities", "--account", old["account_id"].as_str().unwrap()]).await;
    let contact = Contact {
        contact_id: of_ines[0]["contact_id"].as_str().unwrap().to_owned(),
        account_id: new["account_id"].as_str().unwrap().to_owned(),
        ..Default::default()
    };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["account_id".to_owned()] });
    let request = UpdateContactRequest { contact: Some(contact), update_mask, ..Default::default() };
    let channel = channel(&world.suite.listening.url("contact"), Credentials::Name("e2e".into())).unwrap();
    ContactServiceClient::new(channel).update_contact(request).await.unwrap();

    // From the old address, which still is theirs.
    send(&world, quotation("q-3", "ines@quellwasser-labor.de", "", "DE", "hplc")).await;
    let new = lead_with(&world, "Saline Werke", 2).await;
    assert_eq!(activities_of(&world, &new).await, ["q-2", "q-3"]);
    // A colleague who stayed.
    send(&world, quotation("q-4", "pia@quellwasser-labor.de", "", "DE", "hplc")).await;
    let old = lead_with(&world, "Quellwasser Labor", 2).await;
    assert_eq!(activities_of(&world, &old).await, ["q-1", "q-4"]);
    world.cli.ok(&["reconcile"]).await;
    world.suite.stop().await.unwrap();
}

on_each_backend! {
    who_changes_employer_counts_for_the_new_account_from_then_on
}
