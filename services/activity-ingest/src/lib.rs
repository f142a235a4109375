#![doc = include_str!("../README.md")]

use std::sync::Arc;

use leadflow_platform::{
    Error, Result,
    bus::{Keep, Stream},
    clock::Clock,
    digest::Producer,
    lifecycle::Tasks,
    rpc::channel,
    secret::SecretKey,
    service::{self, Foundation, Listeners},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{
        App,
        digest::{Activities, Reattributions, Statements},
        erase::Eraser,
        handed::Handed,
        identifier::Identifier,
        ledger,
        recogniser::Recogniser,
    },
    contact::Contact,
    domain::link::LinkKeys,
    intake::Intake,
    metrics::Instruments,
    wire::ActivityJson,
};

pub use crate::{config::Config, store::Migrator};

mod app;
mod config;
mod contact;
mod domain;
mod error;
mod events;
mod http;
mod intake;
mod metrics;
mod rpc;
mod store;
mod wire;

/// The role's name.
pub const ROLE: &str = "activity-ingest";
/// The role's port for gRPC.
pub const PORT: u16 = 7102;

const STREAM: Stream = Stream { name: "LEADFLOW_ACTIVITY", subjects: &["leadflow.activity.v1.>"], keep: Keep::Events };

/// Brings the tables up to date.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate(config: &Config) -> Result<()> {
    service::migrate::<Migrator>(&config.service).await
}

impl Config {
    /// Opens what the service stands on.
    ///
    /// # Errors
    /// As [`Foundation::lay`]; `INVALID_ARGUMENT` when the address of contact is none.
    pub async fn build(self, clock: Clock) -> Result<Service> {
        let contact = Contact::new(channel(&self.contact_url, self.service.credentials.clone())?);
        let link_key = self.link_key.load()?;
        let former = self.former_link_keys.iter().map(SecretKey::load).collect::<Result<Vec<_>>>()?;
        let links = LinkKeys::new(&link_key, &former);
        let foundation = Foundation::lay::<Migrator>(ROLE, &self.service, clock).await?;
        Ok(Service { foundation, contact, json: ActivityJson::new()?, links, http_url: self.http_url })
    }
}

/// The service, ready to run.
#[derive(Debug)]
pub struct Service {
    foundation: Foundation,
    contact: Contact,
    json: ActivityJson,
    links: LinkKeys,
    http_url: Option<String>,
}

impl Service {
    /// Serves gRPC, the operator's port and the HTTP edge, and identifies what comes in, until shutdown.
    ///
    /// # Errors
    /// `INTERNAL` that names the tasks which ended too early or not in time.
    pub async fn run(self, listeners: Listeners, http: TcpListener, shutdown: CancellationToken) -> Result<()> {
        let Self { foundation, contact, json, links, http_url } = self;
        let http_url = match (http_url, http.local_addr()) {
            (Some(url), _) => url,
            (None, Ok(address)) => format!("http://{address}"),
            (None, Err(cause)) => return Err(Error::internal("the HTTP edge has no address").because(cause)),
        };
        tokio::join!(foundation.own(STREAM), foundation.own(intake::STREAM));
        let (database, clock) = (foundation.database.clone(), foundation.clock.clone());
        let metrics = Instruments::new(&foundation.metrics.meter());
        let handed = Arc::new(Handed::default());
        let recogniser = Recogniser::new(contact.clone(), foundation.tracer.clone());
        let (ledger, writer) =
            ledger::open(recogniser, database.clone(), clock.clone(), metrics.clone(), handed.clone());
        let app =
            App::new(database.clone(), clock.clone(), ledger, contact.clone(), links.to(&http_url), metrics.clone());
        let refresh = metrics.clone().refresh(database.clone(), clock.clone());
        let tracer = foundation.tracer.clone();
        let intake = Intake {
            app: app.clone(),
            json,
            bus: foundation.bus.clone(),
            database: database.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
        };
        let announced = Activities { database: database.clone(), clock: clock.clone() };
        let moved = Reattributions { clock: clock.clone() };
        let statements = Statements { clock: clock.clone() };
        let eraser = Eraser {
            database: database.clone(),
            bus: foundation.bus.clone(),
            contact: contact.clone(),
            clock: clock.clone(),
        };
        let identifier = Identifier { database, contact, clock, tracer: tracer.clone(), metrics, handed };

        let mut tasks = Tasks::new(shutdown);
        tasks.spawn("ledger", |stop| writer.run(stop));
        tasks.spawn("identifier", |stop| identifier.run(stop));
        // The doors hold the ledger: it ends when they have.
        tasks.spawn("http", |stop| http::serve(http, app.clone(), tracer, stop));
        let again = intake.clone();
        foundation.redrive(intake::CONSUMER, Arc::new(move |deliveries| again.redrive(deliveries)));
        tasks.spawn("intake", |stop| intake.run(stop));
        foundation.consume(&mut tasks, events::ERASURES, eraser, events::erasures);
        let producers: Vec<Arc<dyn Producer>> = vec![Arc::new(announced), Arc::new(moved), Arc::new(statements)];
        let routes = rpc::routes(app).add_service(foundation.digests(producers));
        foundation.start(&mut tasks, listeners, routes, refresh);
        let finished = tasks.finish().await;
        foundation.close().await;
        finished.map_err(Error::internal)
    }
}
