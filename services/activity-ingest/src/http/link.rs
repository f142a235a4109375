//! Links in messages to people. Looking at one says nothing, since those who look after mail follow all links: it shows a
//! page with a button. Pressing that says it, and so does the mail program that does it for the person (RFC 8058).

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{Html, IntoResponse as _, Response},
};
use leadflow_platform::Error;
use serde_json::json;

use super::{
    answer::{Format, Refusal, escape, page},
    body,
};
use crate::{
    app::{App, link::About},
    domain::consent::ConsentChannel,
    error,
    wire::error_json,
};

/// What RFC 8058 has the post say, and nobody by mistake.
const ONE_CLICK: (&str, &str) = ("List-Unsubscribe", "One-Click");

type Token = Result<Path<String>, PathRejection>;

/// `GET /v1/unsubscribe/{token}`: what one would unsubscribe from, and a button.
pub(super) async fn ask_unsubscribe(State(app): State<App>, token: Token) -> Response {
    let (name, value) = ONE_CLICK;
    let form = |about: About| {
        let hidden = format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        page("Unsubscribe", &button(&format!("Do you want no more {}?", words(&about)), &hidden, "Unsubscribe"))
    };
    answer(Format::Page, app.subscription(&text(token)).await.map(form).map_err(Refusal::from))
}

/// `POST /v1/unsubscribe/{token}`: unsubscribes.
pub(super) async fn unsubscribe(State(app): State<App>, token: Token, request: Request) -> Response {
    let format = Format::wanted(request.uri(), request.headers());
    let done = |about: About| {
        page("You have unsubscribed", &format!("<p>You will get no more {}.</p>", escape(&words(&about))))
    };
    answer(format, one_click(&app, &text(token), request).await.map(done))
}

/// `GET /v1/confirm/{token}`: what one would consent to, and a button.
pub(super) async fn ask_confirm(State(app): State<App>, token: Token) -> Response {
    let form = |about: About| {
        let question = format!("Do you want {}? You get none unless you confirm it.", words(&about));
        page("Please confirm", &button(&question, "", "Yes, I agree"))
    };
    answer(Format::Page, app.request(&text(token)).await.map(form).map_err(refusal))
}

/// `POST /v1/confirm/{token}`: consents.
pub(super) async fn confirm(State(app): State<App>, token: Token, request: Request) -> Response {
    let format = Format::wanted(request.uri(), request.headers());
    let done = |about: About| page("Thank you", &format!("<p>You have agreed to {}.</p>", escape(&words(&about))));
    answer(format, app.confirm(&text(token)).await.map(done).map_err(refusal))
}

async fn one_click(app: &App, token: &str, request: Request) -> Result<About, Refusal> {
    let fields = body::read(request).await.inspect_err(|refusal| app.refused_link(&refusal.error))?;
    if !fields.iter().any(|(name, value)| (name.as_str(), value.as_str()) == ONE_CLICK) {
        let error = error::not_one_click();
        app.refused_link(&error);
        return Err(error.into());
    }
    Ok(app.unsubscribe(token).await?)
}

/// A path that is no text is no token.
fn text(token: Token) -> String {
    token.map(|Path(token)| token).unwrap_or_default()
}

fn refusal(error: Error) -> Refusal {
    match error.reason() {
        "LINK_EXPIRED" => Refusal { status: StatusCode::GONE, error },
        _ => error.into(),
    }
}

/// What it is about, as it was written: `emails and calls about “sales” from Example Works`.
fn words(About { sender, channels, purpose }: &About) -> String {
    let word = |channel: &ConsentChannel| match channel {
        ConsentChannel::Email => "emails",
        ConsentChannel::Phone => "calls",
        ConsentChannel::TextMessage => "text messages",
        ConsentChannel::Mail => "letters",
        ConsentChannel::Chat => "chat messages",
    };
    let channels = channels.iter().map(word).collect::<Vec<_>>().join(" and ");
    let about = if purpose.is_empty() { String::new() } else { format!(" about “{purpose}”") };
    format!("{channels}{about} from {sender}")
}

fn button(question: &str, hidden: &str, label: &str) -> String {
    format!("<p>{}</p><form method=\"post\">{hidden}<button>{label}</button></form>", escape(question))
}

fn answer(format: Format, page: Result<String, Refusal>) -> Response {
    let (status, response) = match (page, format) {
        (Ok(page), Format::Page) => (StatusCode::OK, Html(page).into_response()),
        (Ok(_), Format::Json) => (StatusCode::OK, Json(json!({ "outcome": "accepted" })).into_response()),
        (Err(Refusal { status, error }), format) => {
            error.log();
            let response = match format {
                Format::Json => Json(json!({ "error": error_json(&error) })).into_response(),
                Format::Page => Html(refused(&error)).into_response(),
            };
            (status, response)
        }
    };
    with_headers(status, response)
}

fn refused(error: &Error) -> String {
    page("This did not work", &format!("<p>{}</p>", escape(error.public_message())))
}

/// The address is a secret of the person's: it goes into no cache, no index, no other site, and no frame in which somebody
/// could have the button pressed.
fn with_headers(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_is_about_is_said_in_words_that_are_no_markup() {
        let about = |purpose: &str, channels: &[ConsentChannel]| About {
            sender: "Tom & <b>Co</b>".into(),
            channels: channels.to_vec(),
            purpose: purpose.into(),
        };
        let all = about("", &[ConsentChannel::Email, ConsentChannel::Phone]);
        assert_eq!(words(&all), "emails and calls from Tom & <b>Co</b>");
        let html = button(&words(&about("\"><script>", &[ConsentChannel::Mail])), "", "Yes");
        assert!(
            html.starts_with("<p>letters about “&quot;&gt;&lt;script&gt;” from Tom &amp; &lt;b&gt;Co&lt;/b&gt;</p>"),
            "{html}"
        );
    }
}
