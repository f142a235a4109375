//! The body of a form, read with care: anybody may send one.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart, Request, multipart::MultipartError, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
};
use leadflow_platform::{Error, error::Code};

use super::answer::Refusal;
use crate::{domain::urlencoded, error};

const FORMS: &str = "send the form as application/x-www-form-urlencoded or multipart/form-data";
/// Bytes of a form.
pub(super) const MAX_BODY: usize = 64 << 10;

/// The names and values of a form, in their order.
pub(super) async fn read(request: Request) -> Result<Vec<(String, String)>, Refusal> {
    let content_type = request.headers().get(CONTENT_TYPE).cloned().ok_or_else(|| unsupported(FORMS))?;
    let text = content_type.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = Bytes::from_request(request, &()).await.map_err(|cause| unread(cause, MAX_BODY))?;
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => Ok(urlencoded::parse(&body)?),
        "multipart/form-data" => multipart(content_type, body).await,
        _ => Err(unsupported(FORMS)),
    }
}

/// A body that did not come whole, or is longer than `limit`.
pub(super) fn unread(cause: BytesRejection, limit: usize) -> Refusal {
    let status = cause.status();
    let error = if status == StatusCode::PAYLOAD_TOO_LARGE {
        Error::field("BODY_TOO_LARGE", "body", format!("must not be larger than {} KiB", limit >> 10))
    } else {
        error::malformed_body("ended before it was complete").because(cause)
    };
    Refusal { status, error }
}

/// A body of another kind than `message` asks for.
pub(super) fn unsupported(message: &str) -> Refusal {
    let error = Error::new(Code::InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message);
    Refusal { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, error }
}

async fn multipart(content_type: HeaderValue, body: Bytes) -> Result<Vec<(String, String)>, Refusal> {
    let mut request = Request::new(Body::from(body));
    request.headers_mut().insert(CONTENT_TYPE, content_type);
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|cause| error::malformed_body("is multipart without a boundary").because(cause))?;
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(broken)?;
        match file {
            None => fields.push((name, urlencoded::utf8(bytes.into())?)),
            // A browser sends an empty file for a field that was left empty.
            Some(file) if file.is_empty() && bytes.is_empty() => {}
            Some(_) => return Err(error::files_not_accepted(error::shown(&name)).into()),
        }
    }
    Ok(fields)
}

fn broken(cause: MultipartError) -> Refusal {
    error::malformed_body("is broken multipart").because(cause).into()
}
