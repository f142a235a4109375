//! The layer before every method: the scope, the principal, and the clock that measures the call.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use futures::future::BoxFuture;
use opentelemetry::{KeyValue, metrics::Histogram};
use tonic::transport::server::TcpConnectInfo;
use tower::{Layer, Service};

use super::{Auth, Methods, missing};
use crate::{
    error::{Code, Error, Result},
    metrics::Metrics,
    rpc::status_name,
};

/// What everybody may call: nothing of the company's stands behind it.
const OPEN: [&str; 3] =
    ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/"];

/// Checks each call before it reaches its service.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    auth: Auth,
    methods: Methods,
    duration: Histogram<f64>,
}

impl AuthLayer {
    /// The layer for the methods of the contract.
    pub fn new(auth: Auth, methods: Methods, metrics: &Metrics) -> Self {
        let duration = metrics
            .meter()
            .f64_histogram("rpc.server.call.duration")
            .with_unit("s")
            .with_description("How long calls take")
            .with_boundaries(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
            .build();
        Self { auth, methods, duration }
    }

    fn measure(&self, path: &str) -> Measured {
        let known = self.methods.get(path).is_some();
        Measured {
            begin: Instant::now(),
            method: known.then(|| path.trim_start_matches('/').to_owned()),
            status: "CANCELLED",
            duration: self.duration.clone(),
        }
    }

    fn admit<B>(&self, request: &mut http::Request<B>) -> Result<()> {
        let path = request.uri().path();
        if OPEN.iter().any(|open| path.starts_with(open)) {
            return Ok(());
        }
        let method = self
            .methods
            .get(path)
            .ok_or_else(|| Error::new(Code::PermissionDenied, "METHOD_DENIED", format!("nobody may call `{path}`")))?;
        let peer = request
            .extensions()
            .get::<TcpConnectInfo>()
            .and_then(TcpConnectInfo::remote_addr)
            .map(|address| address.ip());
        match self.auth.admit(request.headers(), peer, &method.scope)? {
            Some(principal) => drop(request.extensions_mut().insert(principal)),
            None if method.mutation => return Err(missing()),
            None => {}
        }
        Ok(())
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { layer: self.clone(), inner }
    }
}

/// A service behind the layer.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    layer: AuthLayer,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for Guarded<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default + Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // The clone is not ready; the original, which is, serves this call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let layer = self.layer.clone();
        Box::pin(async move {
            let mut measured = layer.measure(request.uri().path());
            let response = match layer.admit(&mut request) {
                Ok(()) => inner.call(request).await?,
                Err(error) => tonic::Status::from(error).into_http(),
            };
            measured.status = status_name(response.headers());
            Ok(response)
        })
    }
}

/// Records how long a call took when it is dropped, so that a call which was given up is counted too.
struct Measured {
    begin: Instant,
    /// None for what the contract does not know: labels come from closed sets.
    method: Option<String>,
    status: &'static str,
    duration: Histogram<f64>,
}

impl Drop for Measured {
    fn drop(&mut self) {
        if let Some(method) = self.method.take() {
            let labels = [
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.response.status_code", self.status),
            ];
            self.duration.record(self.begin.elapsed().as_secs_f64(), &labels);
        }
    }
}
