//! What contact remembers of whom claims have led to. It answers as one that remembers nothing does, whatever has changed
//! meanwhile.

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{
    Account, Contact, EraseContactRequest, Identity, IdentityClaim, ResolveIdentitiesRequest, UpdateContactRequest,
    VerifyMobileRequest, privacy_service_client::PrivacyServiceClient,
};

use crate::support::{World, claim, email, mask, named};

const MOBILE: &str = "+491701234567";

fn ada() -> Identity {
    Identity {
        email: "ada@works.de".into(),
        company: "Works".into(),
        country: "DE".into(),
        anonymous_id: "cookie-1".into(),
        ..Default::default()
    }
}

fn by_mobile() -> IdentityClaim {
    claim(Identity { phone: MOBILE.into(), phone_verified: true, country: "DE".into(), ..Default::default() })
}

/// What is asked again and again: of two people of one company, by all that leads to them, and of one of another company.
fn claims() -> Vec<IdentityClaim> {
    vec![
        claim(ada()),
        email("ada@works.de"),
        claim(Identity { anonymous_id: "cookie-1".into(), ..Default::default() }),
        by_mobile(),
        claim(Identity { email: "bert@works.de".into(), company: "Works".into(), ..Default::default() }),
        email("carl@labs.de"),
    ]
}

/// Asks this replica twice, and one that has just been started.
async fn assert_that_it_answers_as_a_new_one(world: &World) -> Vec<(String, String)> {
    let new = world.another().await;
    let request = ResolveIdentitiesRequest { claims: claims(), known_only: true };
    let anew = new.client.clone().resolve_identities(request).await.unwrap().into_inner().results;
    new.stop().await;
    for _ in 0..2 {
        assert_eq!(world.recognise(claims()).await, anew);
    }
    anew.into_iter().map(|one| (one.contact_id, one.account_id)).collect()
}

async fn verify(world: &World, contact_id: &str, withdraw: bool) {
    let request = VerifyMobileRequest {
        contact_id: contact_id.into(),
        phone: MOBILE.into(),
        country: "DE".into(),
        withdraw,
        ..Default::default()
    };
    world.client().verify_mobile(request).await.unwrap();
}

async fn update(world: &World, contact: Contact, path: &str) {
    let request = UpdateContactRequest { contact: Some(contact), update_mask: mask(&[path]), ..Default::default() };
    world.client().update_contact(request).await.unwrap();
}

async fn erase(world: &World, contact_id: &str) {
    let channel = rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap();
    let request =
        EraseContactRequest { contact_id: contact_id.into(), reason: "asked for it".into(), ..Default::default() };
    PrivacyServiceClient::new(channel).erase_contact(request).await.unwrap();
}

on_each_database! {
    async fn what_is_remembered_is_what_is_known(database) {
        let world = World::start(database).await;
        // All but the mobile, which is nobody's yet.
        let known = world.resolve([&claims()[..3], &claims()[4..]].concat()).await;
        let (ada, bert, carl) = (&known[0], &known[3], &known[4]);
        verify(&world, &ada.contact_id, false).await;
        let here = |one: &leadflow_proto::contact::v1::ResolvedIdentity| (one.contact_id.clone(), one.account_id.clone());
        let at_first = [ada, ada, ada, ada, bert, carl].map(here);
        assert_eq!(assert_that_it_answers_as_a_new_one(&world).await, at_first);

        // Facts of an account raise its revision, which is part of the answer.
        let industry = Account { account_id: ada.account_id.clone(), industry: "pumps".into(), ..Default::default() };
        world.update(industry, &["industry"]).await.unwrap();
        assert_that_it_answers_as_a_new_one(&world).await;

        // A mobile that is somebody's no more, and then again.
        verify(&world, &ada.contact_id, true).await;
        assert_ne!(assert_that_it_answers_as_a_new_one(&world).await[3], here(ada));
        verify(&world, &ada.contact_id, false).await;
        assert_eq!(assert_that_it_answers_as_a_new_one(&world).await, at_first);

        // The domain goes over to the other company.
        let without = Account { account_id: ada.account_id.clone(), ..named("Works", &["works.com"]) };
        world.update(without, &["domains"]).await.unwrap();
        let with = Account { account_id: carl.account_id.clone(), ..named("Labs", &["labs.de", "works.de"]) };
        world.update(with, &["domains"]).await.unwrap();
        assert_that_it_answers_as_a_new_one(&world).await;

        // Another employer.
        let moved = Contact { contact_id: bert.contact_id.clone(), account_id: carl.account_id.clone(), ..Default::default() };
        update(&world, moved, "account_id").await;
        assert_that_it_answers_as_a_new_one(&world).await;
        let title = Contact { contact_id: bert.contact_id.clone(), job_title: "Buyer".into(), ..Default::default() };
        update(&world, title, "job_title").await;
        assert_that_it_answers_as_a_new_one(&world).await;

        // People and companies become one, and two again.
        let one_person = world.merge_contacts(&carl.contact_id, &ada.contact_id).await;
        assert_eq!(assert_that_it_answers_as_a_new_one(&world).await[1].0, carl.contact_id);
        world.undo(&one_person.merge_id).await.unwrap();
        assert_eq!(assert_that_it_answers_as_a_new_one(&world).await[1].0, ada.contact_id);
        let one_company = world.merge_accounts(&carl.account_id, &ada.account_id).await;
        assert_eq!(assert_that_it_answers_as_a_new_one(&world).await[1].1, carl.account_id);
        world.undo(&one_company.merge_id).await.unwrap();
        assert_that_it_answers_as_a_new_one(&world).await;

        // Of who was erased nothing is known.
        erase(&world, &ada.contact_id).await;
        let after = assert_that_it_answers_as_a_new_one(&world).await;
        assert!(after[..4].iter().all(|(contact, _)| contact.is_empty()), "{after:?}");
    }
}
