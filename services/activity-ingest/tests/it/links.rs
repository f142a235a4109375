//! One-click unsubscription: a look at a link says nothing, pressing its button says it, and nothing else does.

use leadflow_harness::{TestDatabase, eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Channel, GetUnsubscribeLinkRequest, GetUnsubscribeLinkResponse, Source},
    contact::v1::{ConsentChannel, ConsentState, Identity},
};
use reqwest::multipart;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{EMAIL, World, look, press, told};

async fn start(database: TestDatabase) -> World {
    let world = World::start(database).await;
    let mailings = Source {
        name: "mailings".into(),
        display_name: "Tom & Co".into(),
        default_activity_type: "email_delivered".into(),
        default_channel: Channel::Email.into(),
        ..Source::default()
    };
    world.register(mailings).await;
    world
}

fn of(contact_id: &str) -> GetUnsubscribeLinkRequest {
    GetUnsubscribeLinkRequest {
        contact_id: contact_id.into(),
        channel: EMAIL,
        purpose: "newsletter".into(),
        source: "mailings".into(),
    }
}

async fn link(world: &World, request: GetUnsubscribeLinkRequest) -> Result<GetUnsubscribeLinkResponse, tonic::Status> {
    Ok(world.links().get_unsubscribe_link(request).await?.into_inner())
}

async fn url(world: &World, contact_id: &str) -> String {
    link(world, of(contact_id)).await.unwrap().url
}

