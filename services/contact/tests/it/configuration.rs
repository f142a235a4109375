//! Named accounts as code.

use leadflow_harness::on_each_database;
use leadflow_platform::audit;
use leadflow_proto::{
    common::v1::Change,
    contact::v1::{Account, ApplyConfigurationRequest, Identity, Relation},
};
use sea_orm::EntityTrait as _;
use tonic::Code;

use crate::support::{World, claim, company, email, fields, named, reason, referenced};

async fn configure(world: &World, accounts: Vec<Account>, validate_only: bool) -> Result<Vec<Change>, tonic::Status> {
    let request = ApplyConfigurationRequest { accounts, validate_only, ..Default::default() };
    Ok(world.client().apply_configuration(request).await?.into_inner().changes)
}

fn works() -> Account {
    Account {
        owner_rep: "anna".into(),
        relation: Relation::Customer.into(),
        ..referenced("works", "Works AG", &["works.de"])
    }
}

fn outcome(reference: &str, action: &str) -> (String, String) {
    (reference.to_owned(), format!("ACTION_{action}"))
}

on_each_database! {
    async fn what_is_applied_twice_changes_nothing_the_second_time(database) {
        let world = World::start(database).await;
        let manifest = || vec![works(), referenced("other", "Other", &["other.de", "other.com"])];
        assert_eq!(world.apply(manifest()).await, [outcome("works", "CREATED"), outcome("other", "CREATED")]);
        let before = world.accounts().await;
        assert_eq!(world.apply(manifest()).await, [outcome("works", "UNCHANGED"), outcome("other", "UNCHANGED")]);
        assert_eq!(world.accounts().await, before);

        let promoted = Account { owner_rep: "bert".into(), ..works() };
        let changes = configure(&world, vec![promoted], false).await.unwrap();
        assert_eq!(changes[0].action().as_str_name(), "ACTION_UPDATED");
        assert!(changes[0].before.contains(r#""owner_rep": "anna""#), "{}", changes[0].before);
        assert!(changes[0].after.contains(r#""owner_rep": "bert""#), "{}", changes[0].after);
        // What the manifest does not name stays.
        assert_eq!(world.accounts().await.len(), 2);
    }

    async fn a_dry_run_says_what_would_change_and_changes_nothing(database) {
        let world = World::start(database).await;
        world.apply(vec![works()]).await;
        let before = world.accounts().await;
        let manifest = vec![Account { owner_rep: "bert".into(), ..works() }, referenced("other", "Other", &[])];
        let tried = configure(&world, manifest.clone(), true).await.unwrap();
        assert_eq!(world.accounts().await, before);
        let tables = world.tables().await;
        assert_eq!(audit::Entity::find().all(tables.reader()).await.unwrap().len(), 1);
        tables.close().await;
        assert_eq!(configure(&world, manifest, false).await.unwrap(), tried);
        // It finds what the real one would find.
        let error = configure(&world, vec![referenced("third", "Third", &["works.de"])], true).await.unwrap_err();
        assert_eq!(reason(&error), "DOMAIN_TAKEN");
    }

    async fn a_manifest_that_makes_no_sense_is_refused_whole(database) {
        let world = World::start(database).await;
        world.create(named("Taken", &["taken.de"])).await;
        world.apply(vec![referenced("owner", "Owner", &["owned.de"])]).await;
        let before = world.accounts().await;
        for (second, expected, field) in [
            (named("No reference", &[]), "INVALID_FIELD", "accounts[1].reference"),
            (referenced("Not a slug", "Works", &[]), "INVALID_FIELD", "accounts[1].reference"),
            (referenced("works", "Twice", &[]), "INVALID_FIELD", "accounts[1].reference"),
            (referenced("twice", "Twice", &["works.de"]), "DOMAIN_TAKEN", "accounts[1].domains"),
            (referenced("other", "Other", &["owned.de"]), "DOMAIN_TAKEN", "accounts[1].domains"),
            (referenced("mail", "Mail", &["gmail.com"]), "FREE_MAIL_DOMAIN", "accounts[1].domains[0]"),
            (referenced("nameless", "", &[]), "INVALID_FIELD", "accounts[1].name"),
        ] {
            let error = configure(&world, vec![works(), second], false).await.unwrap_err();
            assert_eq!((reason(&error).as_str(), fields(&error)), (expected, vec![field.to_owned()]), "{error:?}");
        }
        let many = (0..1001).map(|at| referenced(&format!("a{at}"), "A", &[])).collect();
        let error = configure(&world, many, false).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "TOO_MANY_ITEMS"));
        assert_eq!(world.accounts().await, before);
        world.settle().await;
        assert_eq!(world.heard.accounts().len(), 2);
    }

    async fn an_account_that_activities_have_made_is_adopted(database) {
        let world = World::start(database).await;
        let by_domain = world.resolve_one(email("ada@works.de")).await;
        let by_name = world.resolve_one(company("Other GmbH", "DE")).await;
        let other = Account { country: "DE".into(), ..referenced("other", "Other", &["other.de"]) };
        world.apply(vec![works(), other]).await;
        let account = world.account(&by_domain.account_id).await;
        assert_eq!((account.reference.as_str(), account.name.as_str()), ("works", "Works AG"));
        assert_eq!(account.owner_rep, "anna");
        assert_eq!(world.account(&by_name.account_id).await.reference, "other");
        assert_eq!(world.accounts().await.len(), 2);
    }

    async fn an_account_is_adopted_once_and_not_by_a_mere_name_when_its_domain_says_otherwise(database) {
        let world = World::start(database).await;
        let made = world.resolve_one(company("Works", "DE")).await;
        let at = |reference: &str, domain: &str| {
            Account { country: "DE".into(), ..referenced(reference, "Works", &[domain]) }
        };
        world.apply(vec![at("north", "north.de"), at("south", "south.de")]).await;
        let accounts = world.accounts().await;
        let references = accounts.iter().map(|one| (one.reference.as_str(), one.domains.concat()));
        let mut references: Vec<_> = references.collect();
        references.sort_unstable();
        assert_eq!(references, [("north", "north.de".to_owned()), ("south", "south.de".to_owned())]);
        assert_eq!(world.account(&made.account_id).await.reference, "north");

        // Somebody wrote a famous name into a form.
        let eve = claim(Identity {
            email: "eve@evil.example".into(),
            company: "Famous".into(),
            ..Default::default()
        });
        let eve = world.resolve_one(eve).await;
        world.apply(vec![referenced("famous", "Famous", &["famous.de"])]).await;
        assert_eq!(world.account(&eve.account_id).await.reference, "");
    }

    async fn what_activities_have_found_stays_and_does_not_count_as_a_change(database) {
        let world = World::start(database).await;
        // The name of the second is its domain, and that is no accident.
        let manifest = || vec![works(), referenced("booking", "booking.example", &["booking.example"])];
        world.apply(manifest()).await;
        for domain in ["works.de", "booking.example"] {
            let identity = Identity {
                domain: domain.into(),
                company: "What somebody wrote".into(),
                country: "DE".into(),
                region: "Berlin".into(),
                postal_code: "10115".into(),
                ..Default::default()
            };
            world.resolve_one(claim(identity)).await;
        }
        let before = world.accounts().await;
        assert!(before.iter().all(|one| one.country == "DE" && one.region == "Berlin" && one.postal_code == "10115"));
        assert_eq!(before.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["booking.example", "Works AG"]);
        assert_eq!(world.apply(manifest()).await, [outcome("works", "UNCHANGED"), outcome("booking", "UNCHANGED")]);
        assert_eq!(world.accounts().await, before);
        // What the manifest says of it wins.
        world.apply(vec![Account { country: "AT".into(), ..works() }]).await;
        assert_eq!(world.accounts().await[1].country, "AT");
    }
}
