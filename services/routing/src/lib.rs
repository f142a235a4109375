#![doc = include_str!("../README.md")]

mod app;
mod config;
pub mod domain;
mod error;
mod events;
mod metrics;
mod rpc;
mod store;
mod wire;

use std::{sync::Arc, time::Duration};

use leadflow_platform::{
    Error, Result,
    bus::{Keep, Stream},
    clock::Clock,
    digest::Comparison,
    lifecycle::Tasks,
    rpc::{MAX_ANSWER, MAX_MESSAGE, channel},
    service::{self, Foundation, Listeners},
};
use leadflow_proto::routing::v1::routing_service_server::RoutingServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    app::{App, digest::Assignments},
    store::digest,
};

pub use crate::{config::Config, store::Migrator};

/// The name of the role.
pub const ROLE: &str = "routing";
/// The port of its gRPC server.
pub const PORT: u16 = 7104;

const STREAM: Stream =
    Stream { name: "LEADFLOW_ASSIGNMENT", subjects: &["leadflow.assignment.v1.>"], keep: Keep::Events };

/// Brings the tables up to date.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate(config: &Config) -> Result<()> {
    service::migrate::<Migrator>(&config.service).await
}

/// The service, ready to run.
#[derive(Debug)]
pub struct Service {
    foundation: Foundation,
    app: App,
    comparison: Comparison,
    drain_interval: Duration,
}

impl Config {
    /// Connects to all that the service needs.
    ///
    /// # Errors
    /// When the database cannot be reached or is not up to date, or the address of scoring is none.
    pub async fn build(self, clock: Clock) -> Result<Service> {
        let producer = channel(&self.scoring_url, self.service.credentials.clone())?;
        let comparison = Comparison { kind: "leads", facts: digest::leads(), consumer: events::LEADS, producer };
        let foundation = Foundation::lay::<Migrator>(ROLE, &self.service, clock).await?;
        foundation.own(STREAM).await;
        let metrics = metrics::Metrics::new(&foundation.metrics);
        let app = App::new(foundation.database.clone(), foundation.clock.clone(), metrics, self.hold_deadline);
        Ok(Service { foundation, app, comparison, drain_interval: self.drain_interval })
    }
}

impl Service {
    /// Serves until shutdown, then lets what runs come to its end.
    ///
    /// # Errors
    /// When a task failed, or did not end in time.
    pub async fn run(self, listeners: Listeners, shutdown: CancellationToken) -> Result<()> {
        let Self { foundation, app, comparison, drain_interval } = self;
        let mut tasks = Tasks::new(shutdown);
        let server = RoutingServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let measured = app.clone();
        let refresh = Arc::new(move || {
            let app = measured.clone();
            Box::pin(async move { app.measure().await }) as futures::future::BoxFuture<'static, Result<()>>
        });
        let digests = foundation.digests(vec![Arc::new(Assignments(app.clone()))]);
        foundation.start(&mut tasks, listeners, Routes::new(server).add_service(digests), refresh);
        foundation.compare(&mut tasks, vec![comparison]);
        foundation.consume(&mut tasks, events::LEADS, app.clone(), events::leads);
        tasks.spawn("drain", |stop| app.drain(drain_interval, stop));
        let result = tasks.finish().await.map_err(Error::internal);
        foundation.close().await;
        result
    }
}