on_each_database! {
    async fn a_link_comes_with_the_headers_of_an_email(database) {
        let world = start(database).await;
        let ada = world.contact.id("ada@example.de");
        let GetUnsubscribeLinkResponse { url, headers } = link(&world, of(&ada)).await.unwrap();
        assert!(url.starts_with(&format!("{}/v1/unsubscribe/", world.service.web)), "{url}");
        let headers: Vec<_> = headers.into_iter().map(|it| (it.name, it.value)).collect();
        let expected = [("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into())];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(link(&world, of(&ada)).await.unwrap().url, url, "the same question has the same answer");
        let by_phone = GetUnsubscribeLinkRequest { channel: ConsentChannel::TextMessage.into(), ..of(&ada) };
        assert!(link(&world, by_phone).await.unwrap().headers.is_empty());
    }

    async fn one_click_unsubscribes_and_the_next_one_does_so_again(database) {
        let world = start(database).await;
        let ada = world.contact.id("ada@example.de");
        let url = url(&world, &ada).await;
        // As mail providers post it.
        let form = multipart::Form::new().text("List-Unsubscribe", "One-Click");
        let answer = reqwest::Client::new().post(&url).multipart(form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let said = eventually!(some: world.events.consents().pop());
        assert_eq!((said.contact_id.as_str(), said.state(), said.purpose.as_str()), (ada.as_str(), ConsentState::Withdrawn, "newsletter"));
        assert_eq!((said.channels.as_slice(), said.source.as_str()), (&[EMAIL][..], "mailings"));
        assert_eq!(said.proof, "email_unsubscribed: through the link of a message");

        let (status, page) = press(&url).await;
        assert_eq!(status, 200);
        assert!(page.contains("You will get no more emails about “newsletter” from Tom &amp; Co."), "{page}");
        let all = world.of_type("email_unsubscribed").await;
        assert_eq!(all.len(), 2, "each press is one: somebody may have said something else in between");
        assert_eq!((all[0].contact_id.as_str(), all[0].principal.as_str()), (ada.as_str(), "link:mailings"));
        assert_eq!(all[0].identity, Some(Identity::default()));
        // A link is good for ever.
        world.hand.advance(366 * 86_400_000);
        assert_eq!(press(&url).await.0, 200);
        assert_eq!(world.of_type("email_unsubscribed").await.len(), 3);
    }

    async fn a_look_shows_a_button_and_changes_nothing(database) {
        let world = start(database).await;
        let purpose = "\"><script>alert(1)</script>".to_owned();
        let url = link(&world, GetUnsubscribeLinkRequest { purpose, ..of(&world.contact.id("ada@example.de")) }).await.unwrap().url;
        let answer = look(&url).await;
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-security-policy"), "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store".into(), "no-referrer".into()));
        assert_eq!((header("x-robots-tag"), header("x-content-type-options")), ("noindex".into(), "nosniff".into()));
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        let page = answer.text().await.unwrap();
        assert!(page.contains("<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"), "{page}");
        assert!(page.contains("“&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;”") && !page.contains("<script"), "{page}");
        look(&url).await;
        assert!(world.of_type("email_unsubscribed").await.is_empty());
    }

    async fn what_is_no_link_of_ours_or_says_something_else_is_refused_and_changes_nothing(database) {
        let world = start(database).await;
        let url = url(&world, &world.contact.id("ada@example.de")).await;
        let one_click = [("List-Unsubscribe", "One-Click")];
        let last = if url.ends_with('A') { "E" } else { "A" };
        let forged = format!("{}{last}", &url[..url.len() - 1]);
        let of_confirmations = url.replace("/unsubscribe/", "/confirm/");
        for wrong in [forged, of_confirmations, format!("{}/v1/unsubscribe/x", world.service.web)] {
            let (status, answer) = told(&wrong, &one_click).await;
            assert_eq!((status.as_u16(), answer["error"]["reason"].as_str()), (400, Some("INVALID_LINK")), "{wrong}");
            assert_eq!(answer["error"]["fields"][0]["field"], "token");
            assert_eq!(look(&wrong).await.status(), 400);
        }
        for form in [&[][..], &[("List-Unsubscribe", "no")]] {
            let (status, answer) = told(&url, form).await;
            assert_eq!((status.as_u16(), answer["error"]["fields"][0]["field"].as_str()), (400, Some("List-Unsubscribe")));
        }
        let json = reqwest::Client::new().post(&url).body("{}").header("content-type", "application/json").send().await;
        assert_eq!(json.unwrap().status(), 415);
        assert!(world.of_type("email_unsubscribed").await.is_empty());
        assert!(world.service.metric("leadflow_activities_rejected", &["door=\"link\"", "INVALID_LINK"]).await >= 3.0);
    }

    async fn who_unsubscribes_while_contact_is_down_is_heard_when_it_is_back(database) {
        let world = start(database).await;
        let ada = world.contact.id("ada@example.de");
        let url = url(&world, &ada).await;
        world.contact.fail(Code::Unavailable);
        assert_eq!(press(&url).await.0, 200);
        assert!(world.events.consents().is_empty());
        world.contact.recover();
        assert_eq!(eventually!(some: world.events.consents().pop()).contact_id, ada);
    }

    async fn the_link_of_somebody_who_was_erased_answers_as_ever_and_says_nothing_of_anybody(database) {
        let world = start(database).await;
        let ada = world.contact.id("ada@example.de");
        let url = url(&world, &ada).await;
        let before = press(&url).await;
        eventually!(world.events.consents().len() == 1);
        world.contact.erase(&ada);
        world.hand.advance(3_600_000);
        assert_eq!(press(&url).await, before);
        let of_nobody = async || world.of_type("email_unsubscribed").await.iter().filter(|it| it.contact_id.is_empty()).count();
        eventually!(of_nobody().await == 1);
        assert_eq!(world.events.consents().len(), 1, "what was said before");
    }

    async fn a_link_that_cannot_be_made_is_refused_by_its_field(database) {
        let world = start(database).await;
        let ada = world.contact.id("ada@example.de");
        for (wrong, reason, field) in [
            (of("ada"), "INVALID_FIELD", "contact_id"),
            (GetUnsubscribeLinkRequest { channel: 0, ..of(&ada) }, "INVALID_FIELD", "channel"),
            (GetUnsubscribeLinkRequest { purpose: "x".repeat(64), ..of(&ada) }, "FIELD_TOO_LONG", "purpose"),
            (GetUnsubscribeLinkRequest { source: String::new(), ..of(&ada) }, "INVALID_FIELD", "source"),
            (GetUnsubscribeLinkRequest { source: "nowhere".into(), ..of(&ada) }, "UNKNOWN_SOURCE", "source"),
        ] {
            let error = link(&world, wrong).await.unwrap_err();
            let details = error.get_error_details();
            assert_eq!((error.code(), details.error_info().unwrap().reason.as_str()), (Code::InvalidArgument, reason));
            assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
        }
    }
}
