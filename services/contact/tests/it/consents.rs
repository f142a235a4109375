//! What people have said about being contacted, and what it allows.

use leadflow_harness::on_each_database;
use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{
    Consent, ConsentChannel, ConsentState, ContactPermission, ContactQuestion, LawfulBasis, ListConsentsRequest,
    MayContactRequest, RecordConsentRequest, consent_service_client::ConsentServiceClient, contact_permission::Reason,
};
use tonic::Code;

use crate::support::{World, email, fields, reason};

type Client = ConsentServiceClient<rpc::Client>;

fn client(world: &World) -> Client {
    ConsentServiceClient::new(rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap())
}

async fn ada(world: &World) -> String {
    world.resolve_one(email("ada@example.de")).await.contact_id
}

fn grant(contact_id: &str) -> Consent {
    Consent {
        contact_id: contact_id.into(),
        channels: vec![ConsentChannel::Email.into()],
        purpose: "newsletter".into(),
        state: ConsentState::Granted.into(),
        basis: LawfulBasis::Consent.into(),
        source: "expo-berlin".into(),
        proof: "signed card 17".into(),
        ..Default::default()
    }
}

fn withdrawal(contact_id: &str) -> Consent {
    Consent { state: ConsentState::Withdrawn.into(), basis: 0, purpose: String::new(), ..grant(contact_id) }
}

async fn record(world: &World, consent: Consent) -> Result<Consent, tonic::Status> {
    let request = RecordConsentRequest { consent: Some(consent), request_id: String::new() };
    Ok(client(world).record_consent(request).await?.into_inner().consent.unwrap())
}

async fn ask(world: &World, question: ContactQuestion) -> ContactPermission {
    let request = MayContactRequest { questions: vec![question] };
    client(world).may_contact(request).await.unwrap().into_inner().permissions.remove(0)
}

fn newsletter(contact_id: &str) -> ContactQuestion {
    ContactQuestion {
        contact_id: contact_id.into(),
        channel: ConsentChannel::Email.into(),
        purpose: "newsletter".into(),
        at_time: None,
    }
}

on_each_database! {
    async fn who_has_said_nothing_or_is_not_there_may_not_be_contacted(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        let answer = ask(&world, newsletter(&ada)).await;
        assert_eq!((answer.allowed, answer.reason()), (false, Reason::NoBasis));
        let nobody = ask(&world, newsletter("01980000-0000-7000-8000-000000000000")).await;
        assert_eq!((nobody.allowed, nobody.reason()), (false, Reason::UnknownContact));
    }

    async fn a_grant_is_for_its_way_and_its_purpose_until_it_is_withdrawn(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        let said = record(&world, grant(&ada)).await.unwrap();
        assert_eq!((said.principal.as_str(), said.proof.as_str()), ("anna", "signed card 17"));
        let answer = ask(&world, newsletter(&ada)).await;
        assert_eq!((answer.allowed, answer.basis()), (true, LawfulBasis::Consent));
        assert_eq!(answer.consent_id, said.consent_id);
        for other in [
            ContactQuestion { channel: ConsentChannel::Phone.into(), ..newsletter(&ada) },
            ContactQuestion { purpose: "sales".into(), ..newsletter(&ada) },
        ] {
            assert_eq!(ask(&world, other).await.reason(), Reason::NoBasis);
        }
        let granted_at = said.occur_time;
        world.hand.advance(60_000);
        record(&world, withdrawal(&ada)).await.unwrap();
        assert_eq!(ask(&world, newsletter(&ada)).await.reason(), Reason::Withdrawn);
        let then = ContactQuestion { at_time: granted_at, ..newsletter(&ada) };
        assert!(ask(&world, then).await.allowed, "as it was at that moment");
    }

    async fn an_import_never_revives_what_was_withdrawn(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        record(&world, withdrawal(&ada)).await.unwrap();
        world.hand.advance(60_000);
        record(&world, Consent { imported: true, ..grant(&ada) }).await.unwrap();
        assert_eq!(ask(&world, newsletter(&ada)).await.reason(), Reason::Withdrawn);
        record(&world, grant(&ada)).await.unwrap();
        assert!(ask(&world, newsletter(&ada)).await.allowed, "what the person says does");
    }

    async fn what_was_said_is_listed_the_latest_first_page_by_page(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        for _ in 0..5 {
            record(&world, grant(&ada)).await.unwrap();
            world.hand.advance(1_000);
        }
        record(&world, withdrawal(&ada)).await.unwrap();
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = ListConsentsRequest { contact_id: ada.clone(), page_size: 2, page_token: token };
            let page = client(&world).list_consents(request).await.unwrap().into_inner();
            seen.extend(page.consents);
            token = page.next_page_token;
            if token.is_empty() { break }
        }
        assert_eq!((seen.len(), seen[0].state()), (6, ConsentState::Withdrawn));
        assert!(seen.windows(2).all(|two| two[0].occur_time.unwrap().seconds > two[1].occur_time.unwrap().seconds));
    }

    async fn a_repeated_request_says_it_once(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        let request = RecordConsentRequest {
            consent: Some(grant(&ada)),
            request_id: "0198d0c4-7000-7000-8000-000000000001".into(),
        };
        let first = client(&world).record_consent(request.clone()).await.unwrap().into_inner();
        assert_eq!(client(&world).record_consent(request).await.unwrap().into_inner(), first);
        let request = ListConsentsRequest { contact_id: ada, ..Default::default() };
        assert_eq!(client(&world).list_consents(request).await.unwrap().into_inner().consents.len(), 1);
    }

    async fn what_makes_no_sense_is_refused_with_its_field(database) {
        let world = World::start(database).await;
        let ada = ada(&world).await;
        let ahead = prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 };
        for (wrong, field) in [
            (Consent { channels: vec![], ..grant(&ada) }, "consent.channels"),
            (Consent { channels: vec![77], ..grant(&ada) }, "consent.channels"),
            (Consent { state: 0, ..grant(&ada) }, "consent.state"),
            (Consent { state: ConsentState::Pending.into(), ..grant(&ada) }, "consent.state"),
            (Consent { basis: 0, ..grant(&ada) }, "consent.basis"),
            (Consent { purpose: String::new(), ..grant(&ada) }, "consent.purpose"),
            (Consent { purpose: "x".repeat(64), ..grant(&ada) }, "consent.purpose"),
            (Consent { source: " ".into(), ..grant(&ada) }, "consent.source"),
            (Consent { proof: "x".repeat(1_001), ..grant(&ada) }, "consent.proof"),
            (Consent { occur_time: Some(ahead), ..grant(&ada) }, "consent.occur_time"),
            (grant("ada"), "consent.contact_id"),
        ] {
            let error = record(&world, wrong).await.unwrap_err();
            assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]));
        }
        let unknown = record(&world, grant("01980000-0000-7000-8000-000000000000")).await.unwrap_err();
        assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "NOT_FOUND"));
        let question = ContactQuestion { purpose: String::new(), ..newsletter(&ada) };
        let request = MayContactRequest { questions: vec![newsletter(&ada), question] };
        let error = client(&world).may_contact(request).await.unwrap_err();
        assert_eq!(fields(&error), ["questions[1].purpose"]);
        let request = MayContactRequest { questions: vec![newsletter(&ada); 1_001] };
        assert_eq!(reason(&client(&world).may_contact(request).await.unwrap_err()), "TOO_MANY_ITEMS");
    }
}
