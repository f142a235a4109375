//! One trace through calls, tables and events, whether its spans are made here or only by others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use leadflow_harness::{
    Backend, Nats, TestDatabase,
    collector::{Collector, Span},
    eventually, on_each_database,
};
use leadflow_platform::{
    auth::{Auth, Credentials},
    bus::{Bus, Delivery, consume},
    clock::{Clock, from_millis},
    db::Database,
    error::{Error, Result},
    metrics::Metrics,
    outbox,
    trace::{self, Config, Origin, SpanKind, Tracer},
    vars::Vars,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{
    SUBJECT, announce, bus,
    log::CONSUMER,
    open,
    role::{Role, get},
};

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00";

on_each_database! {
    async fn what_has_brought_an_event_about_is_handed_on_where_no_spans_are_made(test) {
        let (database, nats) = (open(&test).await, Nats::start().unwrap());
        let bus = bus(&nats).await;
        within(SAMPLED, announce(&database, ["of the span that announces".to_owned()])).await.unwrap();
        announce(&database, ["of nothing".to_owned()]).await.unwrap();
        let other = Origin::parse(UNSAMPLED);
        within(SAMPLED, announce_for(&database, "of another", other)).await.unwrap();

        publish(&database, &bus).await;
        let heard = Heard::start(&database, &bus, |_| Ok(()));
        eventually!(heard.count() == 3);
        assert_eq!(heard.origin("of the span that announces"), Origin::parse(SAMPLED));
        assert_eq!(heard.origin("of nothing"), Origin::default());
        assert_eq!(heard.origin("of another"), other);
        heard.stop().await;
    }

    async fn each_event_of_a_batch_is_handled_in_the_trace_that_has_brought_it_about(test) {
        let (database, nats, collector) = (open(&test).await, Nats::start().unwrap(), Collector::start().await.unwrap());
        let tracer = tracer(&collector, &[]);
        let bus = bus(&nats).await.observed(&Metrics::new("test").unwrap(), tracer.clone());
        let mut doors = BTreeMap::new();
        for text in ["one", "two", "three"] {
            let door = tracer.start(SpanKind::Server, "door", Origin::default());
            door.run(announce(&database, [text.to_owned()])).await.unwrap();
            doors.insert(text, door.origin());
        }
        publish(&database, &bus).await;
        let heard = Heard::start(&database, &bus, |_| Ok(()));
        eventually!(heard.count() == 3);
        for (text, door) in &doors {
            assert_eq!(heard.origin(text).trace_id(), door.trace_id(), "{text}");
        }
        heard.stop().await;
        tracer.close().await;

        let spans = collector.spans();
        assert_eq!(spans.len(), 9, "{spans:#?}");
        for door in spans.iter().filter(|span| span.name == "door") {
            assert_eq!((door.service.as_str(), door.kind, door.parent_id.as_str()), ("leadflow-test", "server", ""));
            let publish = only_child(&spans, door);
            assert_eq!((publish.name.as_str(), publish.kind), ("publish leadflow.test.v1.happened", "producer"));
            assert_eq!(publish.attributes["messaging.operation.type"], "send");
            let process = only_child(&spans, publish);
            assert_eq!((process.name.as_str(), process.kind), ("process leadflow.test.v1.happened", "consumer"));
            assert_eq!(process.attributes["messaging.consumer.group.name"], "test-purpose");
            assert_eq!((&process.error, process.trace_id == door.trace_id), (&None, true));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_failed_is_a_span_with_its_reason_and_so_is_the_next_one() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (database, nats, collector) = (open(&test).await, Nats::start().unwrap(), Collector::start().await.unwrap());
    let (tracer, metrics) = (tracer(&collector, &[]), Metrics::new("test").unwrap());
    let bus = bus(&nats).await.observed(&metrics, tracer.clone());
    within(SAMPLED, announce(&database, ["x".to_owned()])).await.unwrap();
    publish(&database, &bus).await;
    let heard = Heard::start(&database, &bus, |attempt| match attempt {
        1 => Err(Error::unavailable("not yet")),
        2 => Err(Error::field("TOO_BITTER", "payload", "cannot be swallowed")),
        _ => Ok(()),
    });
    eventually!(value(&metrics, "leadflow_consumer_quarantined_total{") == Some(1.0));
    within(SAMPLED, announce(&database, ["y".to_owned()])).await.unwrap();
    publish(&database, &bus).await;
    eventually!(heard.count() == 1);
    heard.stop().await;
    tracer.close().await;

    let spans = collector.spans();
    let attempts: Vec<_> = spans.iter().filter(|span| span.kind == "consumer").collect();
    let errors: Vec<_> = attempts.iter().map(|span| span.error.as_deref()).collect();
    assert_eq!(errors, [Some("UNAVAILABLE"), Some("TOO_BITTER"), None]);
    assert_eq!(attempts[0].attributes["error.type"], "UNAVAILABLE");
    assert_eq!(attempts[0].parent_id, attempts[1].parent_id);
    assert_eq!(value(&metrics, "leadflow_consumer_redelivered_total{"), Some(1.0));
    assert_eq!(value(&metrics, "messaging_client_sent_messages_total{"), Some(2.0));
    assert_eq!(value(&metrics, "messaging_client_consumed_messages_total{"), Some(3.0));
    let text = metrics.render().unwrap();
    assert!(text.contains("messaging_process_duration_seconds_count{error_type=\"TOO_BITTER\""), "{text}");
    assert!(text.contains("leadflow_consumer_quarantined_total{consumer=\"test-purpose\""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_names_the_trace_it_comes_from_also_where_no_spans_are_made() {
    let role = Role::start(Auth::Loopback).await;
    let mut client = role.client(Credentials::Name("anna".into()));
    let mut seen = async || client.get_account(get("any")).await.unwrap().into_inner().account.unwrap().owner_rep;
    assert_eq!(seen().await, "");
    assert_eq!(within(SAMPLED, seen()).await, SAMPLED);
    assert_eq!(within(UNSAMPLED, seen()).await, UNSAMPLED);
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_a_span_on_both_sides_and_the_last_ones_are_sent_when_the_role_ends() {
    let collector = Collector::start().await.unwrap();
    let role = Role::start_traced(config(&collector, &[])).await;
    let ours = tracer(&collector, &[("OTEL_SERVICE_NAME", "caller")]);
    let mut client = role.client(Credentials::Name("anna".into()));
    let door = ours.start(SpanKind::Internal, "door", Origin::parse(SAMPLED));
    door.run(client.get_account(get("any"))).await.unwrap();
    // Nobody says who changes the account: it is refused, which is no fault of the server's.
    let mut nobody =
        leadflow_proto::contact::v1::contact_service_client::ContactServiceClient::new(role.nobody().await);
    nobody.update_account(crate::support::role::rename("x")).await.unwrap_err();
    drop(door);
    ours.close().await;
    role.stop().await.unwrap();

    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let door = named("door");
    assert_eq!((door.service.as_str(), door.parent_id.as_str()), ("caller", "b7ad6b7169203331"));
    let client = only_child(&spans, door);
    assert_eq!((client.name.as_str(), client.kind), ("leadflow.contact.v1.ContactService/GetAccount", "client"));
    assert_eq!(client.attributes["server.address"], "127.0.0.1");
    let server = only_child(&spans, client);
    assert_eq!((server.service.as_str(), server.kind), ("leadflow-test", "server"));
    assert_eq!(server.attributes["rpc.system.name"], "grpc");
    assert_eq!(server.attributes["rpc.method"], "leadflow.contact.v1.ContactService/GetAccount");
    assert_eq!((server.attributes["rpc.response.status_code"].as_str(), &server.error), ("OK", &None));
    let refused = named("leadflow.contact.v1.ContactService/UpdateAccount");
    assert_eq!(refused.attributes["rpc.response.status_code"], "UNAUTHENTICATED");
    assert_eq!((refused.parent_id.as_str(), &refused.error), ("", &None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_a_trace_is_recorded_is_decided_once_and_by_the_first() {
    let collector = Collector::start().await.unwrap();
    let never =
        tracer(&collector, &[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")]);
    let always = tracer(&collector, &[]);
    let first = never.start(SpanKind::Internal, "unwanted", Origin::default()).origin();
    assert!(first.traceparent().unwrap().ends_with("-00"), "{first:?}");
    let second = always.start(SpanKind::Internal, "unwanted too", first).origin();
    assert_eq!((second.trace_id(), second.traceparent().unwrap().ends_with("-00")), (first.trace_id(), true));
    drop(never.start(SpanKind::Internal, "wanted by another", Origin::parse(SAMPLED)));
    never.close().await;
    always.close().await;
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["wanted by another"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_at_the_edge_runs_in_the_trace_of_its_header_and_says_nothing_of_a_person() {
    let collector = Collector::start().await.unwrap();
    let ours = tracer(&collector, &[]);
    let router = axum::Router::new()
        .route("/people/{name}", axum::routing::get(async || Origin::current().traceparent().unwrap_or_default()))
        .layer(axum::middleware::from_fn_with_state(ours.clone(), trace::edge));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let ask = reqwest::Client::new();
    let inside = ask.get(format!("{url}/people/anna?mail=a@b.de")).header("traceparent", SAMPLED).send().await.unwrap();
    let inside = inside.text().await.unwrap();
    assert_eq!(ask.get(format!("{url}/nowhere")).send().await.unwrap().status(), 404);
    served.abort();
    ours.close().await;

    let spans = collector.spans();
    let [span] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!(inside, format!("00-{}-{}-01", span.trace_id, span.span_id));
    assert_eq!((span.name.as_str(), span.parent_id.as_str()), ("GET /people/{name}", "b7ad6b7169203331"));
    assert_eq!(span.attributes["http.response.status_code"], "200");
    assert!(!format!("{span:?}").contains("anna") && !format!("{span:?}").contains("a@b.de"), "{span:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_nobody_anything_and_does_not_hold_the_shutdown_up() {
    let gone = format!("http://127.0.0.1:{}", leadflow_harness::free_port().unwrap());
    let config = Config::from_vars(&Vars::from_iter([("OTEL_EXPORTER_OTLP_ENDPOINT", gone)])).unwrap();
    let role = Role::start_traced(config).await;
    role.client(Credentials::Name("anna".into())).get_account(get("any")).await.unwrap();
    role.stop().await.unwrap();
}

/// Runs in a trace that somebody else has begun.
async fn within<T>(traceparent: &str, future: impl Future<Output = T>) -> T {
    Tracer::default().start(SpanKind::Server, "theirs", Origin::parse(traceparent)).run(future).await
}

fn config(collector: &Collector, more: &[(&str, &str)]) -> Config {
    let vars: Vars = more.iter().copied().collect();
    Config::from_vars(&vars.with("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())).unwrap()
}

fn tracer(collector: &Collector, more: &[(&str, &str)]) -> Tracer {
    Tracer::new("test", &config(collector, more)).unwrap()
}

async fn announce_for(database: &Database, text: &str, origin: Origin) -> Result<()> {
    let message = outbox::Message { subject: SUBJECT.to_owned(), payload: text.as_bytes().to_vec(), origin };
    database.write(move |tx| async move { outbox::announce_all(&tx, vec![message], from_millis(1_000)).await }).await
}

/// Publishes what waits, so that it is there before anybody listens and comes in one batch.
async fn publish(database: &Database, bus: &Bus) {
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    outbox::relay(database.clone(), bus.clone(), "test", shutdown).await;
}

fn only_child<'a>(spans: &'a [Span], parent: &Span) -> &'a Span {
    let children: Vec<_> = spans.iter().filter(|span| span.parent_id == parent.span_id).collect();
    let [child] = children.as_slice() else { panic!("{parent:#?} has {children:#?}") };
    child
}

/// The number in the line of the metrics that begins so.
fn value(metrics: &Metrics, begin: &str) -> Option<f64> {
    let text = metrics.render().unwrap();
    text.lines().find(|line| line.starts_with(begin)).and_then(|line| line.rsplit(' ').next()?.parse().ok())
}

/// What a consumer has handled: each text with where it came from.
struct Heard {
    origins: Arc<Mutex<BTreeMap<String, Origin>>>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Heard {
    /// Handles what was published by `handle`, which is told how many batches there were.
    fn start(database: &Database, bus: &Bus, handle: impl Fn(usize) -> Result<()> + Send + Sync + 'static) -> Self {
        let (origins, shutdown) = (Arc::new(Mutex::new(BTreeMap::new())), CancellationToken::new());
        let (sink, attempts) = (origins.clone(), Mutex::new(0));
        let handle = move |deliveries: Vec<Delivery>| {
            let mut attempts = attempts.lock().unwrap();
            *attempts += 1;
            let result = handle(*attempts);
            if result.is_ok() {
                let heard = deliveries
                    .into_iter()
                    .map(|delivery| (String::from_utf8(delivery.payload.to_vec()).unwrap(), delivery.origin));
                sink.lock().unwrap().extend(heard);
            }
            async { result }
        };
        let task =
            tokio::spawn(consume(bus.clone(), database.clone(), Clock::system(), CONSUMER, shutdown.clone(), handle));
        Self { origins, shutdown, task }
    }

    fn count(&self) -> usize {
        self.origins.lock().unwrap().len()
    }

    fn origin(&self, text: &str) -> Origin {
        self.origins.lock().unwrap()[text]
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}
