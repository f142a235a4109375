//! The login at NATS, the rights that it needs, and what the operator's port says about what waits on the bus.

use futures::StreamExt as _;
use leadflow_harness::{Nats, eventually, scratch};
use leadflow_platform::{
    auth::Auth,
    bus::{Bus, Config, Event},
    clock::from_millis,
    error::{Code, Error},
    trace::Origin,
    vars::Vars,
};

use crate::support::{STREAM, SUBJECT, bus, log::Log, role::Role};

/// What the connection `test` needs, and no more.
const USERS: &str = r#"
authorization { users = [
    { user: "tester", password: "sesame", permissions: {
        publish: ["$JS.API.STREAM.INFO.LEADFLOW_TEST", "$JS.API.STREAM.CREATE.LEADFLOW_TEST", "leadflow.test.v1.>"]
        subscribe: ["_INBOX.test.>"]
    } }
] }
"#;

fn event(id: &str) -> Event {
    let payload = id.as_bytes().to_vec();
    let (time, origin) = (from_millis(1_000), Origin::default());
    Event { id: id.into(), subject: SUBJECT.into(), source: "test", time, payload, origin }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_shows_its_password_from_a_file_and_needs_no_inbox_but_its_own() {
    let (nats, folder) = (Nats::configured(USERS).unwrap(), scratch().unwrap());
    let file = folder.path().join("password");
    let config = |password: &str| {
        std::fs::write(&file, password).unwrap();
        let vars = Vars::from_iter([
            ("LEADFLOW_NATS_URL", nats.url()),
            ("LEADFLOW_NATS_USER", "tester".to_owned()),
            ("LEADFLOW_NATS_PASSWORD_FILE", file.display().to_string()),
        ]);
        Config::from_vars(&vars).unwrap()
    };
    let bus = Bus::connect(&config("sesame\n"), "test").await.unwrap();
    eventually!(bus.is_connected());
    bus.own(STREAM).await.unwrap();
    bus.publish_all([event("1")]).await.unwrap();

    let stranger = Bus::connect(&config("guess"), "test").await.unwrap();
    assert_eq!(stranger.own(STREAM).await.unwrap_err().code(), Code::Unavailable);
    assert!(!stranger.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_on_three_servers_is_not_made_where_there_is_one() {
    let nats = Nats::start().unwrap();
    let vars = Vars::from_iter([("LEADFLOW_NATS_URL", nats.url()), ("LEADFLOW_NATS_REPLICAS", "3".to_owned())]);
    let bus = Bus::connect(&Config::from_vars(&vars).unwrap(), "test").await.unwrap();
    eventually!(bus.is_connected());
    assert_eq!(bus.own(STREAM).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_says_how_much_waits_for_a_consumer_and_since_when() {
    let nats = Nats::start().unwrap();
    let owner = bus(&nats).await;
    let role = Role::start_on(Config::at(nats.url()), Auth::Loopback).await;
    let gauge = async |name: &str| {
        let (_, metrics) = role.get("/metrics").await;
        let line = metrics.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    eventually!(gauge("leadflow_bus_connected").await == Some(1.0));

    let stuck = Log::default().consume_with(&role.bus, &role.database, |_, _| Err(Error::unavailable("not yet")));
    eventually!(gauge("leadflow_consumer_pending").await == Some(0.0));
    assert_eq!(gauge("leadflow_consumer_oldest_pending_age_seconds").await, Some(0.0));
    // One that another purpose will take comes first: its age is none of this consumer's.
    owner.publish_all([Event { subject: "leadflow.test.v1.other".into(), ..event("0") }]).await.unwrap();
    owner.publish_all([event("1"), event("2")]).await.unwrap();
    eventually!(gauge("leadflow_consumer_pending").await == Some(2.0));
    eventually!(gauge("leadflow_consumer_oldest_pending_age_seconds").await.is_some_and(|age| age > 0.5));
    stuck.stop().await;

    let log = Log::default();
    let healthy = log.clone().consume_with(&role.bus, &role.database, |_, _| Ok(()));
    eventually!(gauge("leadflow_consumer_pending").await == Some(0.0));
    assert_eq!(gauge("leadflow_consumer_oldest_pending_age_seconds").await, Some(0.0));
    assert_eq!(log.handled(), 2);
    healthy.stop().await;
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_to_an_inbox_of_the_role() {
    let nats = Nats::start().unwrap();
    let mut asked =
        async_nats::connect(nats.url()).await.unwrap().subscribe("$JS.API.STREAM.INFO.LEADFLOW_TEST").await.unwrap();
    bus(&nats).await;
    let reply = asked.next().await.unwrap().reply.unwrap();
    assert!(reply.starts_with("_INBOX.test."), "{reply}");
}
