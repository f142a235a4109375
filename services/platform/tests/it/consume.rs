//! Events on their way in: batches, poison, failures that pass and failures that do not, and a bus that comes and goes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use leadflow_harness::{Backend, Nats, TestDatabase, eventually, on_each_database};
use leadflow_platform::{
    bus::{Bus, Config, Delivery, Event, consume},
    clock::{Clock, from_millis},
    db::Database,
    error::{Error, Result},
    ids, quarantine,
    trace::Origin,
};
use sea_orm::EntityTrait as _;
use tokio_util::sync::CancellationToken;

use crate::support::{
    STREAM, SUBJECT, bus, jetstream,
    log::{CONSUMER, Log, Running},
    open,
};

on_each_database! {
    async fn one_poisonous_event_in_a_batch_is_set_aside_and_the_healthy_ones_pass(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        publish(&bus, (0..40).map(|n| if n == 17 { "poison".to_owned() } else { n.to_string() })).await;
        let log = Log::default();
        let consumer = log.clone().consume_with(&bus, &database, |texts, _| {
            if texts.iter().any(|text| text == "poison") {
                return Err(Error::field("TOO_BITTER", "payload", "cannot be swallowed"));
            }
            Ok(())
        });
        eventually!(log.handled() == 39);
        eventually!(quarantine::depth(&database).await.unwrap() == 1);
        eventually!(unacknowledged(&nats).await == 0);
        let row = quarantine::Entity::find().one(database.reader()).await.unwrap().unwrap();
        assert_eq!((row.consumer.as_str(), row.subject.as_str()), ("test-purpose", SUBJECT));
        assert_eq!((row.reason.as_str(), row.message.as_str()), ("TOO_BITTER", "payload cannot be swallowed"));
        assert_eq!((row.payload.as_slice(), row.create_time), (b"poison".as_slice(), 5_000));
        assert_eq!(log.most_handled(), 1);
        consumer.stop().await;
    }

    async fn poison_with_a_nul_in_its_id_and_its_message_is_set_aside_all_the_same(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        bus.publish_all([Event { id: "a\0b".into(), ..event("po\0ison") }]).await.unwrap();
        let log = Log::default();
        let consumer = log.consume_with(&bus, &database, |texts, _| {
            Err(Error::invalid("payload", format!("`{}` is no good", texts[0])))
        });
        eventually!(quarantine::depth(&database).await.unwrap() == 1);
        let row = quarantine::Entity::find().one(database.reader()).await.unwrap().unwrap();
        assert_eq!(row.event_id, "a\u{fffd}b");
        assert_eq!(row.payload, b"po\0ison");
        consumer.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_batches_of_bounded_size() {
    let (_test, database, nats, bus) = ground().await;
    publish(&bus, (0..2_000).map(|n| n.to_string())).await;
    let log = Log::default();
    let consumer = log.clone().consume_with(&bus, &database, |_, _| Ok(()));
    eventually!(log.handled() == 2_000);
    eventually!(unacknowledged(&nats).await == 0);
    let sizes = log.sizes.lock().unwrap().clone();
    assert!(sizes.iter().all(|size| *size <= 1024), "{sizes:?}");
    assert!(sizes.len() < 200, "hardly a batch: {sizes:?}");
    assert_eq!(log.most_handled(), 1);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_the_moment_comes_again_until_it_succeeds() {
    let (_test, database, nats, bus) = ground().await;
    publish(&bus, (0..20).map(|n| n.to_string())).await;
    let log = Log::default();
    let begin = Instant::now();
    let consumer = log.clone().consume_with(&bus, &database, move |_, tries| {
        // Four tries, which is a pause of 250, 500 and 1,000 milliseconds.
        if tries < 4 { Err(Error::unavailable("not yet")) } else { Ok(()) }
    });
    eventually!(log.handled() == 20);
    assert!(begin.elapsed() > Duration::from_millis(1_750), "the pauses grow: {:?}", begin.elapsed());
    eventually!(unacknowledged(&nats).await == 0);
    assert_eq!(quarantine::depth(&database).await.unwrap(), 0);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_fault_is_tried_five_times_and_then_set_aside() {
    let (_test, database, nats, bus) = ground().await;
    publish(&bus, ["broken".to_owned(), "healthy".to_owned()]).await;
    let log = Log::default();
    let consumer = log.clone().consume_with(&bus, &database, |texts, _| {
        if texts == ["healthy"] { Ok(()) } else { Err(Error::internal("a bug")) }
    });
    eventually!(quarantine::depth(&database).await.unwrap() == 1);
    let row = quarantine::Entity::find().one(database.reader()).await.unwrap().unwrap();
    assert_eq!((row.reason.as_str(), row.message.as_str()), ("INTERNAL", "a bug"));
    assert_eq!(row.payload, b"broken");
    assert_eq!(log.tried_alone("broken"), 5);
    assert_eq!(log.handled(), 1);
    eventually!(unacknowledged(&nats).await == 0);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_panics_over_an_event_goes_on_with_the_others() {
    let (_test, database, nats, bus) = ground().await;
    publish(&bus, ["cursed".to_owned(), "healthy".to_owned()]).await;
    let log = Log::default();
    let consumer = log.clone().consume_with(&bus, &database, |texts, _| {
        assert!(!texts.contains(&"cursed".to_owned()), "a bug");
        Ok(())
    });
    eventually!(log.handled() == 1);
    eventually!(quarantine::depth(&database).await.unwrap() == 1);
    eventually!(unacknowledged(&nats).await == 0);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_message_is_set_aside_also_when_it_has_no_headers() {
    let (_test, database, nats, bus) = ground().await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    client.publish(SUBJECT, "\u{7f}garbage".into()).await.unwrap();
    client.flush().await.unwrap();
    let shutdown = CancellationToken::new();
    let consumer = Running::start(
        shutdown.clone(),
        consume(
            bus.clone(),
            database.clone(),
            Clock::system(),
            CONSUMER,
            shutdown,
            |deliveries: Vec<Delivery>| async move {
                deliveries.iter().try_for_each(|delivery| delivery.decode::<prost_types::Duration>().map(drop))
            },
        ),
    );
    eventually!(quarantine::depth(&database).await.unwrap() == 1);
    let row = quarantine::Entity::find().one(database.reader()).await.unwrap().unwrap();
    assert!(row.event_id.starts_with("LEADFLOW_TEST:1:"), "{}", row.event_id);
    assert!(row.message.starts_with("payload is no message of leadflow.test.v1.happened: "), "{}", row.message);
    eventually!(unacknowledged(&nats).await == 0);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shutdown_ends_a_consumer_promptly_whether_the_bus_is_there_or_not() {
    let (_test, database, mut nats, bus) = ground().await;
    publish(&bus, ["one".to_owned()]).await;
    let log = Log::default();
    let idle = log.clone().consume_with(&bus, &database, |_, _| Ok(()));
    eventually!(log.handled() == 1);
    idle.stop().await;
    nats.kill();
    eventually!(!bus.is_connected());
    let waiting = log.consume_with(&bus, &database, |_, _| Ok(()));
    tokio::task::yield_now().await;
    waiting.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_comes_before_its_stream_begins_when_the_stream_is_there() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (database, nats) = (open(&test).await, Nats::start().unwrap());
    let early = Bus::connect(&Config::at(nats.url()), "early").await.unwrap();
    let log = Log::default();
    let consumer = log.clone().consume_with(&early, &database, |_, _| Ok(()));
    // It has looked for the stream at least once.
    let mut advisories =
        async_nats::connect(nats.url()).await.unwrap().subscribe("$JS.API.STREAM.INFO.>").await.unwrap();
    futures::StreamExt::next(&mut advisories).await.unwrap();
    let owner = bus(&nats).await;
    publish(&owner, ["first".to_owned()]).await;
    eventually!(log.handled() == 1);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_outlives_a_bus_that_dies_and_one_that_forgets_everything() {
    let (_test, database, mut nats, bus) = ground().await;
    let log = Log::default();
    let consumer = log.clone().consume_with(&bus, &database, |_, _| Ok(()));
    publish(&bus, (0..50).map(|n| n.to_string())).await;
    nats.kill();
    nats.restart().unwrap();
    publish(&bus, (50..100).map(|n| n.to_string())).await;
    eventually!(log.handled() == 100);

    nats.kill();
    nats.forget().unwrap();
    nats.restart().unwrap();
    publish(&bus, (100..150).map(|n| n.to_string())).await;
    eventually!(log.handled() == 150);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_held_when_it_died_goes_to_another() {
    let (_test, database, nats, bus) = ground().await;
    publish(&bus, (0..10).map(|n| n.to_string())).await;
    let shutdown = CancellationToken::new();
    let begun = Arc::new(AtomicUsize::new(0));
    let dying = tokio::spawn(consume(bus.clone(), database.clone(), Clock::system(), CONSUMER, shutdown, {
        let begun = begun.clone();
        move |deliveries: Vec<Delivery>| {
            begun.fetch_add(deliveries.len(), Ordering::SeqCst);
            std::future::pending::<Result<()>>()
        }
    }));
    eventually!(begun.load(Ordering::SeqCst) > 0);
    dying.abort();
    let log = Log::default();
    let consumer = log.clone().consume_with(&bus, &database, |_, _| Ok(()));
    eventually!(log.handled() == 10);
    eventually!(unacknowledged(&nats).await == 0);
    consumer.stop().await;
}

async fn ground() -> (TestDatabase, Database, Nats, Bus) {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (database, nats) = (open(&test).await, Nats::start().unwrap());
    let bus = bus(&nats).await;
    (test, database, nats, bus)
}

fn event(text: &str) -> Event {
    Event {
        id: ids::new().to_string(),
        subject: SUBJECT.into(),
        source: "test",
        time: from_millis(1_000),
        payload: text.as_bytes().to_vec(),
        origin: Origin::default(),
    }
}

/// As the outbox would: again, until it is acknowledged.
async fn publish(bus: &Bus, texts: impl IntoIterator<Item = String>) {
    let events: Vec<_> = texts.into_iter().map(|text| event(&text)).collect();
    eventually!(bus.publish_all(events.clone()).await.is_ok());
}

/// Events of the consumer that are not done with: handed out, or still to come.
async fn unacknowledged(nats: &Nats) -> u64 {
    let stream = jetstream(nats).await.get_stream(STREAM.name).await.unwrap();
    let info = stream.consumer_info(CONSUMER.durable).await.unwrap();
    info.num_pending + info.num_ack_pending as u64
}
