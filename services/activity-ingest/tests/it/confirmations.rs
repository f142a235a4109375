//! Double opt-in: what a form asks for in somebody's name is nothing until the person confirms it.

use leadflow_harness::{TestDatabase, eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Channel, Confirmation, Consent, ListPendingConfirmationsRequest, PendingConfirmation, Source},
    contact::v1::ConsentState,
};

use crate::support::{EMAIL, World, look, press, told};

const DAY: i64 = 86_400_000;

/// A world with a form whose consent has to be confirmed within a week.
async fn start(database: TestDatabase) -> World {
    let world = World::start(database).await;
    let consent = Consent {
        basis: "consent".into(),
        purpose: "newsletter".into(),
        field: "agree".into(),
        confirmation: Some(Confirmation::default()),
        ..Consent::default()
    };
    let form = Source {
        name: "newsletter-form".into(),
        default_activity_type: "form_submitted".into(),
        default_channel: Channel::Web.into(),
        consent: Some(consent),
        ..Source::default()
    };
    world.register(form).await;
    world
}

async fn fill_in(world: &World, email: &str, more: &[(&str, &str)]) {
    let form: Vec<_> = [("email", email)].iter().chain(more).copied().collect();
    let url = format!("{}/v1/forms/newsletter-form", world.service.web);
    assert_eq!(told(&url, &form).await.0, 200);
}

async fn pending(world: &World) -> Vec<PendingConfirmation> {
    let request = ListPendingConfirmationsRequest::default();
    world.links().list_pending_confirmations(request).await.unwrap().into_inner().pending_confirmations
}

/// What was asked for, once it is known by whom.
async fn asked(world: &World) -> PendingConfirmation {
    eventually!(some: pending(world).await.pop())
}

on_each_database! {
    async fn a_ticked_box_asks_for_a_consent_also_with_an_address_that_is_known(database) {
        let world = start(database).await;
        world.contact.knows("ada@example.de");
        for email in ["ada@example.de", "new@example.de"] {
            fill_in(&world, email, &[("agree", "on")]).await;
        }
        fill_in(&world, "bert@example.de", &[]).await;
        let said = eventually!(some: Some(world.events.consents()).filter(|said| said.len() == 2));
        for one in &said {
            assert_eq!((one.state(), one.proof.as_str()), (ConsentState::Pending, "form_submitted: `agree` was ticked"));
            let lasts = one.expire_time.unwrap().seconds - one.occur_time.unwrap().seconds;
            assert_eq!(lasts, 7 * 86_400);
        }
        let waiting = eventually!(some: Some(pending(&world).await).filter(|all| all.len() == 2));
        let one = waiting.iter().find(|one| one.email == "ada@example.de").unwrap();
        assert_eq!((one.contact_id.clone(), one.purpose.as_str()), (world.contact.id("ada@example.de"), "newsletter"));
        assert_eq!((one.source.as_str(), one.channels.as_slice()), ("newsletter-form", &[EMAIL][..]));
        for message in world.events.messages() {
            let sent = String::from_utf8_lossy(&message.payload).into_owned();
            let (_, token) = one.url.rsplit_once('/').unwrap();
            assert!(!sent.contains(token), "whoever reads the bus could consent in her name");
        }
    }

    async fn an_address_that_belongs_to_nobody_asks_for_nothing(database) {
        let world = start(database).await;
        world.contact.knows("ada@example.de");
        // Contact finds by the phone whom the address does not tell: whoever reads it must not consent in their name.
        fill_in(&world, "info@stranger.example", &[("agree", "on"), ("phone", "+4930901820")]).await;
        fill_in(&world, "", &[("agree", "on"), ("phone", "+4930901820")]).await;
        fill_in(&world, "ada@example.de", &[("agree", "on")]).await;
        asked(&world).await;
        eventually!(!world.events.consents().is_empty());
        assert_eq!((pending(&world).await.len(), world.events.consents().len()), (1, 1));
    }

    async fn who_confirms_consents_once_with_both_moments_as_proof(database) {
        let world = start(database).await;
        fill_in(&world, "ada@example.de", &[("agree", "on")]).await;
        let asked = asked(&world).await;
        world.hand.advance(DAY);
        let page = look(&asked.url).await.text().await.unwrap();
        assert!(page.contains("Do you want emails about “newsletter” from newsletter-form?"), "{page}");
        assert!(page.contains("<form method=\"post\"><button>"), "{page}");
        assert!(world.of_type("consent_confirmed").await.is_empty(), "a look says nothing");

        for _ in 0..2 {
            let (status, page) = press(&asked.url).await;
            assert_eq!(status, 200);
            assert!(page.contains("You have agreed to emails about “newsletter”"), "{page}");
            world.hand.advance(1_000);
        }
        let granted = || world.events.consents().into_iter().find(|said| said.state() == ConsentState::Granted);
        let said = eventually!(some: granted());
        assert_eq!((said.contact_id, said.purpose.as_str()), (asked.contact_id, "newsletter"));
        let proof = "form_submitted: `agree` was ticked, asked for at 2026-11-24T12:00:00Z; confirmed through the link at 2026-11-25T12:00:00Z";
        assert_eq!((said.source.as_str(), said.proof.as_str()), ("newsletter-form", proof));
        assert_eq!(world.of_type("consent_confirmed").await.len(), 1);
        eventually!(pending(&world).await.is_empty());
        // A link that was used is good for ever, and says nothing more.
        world.hand.advance(30 * DAY);
        assert_eq!(press(&asked.url).await.0, 200);
        assert_eq!(world.of_type("consent_confirmed").await.len(), 1);
    }

    async fn what_is_not_confirmed_in_time_can_be_confirmed_no_more(database) {
        let world = start(database).await;
        fill_in(&world, "ada@example.de", &[("agree", "on")]).await;
        let asked = asked(&world).await;
        assert_eq!(asked.expire_time.unwrap().seconds - asked.record_time.unwrap().seconds, 7 * 86_400);
        world.hand.advance(7 * DAY);
        assert!(pending(&world).await.is_empty());
        let (status, answer) = told(&asked.url, &[]).await;
        assert_eq!((status.as_u16(), answer["error"]["reason"].as_str()), (410, Some("LINK_EXPIRED")));
        assert_eq!(look(&asked.url).await.status(), 410);
        assert!(world.of_type("consent_confirmed").await.is_empty());
        let wrong = asked.url.replace("/confirm/", "/unsubscribe/");
        assert_eq!(press(&wrong).await.0, 400, "nobody unsubscribes by it either");
    }

    async fn what_waits_is_listed_page_by_page(database) {
        let world = start(database).await;
        for number in 0..5 {
            fill_in(&world, &format!("reader{number}@example.de"), &[("agree", "on")]).await;
        }
        eventually!(pending(&world).await.len() == 5);
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListPendingConfirmationsRequest { page_size: 2, page_token };
            let page = world.links().list_pending_confirmations(request).await.unwrap().into_inner();
            seen.extend(page.pending_confirmations.into_iter().map(|one| one.email));
            page_token = page.next_page_token;
            if page_token.is_empty() { break }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4].map(|number| format!("reader{number}@example.de")));
    }
}
