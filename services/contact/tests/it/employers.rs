//! Who changes employer: what comes afterwards belongs to the new account, whatever address it bears.

use leadflow_harness::on_each_database;
use leadflow_platform::ids;
use leadflow_proto::contact::v1::{
    Account, Contact, ContactLine, Identity, IdentityClaim, ImportContactsRequest, UpdateContactRequest,
};
use tonic::Code;

use crate::support::{World, claim, email, fields, mask, named, reason, referenced};

/// Puts the contact at another account.
async fn moves(world: &World, contact_id: &str, account_id: &str) -> Result<Contact, tonic::Status> {
    let (contact_id, account_id) = (contact_id.to_owned(), account_id.to_owned());
    let contact = Some(Contact { contact_id, account_id, ..Default::default() });
    let request = UpdateContactRequest { contact, update_mask: mask(&["account_id"]), ..Default::default() };
    Ok(world.client().update_contact(request).await?.into_inner().contact.unwrap())
}

/// Ada with her old address, and all that a form of the old company says.
fn ada() -> IdentityClaim {
    claim(Identity {
        email: "ada@works.de".into(),
        company: "Works".into(),
        region: "Berlin".into(),
        ..Default::default()
    })
}

on_each_database! {
    async fn an_old_address_leads_to_the_person_and_to_the_new_account(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(ada()).await;
        let labs = world.create(named("Labs", &["labs.de"])).await;
        let moved = moves(&world, &first.contact_id, &labs.account_id).await.unwrap();
        assert_eq!((&moved.account_id, moved.revision), (&labs.account_id, 2));
        assert_eq!(moved.left_account_ids, std::slice::from_ref(&first.account_id));
        world.settle().await;
        assert_eq!(world.heard.contacts().last().unwrap().account_id, labs.account_id);

        for result in [world.resolve_one(ada()).await, world.recognise(vec![ada()]).await.remove(0)] {
            assert_eq!((&result.contact_id, &result.account_id), (&first.contact_id, &labs.account_id));
            assert_eq!((result.contact_created, result.unknown), (false, false));
        }
        assert_eq!(world.contact(&first.contact_id).await, moved);
        assert_eq!(world.account(&labs.account_id).await, labs, "it takes over nothing of the old one");
        // The company is where it was, for all others.
        assert_eq!(world.resolve_one(email("bert@works.de")).await.account_id, first.account_id);
        // An address at the new company is an unknown one.
        let other = world.resolve_one(email("ada@labs.de")).await;
        assert_eq!((&other.account_id, other.contact_created), (&labs.account_id, true));

        // Back again, it is the other one that was left.
        let back = moves(&world, &first.contact_id, &first.account_id).await.unwrap();
        assert_eq!(back.left_account_ids, std::slice::from_ref(&labs.account_id));
        assert_eq!(world.resolve_one(ada()).await.account_id, first.account_id);
    }

    async fn all_that_are_one_person_move_together(database) {
        let world = World::start(database).await;
        let (here, there) = (world.resolve_one(ada()).await, world.resolve_one(email("a.lovelace@works.de")).await);
        let merge = world.merge_contacts(&here.contact_id, &there.contact_id).await;
        let labs = world.create(named("Labs", &["labs.de"])).await;
        moves(&world, &there.contact_id, &labs.account_id).await.unwrap();
        assert_eq!(world.resolve_one(email("a.lovelace@works.de")).await.account_id, labs.account_id);
        world.undo(&merge.merge_id).await.unwrap();
        assert_eq!(world.contact(&there.contact_id).await.account_id, labs.account_id);
    }

    async fn another_id_of_the_same_account_is_no_change(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(ada()).await;
        let whole = world.create(named("Works Holding", &["works-holding.de"])).await;
        world.merge_accounts(&whole.account_id, &first.account_id).await;
        let before = world.contact(&first.contact_id).await;
        assert_eq!(before.account_id, whole.account_id);
        assert_eq!(moves(&world, &first.contact_id, &whole.account_id).await.unwrap(), before);
        // Who leaves it leaves all of it.
        let labs = world.create(named("Labs", &["labs.de"])).await;
        let moved = moves(&world, &first.contact_id, &labs.account_id).await.unwrap();
        assert_eq!(moved.left_account_ids.len(), 2);
        assert_eq!(world.resolve_one(ada()).await.account_id, labs.account_id);
    }

    async fn an_import_that_names_the_account_is_a_change_too(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(ada()).await;
        let labs = world.create(referenced("10023", "Labs", &["labs.de"])).await;
        let identity = Identity { email: "ada@works.de".into(), ..Default::default() };
        let lines = vec![ContactLine { identity: Some(identity), account: "10023".into(), ..Default::default() }];
        let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
        world.importer().import_contacts(request).await.unwrap();
        let again = world.resolve_one(ada()).await;
        assert_eq!((&again.contact_id, &again.account_id), (&first.contact_id, &labs.account_id));
        assert_eq!(world.contact(&first.contact_id).await.left_account_ids, [first.account_id]);
    }

    async fn a_change_that_makes_no_sense_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(ada()).await;
        let unknown = moves(&world, &first.contact_id, &ids::new().to_string()).await.unwrap_err();
        assert_eq!((reason(&unknown).as_str(), fields(&unknown)), ("UNKNOWN_ACCOUNT", vec!["contact.account_id".to_owned()]));
        assert_eq!(fields(&moves(&world, &first.contact_id, "").await.unwrap_err()), ["contact.account_id"]);
        let labs: Account = world.create(named("Labs", &["labs.de"])).await;
        let contact = Contact {
            contact_id: first.contact_id.clone(),
            account_id: labs.account_id,
            etag: "7".into(),
            ..Default::default()
        };
        let request =
            UpdateContactRequest { contact: Some(contact), update_mask: mask(&["account_id"]), ..Default::default() };
        let stale = world.client().update_contact(request).await.unwrap_err();
        assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "STALE_ETAG"));
        assert_eq!(world.contact(&first.contact_id).await.account_id, first.account_id);
    }
}
