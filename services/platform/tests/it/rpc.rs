//! gRPC as every role serves it: limits, deadlines, health, reflection, and an orderly end.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, future::join_all};
use leadflow_harness::{Backend, TestDatabase, eventually};
use leadflow_platform::{
    auth::{Auth, Credentials},
    bus,
    clock::Clock,
    config::ServiceConfig,
    error::Code,
    rpc,
    service::Foundation,
    trace,
};
use leadflow_proto::contact::v1::contact_service_client::ContactServiceClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{
    config,
    notes::Migrator,
    role::{BEHIND_THE_DOOR, Role, get, rename},
};

fn anna() -> Credentials {
    Credentials::Name("anna".into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_above_four_mebibytes_is_refused_and_one_below_is_taken() {
    let role = Role::start(Auth::Loopback).await;
    let mut client = role.client(anna());
    client.update_account(rename(&"x".repeat(rpc::MAX_MESSAGE - 100))).await.unwrap();
    let status = client.update_account(rename(&"x".repeat(rpc::MAX_MESSAGE + 1))).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::OutOfRange, "{status}");
    // The same message again would be refused again.
    let error = leadflow_platform::Error::from(status);
    assert_eq!((error.code(), error.is_transient()), (Code::InvalidArgument, false), "{error}");
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_at_its_callers_deadline() {
    let role = Role::start(Auth::Loopback).await;
    // A client that does not watch its own deadline.
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let message = prost::Message::encode_to_vec(&get(BEHIND_THE_DOOR));
    let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    frame.extend(message);
    let begin = Instant::now();
    let answer = client
        .post(format!("http://{}/leadflow.contact.v1.ContactService/GetAccount", role.rpc))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "300m")
        .body(frame)
        .send()
        .await
        .unwrap();
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
    let code = answer.headers()["grpc-status"].to_str().unwrap().parse::<i32>().unwrap();
    assert_eq!(tonic::Code::from_i32(code), tonic::Code::Cancelled);
    eventually!(role.door.waiting() == 0);
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_when_its_caller_goes_away_and_is_measured_all_the_same() {
    let role = Role::start(Auth::Loopback).await;
    let mut client = role.client(anna());
    let call = tokio::spawn(async move { client.get_account(get(BEHIND_THE_DOOR)).await });
    eventually!(role.door.waiting() == 1);
    call.abort();
    eventually!(role.door.waiting() == 0);
    let line = "rpc_response_status_code=\"CANCELLED\"";
    eventually!(role.get("/metrics").await.1.contains(line));
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_has_at_most_256_calls_under_way_and_the_rest_wait() {
    let role = Role::start(Auth::Loopback).await;
    let client = ContactServiceClient::new(role.nobody().await);
    let calls: Vec<_> = (0..300)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.get_account(get(BEHIND_THE_DOOR)).await })
        })
        .collect();
    eventually!(role.door.waiting() == 256);
    role.door.open();
    for answer in join_all(calls).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(role.door.most(), 256);
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_names_the_services_and_health_says_serving() {
    let role = Role::start(Auth::Loopback).await;
    let mut reflection = ServerReflectionClient::new(role.nobody().await);
    let ask = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers = reflection.server_reflection_info(tokio_stream::iter([ask])).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"leadflow.contact.v1.ContactService"), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");

    let health = HealthClient::new(role.nobody().await).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);
    drop((answers, reflection));
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_lets_calls_end_and_says_so_meanwhile() {
    let role = Role::start(Auth::Loopback).await;
    let mut client = role.client(anna());
    let call = tokio::spawn(async move { client.get_account(get(BEHIND_THE_DOOR)).await });
    eventually!(role.door.waiting() == 1);
    assert_eq!(role.get("/readyz").await.0, 200);

    role.shutdown.cancel();
    eventually!(role.get("/readyz").await == (503, "shutting down\n".to_owned()));
    assert_eq!(role.get("/healthz").await.0, 200);
    let admin = tonic::transport::Endpoint::from_shared(format!("http://{}", role.admin)).unwrap();
    let mut health = HealthClient::new(admin.connect().await.unwrap());
    let status = health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);

    role.door.open();
    let answer = call.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.account.unwrap().name, "anna");
    drop(health);
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_health_turns_and_does_not_hold_the_shutdown_up_for_ever() {
    let role = Role::start(Auth::Loopback).await;
    let mut watch =
        HealthClient::new(role.nobody().await).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let begin = Instant::now();
    role.shutdown.cancel();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    role.stop().await.unwrap();
    assert!(begin.elapsed() < rpc::DRAIN + Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_role_ends_at_once() {
    let role = Role::start(Auth::Loopback).await;
    role.client(anna()).get_account(get("any")).await.unwrap();
    let begin = Instant::now();
    role.stop().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_role_does_not_start_on_tables_that_are_not_up_to_date() {
    let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let config = ServiceConfig {
        database: config(&test),
        nats: bus::Config::at("nats://127.0.0.1:1"),
        auth: Auth::Loopback,
        credentials: anna(),
        traces: trace::Config::default(),
        reconcile_interval: Duration::from_secs(600),
    };
    let error = Foundation::lay::<Migrator>("contact", &config, Clock::system()).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "NOT_MIGRATED"));
    assert!(error.public_message().contains("leadflow migrate contact"), "{error}");
}
