//! A stream of work: from strangers, for one consumer, gone when it is done.

use std::sync::{Arc, Mutex};

use leadflow_harness::{Backend, Nats, TestDatabase, eventually};
use leadflow_platform::{
    bus::{Bus, Config, Consumer, Delivery, Event, Keep, Stream, consume},
    clock::{Clock, from_millis},
    db::Database,
    trace::Origin,
};
use tokio_util::sync::CancellationToken;

use crate::support::{jetstream, log::Running, open};

const WORK: Stream =
    Stream { name: "LEADFLOW_WORK", subjects: &["leadflow.work.v1.*"], keep: Keep::Work { max_message: 1 << 10 } };
const SUBJECT: &str = "leadflow.work.v1.today";
const WORKER: Consumer = Consumer { stream: WORK.name, durable: "test-work", subject: "leadflow.work.v1.*" };

fn event(id: &str, bytes: usize) -> Event {
    Event {
        id: id.into(),
        subject: SUBJECT.into(),
        source: "test",
        time: from_millis(1_000),
        payload: vec![b'x'; bytes],
        origin: Origin::default(),
    }
}

type Done = Arc<Mutex<Vec<Delivery>>>;

async fn ground() -> (TestDatabase, Database, Nats, Bus) {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (database, nats) = (open(&test).await, Nats::start().unwrap());
    let bus = Bus::connect(&Config::at(nats.url()), "test").await.unwrap();
    bus.own(WORK).await.unwrap();
    (test, database, nats, bus)
}

fn work(bus: &Bus, database: &Database) -> (Done, Running) {
    let (done, shutdown) = (Done::default(), CancellationToken::new());
    let seen = done.clone();
    let consuming =
        consume(bus.clone(), database.clone(), Clock::system(), WORKER, shutdown.clone(), move |deliveries| {
            seen.lock().unwrap().extend(deliveries);
            async { Ok(()) }
        });
    (done, Running::start(shutdown, consuming))
}

fn texts(done: &Done) -> Vec<String> {
    done.lock().unwrap().iter().map(|delivery| String::from_utf8_lossy(&delivery.payload).into_owned()).collect()
}

async fn left(nats: &Nats) -> u64 {
    jetstream(nats).await.get_stream(WORK.name).await.unwrap().cached_info().state.messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_kept_until_it_is_done_and_sent_again_it_is_work_again() {
    let (_test, database, nats, bus) = ground().await;
    // With one id, as by a client that has not heard of the first.
    eventually!({
        bus.publish_all([event("same", 1)]).await.unwrap();
        left(&nats).await == 3
    });
    let (done, worker) = work(&bus, &database);
    eventually!(texts(&done) == ["x", "x", "x"]);
    eventually!(left(&nats).await == 0);
    assert_eq!(done.lock().unwrap()[0].header("CE-Source"), Some("test"));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_is_refused() {
    let (_test, _database, nats, bus) = ground().await;
    bus.publish_all([event("short", 512)]).await.unwrap();
    bus.publish_all([event("long", 1024)]).await.unwrap_err();
    assert_eq!(left(&nats).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_lost_is_made_again_by_its_consumer_when_nobody_else_would() {
    let (_test, database, mut nats, bus) = ground().await;
    let (done, worker) = work(&bus, &database);
    nats.kill();
    nats.forget().unwrap();
    nats.restart().unwrap();
    let stranger = async_nats::connect(nats.url()).await.unwrap();
    eventually!({
        stranger.publish(SUBJECT, "after".into()).await.unwrap();
        texts(&done).contains(&"after".to_owned())
    });
    worker.stop().await;
}

/// The client takes each of them for a broken connection. The last one lets it fail for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_headers_no_client_can_read_blocks_nothing() {
    let (_test, database, nats, bus) = ground().await;
    let (done, worker) = work(&bus, &database);
    nats.publish_raw(SUBJECT, b"NATS/1.0\r\nX-Name: J\xfcrgen\r\n\r\n", b"latin 1").unwrap();
    nats.publish_raw(SUBJECT, b"NATS/1.0\r\nno colon\r\n\r\n", b"no colon").unwrap();
    nats.publish_raw(SUBJECT, b"NATS/1.0\r\nX-Name: fine\r\n\r\n", b"fine").unwrap();
    eventually!(left(&nats).await == 0);
    let mut seen = texts(&done);
    seen.sort_unstable();
    assert_eq!(seen, ["fine", "latin 1", "no colon"]);
    let unreadable = |delivery: &&Delivery| delivery.has_unreadable_headers();
    assert_eq!(done.lock().unwrap().iter().filter(unreadable).count(), 2);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_lets_the_client_fail_for_good_ends_the_consumer_and_the_next_one_gets_past_it() {
    let (_test, database, nats, bus) = ground().await;
    let (_, first) = work(&bus, &database);
    nats.publish_raw(SUBJECT, b"NATS/1.0\r\nX-Name: a\rb\r\n\r\n", b"carriage return").unwrap();
    nats.publish_raw(SUBJECT, b"NATS/1.0\r\nX-Name: fine\r\n\r\n", b"fine").unwrap();
    eventually!(first.has_ended());
    assert!(!bus.is_connected());
    let bus = Bus::connect(&Config::at(nats.url()), "again").await.unwrap();
    let (done, second) = work(&bus, &database);
    eventually!(left(&nats).await == 0);
    let mut seen = texts(&done);
    seen.sort_unstable();
    assert_eq!(seen, ["carriage return", "fine"]);
    second.stop().await;
}
