//! Whom names and places tell, and what a person is asked.

use leadflow_harness::on_each_database;
use leadflow_platform::auth::Credentials;
use leadflow_proto::contact::v1::{
    DecideMatchReviewRequest, GetMatchReviewRequest, Identity, IdentityClaim, ListMatchReviewsRequest, MatchDecision,
    MatchReview, MatchReviewState, MatchSubject, match_review_service_client::MatchReviewServiceClient,
};
use tonic::Code;

use crate::support::{World, claim, fields, reason};

type Reviews = MatchReviewServiceClient<leadflow_platform::rpc::Client>;

fn reviews(world: &World) -> Reviews {
    let channel = leadflow_platform::rpc::channel(world.contact.url(), Credentials::Name("ada".into())).unwrap();
    MatchReviewServiceClient::new(channel)
}

async fn list(world: &World, state: MatchReviewState, subject: MatchSubject) -> Vec<MatchReview> {
    let request =
        ListMatchReviewsRequest { state: state.into(), subject: subject.into(), page_size: 100, ..Default::default() };
    reviews(world).list_match_reviews(request).await.unwrap().into_inner().match_reviews
}

/// Somebody who is known by a name at a firm, and by nothing else.
fn scan(given_name: &str, family_name: &str) -> IdentityClaim {
    claim(Identity {
        given_name: given_name.into(),
        family_name: family_name.into(),
        company: "Kestrel Optics".into(),
        country: "DE".into(),
        ..Default::default()
    })
}

fn with_email(claim: IdentityClaim, email: &str) -> IdentityClaim {
    let identity = Identity { email: email.into(), ..claim.identity.unwrap() };
    IdentityClaim { identity: Some(identity), ..claim }
}

