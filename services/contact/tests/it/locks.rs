//! Whoever changes the same people in different ways at once waits for the others, and never in a circle: PostgreSQL would
//! end one of them with `UNAVAILABLE`.

use leadflow_harness::{Backend, TestDatabase};
use leadflow_platform::{auth::Credentials, rpc};
use leadflow_proto::contact::v1::{
    BuyingRole, ContactLine, DecideMatchReviewRequest, EraseContactRequest, Fact, FactKind, Identity,
    ImportContactsRequest, MatchDecision, RecordFactRequest, match_review_service_client::MatchReviewServiceClient,
    privacy_service_client::PrivacyServiceClient,
};
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{World, claim, email, named, try_resolve};

fn at_phone(email: &str, at: usize) -> Identity {
    Identity { email: email.into(), phone: format!("+49309018{at:04}"), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_imports_and_activities_of_the_same_people_do_not_wait_in_a_circle() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let works = world.create(named("Works", &["works.de"])).await;
    let labs = world.create(named("Labs", &["labs.de"])).await;
    let ada = world.resolve_one(email("ada@works.de")).await.contact_id;
    let ben = world.resolve_one(email("ben@labs.de")).await.contact_id;
    let mut calls = JoinSet::new();
    for at in 0..48 {
        let (client, mut site_maps, mut importer) = (world.client(), world.site_maps(), world.importer());
        // Each second time the other way round.
        let mut people = [(ada.clone(), "ada@works.de"), (ben.clone(), "ben@labs.de")];
        let mut accounts = [works.account_id.clone(), labs.account_id.clone()];
        if at % 2 == 0 {
            people.reverse();
            accounts.reverse();
        }
        calls.spawn(async move {
            match at / 2 % 3 {
                0 => {
                    let fact = Fact {
                        account_id: accounts[0].clone(),
                        kind: FactKind::Player.into(),
                        role: BuyingRole::User.into(),
                        contact_id: people[0].0.clone(),
                        said_by_contact_id: people[1].0.clone(),
                        confidence: 80,
                        source: "call".into(),
                        ..Default::default()
                    };
                    let request = RecordFactRequest { fact: Some(fact), ..Default::default() };
                    site_maps.record_fact(request).await.map(drop)
                }
                1 => {
                    let line = |(at_end, (_, email)): (usize, &(String, &str))| ContactLine {
                        identity: Some(at_phone(email, at)),
                        account: accounts[at_end].clone(),
                        ..Default::default()
                    };
                    let lines = people.iter().enumerate().map(line).collect();
                    let request = ImportContactsRequest { lines, source: "crm".into(), ..Default::default() };
                    importer.import_contacts(request).await.map(drop)
                }
                _ => {
                    let claims = people.iter().map(|(_, email)| claim(at_phone(email, at))).collect();
                    try_resolve(&client, claims).await.map(drop)
                }
            }
        });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_review_links_can_be_erased_at_the_same_moment() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let channel = rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap();
    let reviews = MatchReviewServiceClient::new(channel.clone());
    let privacy = PrivacyServiceClient::new(channel);
    let mut calls = JoinSet::new();
    for family in ["Halbersteen", "Quillfeather", "Ostrowick", "Bracegirdle", "Thistlewood", "Lockridge"] {
        let firm = family.to_lowercase();
        let of = |name: &str| {
            claim(Identity {
                email: format!("{name}@{firm}.example"),
                given_name: "Araminta".into(),
                family_name: family.into(),
                company: format!("{family} Optics"),
                ..Default::default()
            })
        };
        let known = world.resolve_one(of("ah")).await.contact_id;
        let review_id = world.resolve_one(of("araminta")).await.contact_review_id;
        assert!(!review_id.is_empty(), "{family}");
        let (mut reviews, mut privacy) = (reviews.clone(), privacy.clone());
        let decision = MatchDecision::Link.into();
        let decide = DecideMatchReviewRequest { review_id, decision, ..Default::default() };
        calls.spawn(async move { reviews.decide_match_review(decide).await.map(drop) });
        let erase = EraseContactRequest { contact_id: known, reason: "asked for it".into(), ..Default::default() };
        calls.spawn(async move { privacy.erase_contact(erase).await.map(drop) });
    }
    for result in calls.join_all().await {
        let Err(status) = result else { continue };
        // Whoever comes second finds them gone, or being joined.
        let joined = status.message().contains("is being merged by somebody else");
        assert!(status.code() == Code::NotFound || joined, "{status:?}");
    }
}
