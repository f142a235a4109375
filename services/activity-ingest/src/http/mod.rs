//! The HTTP edge: web forms, from anywhere, without login; webhooks, which their providers sign; and links in messages,
//! which we have signed.

use std::{future::IntoFuture as _, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{get, post},
    serve::ListenerExt as _,
};
use leadflow_platform::trace::{self, Tracer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;

mod answer;
mod body;
mod form;
mod link;
mod webhook;

/// How long a form may take to come in and be answered.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long forms that are under way are waited for at the end: less than the tasks are given.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves the edge until shutdown, then lets forms that are under way end.
pub(crate) async fn serve(listener: TcpListener, app: App, tracer: Tracer, shutdown: CancellationToken) {
    let stop = shutdown.clone();
    let served = axum::serve(listener.tap_io(answer_at_once), router(app, tracer))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .into_future();
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::error!(%error, "the HTTP edge failed");
        },
        () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("forms that were under way are given up");
        }
    }
}

/// The last small piece of an answer does not wait until the first ones are acknowledged, which takes 40 ms.
fn answer_at_once(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection answers slowly");
    }
}

fn router(app: App, tracer: Tracer) -> Router {
    Router::new()
        .route("/v1/forms/{source}", post(form::submit))
        .route(
            "/v1/webhooks/{provider}/{source}",
            post(webhook::submit).layer(DefaultBodyLimit::max(webhook::MAX_BODY)),
        )
        .route("/v1/unsubscribe/{token}", get(link::ask_unsubscribe).post(link::unsubscribe))
        .route("/v1/confirm/{token}", get(link::ask_confirm).post(link::confirm))
        .route("/healthz", get(async || "ok\n"))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(DefaultBodyLimit::max(body::MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, DEADLINE))
        .layer(from_fn_with_state(tracer, trace::edge))
        .with_state(app)
}
