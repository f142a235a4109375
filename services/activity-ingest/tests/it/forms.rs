//! The form door.

use leadflow_harness::on_each_database;
use leadflow_proto::activity::v1::{Activity, ApplyConfigurationRequest, ListActivitiesRequest, Source};
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
    multipart,
};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{World, flag, get, number, text, values, website_form};

fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Sends a body as it is to a source, and asks for JSON.
async fn send(world: &World, source: &str, content_type: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Json) {
    let url = format!("{}/v1/forms/{source}", world.service.web);
    let request = browser().post(url).header(CONTENT_TYPE, content_type).header(ACCEPT, "application/json");
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    (response.status(), response.json().await.unwrap())
}

/// Sends a plain form.
async fn send_form(world: &World, body: &str) -> (StatusCode, Json) {
    send(world, "website-form", "application/x-www-form-urlencoded", body.to_owned()).await
}

/// Sends so many KiB, without saying before how many, and reads the head of the answer.
async fn send_in_chunks(world: &World, count: usize) -> String {
    let address = world.service.web.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/forms/website-form HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n"
    );
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    connection.write_all(format!("{head}{}0\r\n\r\n", chunk.repeat(count)).as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    connection.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a form as a browser does.
async fn submit(world: &World, form: &[(&str, &str)]) -> Response {
    let url = format!("{}/v1/forms/website-form", world.service.web);
    browser().post(url).header(ACCEPT, "text/html,*/*;q=0.8").form(form).send().await.unwrap()
}

async fn stored(world: &World, answer: &Json) -> Activity {
    get(&world.client(), answer["activity_id"].as_str().unwrap()).await
}

fn reason(answer: &Json) -> (&str, &str) {
    (answer["error"]["reason"].as_str().unwrap(), answer["error"]["fields"][0]["field"].as_str().unwrap_or_default())
}

async fn count(world: &World) -> usize {
    let all = world.client().list_activities(ListActivitiesRequest::default()).await.unwrap();
    all.into_inner().activities.len()
}

async fn redirect_to(world: &World, redirect_url: &str) {
    let source = Source { redirect_url: redirect_url.into(), ..website_form() };
    let request = ApplyConfigurationRequest { sources: vec![source], ..ApplyConfigurationRequest::default() };
    world.client().apply_configuration(request).await.unwrap();
}

on_each_database! {
    async fn a_form_becomes_an_activity_with_typed_values(database) {
        let world = World::start(database).await;
        let body = "email=anna%40example.com&given_name=Anna&country=de&message=Hello%0Aworld&event_id=f-1\
            &product_category=chromatography&activity_type=demo_requested&object_id=brochure-7\
            &occur_time=2026-11-24T10%3A00%3A00%2B01%3A00&pages=3&wants_call=yes&budget=12.5&utm_source=news&agree=on";
        let (status, answer) = send_form(&world, body).await;
        assert_eq!(status, 200);
        let expected = json!({"activity_id": answer["activity_id"], "outcome": "accepted", "derived": false});
        assert_eq!(answer, expected);

        let activity = stored(&world, &answer).await;
        let identity = activity.identity.unwrap();
        assert_eq!((identity.email.as_str(), identity.given_name.as_str()), ("anna@example.com", "Anna"));
        assert_eq!((identity.country.as_str(), activity.notes.as_str()), ("DE", "Hello\nworld"));
        assert_eq!((activity.source_event_id.as_str(), activity.object_id.as_str()), ("f-1", "brochure-7"));
        assert_eq!(activity.activity_type, "demo_requested");
        assert_eq!(activity.product_category, "chromatography");
        assert_eq!(activity.occur_time.unwrap().seconds, 1_795_510_800);
        let attributes = [("pages", number(3.0)), ("wants_call", flag(true)), ("utm_source", text("news")), ("agree", text("on"))];
        assert_eq!(activity.attributes, values(attributes));
        assert_eq!(activity.answers, values([("budget", number(12.5))]));
        assert_eq!(activity.principal, "form:website-form");
    }

    async fn multipart_is_read_like_a_plain_form(database) {
        let world = World::start(database).await;
        let form = multipart::Form::new().text("email", "anna@example.com").text("budget", "7").text("message", "Grüße");
        let url = format!("{}/v1/forms/website-form?format=json", world.service.web);
        let answer: Json = browser().post(url).multipart(form).send().await.unwrap().json().await.unwrap();
        let activity = stored(&world, &answer).await;
        assert_eq!(activity.notes, "Grüße");
        assert_eq!(activity.answers, values([("budget", number(7.0))]));
    }

    async fn a_form_with_a_file_is_refused(database) {
        let world = World::start(database).await;
        let url = format!("{}/v1/forms/website-form?format=json", world.service.web);
        let file = multipart::Part::text("content").file_name("cv.pdf");
        let form = multipart::Form::new().text("email", "anna@example.com").part("attachment", file);
        let response = browser().post(&url).multipart(form).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(reason(&response.json().await.unwrap()), ("FILES_NOT_ACCEPTED", "attachment"));
        // What a browser sends for a file field that was left empty is no file.
        let nothing = multipart::Part::text("").file_name("");
        let form = multipart::Form::new().text("email", "anna@example.com").part("attachment", nothing);
        assert_eq!(browser().post(&url).multipart(form).send().await.unwrap().status(), 200);
    }

    async fn a_sender_is_redirected_where_the_source_says_and_nowhere_else(database) {
        let world = World::start(database).await;
        redirect_to(&world, "https://example.com/thanks?x=1").await;
        for _ in ["first", "double click"] {
            let response = submit(&world, &[("email", "anna@example.com"), ("redirect", "https://evil.example")]).await;
            assert_eq!(response.status(), 303);
            assert_eq!(response.headers()["location"], "https://example.com/thanks?x=1");
        }
        assert_eq!(count(&world).await, 1);
    }

    async fn without_a_redirect_a_page_says_thanks(database) {
        let world = World::start(database).await;
        let response = submit(&world, &[("email", "anna@example.com")]).await;
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(response.text().await.unwrap().contains("Thank you"));
    }

    async fn mistakes_are_shown_to_a_person_on_a_page_in_the_words_of_the_form(database) {
        let world = World::start(database).await;
        redirect_to(&world, "https://example.com/thanks").await;
        let response = submit(&world, &[("email", "<b>anna"), ("budget", "a lot")]).await;
        assert_eq!(response.status(), 400);
        let page = response.text().await.unwrap();
        assert!(page.contains("<b>email</b>") && page.contains("<b>budget</b>"), "{page}");
        assert!(!page.contains("<b>anna"), "{page}");
    }

    async fn mistakes_are_told_to_a_program_in_json(database) {
        let world = World::start(database).await;
        let cases = [
            ("pages=3", "MISSING_IDENTITY", "identity"),
            ("email=anna", "INVALID_EMAIL", "email"),
            ("phone=call+me", "INVALID_PHONE", "phone"),
            ("email=a@example.com&country=Germany", "INVALID_COUNTRY", "country"),
            ("email=a@example.com&occur_time=2999-01-01T00:00:00Z", "OCCUR_TIME_IN_FUTURE", "occur_time"),
            ("email=a@example.com&occur_time=1999-01-01T00:00:00Z", "OCCUR_TIME_TOO_OLD", "occur_time"),
            ("email=a@example.com&occur_time=yesterday", "INVALID_FIELD", "occur_time"),
            ("email=a@example.com&product_category=lasers", "UNKNOWN_PRODUCT_CATEGORY", "product_category"),
            ("email=a@example.com&activity_type=X", "INVALID_ACTIVITY_TYPE", "activity_type"),
            ("email=a@example.com&event_id=%07", "INVALID_SOURCE_EVENT_ID", "event_id"),
            ("email=a@example.com&budget=lots", "WRONG_TYPE", "budget"),
            ("email=a@example.com&wants_call=maybe", "WRONG_TYPE", "wants_call"),
            ("email=a@example.com&message=%00", "INVALID_TEXT", "message"),
            ("email=%FF", "MALFORMED_BODY", "body"),
            ("email=%4", "MALFORMED_BODY", "body"),
            ("%C3%28=1", "MALFORMED_BODY", "body"),
            ("", "MISSING_IDENTITY", "identity"),
        ];
        for (body, expected, field) in cases {
            let (status, answer) = send_form(&world, body).await;
            assert_eq!((status.as_u16(), reason(&answer)), (400, (expected, field)), "{body}");
            assert_eq!(answer["error"]["code"], "INVALID_ARGUMENT");
            assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
        }
        let long = format!("email=a@example.com&message={}", "x".repeat(10_001));
        assert_eq!(reason(&send_form(&world, &long).await.1), ("FIELD_TOO_LONG", "message"));
        let many: String = (0..101).map(|n| format!("&k{n}=1")).collect();
        let (_, answer) = send_form(&world, &format!("email=a@example.com{many}")).await;
        assert_eq!(reason(&answer), ("TOO_MANY_FIELDS", "attributes"));
        assert_eq!(count(&world).await, 0);
        let rejected = world.service.metric("leadflow_activities_rejected", &["door=\"form\""]).await;
        assert_eq!(rejected, 19.0);
    }

    async fn bytes_that_are_no_form_are_refused(database) {
        let world = World::start(database).await;
        let multipart = "multipart/form-data; boundary=X";
        let part = |content: &[u8]| {
            [b"--X\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n", content, b"\r\n--X--\r\n"].concat()
        };
        let cases: [(&str, Vec<u8>, u16, &str); 8] = [
            (multipart, b"garbage".to_vec(), 400, "MALFORMED_BODY"),
            (multipart, part(b"\xFF\xFE"), 400, "MALFORMED_BODY"),
            (multipart, part(b"a")[..40].to_vec(), 400, "MALFORMED_BODY"),
            ("multipart/form-data", part(b"a"), 400, "MALFORMED_BODY"),
            ("application/x-www-form-urlencoded", b"\xFF\xFE=\x80".to_vec(), 400, "MALFORMED_BODY"),
            ("application/json", b"{}".to_vec(), 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("application/x-www-form-urlencoded", vec![b'x'; (64 << 10) + 1], 413, "BODY_TOO_LARGE"),
            (multipart, part(&vec![b'x'; 64 << 10]), 413, "BODY_TOO_LARGE"),
        ];
        for (content_type, body, status, expected) in cases {
            let (got, answer) = send(&world, "website-form", content_type, body).await;
            assert_eq!((got.as_u16(), reason(&answer).0), (status, expected), "{content_type}");
        }
        // Also when the size is not said before.
        assert!(send_in_chunks(&world, 80).await.starts_with("HTTP/1.1 413 "));
        assert_eq!(count(&world).await, 0);
    }

    async fn a_source_that_nobody_registered_takes_no_forms(database) {
        let world = World::start(database).await;
        for source in ["nowhere", "%FF", "a%2Fb", "%3Cscript%3E"] {
            let (status, answer) = send(&world, source, "application/x-www-form-urlencoded", "email=a@b.de").await;
            assert_eq!((status.as_u16(), reason(&answer)), (400, ("UNKNOWN_SOURCE", "source")));
        }
        let page = browser().post(format!("{}/v1/forms/%3Cscript%3E", world.service.web)).form(&[("email", "a@b.de")]);
        assert!(!page.send().await.unwrap().text().await.unwrap().contains("<script>"));
    }

    async fn other_methods_and_paths_are_refused(database) {
        let world = World::start(database).await;
        let form = browser().get(format!("{}/v1/forms/website-form?format=json", world.service.web)).send().await.unwrap();
        assert_eq!((form.status().as_u16(), form.headers()["allow"].to_str().unwrap()), (405, "POST"));
        assert_eq!(reason(&form.json().await.unwrap()).0, "METHOD_NOT_ALLOWED");
        let nothing = browser().get(format!("{}/wp-login.php", world.service.web)).send().await.unwrap();
        assert_eq!(nothing.status(), 404);
        let health = browser().get(format!("{}/healthz", world.service.web)).send().await.unwrap();
        assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "ok\n"));
    }

    async fn a_form_without_an_id_that_is_sent_twice_is_one(database) {
        let world = World::start(database).await;
        let body = "email=anna%40example.com&message=Hello";
        let (first, second) = tokio::join!(send_form(&world, body), send_form(&world, body));
        assert_eq!(first.1["activity_id"], second.1["activity_id"]);
        let mut outcomes = [first.1["outcome"].as_str().unwrap(), second.1["outcome"].as_str().unwrap()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["accepted", "duplicate"]);
        assert_eq!((&first.1["derived"], &second.1["derived"]), (&json!(true), &json!(true)));
        assert_eq!(world.service.metric("leadflow_activities_duplicate", &["door=\"form\""]).await, 1.0);
        assert_eq!(world.service.metric("leadflow_activities_accepted", &["door=\"form\""]).await, 1.0);
    }

    async fn whether_the_box_was_ticked_is_on_record(database) {
        let world = World::start(database).await;
        send_form(&world, "email=a@example.com&event_id=1&agree=on").await;
        send_form(&world, "email=a@example.com&event_id=2").await;
        let rows = world.database().await;
        let sql = "SELECT payload FROM activities ORDER BY source_event_id";
        let rows = rows.query_all_raw(Statement::from_string(rows.get_database_backend(), sql)).await.unwrap();
        let consent: Vec<_> =
            rows.iter().map(|row| row.try_get::<Json>("", "payload").unwrap()["consent"].clone()).collect();
        let expected = |given: bool| json!({"basis": "consent", "purpose": "sales", "given": given});
        assert_eq!(consent, [expected(true), expected(false)]);
    }
}
