//! Claims that cannot be used, and how much one call may ask for.

use leadflow_harness::on_each_database;
use leadflow_proto::contact::v1::{Identity, IdentityClaim, ResolvedIdentity};
use tonic::Code;

use crate::support::{World, claim, email, fields, reason, refusal, try_resolve};

/// What nobody can be found by, with the reason and the field.
fn refused() -> Vec<(IdentityClaim, &'static str, &'static str)> {
    let with = |change: fn(&mut Identity)| {
        let mut identity = Identity { email: "ada@example.de".into(), ..Default::default() };
        change(&mut identity);
        claim(identity)
    };
    vec![
        (IdentityClaim::default(), "MISSING_IDENTITY", "identity"),
        (claim(Identity::default()), "MISSING_IDENTITY", "identity"),
        (
            claim(Identity { given_name: "Ada".into(), country: "DE".into(), ..Default::default() }),
            "MISSING_IDENTITY",
            "identity",
        ),
        (claim(Identity { company: "!!!".into(), ..Default::default() }), "MISSING_IDENTITY", "identity"),
        (email("ada"), "INVALID_EMAIL", "identity.email"),
        (email("ada@localhost"), "INVALID_EMAIL", "identity.email"),
        (claim(Identity { phone: "030 901820".into(), ..Default::default() }), "INVALID_PHONE", "identity.phone"),
        (with(|one| one.country = "Germany".into()), "INVALID_COUNTRY", "identity.country"),
        (with(|one| one.company = "x".repeat(321)), "INVALID_FIELD", "identity.company"),
        (with(|one| one.given_name = "A\u{0}da".into()), "INVALID_FIELD", "identity.given_name"),
        (with(|one| one.anonymous_id = "\n".repeat(2) + "x\ny"), "INVALID_FIELD", "identity.anonymous_id"),
        (
            IdentityClaim { source: "a\u{0}b".into(), ..with(|one| one.external_id = "1".into()) },
            "INVALID_FIELD",
            "source",
        ),
        (
            IdentityClaim { source: "s".repeat(5_000), ..with(|one| one.external_id = "1".into()) },
            "INVALID_FIELD",
            "source",
        ),
    ]
}

on_each_database! {
    async fn a_claim_that_cannot_be_used_says_why_and_leaves_the_others_alone(database) {
        let world = World::start(database).await;
        let refused = refused();
        let mut claims = Vec::new();
        for (at, (claim, ..)) in refused.iter().enumerate() {
            claims.push(claim.clone());
            claims.push(email(&format!("person-{at}@example.de")));
        }
        let results = world.resolve(claims).await;
        assert_eq!(results.len(), 2 * refused.len());
        for (pair, (claim, reason, field)) in results.chunks(2).zip(&refused) {
            assert_eq!(refusal(&pair[0]), ((*reason).to_owned(), vec![(*field).to_owned()]), "{claim:?}");
            assert_eq!((pair[0].contact_id.as_str(), pair[0].account_id.as_str()), ("", ""));
            assert!(pair[1].error.is_none() && pair[1].contact_created);
        }
        assert_eq!(world.contacts().await.len(), refused.len());
        assert_eq!(world.accounts().await.len(), 1);
    }

    async fn a_phone_that_cannot_be_read_is_left_out_where_something_else_says_who_it_is(database) {
        let world = World::start(database).await;
        let identity = Identity { email: "ada@example.de".into(), phone: "call me".into(), ..Default::default() };
        let ada = world.resolve_one(claim(identity)).await;
        assert!(world.contact(&ada.contact_id).await.phones.is_empty());
    }

    async fn a_call_takes_a_thousand_claims_with_all_that_can_be_said_and_not_one_more(database) {
        let world = World::start(database).await;
        let person = |at: usize| {
            let mut claim = claim(Identity {
                email: format!("person-{at}@example-{at}.de"),
                phone: format!("+4930{:07}", 2_000_000 + at),
                external_id: format!("id-{at}"),
                anonymous_id: format!("cookie-{at}"),
                company: format!("Works {at}"),
                country: "DE".into(),
                ..Default::default()
            });
            claim.source = "expo".into();
            claim
        };
        let error = try_resolve(&world.client(), (0..1001).map(person).collect()).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "TOO_MANY_ITEMS"));
        assert_eq!(fields(&error), ["claims"]);
        assert!(world.contacts().await.is_empty());

        let results = world.resolve((0..1000).map(person).collect()).await;
        assert!(results.iter().all(|one| one.error.is_none() && one.contact_created && one.account_created));
        let again = world.resolve((0..1000).rev().map(person).collect()).await;
        let ids = |one: &ResolvedIdentity| (one.contact_id.clone(), one.account_id.clone());
        assert!(results.iter().map(ids).eq(again.iter().rev().map(ids)));
        assert!(again.iter().all(|one| !one.contact_created && !one.account_created));
        assert!(world.resolve(Vec::new()).await.is_empty());
    }
}
