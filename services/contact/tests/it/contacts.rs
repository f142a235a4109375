//! Contacts, as people keep them.

use leadflow_harness::on_each_database;
use leadflow_platform::{audit, ids};
use leadflow_proto::contact::v1::{Contact, ContactProfile, GetContactRequest, Identity, UpdateContactRequest};
use sea_orm::EntityTrait as _;
use tonic::Code;

use crate::support::{World, claim, fields, mask, reason};

async fn ada(world: &World) -> Contact {
    let identity = Identity {
        email: "ada@works.de".into(),
        phone: "+4930901820".into(),
        given_name: "Ada".into(),
        country: "DE".into(),
        ..Default::default()
    };
    let result = world.resolve_one(claim(identity)).await;
    world.contact(&result.contact_id).await
}

async fn update(world: &World, contact: Contact, paths: &[&str]) -> Result<Contact, tonic::Status> {
    let request = UpdateContactRequest { contact: Some(contact), update_mask: mask(paths), ..Default::default() };
    Ok(world.client().update_contact(request).await?.into_inner().contact.unwrap())
}

on_each_database! {
    async fn an_update_changes_what_the_mask_names_and_nothing_else(database) {
        let world = World::start(database).await;
        let before = ada(&world).await;
        world.hand.advance(5_000);
        let profile = ContactProfile {
            role: "user".into(),
            seniority: "director".into(),
            country: "at".into(),
            ..Default::default()
        };
        let said = Contact {
            contact_id: before.contact_id.clone(),
            family_name: "Lovelace".into(),
            emails: vec!["other@works.de".into()],
            profile: Some(profile),
            ..Default::default()
        };
        let after = update(&world, said, &["family_name", "profile.seniority", "profile.country"]).await.unwrap();
        let profile = ContactProfile { seniority: "director".into(), country: "AT".into(), ..Default::default() };
        let expected = Contact {
            family_name: "Lovelace".into(),
            profile: Some(profile),
            revision: 2,
            etag: "2".into(),
            update_time: after.update_time,
            ..before.clone()
        };
        assert_eq!(after, expected);
        assert!(after.update_time.unwrap().seconds > before.update_time.unwrap().seconds);
        assert_eq!(world.contact(&before.contact_id).await, after);
        // What a person has written stays, whatever the next activity says.
        ada(&world).await;
        assert_eq!(world.contact(&before.contact_id).await, after);
    }

    async fn an_update_without_a_mask_changes_all_that_can_be_changed(database) {
        let world = World::start(database).await;
        let before = ada(&world).await;
        let said = Contact { contact_id: before.contact_id.clone(), job_title: "Head".into(), ..Default::default() };
        let after = update(&world, said, &[]).await.unwrap();
        assert_eq!((after.job_title.as_str(), after.given_name.as_str()), ("Head", ""));
        assert_eq!((after.emails, after.phones, after.account_id), (before.emails, before.phones, before.account_id));
    }

    async fn an_etag_that_is_out_of_date_is_refused_and_none_overwrites(database) {
        let world = World::start(database).await;
        let read = ada(&world).await;
        let said = |job_title: &str, etag: &str| {
            Contact { job_title: job_title.into(), etag: etag.into(), ..read.clone() }
        };
        update(&world, said("Head", "1"), &["job_title"]).await.unwrap();
        let error = update(&world, said("Chief", "1"), &["job_title"]).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::Aborted, "STALE_ETAG"));
        assert_eq!(fields(&error), ["etag"]);
        let overwritten = update(&world, said("Chief", ""), &["job_title"]).await.unwrap();
        assert_eq!((overwritten.job_title.as_str(), overwritten.revision), ("Chief", 3));
    }

    async fn an_update_that_makes_no_sense_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        let read = ada(&world).await;
        // Identities are not changed by hand.
        for path in ["emails", "phones", "left_account_ids", "profile"] {
            assert_eq!(fields(&update(&world, read.clone(), &[path]).await.unwrap_err()), ["update_mask"]);
        }
        let long = Contact { given_name: "x".repeat(321), ..read.clone() };
        assert_eq!(fields(&update(&world, long, &["given_name"]).await.unwrap_err()), ["contact.given_name"]);
        let profile = ContactProfile { country: "Germany".into(), ..Default::default() };
        let abroad = Contact { profile: Some(profile), ..read.clone() };
        let error = update(&world, abroad, &["profile.country"]).await.unwrap_err();
        assert_eq!(reason(&error), "INVALID_COUNTRY");
        assert_eq!(fields(&error), ["contact.profile.country"]);
        let error = world.client().update_contact(UpdateContactRequest::default()).await.unwrap_err();
        assert_eq!(fields(&error), ["contact"]);
        let unknown = ids::new().to_string();
        for (id, code) in [("", Code::InvalidArgument), ("me", Code::InvalidArgument), (&unknown, Code::NotFound)] {
            let said = Contact { contact_id: id.into(), ..Default::default() };
            assert_eq!(update(&world, said, &["job_title"]).await.unwrap_err().code(), code);
            let request = GetContactRequest { contact_id: id.into() };
            assert_eq!(world.client().get_contact(request).await.unwrap_err().code(), code);
        }
        assert_eq!(world.contact(&read.contact_id).await, read);
    }

    async fn a_repeated_request_gets_the_first_answer_and_is_recorded_once_with_who_asked(database) {
        let world = World::start(database).await;
        let read = ada(&world).await;
        let request = UpdateContactRequest {
            contact: Some(Contact { job_title: "Head".into(), ..read.clone() }),
            update_mask: mask(&["job_title"]),
            request_id: ids::new().to_string(),
        };
        let mut anna = world.contact.client_as("anna.berg");
        let first = anna.update_contact(request.clone()).await.unwrap().into_inner();
        assert_eq!(anna.update_contact(request).await.unwrap().into_inner(), first);
        let tables = world.tables().await;
        let rows = audit::Entity::find().all(tables.reader()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].principal.as_str(), rows[0].method.as_str()), ("anna.berg", "UpdateContact"));
        assert_eq!(rows[0].resource, read.contact_id);
    }
}
