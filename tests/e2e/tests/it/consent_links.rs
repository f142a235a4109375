//! What people say by themselves, through links in messages: from the operator's command to the answer whether somebody may
//! be contacted.

use leadflow_harness::{Backend, eventually};
use serde_json::{Value as Json, json};

use crate::support::{World, on_each_backend};

const NOW: &str = "2030-01-02T10:00:00Z";
const HOUR: i64 = 3_600_000;

/// A form whose consent has to be confirmed, one whose consent has not, and the mailings that follow.
const SOURCES: &str = "
kind: Source
name: newsletter-form
default_activity_type: form_submitted
default_channel: web
consent: {basis: consent, purpose: newsletter, field: agree, confirmation: {within: 2d}}
---
kind: Source
name: contact-form
default_activity_type: form_submitted
default_channel: web
consent: {basis: consent, purpose: newsletter, field: agree}
---
kind: Source
name: mailings
default_activity_type: email_delivered
default_channel: email
";

async fn start(backend: Backend) -> World {
    let world = World::start(backend, NOW).await;
    let file = world.folder.path().join("sources.yaml");
    std::fs::write(&file, SOURCES).unwrap();
    world.cli.ok(&["apply", "-f", &file.display().to_string()]).await;
    world
}

/// Fills in a form, and returns the contact, when that is known.
async fn fill_in(world: &World, source: &str, email: &str, more: &[(&str, &str)]) -> String {
    let url = format!("{}/v1/forms/{source}", world.suite.listening.http_url());
    let fields: Vec<_> = [("email", email)].iter().chain(more).copied().collect();
    let answer = reqwest::Client::new().post(url).header("accept", "application/json").form(&fields).send().await;
    let id = answer.unwrap().json::<Json>().await.unwrap()["activity_id"].as_str().unwrap().to_owned();
    eventually!(some: contact_of(world, &id).await)
}

async fn contact_of(world: &World, activity_id: &str) -> Option<String> {
    let all = world.cli.json(&["activities", "--limit", "0"]).await;
    let one = all.as_array().unwrap().iter().find(|one| one["activity_id"] == activity_id)?;
    one["contact_id"].as_str().map(str::to_owned)
}

/// Why the newsletter may go to a contact, or may not.
async fn newsletter(world: &World, contact: &str) -> String {
    let words = ["may-contact", contact, "--channel", "email", "--purpose", "newsletter", "--output", "json"];
    let answer: Json = serde_json::from_slice(&world.cli.run(&words).await.stdout).unwrap();
    answer["reason"].as_str().unwrap().to_owned()
}

/// The link that waits for its confirmation.
async fn pending(world: &World) -> Json {
    let list = async || world.cli.json(&["consent", "pending"]).await.as_array().unwrap().first().cloned();
    eventually!(some: list().await)
}

async fn unsubscribe_link(world: &World, contact: &str) -> Json {
    let words = ["consent", "unsubscribe-link", contact, "--purpose", "newsletter", "--source", "mailings"];
    world.cli.json(&words).await
}

/// Presses the button of a page, as a browser does, or a mail program for the person.
async fn press(url: &Json) -> u16 {
    let form = [("List-Unsubscribe", "One-Click")];
    let posted = reqwest::Client::new().post(url.as_str().unwrap()).form(&form).send().await;
    posted.unwrap().status().as_u16()
}

async fn look(url: &Json) -> u16 {
    reqwest::get(url.as_str().unwrap()).await.unwrap().status().as_u16()
}

