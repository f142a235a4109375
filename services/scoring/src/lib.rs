#![doc = include_str!("../README.md")]

mod app;
mod config;
mod contact;
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
use leadflow_proto::scoring::v1::scoring_service_server::ScoringServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    app::{App, digest::Leads},
    contact::Contact,
    store::digest,
};

pub use crate::{config::Config, store::Migrator};

/// The name of the role.
pub const ROLE: &str = "scoring";
/// The port of its gRPC server.
pub const PORT: u16 = 7103;

const STREAM: Stream = Stream { name: "LEADFLOW_LEAD", subjects: &["leadflow.lead.v1.>"], keep: Keep::Events };

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
    contact: Contact,
    comparisons: Vec<Comparison>,
    sweep_interval: Duration,
}

impl Config {
    /// Connects to all that the service needs.
    ///
    /// # Errors
    /// When the database cannot be reached or is not up to date, or the address of another service is none.
    pub async fn build(self, clock: Clock) -> Result<Service> {
        let comparisons = self.comparisons()?;
        let contact = Contact::new(channel(&self.contact_url, self.service.credentials.clone())?);
        let foundation = Foundation::lay::<Migrator>(ROLE, &self.service, clock).await?;
        foundation.own(STREAM).await;
        let metrics = metrics::Metrics::new(&foundation.metrics);
        let app = App::new(foundation.database.clone(), foundation.clock.clone(), metrics);
        Ok(Service { foundation, app, contact, comparisons, sweep_interval: self.sweep_interval })
    }

    /// What scoring takes in, and who announces it.
    fn comparisons(&self) -> Result<Vec<Comparison>> {
        let producer = |url: &str| channel(url, self.service.credentials.clone());
        let (contact, routing) = (producer(&self.contact_url)?, producer(&self.routing_url)?);
        let ingest = producer(&self.activity_ingest_url)?;
        let ledger = ingest.clone();
        let of = |kind, facts, consumer, producer| Comparison { kind, facts, consumer, producer };
        Ok(vec![
            of("activities", digest::activities(), events::ACTIVITIES, ingest),
            of("reattributions", digest::reattributions(), events::REATTRIBUTIONS, ledger),
            of("accounts", digest::accounts(), events::ACCOUNTS, contact.clone()),
            of("contacts", digest::contacts(), events::CONTACTS, contact),
            of("assignments", digest::assignments(), events::ASSIGNMENTS, routing),
        ])
    }
}

impl Service {
    /// Serves until shutdown, then lets what runs come to its end.
    ///
    /// # Errors
    /// When a task failed, or did not end in time.
    pub async fn run(self, listeners: Listeners, shutdown: CancellationToken) -> Result<()> {
        let Self { foundation, app, contact, comparisons, sweep_interval } = self;
        let mut tasks = Tasks::new(shutdown);
        let server = ScoringServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let measured = app.clone();
        let refresh = Arc::new(move || {
            let app = measured.clone();
            Box::pin(async move { app.measure().await }) as futures::future::BoxFuture<'static, Result<()>>
        });
        let digests = foundation.digests(vec![Arc::new(Leads(app.clone()))]);
        foundation.start(&mut tasks, listeners, Routes::new(server).add_service(digests), refresh);
        foundation.compare(&mut tasks, comparisons);
        foundation.consume(&mut tasks, events::ACTIVITIES, app.clone(), events::activities);
        foundation.consume(&mut tasks, events::REATTRIBUTIONS, app.clone(), events::reattributions);
        foundation.consume(&mut tasks, events::ACCOUNTS, app.clone(), events::accounts);
        foundation.consume(&mut tasks, events::CONTACTS, app.clone(), events::contacts);
        foundation.consume(&mut tasks, events::ASSIGNMENTS, app.clone(), events::assignments);
        foundation.consume(&mut tasks, events::ERASURES, app.clone(), move |app, deliveries| {
            events::erasures(app, contact.clone(), deliveries)
        });
        tasks.spawn("sweep", |stop| app.sweep(sweep_interval, stop));
        let result = tasks.finish().await.map_err(Error::internal);
        foundation.close().await;
        result
    }
}
