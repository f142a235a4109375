//! Erasing a person, knowing them again, and giving a person what is held.

use std::collections::BTreeSet;

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{
    Consent, ConsentChannel, ConsentState, Contact, ContactErased, ContactLine, EraseContactRequest, Erasure,
    ExportContactRequest, GetContactRequest, GetErasedPersonRequest, GetErasureRequest, Identity,
    ImportContactsRequest, LawfulBasis, LiftSuppressionRequest, ListErasuresRequest, RecordConsentRequest,
    ReportErasureRequest, UpdateContactRequest, consent_service_client::ConsentServiceClient,
    privacy_service_client::PrivacyServiceClient,
};
use prost::Message as _;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use tonic::Code;

use crate::support::{World, claim, email, fields, item_refusal, mask, reason};

fn channel(world: &World) -> rpc::Client {
    rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap()
}

fn privacy(world: &World) -> PrivacyServiceClient<rpc::Client> {
    PrivacyServiceClient::new(channel(world))
}

fn ada() -> Identity {
    Identity {
        email: "ada@example.de".into(),
        phone: "+4930901820".into(),
        external_id: "C-4711".into(),
        anonymous_id: "cookie-1".into(),
        given_name: "Ada".into(),
        family_name: "Lovelace".into(),
        company: "Example Works".into(),
        ..Default::default()
    }
}

/// Ada, with a consent, and changed by a call that can be repeated.
async fn known(world: &World) -> String {
    let id = world.resolve_one(claim(ada())).await.contact_id;
    let consent = Consent {
        contact_id: id.clone(),
        channels: vec![ConsentChannel::Email.into()],
        purpose: "sales".into(),
        state: ConsentState::Granted.into(),
        basis: LawfulBasis::Consent.into(),
        source: "expo".into(),
        proof: "Ada signed card 17".into(),
        ..Default::default()
    };
    let request =
        RecordConsentRequest { consent: Some(consent), request_id: "0198d0c4-7000-7000-8000-000000000001".into() };
    ConsentServiceClient::new(channel(world)).record_consent(request).await.unwrap();
    let contact = Contact { contact_id: id.clone(), job_title: "Countess".into(), ..Default::default() };
    let request = UpdateContactRequest {
        contact: Some(contact),
        update_mask: mask(&["job_title"]),
        request_id: "0198d0c4-7000-7000-8000-000000000002".into(),
    };
    world.client().update_contact(request).await.unwrap();
    id
}

async fn erase(world: &World, contact_id: &str) -> Result<Erasure, tonic::Status> {
    let request =
        EraseContactRequest { contact_id: contact_id.into(), reason: "asked for it".into(), request_id: String::new() };
    Ok(privacy(world).erase_contact(request).await?.into_inner().erasure.unwrap())
}

async fn report(world: &World, erasure: &Erasure, service: &str) -> Result<Erasure, tonic::Status> {
    let request = ReportErasureRequest { erasure_id: erasure.erasure_id.clone(), service: service.into(), deleted: 2 };
    Ok(privacy(world).report_erasure(request).await?.into_inner().erasure.unwrap())
}

async fn lift(world: &World, email: &str) -> Result<Vec<Erasure>, tonic::Status> {
    let identity = Identity { email: email.into(), ..Default::default() };
    let (claim, reason) = (Some(claim(identity)), "asked at the fair".to_owned());
    let request = LiftSuppressionRequest { claim, reason, ..Default::default() };
    Ok(privacy(world).lift_suppression(request).await?.into_inner().erasures)
}

/// The texts of the first column.
async fn texts(world: &World, sql: &str) -> Vec<String> {
    let tables = world.tables().await;
    let statement = Statement::from_string(tables.backend(), sql.to_owned());
    let rows = tables.reader().query_all_raw(statement).await.unwrap();
    let texts = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
    tables.close().await;
    texts
}

