//! Answers to a form: for a program JSON, for a person a page.

use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, VARY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{Html, IntoResponse as _, Response},
};
use leadflow_platform::{Error, error::Code};
use serde_json::json;

use crate::{app::Recorded, wire::error_json};

/// What the caller wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Page,
}

impl Format {
    /// JSON for who accepts it by name, or says `?format=json`; a page for everybody else.
    pub(super) fn wanted(uri: &Uri, headers: &HeaderMap) -> Self {
        let asked = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "format=json"));
        let accepts = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json"));
        if asked || accepts { Self::Json } else { Self::Page }
    }
}

/// A form that is not accepted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: error.http_status(), error }
    }
}

impl Refusal {
    /// The answer.
    pub(super) fn into_response(self, format: Format) -> Response {
        self.error.log();
        let Self { status, error } = self;
        let answer = match format {
            Format::Json => Json(json!({ "error": error_json(&error) })).into_response(),
            Format::Page => Html(error_page(&error)).into_response(),
        };
        with_headers(status, answer)
    }
}

/// The answer to an accepted form: JSON, or on to where the source sends people, or a word of thanks.
pub(super) fn accepted(format: Format, recorded: &Recorded, redirect_url: &str) -> Response {
    if format == Format::Json {
        let body = json!({
            "activity_id": recorded.activity_id,
            "outcome": if recorded.duplicate { "duplicate" } else { "accepted" },
            "derived": recorded.derived,
        });
        return with_headers(StatusCode::OK, Json(body).into_response());
    }
    match HeaderValue::from_str(redirect_url) {
        Ok(location) if !redirect_url.is_empty() => {
            let mut response = with_headers(StatusCode::SEE_OTHER, Response::default());
            response.headers_mut().insert(LOCATION, location);
            response
        }
        _ => with_headers(
            StatusCode::OK,
            Html(page("Thank you", "<p>We have received your message.</p>")).into_response(),
        ),
    }
}

/// The answer where nothing is.
pub(super) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    let error = Error::new(
        Code::NotFound,
        "NOT_FOUND",
        "there is nothing here: forms go to /v1/forms/SOURCE, webhooks to /v1/webhooks/PROVIDER/SOURCE",
    );
    Refusal::from(error).into_response(Format::wanted(&uri, &headers))
}

/// The answer to a method that is none of the path's.
pub(super) async fn method_not_allowed(uri: Uri, headers: HeaderMap) -> Response {
    let error = Error::new(Code::InvalidArgument, "METHOD_NOT_ALLOWED", "forms and webhooks are sent by POST");
    let refusal = Refusal { status: StatusCode::METHOD_NOT_ALLOWED, error };
    refusal.into_response(Format::wanted(&uri, &headers))
}

/// A form is posted from the company's own site, so any origin may read the answer; no page may do more than be read.
pub(super) fn with_headers(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (VARY, "accept"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn error_page(error: &Error) -> String {
    let items: String = error
        .violations()
        .iter()
        .map(|(field, description)| format!("<li><b>{}</b> {}</li>", escape(field), escape(description)))
        .collect();
    let details = if items.is_empty() {
        format!("<p>{}</p>", escape(error.public_message()))
    } else {
        format!("<ul>{items}</ul>")
    };
    page("This could not be sent", &format!("{details}<p>Please go back and try again.</p>"))
}

/// A page of these words, which are markup already.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1>{body}</body></html>\n"
    )
}

/// The text with what HTML reads as markup made harmless.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_json_and_a_browser_a_page() {
        let wanted = |query: &str, accept: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            Format::wanted(&format!("/v1/forms/x{query}").parse().unwrap(), &headers)
        };
        assert_eq!(wanted("", "application/json, text/plain, */*"), Format::Json);
        assert_eq!(wanted("?a=b&format=json", "*/*"), Format::Json);
        assert_eq!(wanted("", "text/html,application/xhtml+xml,*/*;q=0.8"), Format::Page);
        assert_eq!(wanted("?format=xml", "*/*"), Format::Page);
    }

    #[test]
    fn what_a_stranger_wrote_is_no_markup() {
        let page = error_page(&Error::field("X", "<script>", "is \"bad\" & 'worse'"));
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("&lt;script&gt;</b> is &quot;bad&quot; &amp; &#39;worse&#39;"), "{page}");
    }
}
