//! The operator's port.

use leadflow_harness::{Nats, eventually};
use leadflow_platform::{
    auth::{Auth, Credentials},
    bus::Config,
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::support::{
    announce, bus,
    role::{Role, get},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics_are_on_one_plain_port() {
    let role = Role::start(Auth::Loopback).await;
    assert_eq!(role.get("/healthz").await, (200, "ok\n".into()));
    assert_eq!(role.get("/nothing").await.0, 404);
    let admin = tonic::transport::Endpoint::from_shared(format!("http://{}", role.admin)).unwrap();
    let health = HealthClient::new(admin.connect().await.unwrap()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);

    announce(&role.database, (0..3).map(|n| n.to_string())).await.unwrap();
    role.client(Credentials::Name("anna".into())).get_account(get("any")).await.unwrap();
    let (status, metrics) = role.get("/metrics").await;
    assert_eq!(status, 200);
    let line = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {metrics}"));
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(line("leadflow_outbox_depth"), "3");
    assert_eq!(line("leadflow_quarantine_depth"), "0");
    let calls = metrics.lines().find(|line| line.starts_with("rpc_server_call_duration_seconds_count")).unwrap();
    assert!(calls.contains("rpc_method=\"leadflow.contact.v1.ContactService/GetAccount\""), "{calls}");
    assert!(calls.contains("rpc_response_status_code=\"OK\"") && calls.ends_with(" 1"), "{calls}");
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_ready_without_the_bus_and_says_so() {
    let role = Role::start(Auth::Loopback).await;
    assert_eq!(role.get("/readyz").await, (200, "ok, without the bus\n".into()));
    role.stop().await.unwrap();

    let nats = Nats::start().unwrap();
    let role = Role::start_on(Config::at(nats.url()), Auth::Loopback).await;
    eventually!(role.get("/readyz").await == (200, "ok\n".to_owned()));
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outbox_of_a_role_is_published_and_its_depth_falls() {
    let nats = Nats::start().unwrap();
    bus(&nats).await;
    let role = Role::start_on(Config::at(nats.url()), Auth::Loopback).await;
    announce(&role.database, (0..3).map(|n| n.to_string())).await.unwrap();
    eventually!(
        role.get("/metrics")
            .await
            .1
            .lines()
            .any(|line| { line.starts_with("leadflow_outbox_depth") && line.ends_with(" 0") })
    );
    role.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_whose_database_is_gone_is_not_ready_and_still_alive() {
    let role = Role::start(Auth::Loopback).await;
    role.database.clone().close().await;
    assert_eq!(role.get("/readyz").await, (503, "the database does not answer\n".into()));
    assert_eq!(role.get("/healthz").await.0, 200);
    // The metrics are there, only not fresh.
    assert_eq!(role.get("/metrics").await.0, 200);
    role.stop().await.unwrap();
}
