#![doc = include_str!("../README.md")]

mod app;
mod config;
pub mod domain;
mod error;
mod metrics;
mod rpc;
mod store;
mod wire;

use std::sync::Arc;

use leadflow_platform::{
    Error, Result,
    bus::{Keep, Stream},
    clock::Clock,
    db::Database,
    lifecycle::Tasks,
    rpc::{MAX_ANSWER, MAX_MESSAGE},
    service::{Foundation, Listeners},
};
use leadflow_proto::contact::v1::{
    contact_service_server::ContactServiceServer, import_service_server::ImportServiceServer,
    merge_service_server::MergeServiceServer, site_map_service_server::SiteMapServiceServer,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::app::{
    App,
    digest::{Accounts, Contacts},
};

pub use crate::{config::Config, store::Migrator};

/// The name of the role.
pub const ROLE: &str = "contact";
/// The port of its gRPC server.
pub const PORT: u16 = 7101;

const STREAM: Stream = Stream {
    name: "LEADFLOW_CONTACT",
    subjects: &["leadflow.account.v1.>", "leadflow.contact.v1.>"],
    keep: Keep::Events,
};

/// Brings the tables up to date.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate(config: &Config) -> Result<()> {
    let database = Database::open(&config.service.database).await?;
    let result = database.migrate::<Migrator>().await;
    database.close().await;
    result
}

/// The service, ready to run.
#[derive(Debug)]
pub struct Service {
    foundation: Foundation,
    app: App,
}

impl Config {
    /// Connects to all that the service needs.
    ///
    /// # Errors
    /// When the database cannot be reached or is not up to date.
    pub async fn build(self, clock: Clock) -> Result<Service> {
        let foundation = Foundation::lay::<Migrator>(ROLE, &self.service, clock).await?;
        foundation.own(STREAM).await;
        let app = App {
            database: foundation.database.clone(),
            clock: foundation.clock.clone(),
            metrics: Arc::new(metrics::Metrics::new(&foundation.metrics)),
        };
        Ok(Service { foundation, app })
    }
}

impl Service {
    /// Serves until shutdown, then lets what runs come to its end.
    ///
    /// # Errors
    /// When a task failed, or did not end in time.
    pub async fn run(self, listeners: Listeners, shutdown: CancellationToken) -> Result<()> {
        let Self { foundation, app } = self;
        let mut tasks = Tasks::new(shutdown);
        let digests = foundation.digests(vec![Arc::new(Accounts(app.clone())), Arc::new(Contacts(app.clone()))]);
        let merges = MergeServiceServer::new(app.clone()).max_encoding_message_size(MAX_ANSWER);
        let imports = ImportServiceServer::new(app.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_ANSWER);
        let site_maps = SiteMapServiceServer::new(app.clone()).max_encoding_message_size(MAX_ANSWER);
        let server =
            ContactServiceServer::new(app).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_ANSWER);
        let nothing = Arc::new(|| Box::pin(async { Ok(()) }) as futures::future::BoxFuture<'static, Result<()>>);
        let routes = Routes::new(server).add_service(merges).add_service(imports).add_service(site_maps);
        foundation.start(&mut tasks, listeners, routes.add_service(digests), nothing);
        let result = tasks.finish().await.map_err(Error::internal);
        foundation.close().await;
        result
    }
}
