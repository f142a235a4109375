//! Traces over gRPC: a server runs a call in the trace that the caller names, a client names the one it runs in.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use opentelemetry::KeyValue;
use tower::{Layer, Service};

use super::status_name;
use crate::{
    auth::Methods,
    trace::{self, HEADER, Origin, Span, SpanKind, Tracer},
};

/// What of a server's answers is its own fault: <https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>.
const FAULTS: [&str; 6] = ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

/// The layer of a server. Health checks and reflection, which are no methods of the contract, have no spans.
#[derive(Clone, Debug)]
pub(super) struct TraceLayer {
    pub(super) tracer: Tracer,
    pub(super) methods: Methods,
}

impl<S> Layer<S> for TraceLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { layer: self.clone(), inner }
    }
}

/// A service behind the layer.
#[derive(Clone, Debug)]
pub(super) struct Traced<S> {
    layer: TraceLayer,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for Traced<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        // The clone is not ready; the original, which is, serves this call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let path = request.uri().path();
        if self.layer.methods.get(path).is_none() {
            return Box::pin(inner.call(request));
        }
        let span = begin(path, |method| {
            self.layer.tracer.start(SpanKind::Server, method, Origin::of_headers(request.headers()))
        });
        Box::pin(async move {
            let response = span.run(async move { inner.call(request).await }).await?;
            let status = status_name(response.headers());
            span.describe(|| [KeyValue::new("rpc.response.status_code", status)]);
            if FAULTS.contains(&status) {
                span.fail(status);
            }
            Ok(response)
        })
    }
}

/// A client that names the trace it runs in.
#[derive(Clone, Debug)]
pub struct Tracing<S> {
    inner: S,
    server: Uri,
}

impl<S> Tracing<S> {
    /// The client `inner` of the server at this address.
    pub(super) fn new(inner: S, server: Uri) -> Self {
        Self { inner, server }
    }
}

impl<S, B, R> Service<http::Request<B>> for Tracing<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let span = begin(request.uri().path(), |method| trace::child(SpanKind::Client, method));
        span.describe(|| {
            let address = self.server.host().unwrap_or_default().to_owned();
            let port = self.server.port_u16().unwrap_or(80);
            [KeyValue::new("server.address", address), KeyValue::new("server.port", i64::from(port))]
        });
        if let Some(parent) = span.origin().traceparent().and_then(|text| HeaderValue::try_from(text).ok()) {
            request.headers_mut().insert(HEADER, parent);
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await.inspect_err(|_| span.fail("UNAVAILABLE"))?;
            let status = status_name(answer.headers());
            span.describe(|| [KeyValue::new("rpc.response.status_code", status)]);
            if status != "OK" {
                span.fail(status);
            }
            Ok(answer)
        })
    }
}

fn begin(path: &str, start: impl FnOnce(String) -> Span) -> Span {
    let method = path.trim_start_matches('/');
    let span = start(method.to_owned());
    span.describe(|| [KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", method.to_owned())]);
    span
}