async fn what_was_asked_for_is_no_consent_until_the_person_confirms_it(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "contact-form", "ada@quellwasser-labor.de", &[]).await;
    // Her address is known. That proves nothing of who has written it.
    assert_eq!(fill_in(&world, "newsletter-form", "ada@quellwasser-labor.de", &[("agree", "on")]).await, ada);
    eventually!(newsletter(&world, &ada).await == "pending_confirmation");
    let waiting = pending(&world).await;
    assert_eq!((&waiting["contact_id"], &waiting["email"]), (&json!(ada), &json!("ada@quellwasser-labor.de")));
    assert_eq!(waiting["expire_time"], "2030-01-04T10:00:00Z");

    assert_eq!(look(&waiting["url"]).await, 200);
    world.clock.advance(HOUR);
    assert_eq!((press(&waiting["url"]).await, press(&waiting["url"]).await), (200, 200));
    eventually!(newsletter(&world, &ada).await == "granted");
    let said = world.cli.json(&["consent", "list", &ada]).await;
    let states: Vec<_> = said.as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["granted", "pending"], "once, and as the latest");
    let proof = said[0]["proof"].as_str().unwrap();
    assert!(proof.contains("2030-01-02T10:00:00Z") && proof.contains("2030-01-02T11:00:00Z"), "{proof}");

    // A link that was used says nothing more: it takes back no later no.
    world.clock.advance(HOUR);
    assert_eq!(press(&unsubscribe_link(&world, &ada).await["url"]).await, 200);
    eventually!(newsletter(&world, &ada).await == "withdrawn");
    world.clock.advance(HOUR);
    assert_eq!(press(&waiting["url"]).await, 200);
    assert_eq!(newsletter(&world, &ada).await, "withdrawn");
}

async fn who_confirms_after_having_said_no_says_yes_then(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "newsletter-form", "ada@quellwasser-labor.de", &[("agree", "on")]).await;
    let waiting = pending(&world).await;
    world.clock.advance(HOUR);
    press(&unsubscribe_link(&world, &ada).await["url"]).await;
    eventually!(newsletter(&world, &ada).await == "withdrawn");
    world.clock.advance(HOUR);
    assert_eq!(press(&waiting["url"]).await, 200);
    eventually!(newsletter(&world, &ada).await == "granted");
}

async fn what_is_not_confirmed_in_time_is_as_if_nobody_had_asked(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "newsletter-form", "ada@quellwasser-labor.de", &[("agree", "on")]).await;
    let waiting = pending(&world).await;
    eventually!(newsletter(&world, &ada).await == "pending_confirmation");
    world.clock.advance(48 * HOUR);
    assert_eq!(newsletter(&world, &ada).await, "no_basis");
    assert_eq!(world.cli.json(&["consent", "pending"]).await, json!([]));
    assert_eq!(press(&waiting["url"]).await, 410);
    assert_eq!(newsletter(&world, &ada).await, "no_basis");
}

async fn one_click_is_heard_whatever_has_become_of_the_contact(backend: Backend) {
    let world = start(backend).await;
    let ada = fill_in(&world, "contact-form", "ada@quellwasser-labor.de", &[("agree", "on")]).await;
    let ada_at_home = fill_in(&world, "contact-form", "ada@gmail.com", &[("agree", "on")]).await;
    let link = unsubscribe_link(&world, &ada_at_home).await;
    assert_eq!(link["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    assert_eq!(link["headers"]["List-Unsubscribe"], json!(format!("<{}>", link["url"].as_str().unwrap())));
    eventually!(newsletter(&world, &ada_at_home).await == "granted");

    world.cli.ok(&["merge", "contacts", &ada, &ada_at_home]).await;
    assert_eq!(look(&link["url"]).await, 200);
    assert_eq!(newsletter(&world, &ada).await, "granted", "a look says nothing");
    world.clock.advance(HOUR);
    assert_eq!(press(&link["url"]).await, 200);
    eventually!(newsletter(&world, &ada).await == "withdrawn");
    let said = world.cli.json(&["consent", "list", &ada]).await;
    assert_eq!((&said[0]["state"], &said[0]["source"]), (&json!("withdrawn"), &json!("mailings")));
    assert!(said[0]["activity_id"].is_string());

    world.cli.ok(&["erase", &ada, "--reason", "asked for it"]).await;
    eventually!(world.cli.json(&["erasures", "--open"]).await == json!([]));
    world.clock.advance(HOUR);
    assert_eq!((look(&link["url"]).await, press(&link["url"]).await), (200, 200));
    eventually!(world.cli.run(&["reconcile", "--settle", "0s"]).await.status.success());
    assert_eq!(newsletter(&world, &ada).await, "unknown_contact");
}

on_each_backend! {
    what_was_asked_for_is_no_consent_until_the_person_confirms_it
    who_confirms_after_having_said_no_says_yes_then
    what_is_not_confirmed_in_time_is_as_if_nobody_had_asked
    one_click_is_heard_whatever_has_become_of_the_contact
}
