//! Serving and calling gRPC: health, reflection, deadlines, limits, and channels that notice a dead peer.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::{Routes, interceptor::InterceptedService},
    transport::{Channel, Endpoint, server::TcpIncoming},
};

use crate::{
    auth::{Auth, AuthLayer, Credentials, Methods},
    error::{Error, Result},
    metrics::Metrics,
    rpc::traced::{TraceLayer, Tracing},
    trace::Tracer,
};

mod traced;

/// The longest message that a service takes, in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;
/// The longest message that a service sends, in bytes.
pub const MAX_ANSWER: usize = 16 << 20;
/// The longest that a call may take; a caller's own deadline may be shorter.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long running calls may take to end after the shutdown began. Streams, which have no end, end here.
pub const DRAIN: Duration = Duration::from_secs(10);

/// A client's way to another service.
pub type Client = Tracing<InterceptedService<Channel, Credentials>>;

/// Serves the methods of one service until shutdown, then lets running calls end within [`DRAIN`].
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    health_routes: Routes,
    auth: Auth,
    metrics: Metrics,
    tracer: Tracer,
    shutdown: CancellationToken,
) {
    if let Err(error) = try_serve(listener, routes, health_routes, auth, metrics, tracer, shutdown).await {
        tracing::error!(%error, "the gRPC server failed");
    }
}

async fn try_serve(
    listener: TcpListener,
    routes: Routes,
    health_routes: Routes,
    auth: Auth,
    metrics: Metrics,
    tracer: Tracer,
    shutdown: CancellationToken,
) -> Result<()> {
    let methods = Methods::read(leadflow_proto::DESCRIPTORS)?;
    let no_reflection = |cause| Error::internal("the contract cannot be shown by reflection").because(cause);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(leadflow_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = merge(routes, health_routes)
        .add_service(reflection().build_v1().map_err(no_reflection)?)
        .add_service(reflection().build_v1alpha().map_err(no_reflection)?);
    let overdue = {
        let shutdown = shutdown.clone();
        async move {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        }
    };
    let served = tonic::transport::Server::builder()
        .layer(TraceLayer { tracer, methods: methods.clone() })
        .layer(AuthLayer::new(auth, methods, &metrics))
        .timeout(DEADLINE)
        .concurrency_limit_per_connection(256)
        .max_concurrent_streams(256)
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        // A client behind a load balancer finds new replicas when its connection ends.
        .max_connection_age(Duration::from_secs(600))
        .max_connection_age_grace(DEADLINE)
        .add_routes(routes)
        // The last small piece of an answer does not wait until the first ones are acknowledged, which takes 40 ms.
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), shutdown.cancelled_owned());
    tokio::select! {
        served = served => served.map_err(|cause| Error::internal("the gRPC server ended").because(cause)),
        () = overdue => {
            tracing::warn!("calls that did not end within {DRAIN:?} are cut off");
            Ok(())
        }
    }
}

fn merge(routes: Routes, more: Routes) -> Routes {
    Routes::from(routes.into_axum_router().merge(more.into_axum_router().reset_fallback()))
}

/// The health check of a service: what it reports, and the routes that serve it.
pub fn health() -> (tonic_health::server::HealthReporter, Routes) {
    let (reporter, service) = tonic_health::server::health_reporter();
    (reporter, Routes::new(service))
}

/// A channel to another service. It connects when it is used, and again when the peer is gone.
///
/// # Errors
/// `INVALID_ARGUMENT` when the address is none.
pub fn channel(url: &str, credentials: Credentials) -> Result<Client> {
    let endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|cause| {
            Error::invalid("url", format!("`{url}` is no address such as `http://127.0.0.1:7101`")).because(cause)
        })?
        .connect_timeout(Duration::from_secs(5))
        .timeout(DEADLINE)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    let server = endpoint.uri().clone();
    Ok(Tracing::new(InterceptedService::new(endpoint.connect_lazy(), credentials), server))
}

/// The name of the status in the headers of an answer. Without one the call has begun to succeed.
pub(crate) fn status_name(headers: &http::HeaderMap) -> &'static str {
    use tonic::Code;
    match headers.get("grpc-status").map_or(Code::Ok, |number| Code::from_bytes(number.as_bytes())) {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
