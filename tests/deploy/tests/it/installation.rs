//! An installation as the manifests describe it does its work: each role is the real binary with exactly the arguments,
//! the variables and the files that its pod gets, on NATS servers with exactly the configuration of theirs.

use futures::StreamExt as _;
use leadflow_harness::eventually;
use leadflow_platform::{auth::Credentials, bus, rpc::channel, vars::Vars};
use leadflow_proto::{
    activity::v1::{
        Activity, RecordActivitiesRequest, activity_service_client::ActivityServiceClient, record_result::Outcome,
    },
    contact::v1::Identity,
};
use serde_json::Value as Json;

use crate::{
    cluster::Cluster,
    monitoring,
    rights::{self, User},
    tools::{find, list, of_kind, text},
};

fn quotation(id: &str, company: &str) -> Activity {
    let text = str::to_owned;
    Activity {
        source: text("website-form"),
        source_event_id: text(id),
        activity_type: text("quote_requested"),
        product_category: text("hplc"),
        identity: Some(Identity {
            email: text("ines@quellwasser-labor.de"),
            company: text(company),
            country: text("DE"),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn record(activities: Vec<Activity>) -> RecordActivitiesRequest {
    RecordActivitiesRequest { activities, ..Default::default() }
}

fn activities(cluster: &Cluster, credentials: Credentials) -> ActivityServiceClient<leadflow_platform::rpc::Client> {
    let address = cluster.address("leadflow-activity-ingest", 7102);
    ActivityServiceClient::new(channel(&format!("http://{address}"), credentials).unwrap())
}

/// The lead of an account, when it is with a rep.
fn assigned(cluster: &Cluster, account: &str) -> Option<Json> {
    let leads: Json = serde_json::from_str(&cluster.leadflow(&["leads", "--output", "json"])).unwrap();
    let ours = |lead: &&Json| lead["account_name"] == account && lead["status"] == "offered";
    list(&leads).iter().find(ours).cloned()
}

async fn an_activity_with_a_token_reaches_its_rep(cluster: &Cluster) {
    let sample = leadflow_harness::repository().join("examples/laboratory");
    cluster.leadflow(&["apply", "-f", sample.to_str().unwrap()]);
    let request = record(vec![quotation("q-1", "Quellwasser Labor")]);

    let nobody = Credentials::Name("anna".into());
    let refused = activities(cluster, nobody).record_activities(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated, "{refused}");

    let mut operator = activities(cluster, Credentials::TokenFile(cluster.operator_token()));
    let answer = operator.record_activities(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.results[0].outcome(), Outcome::Accepted, "{answer:?}");
    let lead = eventually!(some: assigned(cluster, "Quellwasser Labor"));
    assert_eq!(lead["band"], "hot", "{lead}");
    assert!(!text(&lead["assigned_rep"]).is_empty(), "{lead}");

    // For the metrics: one that was there before, and one that is none.
    let nowhere = Activity { source: "nowhere".into(), ..quotation("q-2", "Quellwasser Labor") };
    let again = record(vec![quotation("q-1", "Quellwasser Labor"), nowhere]);
    let answer = operator.record_activities(again).await.unwrap().into_inner();
    let outcomes: Vec<_> = answer.results.iter().map(|result| result.outcome()).collect();
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Rejected]);
}

async fn a_form_comes_in_through_the_ingress(cluster: &Cluster) {
    let ingress = of_kind(&cluster.objects, "Ingress").next().unwrap();
    let path = &list(&ingress["spec"]["rules"])[0]["http"]["paths"][0];
    assert_eq!((text(&path["path"]), text(&path["pathType"])), ("/v1/", "Prefix"));
    let backend = &path["backend"]["service"];
    let service = find(&cluster.objects, "Service", text(&backend["name"])).unwrap();
    let named = list(&service["spec"]["ports"]).iter().find(|port| port["name"] == backend["port"]["name"]).unwrap();
    let address = cluster.address(text(&backend["name"]), u16::try_from(named["port"].as_u64().unwrap()).unwrap());
    let fields = [
        ("email", "per@fjordlab.no"),
        ("company", "Fjordlab"),
        ("country", "NO"),
        ("product_category", "hplc"),
        ("activity_type", "quote_requested"),
        ("event_id", "form-1"),
    ];
    let url = format!("http://{address}/v1/forms/website-form?format=json");
    let answer = reqwest::Client::new().post(url).form(&fields).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    eventually!(assigned(cluster, "Fjordlab").is_some());
}

/// An outside publisher, as the user that it is, hears that its activity is recorded.
async fn a_publisher_gets_its_receipt(cluster: &Cluster) {
    let publisher = User::publisher("newsletter").connect(cluster).await.client;
    let inbox = publisher.new_inbox();
    let mut receipts = publisher.subscribe(inbox.clone()).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("content-type", "application/json");
    headers.insert("leadflow-receipt", inbox.as_str());
    let activity = serde_json::json!({
        "source_event_id": "m-1", "activity_type": "email_clicked", "product_category": "hplc",
        "identity": {"email": "ines@quellwasser-labor.de"},
    });
    let subject = "leadflow.intake.v1.newsletter";
    publisher.publish_with_headers(subject, headers, activity.to_string().into()).await.unwrap();
    let receipt = tokio::time::timeout(std::time::Duration::from_secs(30), receipts.next()).await.unwrap().unwrap();
    let receipt: Json = serde_json::from_slice(&receipt.payload).unwrap();
    assert_eq!((text(&receipt["source_event_id"]), text(&receipt["outcome"])), ("m-1", "accepted"), "{receipt}");
}

/// Streams are kept on as many servers as the manifests have.
async fn streams_are_on_every_server(cluster: &Cluster) {
    let servers = find(&cluster.objects, "StatefulSet", "leadflow-nats").unwrap()["spec"]["replicas"].as_u64().unwrap();
    let jetstream = async_nats::jetstream::new(User::of_role("scoring").connect(cluster).await.client);
    for stream in ["LEADFLOW_ACTIVITY", "LEADFLOW_CONTACT", "LEADFLOW_ASSIGNMENT", "LEADFLOW_LEAD"] {
        let stream = jetstream.get_stream(stream).await.unwrap();
        assert_eq!(stream.cached_info().config.num_replicas as u64, servers, "{:?}", stream.cached_info());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_production_overlay_brings_an_activity_to_its_rep() {
    let cluster = Cluster::start("production").await;
    an_activity_with_a_token_reaches_its_rep(&cluster).await;
    a_form_comes_in_through_the_ingress(&cluster).await;
    a_publisher_gets_its_receipt(&cluster).await;
    streams_are_on_every_server(&cluster).await;
    rights::nobody_was_refused(&cluster);
    monitoring::what_is_watched_is_exposed(&cluster).await;
    assert!(cluster.written().is_empty(), "the root may be read only: {:?}", cluster.written());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_overlay_brings_an_activity_to_its_rep() {
    let cluster = Cluster::start("local").await;
    an_activity_with_a_token_reaches_its_rep(&cluster).await;
    streams_are_on_every_server(&cluster).await;
    rights::nobody_was_refused(&cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_there_is_spread_to_as_many_servers_as_are_set() {
    let mut cluster = Cluster::prepare("production", "nowhere");
    cluster.start_nats().await;
    let user = User::of_role("contact");
    let vars = Vars::from_iter([
        ("LEADFLOW_NATS_URL", format!("tls://{}", cluster.address("leadflow-nats", 4222))),
        ("LEADFLOW_NATS_CA_FILE", user.ca_file(&cluster).display().to_string()),
        ("LEADFLOW_NATS_USER", "contact".to_owned()),
        ("LEADFLOW_NATS_PASSWORD", user.password(&cluster)),
    ]);
    let connected = user.connect(&cluster).await;
    let jetstream = async_nats::jetstream::new(connected.client);
    for replicas in [1, 3] {
        let config = bus::Config::from_vars(&vars.clone().with("LEADFLOW_NATS_REPLICAS", replicas.to_string()));
        let bus = bus::Bus::connect(&config.unwrap(), "leadflow-contact").await.unwrap();
        let stream =
            bus::Stream { name: "LEADFLOW_CONTACT", subjects: &["leadflow.contact.v1.>"], keep: bus::Keep::Events };
        bus.own(stream).await.unwrap();
        let stream = jetstream.get_stream("LEADFLOW_CONTACT").await.unwrap();
        assert_eq!(stream.cached_info().config.num_replicas, replicas);
    }
}