on_each_database! {
    async fn a_badge_without_an_address_makes_a_person_once(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(scan("Araminta", "Halbersteen")).await;
        assert!(first.contact_created && first.account_created);
        for (given, family) in [("Araminta", "Halbersteen"), ("ARAMINTA", "Halbersteen"), ("Araminta", "Halberstene")] {
            let again = world.resolve_one(scan(given, family)).await;
            assert_eq!((&again.contact_id, again.contact_created), (&first.contact_id, false), "{given} {family}");
            assert_eq!(again.account_id, first.account_id);
        }
        let colleague = world.resolve_one(scan("Barnaby", "Halbersteen")).await;
        assert!(colleague.contact_created && colleague.contact_review_id.is_empty());
        assert_eq!(colleague.account_id, first.account_id);
        // What was joined by how well it agrees can be looked at; a repetition is no news.
        let joined = list(&world, MatchReviewState::Automatic, MatchSubject::Contact).await;
        assert_eq!(joined.len(), 1, "{joined:?}");
        assert_eq!((joined[0].known_id.as_str(), joined[0].other_id.as_str()), (first.contact_id.as_str(), ""));
        let named: Vec<_> = joined[0].lines.iter().map(|line| (line.field.as_str(), line.agreement.as_str())).collect();
        assert!(named.contains(&("family_name", "near")), "{named:?}");
    }

    async fn an_address_that_is_told_later_goes_to_the_person_who_had_none(database) {
        let world = World::start(database).await;
        let met = world.resolve_one(scan("Araminta", "Halbersteen")).await;
        let told = with_email(scan("Araminta", "Halbersteen"), "ah@kestrel.example");
        let told = world.resolve_one(told).await;
        assert_eq!(told.contact_id, met.contact_id);
        assert_eq!(world.contact(&met.contact_id).await.emails, ["ah@kestrel.example"]);
    }

    async fn two_addresses_of_one_name_are_two_until_a_person_says_otherwise(database) {
        let world = World::start(database).await;
        let known = world.resolve_one(with_email(scan("Araminta", "Halbersteen"), "ah@kestrel.example")).await;
        let other = with_email(scan("Araminta", "Halbersteen"), "araminta.h@kestrel.example");
        let made = world.resolve_one(other.clone()).await;
        assert!(made.contact_created);
        assert_ne!(made.contact_id, known.contact_id);
        let request = GetMatchReviewRequest { review_id: made.contact_review_id.clone() };
        let shown = reviews(&world).get_match_review(request).await.unwrap().into_inner();
        let review = shown.match_review.unwrap();
        assert_eq!((review.state(), review.subject()), (MatchReviewState::Open, MatchSubject::Contact));
        assert_eq!((&review.known_id, &review.other_id), (&known.contact_id, &made.contact_id));
        let sum: f64 = review.lines.iter().map(|line| line.weight).sum();
        assert!((review.weight - sum).abs() < 1e-9);
        let sides: Vec<_> = shown.contacts.iter().map(|contact| contact.contact_id.clone()).collect();
        assert_eq!(sides, [known.contact_id.clone(), made.contact_id.clone()]);

        // They stay two, and nobody is asked again.
        let decide = DecideMatchReviewRequest {
            review_id: made.contact_review_id.clone(),
            decision: MatchDecision::Distinct.into(),
            note: "mother and daughter".into(),
            request_id: "0192f0c1-2f4b-7cc0-8000-000000000001".into(),
        };
        for _ in 0..2 {
            let decided = reviews(&world).decide_match_review(decide.clone()).await.unwrap().into_inner();
            let decided = decided.match_review.unwrap();
            assert_eq!(decided.state(), MatchReviewState::Distinct);
            assert_eq!((decided.decide_principal.as_str(), decided.note.as_str()), ("ada", "mother and daughter"));
        }
        assert_eq!(world.resolve_one(other).await.contact_id, made.contact_id);
        assert!(list(&world, MatchReviewState::Open, MatchSubject::Unspecified).await.is_empty());
        let again = DecideMatchReviewRequest { request_id: String::new(), ..decide };
        let error = reviews(&world).decide_match_review(again).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::FailedPrecondition, "REVIEW_DECIDED"));
    }

    async fn what_a_person_links_is_one_from_then_on(database) {
        let world = World::start(database).await;
        let known = world.resolve_one(with_email(scan("Araminta", "Halbersteen"), "ah@kestrel.example")).await;
        let other = with_email(scan("Araminta", "Halbersteen"), "araminta.h@kestrel.example");
        let made = world.resolve_one(other.clone()).await;
        let decide = DecideMatchReviewRequest {
            review_id: made.contact_review_id,
            decision: MatchDecision::Link.into(),
            ..Default::default()
        };
        let decided = reviews(&world).decide_match_review(decide).await.unwrap().into_inner().match_review.unwrap();
        assert_eq!(decided.state(), MatchReviewState::Linked);
        let one = world.contact(&made.contact_id).await;
        assert_eq!((one.contact_id, one.merged_contact_ids), (known.contact_id.clone(), vec![made.contact_id]));
        assert_eq!(world.resolve_one(other).await.contact_id, known.contact_id);
    }

    async fn a_firm_is_found_by_its_name_but_for_a_slip_where_it_is(database) {
        let world = World::start(database).await;
        let firm = |company: &str, city: &str, street: &str| {
            claim(Identity {
                company: company.into(),
                country: "DE".into(),
                city: city.into(),
                street: street.into(),
                ..Default::default()
            })
        };
        let first = world.resolve_one(firm("Kestrel Optics GmbH", "Hamburg", "12 Mill Street")).await;
        let slip = world.resolve_one(firm("Kestrl Optics", "Hamburg", "12 Mill St.")).await;
        assert_eq!((slip.account_id, slip.account_created), (first.account_id.clone(), false));
        let branch = world.resolve_one(firm("Kestrel Optics GmbH", "München", "4 Canal Street")).await;
        assert!(branch.account_created);
        let back = world.resolve_one(firm("Kestrel Optics GmbH", "München", "4 Canal Street")).await;
        assert_eq!((back.account_id, back.account_created), (branch.account_id, false));
    }

    async fn the_address_of_a_role_tells_the_account_and_no_person(database) {
        let world = World::start(database).await;
        let ada = world.resolve_one(crate::support::email("ada@kestrel.example")).await;
        let role = world.resolve_one(crate::support::email("purchasing@kestrel.example")).await;
        assert_eq!((role.contact_id.as_str(), role.account_id), ("", ada.account_id));
        assert_eq!(world.contacts().await.len(), 1);
    }

    async fn a_phone_of_somebody_else_does_not_make_one_of_two_names(database) {
        let world = World::start(database).await;
        let call = |given: &str| {
            let identity = Identity { phone: "+4930901820".into(), ..scan(given, "Halbersteen").identity.unwrap() };
            claim(identity)
        };
        let araminta = world.resolve_one(call("Araminta")).await;
        let barnaby = world.resolve_one(call("Barnaby")).await;
        assert!(barnaby.contact_created);
        assert_ne!(araminta.contact_id, barnaby.contact_id);
        assert_eq!(world.resolve_one(call("Araminta")).await.contact_id, araminta.contact_id);
    }

    async fn what_a_person_corrects_leads_to_the_contact_from_then_on(database) {
        let world = World::start(database).await;
        let first = world.resolve_one(scan("Aramita", "Halbrsteen")).await;
        let mut contact = world.contact(&first.contact_id).await;
        contact.given_name = "Quentin".into();
        contact.family_name = "Osterquist".into();
        contact.etag.clear();
        let request = leadflow_proto::contact::v1::UpdateContactRequest {
            contact: Some(contact),
            update_mask: crate::support::mask(&["given_name", "family_name"]),
            ..Default::default()
        };
        world.client().update_contact(request).await.unwrap();
        assert_eq!(world.resolve_one(scan("Quentin", "Osterqvist")).await.contact_id, first.contact_id);
        assert_ne!(world.resolve_one(scan("Aramita", "Halbrsteen")).await.contact_id, first.contact_id);
    }

    async fn pages_and_filters_of_reviews_and_what_is_none(database) {
        let world = World::start(database).await;
        for at in 0..3 {
            world.resolve_one(with_email(scan("Araminta", &format!("Halber{at}steen")), &format!("a{at}@kestrel.example"))).await;
            world.resolve_one(with_email(scan("Araminta", &format!("Halber{at}steen")), &format!("b{at}@kestrel.example"))).await;
        }
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListMatchReviewsRequest { page_size: 2, page_token, ..Default::default() };
            let answer = reviews(&world).list_match_reviews(request).await.unwrap().into_inner();
            found.extend(answer.match_reviews.into_iter().map(|review| review.review_id));
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let all = list(&world, MatchReviewState::Unspecified, MatchSubject::Unspecified).await;
        assert!(all.len() >= 3, "{}", all.len());
        assert_eq!(found, all.iter().map(|review| review.review_id.clone()).collect::<Vec<_>>());
        let about = ListMatchReviewsRequest { about_id: all[0].known_id.clone(), ..Default::default() };
        let about = reviews(&world).list_match_reviews(about).await.unwrap().into_inner().match_reviews;
        assert!(!about.is_empty() && about.iter().all(|one| [&one.known_id, &one.other_id].contains(&&all[0].known_id)));

        let unknown = GetMatchReviewRequest { review_id: all[0].known_id.clone() };
        assert_eq!(reviews(&world).get_match_review(unknown).await.unwrap_err().code(), Code::NotFound);
        let undecided = DecideMatchReviewRequest { review_id: all[0].review_id.clone(), ..Default::default() };
        assert_eq!(fields(&reviews(&world).decide_match_review(undecided).await.unwrap_err()), ["decision"]);
    }
}
