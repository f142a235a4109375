//! Events on their way out: what is committed is published, at least once and under one id, whatever the bus does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::Subscriber;
use futures::StreamExt as _;
use leadflow_harness::{Backend, Nats, TestDatabase, eventually, on_each_database};
use leadflow_platform::{
    bus::{Bus, Config, Consumer, consume},
    clock::{Clock, from_millis},
    db::Database,
    error::{Code, Error, Result},
    ids, outbox,
};
use sea_orm::{ConnectionTrait as _, EntityTrait as _, sea_query::Query};
use sea_orm_migration::MigratorTrait as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{STREAM, SUBJECT, announce, bus, config, jetstream, notes::OlderMigrator, open};

on_each_database! {
    async fn only_what_was_committed_is_published_with_its_headers_and_then_deleted(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        let mut published = listen(&nats).await;
        let undone: Result<()> = database
            .write(|tx| async move {
                outbox::announce(&tx, SUBJECT, from_millis(1_234), &prost_types::Duration::default()).await?;
                Err(Error::precondition("NO", "changed my mind"))
            })
            .await;
        assert_eq!(undone.unwrap_err().reason(), "NO");
        database
            .write(|tx| async move {
                let message = prost_types::Duration { seconds: 7, nanos: 0 };
                outbox::announce(&tx, SUBJECT, from_millis(1_234), &message).await
            })
            .await
            .unwrap();
        assert_eq!(outbox::depth(&database).await.unwrap(), 1);
        let waiting = outbox::Entity::find().one(database.reader()).await.unwrap().unwrap();

        let relay = Relay::start(&database, &bus, "scoring");
        let message = tokio::time::timeout(Duration::from_secs(10), published.next()).await.unwrap().unwrap();
        let header = |name| message.headers.as_ref().unwrap().get(name).unwrap().as_str();
        assert_eq!(message.subject.as_str(), SUBJECT);
        assert_eq!(header("ce-specversion"), "1.0");
        assert_eq!(header("ce-id"), waiting.events("scoring").unwrap()[0].id);
        assert_eq!(header("Nats-Msg-Id"), header("ce-id"));
        assert_eq!(header("ce-type"), SUBJECT);
        assert_eq!(header("ce-source"), "scoring");
        assert_eq!(header("ce-time"), "1970-01-01T00:00:01.234Z");
        assert_eq!(header("content-type"), "application/protobuf");
        let body: prost_types::Duration = prost::Message::decode(message.payload.clone()).unwrap();
        assert_eq!(body.seconds, 7);

        eventually!(outbox::depth(&database).await.unwrap() == 0);
        // One more, to see that nothing of the undone one comes in between.
        announce(&database, ["last".to_owned()]).await.unwrap();
        let next = tokio::time::timeout(Duration::from_secs(10), published.next()).await.unwrap().unwrap();
        assert_eq!(next.payload, "last");
        relay.stop().await;
    }

    async fn the_relay_outlives_a_bus_that_is_late_dies_and_forgets_everything(test) {
        let (database, mut nats) = (open(&test).await, Nats::start().unwrap());
        nats.kill();
        let bus = Bus::connect(&Config::at(nats.url()), "test").await.unwrap();
        let relay = Relay::start(&database, &bus, "test");
        let arrived = Arrived::start(&database, &bus);
        announce(&database, texts(0..100)).await.unwrap();
        // The bus is away; the stream is created as soon as something is published.
        assert_eq!(bus.own(STREAM).await.unwrap_err().code(), Code::Unavailable);
        nats.restart().unwrap();
        eventually!(arrived.count() == 100);

        // Killed in the middle: what is committed before, at and after the crash arrives.
        let announcing = tokio::spawn({
            let database = database.clone();
            async move {
                for n in 1..=40 {
                    announce(&database, texts(n * 100..n * 100 + 100)).await.unwrap();
                }
            }
        });
        eventually!(arrived.count() > 500);
        nats.kill();
        announcing.await.unwrap();
        nats.restart().unwrap();
        eventually!(arrived.count() == 4_100);
        eventually!(outbox::depth(&database).await.unwrap() == 0);

        // All files of JetStream are gone: the stream is made again.
        nats.kill();
        nats.forget().unwrap();
        announce(&database, texts(5_000..5_100)).await.unwrap();
        nats.restart().unwrap();
        eventually!(arrived.count() == 4_200);
        eventually!(outbox::depth(&database).await.unwrap() == 0);

        arrived.assert_one_id_each();
        arrived.stop().await;
        relay.stop().await;
    }

    async fn what_a_crash_publishes_twice_is_stored_once(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        announce(&database, texts(0..20)).await.unwrap();
        // A relay that died after it published and before it deleted.
        let rows = outbox::Entity::find().all(database.reader()).await.unwrap();
        let events = rows.iter().flat_map(|row| row.events("test").unwrap());
        bus.publish_all(events.collect::<Vec<_>>()).await.unwrap();

        let relay = Relay::start(&database, &bus, "test");
        eventually!(outbox::depth(&database).await.unwrap() == 0);
        let mut stream = jetstream(&nats).await.get_stream(STREAM.name).await.unwrap();
        assert_eq!(stream.info().await.unwrap().state.messages, 20);
        relay.stop().await;
    }

    async fn what_was_committed_before_the_shutdown_still_goes_out(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        announce(&database, texts(0..20)).await.unwrap();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        outbox::relay(database.clone(), bus.clone(), "test", shutdown).await;
        assert_eq!(outbox::depth(&database).await.unwrap(), 0);
    }

    async fn a_dead_bus_does_not_hold_the_shutdown_up(test) {
        let (database, mut nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        nats.kill();
        eventually!(!bus.is_connected());
        announce(&database, texts(0..20)).await.unwrap();
        let relay = Relay::start(&database, &bus, "test");
        tokio::task::yield_now().await;
        tokio::time::timeout(Duration::from_secs(2), relay.stop()).await.unwrap();
        assert_eq!(outbox::depth(&database).await.unwrap(), 20);
    }

    async fn what_waited_when_each_event_had_a_row_of_its_own_goes_out_under_its_id(test) {
        let nats = Nats::start().unwrap();
        let bus = bus(&nats).await;
        let mut published = listen(&nats).await;
        let before = Database::open(&config(&test)).await.unwrap();
        OlderMigrator::up(before.reader(), Some(4)).await.unwrap();
        let id = ids::new();
        before
            .write(move |tx| async move {
                let insert = Query::insert()
                    .into_table("outbox_messages")
                    .columns(["event_id", "subject", "event_time", "payload"])
                    .values_panic([id.into(), SUBJECT.into(), 1_234_i64.into(), b"waited".to_vec().into()])
                    .to_owned();
                tx.execute(&insert).await?;
                Ok(())
            })
            .await
            .unwrap();
        before.close().await;

        let database = open(&test).await;
        assert_eq!(outbox::depth(&database).await.unwrap(), 1);
        let relay = Relay::start(&database, &bus, "scoring");
        let message = tokio::time::timeout(Duration::from_secs(10), published.next()).await.unwrap().unwrap();
        let headers = message.headers.unwrap();
        assert_eq!(headers.get("ce-id").unwrap().as_str(), id.to_string());
        assert_eq!(headers.get("ce-time").unwrap().as_str(), "1970-01-01T00:00:01.234Z");
        assert_eq!(message.payload, "waited");
        relay.stop().await;
    }

    async fn an_event_that_the_bus_would_never_take_is_refused_before_it_blocks_the_others(test) {
        let database = open(&test).await;
        let error = announce(&database, ["x".repeat(1 << 20)]).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), (Code::Internal, false), "{error}");
        assert_eq!(outbox::depth(&database).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_event_that_is_taken_goes_through() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (database, nats) = (open(&test).await, Nats::start().unwrap());
    let bus = bus(&nats).await;
    announce(&database, ["x".repeat((1 << 20) - (4 << 10))]).await.unwrap();
    let relay = Relay::start(&database, &bus, "test");
    eventually!(outbox::depth(&database).await.unwrap() == 0);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_the_work_and_publish_nothing_twice() {
    let test = TestDatabase::create(Backend::Postgres).await.unwrap();
    let (one, other, nats) = (open(&test).await, open(&test).await, Nats::start().unwrap());
    let (bus_one, bus_other) = (bus(&nats).await, bus(&nats).await);
    let mut published = listen(&nats).await;
    let (relay_one, relay_other) = (Relay::start(&one, &bus_one, "one"), Relay::start(&other, &bus_other, "other"));

    let (mut by, mut ids, mut total) = (BTreeMap::new(), BTreeSet::new(), 0);
    // More and more, until both have had their share.
    while by.len() < 2 || total < 5_000 {
        assert!(total < 100_000, "only one relay works: {by:?}");
        announce(&one, texts(0..1_000)).await.unwrap();
        announce(&other, texts(0..1_000)).await.unwrap();
        for _ in 0..2_000 {
            let message = tokio::time::timeout(Duration::from_secs(30), published.next()).await.unwrap().unwrap();
            let headers = message.headers.unwrap();
            *by.entry(headers.get("ce-source").unwrap().to_string()).or_insert(0) += 1;
            assert!(ids.insert(headers.get("ce-id").unwrap().to_string()), "published twice");
            total += 1;
        }
    }
    eventually!(outbox::depth(&one).await.unwrap() == 0);
    relay_one.stop().await;
    relay_other.stop().await;
}

fn texts(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|number| number.to_string())
}

/// All that is published, stored or not.
async fn listen(nats: &Nats) -> Subscriber {
    let client = async_nats::connect(nats.url()).await.unwrap();
    let subscriber = client.subscribe("leadflow.test.v1.>").await.unwrap();
    client.flush().await.unwrap();
    subscriber
}

struct Relay {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Relay {
    fn start(database: &Database, bus: &Bus, source: &'static str) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(outbox::relay(database.clone(), bus.clone(), source, shutdown.clone()));
        Self { shutdown, task }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// What a consumer has got: the ids under which each text came.
struct Arrived {
    ids: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Arrived {
    fn start(database: &Database, bus: &Bus) -> Self {
        let ids = Arc::new(Mutex::new(BTreeMap::<_, BTreeSet<_>>::new()));
        let shutdown = CancellationToken::new();
        let consumer = Consumer { stream: STREAM.name, durable: "test-arrivals", subject: SUBJECT };
        let sink = ids.clone();
        let task = tokio::spawn(consume(
            bus.clone(),
            database.clone(),
            Clock::system(),
            consumer,
            shutdown.clone(),
            move |deliveries| {
                for delivery in deliveries {
                    let text = String::from_utf8(delivery.payload.to_vec()).unwrap();
                    sink.lock().unwrap().entry(text).or_default().insert(delivery.id);
                }
                async { Ok(()) }
            },
        ));
        Self { ids, shutdown, task }
    }

    fn count(&self) -> usize {
        self.ids.lock().unwrap().len()
    }

    fn assert_one_id_each(&self) {
        let ids = self.ids.lock().unwrap();
        let unstable: Vec<_> = ids.iter().filter(|(_, ids)| ids.len() != 1).collect();
        assert!(unstable.is_empty(), "more than one id: {unstable:?}");
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}
