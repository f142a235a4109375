use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};

use super::{
    answer::{Format, Refusal, accepted},
    body,
};
use crate::app::{App, Recorded};

/// `POST /v1/forms/{source}`: one activity of the source.
pub(super) async fn submit(
    State(app): State<App>,
    source: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A path that is no text names no source.
    let source = source.map(|Path(source)| source).unwrap_or_default();
    let format = Format::wanted(request.uri(), request.headers());
    match record(&app, &source, request).await {
        Ok((recorded, redirect_url)) => accepted(format, &recorded, &redirect_url),
        Err(refusal) => refusal.into_response(format),
    }
}

async fn record(app: &App, source: &str, request: Request) -> Result<(Recorded, String), Refusal> {
    let fields = body::read(request).await.inspect_err(|refusal| app.refused_form(&refusal.error))?;
    Ok(app.record_form(source, fields).await?)
}
