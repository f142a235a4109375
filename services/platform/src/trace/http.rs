//! Spans of an HTTP edge.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use opentelemetry::KeyValue;

use super::{Origin, SpanKind, Tracer};

/// Asked every few seconds, and no work.
const HEALTH: &str = "/healthz";

/// A layer for [`axum::middleware::from_fn_with_state`]: each request that finds its route runs in a span.
pub async fn edge(State(tracer): State<Tracer>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let Some(route) = route.filter(|route| route.as_str() != HEALTH) else {
        return next.run(request).await;
    };
    let (method, route) = (request.method().clone(), route.as_str());
    let span = tracer.start(SpanKind::Server, format!("{method} {route}"), Origin::of_headers(request.headers()));
    // Neither the path nor the address of the caller: both may name a person.
    span.describe(|| {
        [
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("url.scheme", "http"),
        ]
    });
    let response = span.run(next.run(request)).await;
    let status = response.status();
    span.describe(|| [KeyValue::new("http.response.status_code", i64::from(status.as_u16()))]);
    if status.is_server_error() {
        span.fail(status.as_str());
    }
    response
}
