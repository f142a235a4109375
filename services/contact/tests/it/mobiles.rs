//! Mobiles that were verified: each leads to one contact, and no machine merges what they keep apart.

use std::collections::BTreeSet;

use leadflow_harness::{Backend, TestDatabase, on_each_database};
use leadflow_platform::{auth::Credentials, ids, rpc};
use leadflow_proto::contact::v1::{
    Contact, ContactLine, DecideMatchReviewRequest, EraseContactRequest, ExportContactRequest, Identity, IdentityClaim,
    ImportContactsRequest, ListMatchReviewsRequest, MatchDecision, MatchReview, MatchReviewState, VerifyMobileRequest,
    match_review_service_client::MatchReviewServiceClient, privacy_service_client::PrivacyServiceClient,
};
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{World, claim, email, fields, item_refusal, reason, try_resolve};

const MOBILE: &str = "+491701234567";
const OTHER: &str = "+491707654321";
const FIXED: &str = "+4930901820";

/// What a source that has sent a code to the number says.
fn verified(identity: Identity) -> IdentityClaim {
    let phone = if identity.phone.is_empty() { MOBILE.to_owned() } else { identity.phone };
    claim(Identity { phone, phone_verified: true, ..identity })
}

fn of(email: &str) -> Identity {
    Identity { email: email.into(), ..Default::default() }
}

fn crm(id: &str) -> Identity {
    Identity { external_id: id.into(), ..Default::default() }
}

fn channel(world: &World) -> rpc::Client {
    rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap()
}

async fn verify(world: &World, contact_id: &str, phone: &str, withdraw: bool) -> Result<Contact, tonic::Status> {
    let request = VerifyMobileRequest {
        contact_id: contact_id.into(),
        phone: phone.into(),
        country: "DE".into(),
        withdraw,
        request_id: ids::new().to_string(),
    };
    Ok(world.client().verify_mobile(request).await?.into_inner().contact.unwrap())
}

async fn questions(world: &World) -> Vec<MatchReview> {
    let request = ListMatchReviewsRequest { state: MatchReviewState::Open.into(), ..Default::default() };
    let mut reviews = MatchReviewServiceClient::new(channel(world));
    reviews.list_match_reviews(request).await.unwrap().into_inner().match_reviews
}

