//! The operator's port of a role, plain and without login: `/healthz`, `/readyz`, `/metrics`, and the gRPC health check.

use std::{future::IntoFuture as _, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use futures::future::BoxFuture;
use opentelemetry::{KeyValue, metrics::Gauge};
use sea_orm::ConnectionTrait as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use crate::{
    bus::Bus,
    clock::Clock,
    db::Database,
    error::{Error, Result},
    metrics::Metrics,
    outbox, quarantine,
};

/// How long answers may take to go out at the end.
const LINGER: Duration = Duration::from_secs(2);

/// Refreshes the gauges that are read from the database, before each answer of `/metrics`.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// What the port shows.
#[derive(Clone)]
pub struct Admin {
    database: Database,
    bus: Bus,
    clock: Clock,
    metrics: Metrics,
    refresh: Refresh,
    shutdown: CancellationToken,
    bus_connected: Gauge<u64>,
    consumer_pending: Gauge<u64>,
    consumer_age: Gauge<f64>,
    outbox_depth: Gauge<u64>,
    oldest_outbox_age: Gauge<f64>,
    quarantine_depth: Gauge<u64>,
}

impl Admin {
    /// The port of the role that has this database, this bus and these metrics.
    pub fn new(database: Database, bus: Bus, clock: Clock, metrics: Metrics, refresh: Refresh) -> Self {
        let meter = metrics.meter();
        Self {
            bus_connected: meter
                .u64_gauge("leadflow.bus.connected")
                .with_description("Whether NATS is connected: 1 or 0")
                .build(),
            consumer_pending: meter
                .u64_gauge("leadflow.consumer.pending")
                .with_description("Events that a consumer has not done with, by consumer")
                .build(),
            consumer_age: meter
                .f64_gauge("leadflow.consumer.oldest_pending_age")
                .with_unit("s")
                .with_description("How long the oldest of them has been on the bus, by consumer")
                .build(),
            outbox_depth: meter
                .u64_gauge("leadflow.outbox.depth")
                .with_description("Events that are committed and not yet published")
                .build(),
            oldest_outbox_age: meter
                .f64_gauge("leadflow.outbox.oldest_age")
                .with_unit("s")
                .with_description("How long the oldest of them has waited")
                .build(),
            quarantine_depth: meter
                .u64_gauge("leadflow.quarantine.depth")
                .with_description("Events that were set aside because they can never be handled")
                .build(),
            database,
            bus,
            clock,
            metrics,
            refresh,
            shutdown: CancellationToken::new(),
        }
    }

    /// Serves the port. From `shutdown` on it says that the role is not ready; it ends when the role's calls have
    /// ended, which is when `drained` is cancelled.
    pub async fn serve(
        mut self,
        listener: TcpListener,
        health: tonic_health::server::HealthReporter,
        health_routes: tonic::service::Routes,
        shutdown: CancellationToken,
        drained: CancellationToken,
    ) {
        self.shutdown = shutdown.clone();
        let router = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
            .merge(health_routes.into_axum_router().reset_fallback());
        let stop = drained.clone();
        let served =
            axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).into_future();
        let end = async {
            shutdown.cancelled().await;
            health.set_service_status("", ServingStatus::NotServing).await;
            drained.cancelled().await;
            // An open connection must not hold the shutdown up.
            tokio::time::sleep(LINGER).await;
        };
        tokio::select! {
            result = served => if let Err(error) = result {
                tracing::error!(%error, "the operator's port failed");
            },
            () = end => {}
        }
    }

    async fn refresh(&self) -> Result<()> {
        self.outbox_depth.record(outbox::depth(&self.database).await?, &[]);
        let oldest = outbox::oldest(&self.database).await?;
        let age = oldest.map_or(0.0, |oldest| self.clock.now().duration_since(oldest).as_secs_f64().max(0.0));
        self.oldest_outbox_age.record(age, &[]);
        self.quarantine_depth.record(quarantine::depth(&self.database).await?, &[]);
        self.refresh_bus().await;
        (self.refresh)().await
    }

    /// All replicas of a role share its consumers, and show the same.
    async fn refresh_bus(&self) {
        self.bus_connected.record(self.bus.is_connected().into(), &[]);
        for (consumer, backlog) in self.bus.backlogs().await {
            let age = backlog.oldest.map_or(0.0, |oldest| self.clock.now().duration_since(oldest).as_secs_f64());
            let labels = [KeyValue::new("consumer", consumer.durable)];
            self.consumer_pending.record(backlog.events, &labels);
            self.consumer_age.record(age.max(0.0), &labels);
        }
    }
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    if admin.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    if let Err(error) = admin.database.reader().execute_unprepared("SELECT 1").await {
        tracing::warn!(%error, "not ready: the database does not answer");
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    if admin.bus.is_connected() {
        (StatusCode::OK, "ok\n")
    } else {
        // Intake goes on without the bus; what waits is in the outbox.
        (StatusCode::OK, "ok, without the bus\n")
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    if let Err(error) = admin.refresh().await {
        tracing::warn!(%error, "the gauges are not fresh");
    }
    match admin.metrics.render() {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => {
            Error::log(&error);
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    }
}
