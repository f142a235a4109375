//! What is announced identifies nobody.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{activity::v1::Activity, contact::v1::Identity};

use crate::support::{World, activity, number, record_one, text, values};

const CANARY: &str = "canary";

on_each_database! {
    async fn no_name_no_address_and_no_free_text_leaves_the_ledger(database) {
        let world = World::start(database).await;
        let canary = |field: &str| format!("{CANARY}-{field}");
        let sent = Activity {
            identity: Some(Identity {
                email: format!("{CANARY}@example.com"),
                phone: canary("phone"),
                external_id: canary("external"),
                anonymous_id: canary("anonymous"),
                domain: canary("domain"),
                company: canary("company"),
                country: "DE".into(),
                region: canary("region"),
                postal_code: canary("postal"),
                street: canary("street"),
                city: canary("city"),
                given_name: canary("given"),
                family_name: canary("family"),
                job_title: canary("job"),
                ..Default::default()
            }),
            attributes: values([("pages", number(3.0)), ("undeclared", text(CANARY)), (CANARY, number(1.0))]),
            answers: values([("budget", number(1.0)), ("undeclared", text(CANARY)), (CANARY, number(1.0))]),
            notes: canary("notes"),
            ..activity("e-1", "")
        };
        let id = record_one(&world.client(), sent).await.activity_id;
        let event = eventually!(some: world.events.of(&id));
        assert_eq!((event.attributes.len(), event.answers.len()), (1, 1));
        for message in world.events.messages() {
            let sent = format!("{:?} {}", message.headers, String::from_utf8_lossy(&message.payload));
            assert!(!sent.contains(CANARY), "{sent}");
        }
    }
}
