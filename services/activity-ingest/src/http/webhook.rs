//! Webhooks of providers.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{
    answer::{Format, Refusal, with_headers},
    body,
};
use crate::{
    app::{
        App,
        webhook::{Counts, Posted},
    },
    error,
};

/// Bytes of a post: the largest that a provider sends is 768 KiB, and a quarter more for what it adds.
pub(super) const MAX_BODY: usize = 1 << 20;

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// `POST /v1/webhooks/{provider}/{source}`: events of one source, signed by its provider.
pub(super) async fn submit(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    // A path that is no text names no source.
    let (provider, source) = path.map(|Path(names)| names).unwrap_or_default();
    match record(&app, &provider, &source, request).await {
        Ok(counts) => answer(counts),
        Err(refusal) => refusal.into_response(Format::Json),
    }
}

async fn record(app: &App, provider: &str, source: &str, request: Request) -> Result<Counts, Refusal> {
    let headers = request.headers().clone();
    let body = read(&headers, request).await.inspect_err(|refusal| app.refused_webhook(&refusal.error))?;
    let (Some(signature), Some(timestamp)) = (text(&headers, SIGNATURE), text(&headers, TIMESTAMP)) else {
        let error = error::signature_required();
        app.refused_webhook(&error);
        return Err(error.into());
    };
    Ok(app.record_webhook(Posted { provider, source, timestamp, signature, body: &body }).await?)
}

/// The raw body. Who does not say what it is means JSON; the signature tells.
async fn read(headers: &HeaderMap, request: Request) -> Result<Bytes, Refusal> {
    let media_type = text(headers, CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
    if media_type.is_some_and(|media_type| !media_type.trim().eq_ignore_ascii_case("application/json")) {
        return Err(body::unsupported("send the events as application/json"));
    }
    Bytes::from_request(request, &()).await.map_err(|cause| body::unread(cause, MAX_BODY))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn answer(counts: Counts) -> Response {
    let Counts { accepted, duplicate, quarantined, ignored } = counts;
    let body = json!({ "accepted": accepted, "duplicate": duplicate, "quarantined": quarantined, "ignored": ignored });
    with_headers(StatusCode::OK, Json(body).into_response())
}
