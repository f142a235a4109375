//! Claims that say by its id who it is: those of links that were made for a contact.

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{
    EraseContactRequest, Identity, IdentityClaim, privacy_service_client::PrivacyServiceClient,
};

use crate::support::{World, email, refusal};

fn named(contact_id: &str) -> IdentityClaim {
    IdentityClaim { contact_id: contact_id.into(), source: "mailings".into(), ..Default::default() }
}

on_each_database! {
    async fn a_contact_that_is_named_is_that_one_and_nothing_becomes_known_of_it(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@works.de")).await;
        let identity = Identity { email: "eve@evil.example".into(), ..Default::default() };
        let also_said = IdentityClaim { identity: Some(identity), ..named(&ada.contact_id) };
        for claim in [named(&ada.contact_id), also_said] {
            let found = world.resolve_one(claim.clone()).await;
            assert_eq!((&found.contact_id, &found.account_id), (&ada.contact_id, &ada.account_id));
            assert_eq!((found.account_revision, found.contact_created), (ada.account_revision, false));
            assert_eq!(world.recognise(vec![claim]).await, [found]);
        }
        assert_eq!(world.contact(&ada.contact_id).await.emails, ["ada@works.de"]);
    }

    async fn who_was_merged_is_the_survivor_and_stays_the_side_that_was_named(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@works.de")).await;
        let ada_at_home = world.resolve_one(email("ada@gmail.com")).await;
        world.merge_contacts(&ada.contact_id, &ada_at_home.contact_id).await;
        let found = world.resolve_one(named(&ada_at_home.contact_id)).await;
        assert_eq!((&found.contact_id, &found.origin_contact_id), (&ada.contact_id, &ada_at_home.contact_id));
        assert_eq!(found.account_id, ada.account_id, "where the person is");
    }

    async fn who_was_erased_or_was_never_there_is_nobody(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
        let channel = rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap();
        let request = EraseContactRequest { contact_id: ada.clone(), reason: "asked for it".into(), ..Default::default() };
        PrivacyServiceClient::new(channel).erase_contact(request).await.unwrap();
        for gone in [ada.as_str(), "01980000-0000-7000-8000-000000000000"] {
            let found = world.resolve_one(named(gone)).await;
            assert!(found.suppressed && found.contact_id.is_empty(), "{found:?}");
            assert!(world.recognise(vec![named(gone)]).await[0].suppressed);
        }
        assert!(world.contacts().await.is_empty());
        let wrong = world.resolve(vec![named("ada")]).await.remove(0);
        assert_eq!(refusal(&wrong), ("INVALID_FIELD".to_owned(), vec!["contact_id".to_owned()]));
    }
}
