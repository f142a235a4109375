//! What a visitor did before anybody knew where they are reaches the account, once it is known.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{activity::v1::Activity, contact::v1::Identity};

use crate::support::{World, activity, get, record_one};

/// What somebody does of whom nothing but a cookie is known.
fn visit(id: &str, cookie: &str) -> Activity {
    let identity = Identity { anonymous_id: cookie.into(), ..Identity::default() };
    Activity { identity: Some(identity), ..activity(id, "") }
}

async fn visits(world: &World, id: &str, cookie: &str) -> String {
    let visit = record_one(&world.client(), visit(id, cookie)).await.activity_id;
    let event = eventually!(some: world.events.of(&visit));
    assert_eq!((event.contact_id, event.account_id, event.attribution), (world.contact.id(cookie), String::new(), 0));
    visit
}

on_each_database! {
    async fn a_visitor_who_becomes_known_brings_what_they_did_to_the_account(database) {
        let world = World::start(database).await;
        let (first, other) = (visits(&world, "v-1", "cookie-1").await, visits(&world, "v-2", "cookie-2").await);
        world.contact.becomes_known("cookie-1", "anna@example.com");
        let form = record_one(&world.client(), activity("f-1", "anna@example.com")).await.activity_id;
        eventually!(!world.events.reattributed().is_empty());
        let moved = world.events.reattributed().remove(0);
        let account = world.contact.id("example.com");
        assert_eq!((&moved.activity_id, &moved.account_id, moved.account_revision), (&first, &account, 3));
        assert_eq!((moved.attribution, moved.contact_id), (1, world.contact.id("cookie-1")));
        assert_eq!(get(&world.client(), &first).await.account_id, account);
        assert_eq!(get(&world.client(), &other).await.account_id, "");
        assert_eq!(world.events.of(&form).unwrap().attribution, 0);

        // Once: what has an account stays where it is.
        let again = record_one(&world.client(), activity("f-2", "anna@example.com")).await.activity_id;
        eventually!(world.events.of(&again).is_some());
        assert_eq!(world.events.reattributed().len(), 1);
    }

    async fn a_visitor_who_turns_out_to_be_somebody_known_does_too(database) {
        let world = World::start(database).await;
        let visit = visits(&world, "v-1", "cookie-1").await;
        world.contact.recognise("cookie-1", "anna@example.com");
        record_one(&world.client(), activity("f-1", "anna@example.com")).await;
        eventually!(!world.events.reattributed().is_empty());
        let moved = world.events.reattributed().remove(0);
        assert_eq!((moved.activity_id, moved.account_id), (visit, world.contact.id("example.com")));
        // The cookie is still the visitor's own, should a person find that they are two.
        assert_eq!(moved.contact_id, world.contact.id("cookie-1"));
    }

    async fn a_visitor_of_whom_contact_tells_again_is_moved_with_the_acceptance(database) {
        let world = World::start(database).await;
        let visit = visits(&world, "v-1", "cookie-1").await;
        // The first answer was lost, or nobody knew yet where the person is: nothing is new to contact any more.
        world.contact.recognise("cookie-1", "anna@example.com");
        world.contact.knows("anna@example.com");
        let asked = world.contact.calls().len();
        record_one(&world.client(), activity("f-1", "anna@example.com")).await;
        assert_eq!(get(&world.client(), &visit).await.account_id, world.contact.id("example.com"));
        eventually!(!world.events.reattributed().is_empty());
        assert_eq!(world.events.reattributed()[0].activity_id, visit);
        assert_eq!(world.contact.calls().len(), asked, "the identifier has nothing to do");
    }
}