on_each_database! {
    async fn every_table_that_holds_a_person_is_in_the_list(database) {
        let world = World::start(database).await;
        let tables = world.tables().await;
        let postgres = tables.backend() == DatabaseBackend::Postgres;
        tables.close().await;
        let query = if postgres {
            "SELECT CAST(table_name AS text) FROM information_schema.columns \
             WHERE table_schema = 'public' AND (column_name LIKE '%contact_id' OR column_name IN ('merged_id', 'owner_id', 'known_id'))"
        } else {
            "SELECT m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND (c.name LIKE '%contact_id' OR c.name IN ('merged_id', 'owner_id', 'known_id'))"
        };
        let in_schema: BTreeSet<_> = texts(&world, query).await.into_iter().collect();
        let listed: BTreeSet<_> = leadflow_contact::TABLES_OF_PERSONS.iter().map(|it| it.0.to_owned()).collect();
        assert_eq!(in_schema, listed, "add the table to store/person.rs, so that it is erased");
    }

    async fn of_who_is_erased_nothing_is_left_but_hashes(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let erasure = erase(&world, &id).await.unwrap();
        assert_eq!((erasure.contact_ids.as_slice(), erasure.complete_time), (&[id.clone()][..], None));
        let request = GetContactRequest { contact_id: id.clone() };
        assert_eq!(world.client().get_contact(request).await.unwrap_err().code(), Code::NotFound);
        for table in ["contacts", "identities", "contact_phones", "consents"] {
            assert_eq!(texts(&world, &format!("SELECT CAST(contact_id AS text) FROM {table}")).await.len(), 0, "{table}");
        }
        let answers = texts(&world, "SELECT CAST(answer AS text) FROM mutations WHERE answer IS NOT NULL").await;
        assert!(answers.iter().all(|answer| !answer.contains("Ada") && !answer.contains("Countess")), "{answers:?}");
        world.settle().await;
        let announced = world.heard.on("leadflow.contact.v1.erased");
        let event = ContactErased::decode(announced[0].payload.clone()).unwrap();
        assert_eq!((event.erasure_id, event.contact_ids), (erasure.erasure_id, vec![id]));
    }

    async fn what_was_set_aside_and_names_who_is_erased_goes_and_the_rest_stays(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let of_another = format!("{}-and-more", "01980000-0000-7000-8000-000000000000");
        for body in [format!("\u{1}{id}\u{2}"), "to ADA@example.de".into(), "nobody@example.de, 7".into(), of_another] {
            world.set_aside(body).await;
        }
        erase(&world, &id).await.unwrap();
        let left = texts(&world, "SELECT event_id FROM quarantined_events ORDER BY create_time").await;
        assert_eq!(left, ["nobody@example.de, 7", "01980000-0000-7000-8000-000000000000-and-more"]);
    }

    async fn who_was_erased_is_known_again_by_each_address_and_makes_no_contact(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        erase(&world, &id).await.unwrap();
        let of = |change: fn(&mut Identity)| {
            let mut identity = Identity { company: "Example Works".into(), ..Default::default() };
            change(&mut identity);
            claim(identity)
        };
        let results = world.resolve(vec![
            claim(ada()),
            email("Ada@Example.de"),
            of(|it| it.external_id = "C-4711".into()),
            of(|it| it.anonymous_id = "cookie-1".into()),
            of(|it| it.phone = "+4930901820".into()),
        ]).await;
        assert!(results.iter().all(|it| it.suppressed && it.contact_id.is_empty() && it.error.is_none()), "{results:?}");
        assert!(world.contacts().await.is_empty());
        // A colleague of the same company is another.
        assert!(world.resolve_one(email("bert@example.de")).await.contact_created);
    }

    async fn an_imported_line_of_who_was_erased_says_so(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        erase(&world, &id).await.unwrap();
        let lines = vec![ContactLine { identity: Some(ada()), ..Default::default() }];
        let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
        let result = world.importer().import_contacts(request).await.unwrap().into_inner().results.remove(0);
        assert_eq!(item_refusal(result.error.as_ref()), ("SUPPRESSED".to_owned(), vec!["lines[0].identity".to_owned()]));
        assert!(world.contacts().await.is_empty());
    }

    async fn who_comes_back_is_let_in_by_a_person_and_by_nothing_else(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let erasure = erase(&world, &id).await.unwrap();
        let open = lift(&world, "ada@example.de").await.unwrap_err();
        assert_eq!((open.code(), reason(&open).as_str()), (Code::FailedPrecondition, "ERASURE_OPEN"));
        report(&world, &erasure, "scoring").await.unwrap();
        report(&world, &erasure, "activity-ingest").await.unwrap();
        assert!(world.resolve_one(claim(ada())).await.suppressed, "a form is no proof of who has sent it");

        let lifted = lift(&world, "Ada@Example.de").await.unwrap().remove(0);
        assert_eq!(lifted.erasure_id, erasure.erasure_id);
        let said = lifted.lift.unwrap();
        assert_eq!((said.principal.as_str(), said.reason.as_str()), ("anna", "asked at the fair"));
        let request = GetErasureRequest { erasure_id: erasure.erasure_id.clone() };
        assert!(privacy(&world).get_erasure(request).await.unwrap().into_inner().erasure.unwrap().lift.is_some());
        // By all that they were known by, and as somebody new.
        let cookie = claim(Identity { anonymous_id: "cookie-1".into(), ..Default::default() });
        let back = world.resolve(vec![claim(ada()), cookie]).await;
        assert!(back[0].contact_created && back.iter().all(|it| !it.suppressed && it.contact_id == back[0].contact_id));
        assert_ne!(back[0].contact_id, id);

        for nobody in ["ada@example.de", "bert@example.de"] {
            let error = lift(&world, nobody).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::NotFound, "NOT_SUPPRESSED"));
            assert_eq!(fields(&error), ["claim.identity"]);
        }
        assert_eq!(fields(&lift(&world, "ada").await.unwrap_err()), ["claim.identity.email"]);
        // And they may be erased again.
        erase(&world, &back[0].contact_id).await.unwrap();
        assert!(world.resolve_one(claim(ada())).await.suppressed);
    }

    async fn a_phone_that_others_have_is_not_held_against_them(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let bert = Identity { email: "bert@example.de".into(), phone: "+4930901820".into(), ..Default::default() };
        let bert = world.resolve_one(claim(bert)).await.contact_id;
        let erasure = erase(&world, &id).await.unwrap();
        let by_phone = claim(Identity { phone: "+4930901820".into(), ..Default::default() });
        assert_eq!(world.resolve_one(by_phone).await.contact_id, bert);
        let request = GetErasedPersonRequest { erasure_id: erasure.erasure_id };
        assert!(privacy(&world).get_erased_person(request).await.unwrap().into_inner().phones.is_empty());
    }

    async fn an_erasure_is_complete_when_all_have_reported_and_forgets_then_what_to_look_for(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let erasure = erase(&world, &id).await.unwrap();
        let wanted = GetErasedPersonRequest { erasure_id: erasure.erasure_id.clone() };
        let person = privacy(&world).get_erased_person(wanted.clone()).await.unwrap().into_inner();
        assert_eq!((person.emails.as_slice(), person.names[0].family_name.as_str()), (&["ada@example.de".to_owned()][..], "Lovelace"));
        assert_eq!(report(&world, &erasure, "scoring").await.unwrap().complete_time, None);
        let open = ListErasuresRequest { open_only: true, ..Default::default() };
        assert_eq!(privacy(&world).list_erasures(open.clone()).await.unwrap().into_inner().erasures.len(), 1);
        assert!(report(&world, &erasure, "activity-ingest").await.unwrap().complete_time.is_some());
        assert!(report(&world, &erasure, "activity-ingest").await.unwrap().complete_time.is_some(), "safe to repeat");
        let person = privacy(&world).get_erased_person(wanted).await.unwrap().into_inner();
        assert!(person.emails.is_empty() && person.names.is_empty());
        assert!(privacy(&world).list_erasures(open).await.unwrap().into_inner().erasures.is_empty());
    }

    async fn who_is_not_there_and_who_does_not_report_is_named(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let nobody = erase(&world, "01980000-0000-7000-8000-000000000000").await.unwrap_err();
        assert_eq!((nobody.code(), reason(&nobody).as_str(), fields(&nobody)), (Code::NotFound, "NOT_FOUND", vec!["contact_id".to_owned()]));
        assert_eq!(fields(&erase(&world, "ada").await.unwrap_err()), ["contact_id"]);
        let request = EraseContactRequest { contact_id: id.clone(), ..Default::default() };
        assert_eq!(fields(&privacy(&world).erase_contact(request).await.unwrap_err()), ["reason"]);
        let erasure = erase(&world, &id).await.unwrap();
        assert_eq!(fields(&report(&world, &erasure, "sales").await.unwrap_err()), ["service"]);
        assert_eq!(fields(&report(&world, &erasure, "contact").await.unwrap_err()), ["service"]);
        assert_eq!(erase(&world, &id).await.unwrap_err().code(), Code::NotFound, "only once");
        let request = GetErasureRequest { erasure_id: "01980000-0000-7000-8000-000000000000".into() };
        assert_eq!(privacy(&world).get_erasure(request).await.unwrap_err().code(), Code::NotFound);
    }

    async fn a_person_gets_all_that_is_held(database) {
        let world = World::start(database).await;
        let id = known(&world).await;
        let held = privacy(&world).export_contact(ExportContactRequest { contact_id: id }).await.unwrap().into_inner();
        let kinds: Vec<_> = held.identities.iter().map(|it| (it.kind.as_str(), it.value.as_str())).collect();
        let all = [("email", "ada@example.de"), ("external_id", "C-4711"), ("anonymous_id", "cookie-1"), ("phone", "+4930901820")];
        assert_eq!(kinds, all);
        assert_eq!((held.contacts[0].job_title.as_str(), held.consents[0].proof.as_str()), ("Countess", "Ada signed card 17"));
        assert_eq!(held.accounts[0].name, "Example Works");
    }
}
