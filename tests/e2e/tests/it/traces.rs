//! One trace leads from each door to the assignment, through all roles, to a collector that really listens.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_harness::{
    Backend, Nats, TestDatabase,
    collector::{Collector, Span},
    eventually,
    fleet::{self, Fleet},
};
use leadflow_platform::{
    auth::Credentials,
    rpc::{Client, channel},
    trace::{Origin, SpanKind, Tracer},
};
use leadflow_proto::activity::v1::{RecordActivitiesRequest, activity_service_client::ActivityServiceClient};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;

use crate::support::{World, binary, quotation, sample};

const NOW: &str = "2030-01-02T10:00:00Z";
/// From the offer back to the ledger: the span and its role.
const FROM_OFFER_TO_LEDGER: [(&str, &str); 7] = [
    ("publish leadflow.assignment.v1.offered", "leadflow-routing"),
    ("process leadflow.lead.v1.>", "leadflow-routing"),
    ("publish leadflow.lead.v1.sales_ready", "leadflow-scoring"),
    ("process leadflow.activity.v1.recorded", "leadflow-scoring"),
    ("publish leadflow.activity.v1.recorded", "leadflow-activity-ingest"),
    ("identify activity", "leadflow-activity-ingest"),
    ("record activities", "leadflow-activity-ingest"),
];
const RPC: &str = "leadflow.activity.v1.ActivityService/RecordActivities";
const FORM: &str = "POST /v1/forms/{source}";

/// The trace of this number, and the span in it that a caller of ours is in.
fn caller(number: u8) -> (String, String) {
    (format!("{:032x}", 0xabc0 + u64::from(number)), format!("{:016x}", 0xdef0 + u64::from(number)))
}

fn traceparent(number: u8) -> String {
    let (trace_id, span_id) = caller(number);
    format!("00-{trace_id}-{span_id}-01")
}

/// Asks for a quotation in the trace of this number.
async fn send(mut client: ActivityServiceClient<Client>, number: u8, company: &str) {
    let activities = vec![quotation(&format!("q-{number}"), &email(company), company, "DE", "hplc")];
    let theirs = Tracer::default().start(SpanKind::Client, "theirs", Origin::parse(&traceparent(number)));
    theirs.run(client.record_activities(RecordActivitiesRequest { activities, ..Default::default() })).await.unwrap();
}