on_each_database! {
    async fn a_verified_mobile_leads_to_one_contact_whatever_else_is_said(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(verified(of("ada@works.de"))).await;
        let shown = world.contact(&ada.contact_id).await;
        assert_eq!((shown.phones.as_slice(), shown.verified_mobiles.as_slice()), (&[MOBILE.to_owned()][..], &[MOBILE.to_owned()][..]));
        // Alone, with a name that is another's, with a cookie, with an id: where a mere phone would tell nobody.
        let named = Identity { given_name: "Augusta".into(), family_name: "King".into(), ..Default::default() };
        let cookie = Identity { anonymous_id: "cookie-1".into(), ..Default::default() };
        for identity in [Identity::default(), named, cookie, crm("C-1")] {
            let again = world.resolve_one(verified(identity)).await;
            assert_eq!((&again.contact_id, again.contact_created), (&ada.contact_id, false));
        }
        let known = world.recognise(vec![verified(of("ada@works.de"))]).await;
        assert_eq!(known[0].contact_id, ada.contact_id, "nothing new is told");
        let other = Identity { given_name: "Ben".into(), family_name: "Babbage".into(), ..Default::default() };
        let unverified = claim(Identity { phone: MOBILE.into(), ..other });
        assert!(world.resolve_one(unverified).await.contact_created, "only the source can tell that it is hers");
        assert!(questions(&world).await.is_empty());
    }

    async fn a_fixed_line_is_shared_whoever_has_answered_it(database) {
        let world = World::start(database).await;
        let at = |email: &str| verified(Identity { phone: FIXED.into(), ..of(email) });
        let ada = world.resolve_one(at("ada@works.de")).await;
        let ben = world.resolve_one(at("ben@works.de")).await;
        assert_ne!(ada.contact_id, ben.contact_id);
        assert!(world.contact(&ada.contact_id).await.verified_mobiles.is_empty());
        assert!(questions(&world).await.is_empty());
        let refused = verify(&world, &ada.contact_id, "030 901820", false).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("NO_MOBILE", vec!["phone".to_owned()]));
    }

    async fn a_phone_that_is_verified_later_is_of_who_alone_has_it(database) {
        let world = World::start(database).await;
        let caller = world.resolve_one(claim(Identity { phone: MOBILE.into(), ..Default::default() })).await;
        assert_eq!(world.resolve_one(verified(Identity::default())).await.contact_id, caller.contact_id);
        // Of a number that several have it is nobody's so far.
        for email in ["ada@works.de", "ben@works.de"] {
            world.resolve_one(claim(Identity { phone: OTHER.into(), ..of(email) })).await;
        }
        let own = world.resolve_one(verified(Identity { phone: OTHER.into(), ..Default::default() })).await;
        assert!(own.contact_created);
    }

    async fn two_strong_identities_that_differ_are_two_people_and_a_person_is_asked_once(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(verified(of("ada@works.de"))).await;
        let other = world.resolve_one(verified(of("augusta@home.example"))).await;
        assert!(other.contact_created && other.contact_id != ada.contact_id);
        let asked = questions(&world).await;
        assert_eq!(asked.len(), 1);
        assert_eq!((&asked[0].known_id, &asked[0].other_id), (&ada.contact_id, &other.contact_id));
        assert_eq!(other.contact_review_id, asked[0].review_id);
        assert_eq!(asked[0].lines.iter().map(|line| line.field.as_str()).collect::<Vec<_>>(), ["phone", "limit"]);
        assert!(world.contact(&other.contact_id).await.verified_mobiles.is_empty(), "it stays whose it was");

        // Said again, and by somebody who was known before: one question for each two.
        world.resolve_one(verified(of("augusta@home.example"))).await;
        let ben = world.resolve_one(email("ben@works.de")).await;
        let same = world.resolve_one(verified(of("ben@works.de"))).await;
        assert_eq!((&same.contact_id, same.contact_review_id.as_str()), (&ben.contact_id, ""));
        world.resolve_one(verified(of("ben@works.de"))).await;
        assert_eq!(questions(&world).await.len(), 2);

        // An id that leads to somebody with another mobile.
        let cleo = world.resolve_one(verified(Identity { phone: OTHER.into(), ..crm("C-1") })).await;
        let changed = world.resolve_one(verified(Identity { phone: "+491711111111".into(), ..crm("C-1") })).await;
        assert_ne!(changed.contact_id, cleo.contact_id);
        assert_eq!(questions(&world).await[0].lines[0].field, "external_id");

        // What a person has said is not asked again.
        let decision = DecideMatchReviewRequest {
            review_id: asked[0].review_id.clone(),
            decision: MatchDecision::Distinct.into(),
            ..Default::default()
        };
        MatchReviewServiceClient::new(channel(&world)).decide_match_review(decision).await.unwrap();
        world.resolve_one(verified(of("augusta@home.example"))).await;
        assert_eq!(questions(&world).await.len(), 2);
    }

    async fn a_visitor_with_a_verified_mobile_is_who_has_it(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(verified(of("ada@works.de"))).await;
        let cookie = || Identity { anonymous_id: "cookie-1".into(), ..Default::default() };
        let visitor = world.resolve_one(claim(cookie())).await;
        assert_ne!(visitor.contact_id, ada.contact_id);
        let seen = world.resolve_one(verified(cookie())).await;
        assert_eq!(seen.recognised_contact_ids, [visitor.contact_id]);
        assert_eq!(world.resolve_one(claim(cookie())).await.contact_id, ada.contact_id);
    }

    async fn staff_say_whose_a_mobile_is_and_take_it_back(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
        let ben = world.resolve_one(email("ben@works.de")).await.contact_id;
        let shown = verify(&world, &ada, "0170 1234567", false).await.unwrap();
        assert_eq!((shown.verified_mobiles.as_slice(), shown.revision), (&[MOBILE.to_owned()][..], 2));
        assert_eq!(verify(&world, &ada, MOBILE, false).await.unwrap(), shown, "again, nothing changes");
        assert_eq!(world.resolve_one(verified(Identity::default())).await.contact_id, ada);

        let taken = verify(&world, &ben, MOBILE, false).await.unwrap_err();
        assert_eq!((taken.code(), reason(&taken).as_str()), (Code::AlreadyExists, "MOBILE_TAKEN"));
        assert_eq!(fields(&taken), ["phone"]);
        let withdrawn = verify(&world, &ada, MOBILE, true).await.unwrap();
        assert_eq!((withdrawn.verified_mobiles.len(), withdrawn.phones.as_slice()), (0, &[MOBILE.to_owned()][..]));
        assert_eq!(verify(&world, &ben, MOBILE, false).await.unwrap().verified_mobiles, [MOBILE]);
        assert_eq!(world.resolve_one(verified(Identity::default())).await.contact_id, ben);

        let nobody = verify(&world, &ids::new().to_string(), OTHER, false).await.unwrap_err();
        assert_eq!(nobody.code(), Code::NotFound);
        for (phone, expected) in [("", "INVALID_PHONE"), ("17", "INVALID_PHONE")] {
            assert_eq!(reason(&verify(&world, &ada, phone, false).await.unwrap_err()), expected);
        }
    }

    async fn an_import_verifies_nothing(database) {
        let world = World::start(database).await;
        let line = |identity| ContactLine { identity: Some(identity), ..Default::default() };
        let lines = vec![line(Identity { phone: MOBILE.into(), phone_verified: true, ..of("ada@works.de") })];
        let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
        let results = world.importer().import_contacts(request).await.unwrap().into_inner().results;
        let expected = ("INVALID_FIELD".to_owned(), vec!["lines[0].identity.phone_verified".to_owned()]);
        assert_eq!(item_refusal(results[0].error.as_ref()), expected);
    }

    async fn it_goes_with_its_side_through_a_merge_and_its_undoing(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
        let old = world.resolve_one(verified(of("augusta@home.example"))).await.contact_id;
        let merged = world.merge_contacts(&ada, &old).await;
        assert_eq!(world.contact(&ada).await.verified_mobiles, [MOBILE]);
        let seen = world.resolve_one(verified(Identity::default())).await;
        assert_eq!((&seen.contact_id, &seen.origin_contact_id), (&ada, &old));
        assert!(world.resolve_one(verified(of("ada@works.de"))).await.contact_review_id.is_empty());
        assert!(questions(&world).await.is_empty(), "they are one already");
        world.undo(&merged.merge_id).await.unwrap();
        assert!(world.contact(&ada).await.verified_mobiles.is_empty());
        assert_eq!(world.resolve_one(verified(Identity::default())).await.contact_id, old);
        // It is withdrawn from the side that has it.
        world.merge_contacts(&ada, &old).await;
        assert!(verify(&world, &ada, MOBILE, true).await.unwrap().verified_mobiles.is_empty());
    }

    async fn it_is_given_out_erased_and_known_again(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(verified(of("ada@works.de"))).await.contact_id;
        let request = ExportContactRequest { contact_id: ada.clone() };
        let mut privacy = PrivacyServiceClient::new(channel(&world));
        let held = privacy.export_contact(request).await.unwrap().into_inner();
        let kinds: Vec<_> = held.identities.iter().map(|it| (it.kind.as_str(), it.value.as_str())).collect();
        assert_eq!(kinds, [("email", "ada@works.de"), ("mobile", MOBILE), ("phone", MOBILE)]);

        let request = EraseContactRequest { contact_id: ada, reason: "asked for it".into(), ..Default::default() };
        privacy.erase_contact(request).await.unwrap();
        let cookie = Identity { anonymous_id: "cookie-2".into(), ..Default::default() };
        for identity in [Identity::default(), cookie] {
            assert!(world.resolve_one(verified(identity)).await.suppressed);
        }
        // A number may change hands: whoever is known by an address is another.
        let ben = world.resolve_one(verified(of("ben@works.de"))).await;
        assert!(ben.contact_created && !ben.suppressed);
        assert_eq!(world.resolve_one(verified(Identity::default())).await.contact_id, ben.contact_id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_who_verify_one_mobile_at_two_replicas_at_once_are_one_contact() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
    let mut calls = JoinSet::new();
    for at in 0..64 {
        let client = if at % 2 == 0 { world.client() } else { second.client.clone() };
        let ada = ada.clone();
        calls.spawn(async move {
            if at % 8 == 0 {
                let request = VerifyMobileRequest { contact_id: ada, phone: MOBILE.into(), ..Default::default() };
                let refused = client.clone().verify_mobile(request).await.err();
                assert!(refused.is_none_or(|status| reason(&status) == "MOBILE_TAKEN"));
                return None;
            }
            // Each with a cookie of its own: nothing else joins them.
            let identity = Identity { anonymous_id: format!("cookie-{at}"), ..Default::default() };
            Some(try_resolve(&client, vec![verified(identity)]).await.unwrap().remove(0).contact_id)
        });
    }
    let found: BTreeSet<_> = calls.join_all().await.into_iter().flatten().collect();
    second.stop().await;
    assert_eq!(found.len(), 1, "{found:?}");
    let owners = world.contacts().await.into_iter().filter(|one| !one.verified_mobiles.is_empty());
    assert_eq!(owners.map(|one| one.contact_id).collect::<Vec<_>>(), found.into_iter().collect::<Vec<_>>());
}
