//! From what activities say about contacting a person to the one question that everybody asks.

use std::process::ExitStatus;

use leadflow_harness::{Backend, eventually};
use serde_json::{Value as Json, json};

use crate::support::{World, on_each_backend};

const NOW: &str = "2030-01-02T10:00:00Z";

/// The sources of a company that asks for consent, each in its own way.
const SOURCES: &str = "
kind: Source
name: contact-form
default_activity_type: form_submitted
default_channel: web
consent: {basis: consent, purpose: sales, field: agree, channels: [email, phone]}
---
kind: Source
name: telephone
default_activity_type: call_completed
default_channel: phone
---
kind: Source
name: mailings
default_activity_type: email_delivered
default_channel: email
consent: {basis: consent, purpose: newsletter}
";

async fn start(backend: Backend) -> World {
    let world = World::start(backend, NOW).await;
    let file = world.folder.path().join("sources.yaml");
    std::fs::write(&file, SOURCES).unwrap();
    world.cli.ok(&["apply", "-f", &file.display().to_string()]).await;
    world
}

/// Fills in the form, and returns the contact, when that is known.
async fn fill_in(world: &World, email: &str, more: &[(&str, &str)]) -> String {
    let url = format!("{}/v1/forms/contact-form", world.suite.listening.http_url());
    let fields: Vec<_> = [("email", email), ("company", "Quellwasser Labor")].iter().chain(more).copied().collect();
    let answer = reqwest::Client::new().post(url).header("accept", "application/json").form(&fields).send().await;
    let id = answer.unwrap().json::<Json>().await.unwrap()["activity_id"].as_str().unwrap().to_owned();
    eventually!(some: contact_of(world, &id).await)
}

/// Who an activity turned out to be of.
async fn contact_of(world: &World, activity_id: &str) -> Option<String> {
    let all = world.cli.json(&["activities", "--limit", "0"]).await;
    let one = all.as_array().unwrap().iter().find(|one| one["activity_id"] == activity_id)?;
    one["contact_id"].as_str().map(str::to_owned)
}

async fn may(world: &World, contact: &str, channel: &str, purpose: &str) -> (ExitStatus, Json) {
    let words = ["may-contact", contact, "--channel", channel, "--purpose", purpose, "--output", "json"];
    let output = world.cli.run(&words).await;
    (output.status, serde_json::from_slice(&output.stdout).unwrap())
}

/// Waits until the answer is this.
async fn becomes(world: &World, contact: &str, channel: &str, purpose: &str, reason: &str) {
    eventually!(may(world, contact, channel, purpose).await.1["reason"] == reason);
}

async fn send(world: &World, activity: Json) {
    let client = async_nats::connect(world.nats.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let subject = format!("leadflow.intake.v1.{}", activity["source"].as_str().unwrap());
    context.publish(subject, activity.to_string().into()).await.unwrap().await.unwrap();
}

async fn the_latest_that_was_said_at_any_door_decides(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "ada@quellwasser-labor.de", &[]).await;
    assert_eq!(may(&world, &ada, "email", "sales").await.1["reason"], "no_basis", "the box was not ticked");
    fill_in(&world, "ada@quellwasser-labor.de", &[("agree", "on")]).await;
    becomes(&world, &ada, "email", "sales", "granted").await;
    assert!(may(&world, &ada, "phone", "sales").await.0.success());

    // She wants no calls; emails go on.
    world.clock.advance(60_000);
    let call = json!({"direction": "CALL_DIRECTION_OUTBOUND", "disposition": "CALL_DISPOSITION_DO_NOT_CALL"});
    let identity = json!({"email": "ada@quellwasser-labor.de"});
    send(&world, json!({"source": "telephone", "source_event_id": "c-1", "identity": identity, "call": call})).await;
    becomes(&world, &ada, "phone", "sales", "withdrawn").await;
    assert!(may(&world, &ada, "email", "sales").await.0.success());

    // A complaint is about all emails, and the provider tells it twice.
    let complaint = json!({"source": "mailings", "source_event_id": "m-1", "identity": identity,
        "activity_type": "email_spam_reported"});
    send(&world, complaint.clone()).await;
    send(&world, complaint).await;
    becomes(&world, &ada, "email", "sales", "withdrawn").await;
    let said = world.cli.json(&["consent", "list", &ada]).await;
    let words: Vec<_> = said.as_array().unwrap().iter().map(|one| one["proof"].as_str().unwrap()).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(said[0]["activity_id"].is_string());
    assert!(words.contains(&"form_submitted: `agree` was ticked"), "{words:?}");
}

async fn a_stranger_who_writes_her_address_into_a_form_unsubscribes_nobody(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "ada@quellwasser-labor.de", &[("agree", "on")]).await;
    becomes(&world, &ada, "email", "sales", "granted").await;
    world.clock.advance(60_000);
    fill_in(&world, "ada@quellwasser-labor.de", &[("activity_type", "email_unsubscribed")]).await;
    assert!(may(&world, &ada, "email", "sales").await.0.success());
}

async fn what_people_say_to_a_colleague_counts_like_what_they_say_to_a_machine(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "ada@quellwasser-labor.de", &[]).await;
    let grant = ["consent", "grant", &ada, "--channel", "email", "--purpose", "sales", "--basis", "consent"];
    let said = world.cli.ok(&[&grant[..], &["--source", "expo-berlin", "--proof", "card 17"]].concat()).await;
    assert_eq!(said.trim(), "granted: email for sales");
    assert_eq!(may(&world, &ada, "email", "sales").await.1["basis"], "consent");
    world.clock.advance(60_000);
    world.cli.ok(&["consent", "withdraw", &ada, "--channel", "email", "--source", "telephone"]).await;
    let (status, answer) = may(&world, &ada, "email", "sales").await;
    assert_eq!((status.code(), &answer["reason"]), (Some(1), &json!("withdrawn")));
}

on_each_backend! {
    the_latest_that_was_said_at_any_door_decides
    a_stranger_who_writes_her_address_into_a_form_unsubscribes_nobody
    what_people_say_to_a_colleague_counts_like_what_they_say_to_a_machine
}