async fn post(edge: &str, number: u8, company: &str) {
    let email = email(company);
    let fields = [
        ("email", email.as_str()),
        ("company", company),
        ("country", "DE"),
        ("product_category", "hplc"),
        ("activity_type", "quote_requested"),
    ];
    let post = reqwest::Client::new().post(format!("{edge}/v1/forms/website-form?format=json"));
    let answer = post.header("traceparent", traceparent(number)).form(&fields).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

fn email(company: &str) -> String {
    format!("ines@{}.de", company.to_lowercase().replace(' ', "-"))
}

/// Holds all spans of the trace of this number against what they must be, from the door of this name on.
fn check(spans: &[Span], number: u8, door: &str) {
    let (trace_id, caller_id) = caller(number);
    let spans: BTreeMap<_, _> =
        spans.iter().filter(|span| span.trace_id == trace_id).map(|span| (span.span_id.as_str(), span)).collect();
    for span in spans.values() {
        let is_first = span.parent_id == caller_id;
        assert!(is_first || spans.contains_key(span.parent_id.as_str()), "an orphan: {span:#?}");
        assert_eq!(is_first, span.name == door, "{span:#?}");
        assert_eq!(span.error, None, "{span:#?}");
    }
    let offered: Vec<_> = spans.values().filter(|span| span.name == FROM_OFFER_TO_LEDGER[0].0).collect();
    let [offered] = offered.as_slice() else { panic!("{} offers in trace {number}: {spans:#?}", offered.len()) };
    let mut span = **offered;
    for (name, service) in FROM_OFFER_TO_LEDGER {
        assert_eq!((span.name.as_str(), span.service.as_str()), (name, service));
        span = spans[span.parent_id.as_str()];
    }
    assert_eq!((span.name.as_str(), span.service.as_str(), span.kind), (door, "leadflow-activity-ingest", "server"));
}

/// Contact too belongs to the trace: it was asked who it is.
fn check_contact(spans: &[Span], number: u8) {
    let of_trace: Vec<_> = spans.iter().filter(|span| span.trace_id == caller(number).0).collect();
    let roles: BTreeSet<_> = of_trace.iter().map(|span| span.service.as_str()).collect();
    assert_eq!(roles.len(), 4, "{roles:?}");
    let parent = |span: &Span| *of_trace.iter().find(|other| other.span_id == span.parent_id).unwrap();
    let asked = of_trace.iter().find(|span| span.service == "leadflow-contact" && span.kind == "server").unwrap();
    assert_eq!(asked.name, "leadflow.contact.v1.ContactService/ResolveIdentities");
    let asking = parent(asked);
    assert_eq!((asking.kind, asking.service.as_str()), ("client", "leadflow-activity-ingest"));
    assert_eq!(parent(asking).name, "identify activity");
    let account = of_trace.iter().find(|span| span.name == "publish leadflow.account.v1.changed").unwrap();
    assert_eq!(parent(account).span_id, asked.span_id);
}

async fn all_roles_in_one_process(backend: Backend) {
    let collector = Collector::start().await.unwrap();
    let world = World::start_with(backend, NOW, &[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())]).await;
    let assigned = async |company: &str| {
        let is_offered = |lead: &Json| lead["status"] == "offered";
        eventually!(some: world.cli.lead(company, "hplc").await.filter(is_offered));
    };
    send(world.activities(), 1, "Nordlicht Analytik").await;
    assigned("Nordlicht Analytik").await;
    post(&world.suite.listening.http_url(), 2, "Quellwasser Labor").await;
    assigned("Quellwasser Labor").await;
    // At the same time, so that they share transactions, questions and batches.
    let companies = ["Gletscher Optik", "Deich Werke", "Moor Pharma", "Heide Chemie", "Watt Physik"];
    let clients = companies.into_iter().zip(3..).map(|(company, number)| {
        let client = world.activities();
        tokio::spawn(async move { send(client, number, company).await })
    });
    for sent in clients.collect::<Vec<_>>() {
        sent.await.unwrap();
    }
    for company in companies {
        assigned(company).await;
    }
    world.suite.stop().await.unwrap();

    let spans = collector.spans();
    check(&spans, 1, RPC);
    check(&spans, 2, FORM);
    (3..8).for_each(|number| check(&spans, number, RPC));
    check_contact(&spans, 1);
    check_contact(&spans, 2);
    let text = format!("{spans:?}").to_lowercase();
    for personal in ["ines", "nordlicht", "quellwasser", "gletscher"] {
        assert!(!text.contains(personal), "{personal} is in a span");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_roles_in_one_process_on_sqlite() {
    all_roles_in_one_process(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_roles_in_one_process_on_postgres() {
    all_roles_in_one_process(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_per_role_that_sends_its_last_spans_when_it_is_asked_to_end() {
    let (nats, collector) = (Nats::start().unwrap(), Collector::start().await.unwrap());
    let mut databases = BTreeMap::new();
    for role in fleet::ROLES {
        databases.insert(role, TestDatabase::create(Backend::Postgres).await.unwrap());
    }
    let urls = databases.iter().map(|(role, database)| (*role, database.url.clone())).collect();
    let extra = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
        // Nothing goes out by itself.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("RUST_LOG", "warn"),
        ("LEADFLOW_DATABASE_MAX_CONNECTIONS", "8"),
    ];
    let extra = extra.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let fleet = tokio::task::spawn_blocking({
        let nats_url = nats.url();
        move || Fleet::start(binary(), &urls, &nats_url, &extra, 1)
    });
    let fleet = fleet.await.unwrap().unwrap();
    fleet.cli(&["apply", "-f", &sample().display().to_string()]).unwrap();
    let url = &fleet.client_env["LEADFLOW_ACTIVITY_INGEST_URL"];
    let client = ActivityServiceClient::new(channel(url, Credentials::Name("e2e".into())).unwrap());
    send(client, 1, "Nordlicht Analytik").await;
    eventually!(fleet.cli(&["leads", "--output", "json"]).unwrap().contains("\"offered\""));
    assert_eq!(collector.spans(), []);
    for index in 0..fleet.members.len() {
        let pid = Pid::from_raw(i32::try_from(fleet.pid(index).unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }
    let services = || collector.spans().into_iter().map(|span| span.service).collect::<BTreeSet<_>>();
    eventually!(services().len() == 4);
    let spans = collector.spans();
    check(&spans, 1, RPC);
    check_contact(&spans, 1);
}
