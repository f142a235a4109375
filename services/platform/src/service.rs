//! What a role stands on: its database, its bus, its metrics; and the servers that every role runs.

use std::{sync::Arc, time::Duration};

use sea_orm_migration::MigratorTrait;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    admin::{Admin, Refresh},
    auth::{Auth, Credentials},
    bus::{Bus, Consumer, Delivery, Stream, consume},
    clock::Clock,
    config::{Addresses, ServiceConfig},
    db::Database,
    digest::{self, Comparison, Producer},
    error::{Error, Result},
    lifecycle::Tasks,
    metrics::Metrics,
    outbox,
    quarantine::{self, Handler, Handlers},
    rpc,
    trace::Tracer,
};

/// The ports of a role, opened by who starts it.
#[derive(Debug)]
pub struct Listeners {
    /// gRPC.
    pub rpc: TcpListener,
    /// Health and metrics.
    pub admin: TcpListener,
}

impl Listeners {
    /// Opens the ports.
    ///
    /// # Errors
    /// `INTERNAL` that names the address which is taken.
    pub async fn open(addresses: Addresses) -> Result<Self> {
        Ok(Self { rpc: listen(addresses.rpc).await?, admin: listen(addresses.admin).await? })
    }
}

/// Opens one port.
///
/// # Errors
/// `INTERNAL` that names the address which is taken.
pub async fn listen(address: std::net::SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| Error::internal(format!("cannot listen on {address}")).because(cause))
}

/// Brings the tables of a role up to date.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate<M: MigratorTrait>(config: &ServiceConfig) -> Result<()> {
    let database = Database::open(&config.database).await?;
    let migrated = database.migrate::<M>().await;
    database.close().await;
    migrated
}

/// What a service is built on.
#[derive(Clone, Debug)]
pub struct Foundation {
    /// The role's name, for example `contact`.
    pub role: &'static str,
    /// The role's database.
    pub database: Database,
    /// The bus.
    pub bus: Bus,
    /// The role's metrics.
    pub metrics: Metrics,
    /// Makes the role's spans.
    pub tracer: Tracer,
    /// The time.
    pub clock: Clock,
    /// How the role shows itself to others.
    pub credentials: Credentials,
    auth: Auth,
    reconcile_interval: Duration,
    handlers: Handlers,
}

impl Foundation {
    /// Opens the database, which must be up to date, and connects to the bus.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` when the tables are not up to date, `UNAVAILABLE` when the database cannot be reached.
    pub async fn lay<M: MigratorTrait>(role: &'static str, config: &ServiceConfig, clock: Clock) -> Result<Self> {
        let database = Database::open(&config.database).await?;
        if !database.is_migrated::<M>().await? {
            return Err(Error::precondition(
                "NOT_MIGRATED",
                format!("the tables of {role} are not up to date: run `leadflow migrate {role}`"),
            ));
        }
        let (metrics, tracer) = (Metrics::new(role)?, Tracer::new(role, &config.traces)?);
        let bus = Bus::connect(&config.nats, &format!("leadflow-{role}")).await?;
        Ok(Self {
            role,
            bus: bus.observed(&metrics, tracer.clone()),
            metrics,
            tracer,
            clock,
            credentials: config.credentials.clone(),
            auth: config.auth.clone(),
            reconcile_interval: config.reconcile_interval,
            handlers: Handlers::default(),
            database,
        })
    }

    /// Creates the streams that the service owns. While the bus is down they are created at the first publish.
    pub async fn own(&self, stream: Stream) {
        if let Err(error) = self.bus.own(stream).await {
            tracing::warn!(role = self.role, %error, "the stream is created later");
        }
    }

    /// Starts what every role runs: the gRPC server with `routes` and what was set aside, the operator's port, the outbox
    /// relay.
    pub fn start(&self, tasks: &mut Tasks, listeners: Listeners, routes: Routes, refresh: Refresh) {
        let (health, health_routes) = rpc::health();
        let (database, bus, clock) = (self.database.clone(), self.bus.clone(), self.clock.clone());
        let admin = Admin::new(database, bus, clock, self.metrics.clone(), refresh);
        let Listeners { rpc, admin: admin_listener } = listeners;
        let (auth, metrics, tracer) = (self.auth.clone(), self.metrics.clone(), self.tracer.clone());
        let set_aside = quarantine::server(self.database.clone(), self.clock.clone(), self.handlers.clone());
        let routes = routes.add_service(set_aside);
        let (for_rpc, for_admin) = (health_routes.clone(), health_routes);
        let drained = CancellationToken::new();
        let draining = drained.clone().drop_guard();
        tasks.spawn("rpc", |stop| async move {
            rpc::serve(rpc, routes, for_rpc, auth, metrics, tracer, stop).await;
            drop(draining);
        });
        tasks.spawn("admin", |stop| admin.serve(admin_listener, health, for_admin, stop, drained));
        let (database, bus, role) = (self.database.clone(), self.bus.clone(), self.role);
        tasks.spawn("outbox", |stop| outbox::relay(database, bus, role, stop));
        tracing::info!(role = self.role, "started");
    }

    /// Starts to consume: `handle` is called with `app` for what comes, and for what was set aside and is redriven.
    pub fn consume<A, Fut>(
        &self,
        tasks: &mut Tasks,
        consumer: Consumer,
        app: A,
        handle: impl Fn(A, Vec<Delivery>) -> Fut + Send + Sync + 'static,
    ) where
        A: Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let handle: Handler = Arc::new(move |deliveries| Box::pin(handle(app.clone(), deliveries)));
        self.redrive(consumer, handle.clone());
        let (bus, database, clock) = (self.bus.clone(), self.database.clone(), self.clock.clone());
        tasks.spawn(consumer.durable, move |stop| {
            consume(bus, database, clock, consumer, stop, move |deliveries| handle(deliveries))
        });
    }

    /// Lets what this consumer has set aside be redriven: `handle` is called with it. [`Foundation::consume`] does it for
    /// those that it starts.
    pub fn redrive(&self, consumer: Consumer, handle: Handler) {
        self.handlers.add(consumer.durable, handle);
    }

    /// The gRPC service by which consumers find out what they have missed of what this role announces.
    pub fn digests(&self, producers: Vec<Arc<dyn Producer>>) -> digest::Server {
        digest::server(self.database.clone(), self.clock.clone(), producers)
    }

    /// Starts to compare what this role has taken in with what others have announced, and to ask again for the rest.
    pub fn compare(&self, tasks: &mut Tasks, comparisons: Vec<Comparison>) {
        let (database, bus, metrics) = (self.database.clone(), self.bus.clone(), self.metrics.clone());
        let interval = self.reconcile_interval;
        tasks.spawn("digest", |stop| digest::follow(comparisons, interval, database, bus, metrics, stop));
    }

    /// Closes the connections, after all tasks have ended, and sends the last spans.
    pub async fn close(self) {
        self.bus.close().await;
        self.database.close().await;
        self.tracer.close().await;
        tracing::info!(role = self.role, "stopped");
    }
}
