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
use leadflow_proto::contact::v1::{
    consent_service_server::ConsentServiceServer, contact_service_server::ContactServiceServer,
    import_service_server::ImportServiceServer, match_review_service_server::MatchReviewServiceServer,
    merge_service_server::MergeServiceServer, privacy_service_server::PrivacyServiceServer,
    site_map_service_server::SiteMapServiceServer,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    app::{
        App,
        digest::{Accounts, Contacts},
    },
    domain::suppression::Suppressor,
    store::consents,
};

pub use crate::{
    config::Config,
    store::{Migrator, person::TABLES as TABLES_OF_PERSONS},
};

/// The name of the role.
pub const ROLE: &str = "contact";
/// The port of its gRPC server.
pub const PORT: u16 = 7101;

const STREAM: Stream = Stream {
    name: "LEADFLOW_CONTACT",
    subjects: &["leadflow.account.v1.>", "leadflow.contact.v1.>"],
    keep: Keep::Events,
};

/// A claim in normal form, as `ResolveIdentities` reads it, with what is the person's own: for a dry run without a
/// service.
///
/// # Errors
/// When it says nothing of anybody, or something that cannot be read; the error names the field.
pub fn read_claim(
    claim: &leadflow_proto::contact::v1::IdentityClaim,
    own: domain::matching::Own,
) -> Result<domain::Claim> {
    wire::owning(claim, own)
}

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
    reconcile_interval: Duration,
}

impl Config {
    /// Connects to all that the service needs.
    ///
    /// # Errors
    /// When the database cannot be reached or is not up to date, or the address of activity-ingest is none.
    pub async fn build(self, clock: Clock) -> Result<Service> {
        let producer = channel(&self.activity_ingest_url, self.service.credentials.clone())?;
        let comparison =
            Comparison { kind: "consents", facts: consents::facts(), consumer: events::CONSENTS, producer };
        let foundation = Foundation::lay::<Migrator>(ROLE, &self.service, clock).await?;
        foundation.own(STREAM).await;
        let app = App {
            database: foundation.database.clone(),
            clock: foundation.clock.clone(),
            metrics: Arc::new(metrics::Metrics::new(&foundation.metrics)),
            suppressor: Suppressor::new(&self.suppression_key.load()?),
            memory: app::Memory::default(),
        };
        Ok(Service { foundation, app, comparison, reconcile_interval: self.service.reconcile_interval })
    }
}

impl Service {
    /// Serves until shutdown, then lets what runs come to its end.
    ///
    /// # Errors
    /// When a task failed, or did not end in time.
    pub async fn run(self, listeners: Listeners, shutdown: CancellationToken) -> Result<()> {
        let Self { foundation, app, comparison, reconcile_interval } = self;
        let mut tasks = Tasks::new(shutdown);
        let digests = foundation.digests(vec![Arc::new(Accounts(app.clone())), Arc::new(Contacts(app.clone()))]);
        let merges = MergeServiceServer::new(app.clone()).max_encoding_message_size(MAX_ANSWER);
        let reviews = MatchReviewServiceServer::new(app.clone()).max_encoding_message_size(MAX_ANSWER);
        let site_maps = SiteMapServiceServer::new(app.clone()).max_encoding_message_size(MAX_ANSWER);
        let imports = ImportServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let (following, erasing) = (app.clone(), app.clone());
        let privacy = PrivacyServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let consents = ConsentServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let server =
            ContactServiceServer::new(app).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_ANSWER);
        let nothing = Arc::new(|| Box::pin(async { Ok(()) }) as futures::future::BoxFuture<'static, Result<()>>);
        let routes = Routes::new(server)
            .add_service(merges)
            .add_service(reviews)
            .add_service(imports)
            .add_service(site_maps)
            .add_service(consents)
            .add_service(privacy)
            .add_service(digests);
        foundation.start(&mut tasks, listeners, routes, nothing);
        tasks.spawn("erasures", |stop| erasing.follow_erasures(reconcile_interval, stop));
        foundation.compare(&mut tasks, vec![comparison]);
        foundation.consume(&mut tasks, events::CONSENTS, following, events::consents);
        let result = tasks.finish().await.map_err(Error::internal);
        foundation.close().await;
        result
    }
}
