//! The operator's port of a role, plain and without login: `/healthz`, `/readyz`, `/metrics`, and the gRPC health check.

use std::{future::IntoFuture as _, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use futures::future::BoxFuture;
use sea_orm::ConnectionTrait as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use crate::{
    bus::Bus,
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
    metrics: Metrics,
    refresh: Refresh,
    shutdown: CancellationToken,
    outbox_depth: opentelemetry::metrics::Gauge<u64>,
    quarantine_depth: opentelemetry::metrics::Gauge<u64>,
}

impl Admin {
    /// The port of the role that has this database, this bus and these metrics.
    pub fn new(database: Database, bus: Bus, metrics: Metrics, refresh: Refresh) -> Self {
        let meter = metrics.meter();
        Self {
            outbox_depth: meter
                .u64_gauge("leadflow.outbox.depth")
                .with_description("Events that are committed and not yet published")
                .build(),
            quarantine_depth: meter
                .u64_gauge("leadflow.quarantine.depth")
                .with_description("Events that were set aside because they can never be handled")
                .build(),
            database,
            bus,
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
        self.quarantine_depth.record(quarantine::depth(&self.database).await?, &[]);
        (self.refresh)().await
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
