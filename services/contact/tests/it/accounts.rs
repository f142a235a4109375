//! Accounts, as people keep them.

use leadflow_harness::on_each_database;
use leadflow_platform::{audit, ids};
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, CreateAccountRequest, GetAccountRequest, ListAccountsRequest, Relation,
    UpdateAccountRequest, UpdateContactRequest, contact_service_client::ContactServiceClient,
};
use sea_orm::EntityTrait as _;
use tonic::Code;

use crate::support::{World, company, email, fields, mask, named, reason, referenced};

fn whole() -> Account {
    Account {
        country: "de".into(),
        region: "Berlin".into(),
        postal_code: "10115".into(),
        industry: "Chemicals".into(),
        employees: Some(1_200),
        revenue: Some(90_000_000),
        relation: Relation::Customer.into(),
        owner_rep: "anna".into(),
        ..referenced("works", " Works AG ", &["www.Works.de", "works.de", "works.example"])
    }
}

/// What is no account, with the reason and the field.
fn refused() -> Vec<(Account, &'static str, &'static str)> {
    let works = || named("Works", &[]);
    vec![
        (named("  ", &[]), "INVALID_FIELD", "account.name"),
        (named(&"x".repeat(321), &[]), "INVALID_FIELD", "account.name"),
        (named("Wor\u{0}ks", &[]), "INVALID_FIELD", "account.name"),
        (named("Works", &["works.de", "localhost"]), "INVALID_FIELD", "account.domains[1]"),
        (named("Works", &["mail.gmail.com"]), "FREE_MAIL_DOMAIN", "account.domains[0]"),
        (named("Works", &["works.de"; 501]), "TOO_MANY_ITEMS", "account.domains"),
        (referenced("Works Ltd", "Works", &[]), "INVALID_FIELD", "account.reference"),
        (Account { country: "Germany".into(), ..works() }, "INVALID_COUNTRY", "account.country"),
        (Account { employees: Some(-1), ..works() }, "INVALID_FIELD", "account.employees"),
        (Account { revenue: Some(-1), ..works() }, "INVALID_FIELD", "account.revenue"),
        (Account { owner_rep: "a\nb".into(), ..works() }, "INVALID_FIELD", "account.owner_rep"),
    ]
}

on_each_database! {
    async fn an_account_is_kept_as_it_was_written_in_one_form(database) {
        let world = World::start(database).await;
        let account = world.create(whole()).await;
        let expected = Account {
            account_id: account.account_id.clone(),
            name: "Works AG".into(),
            domains: vec!["works.de".into(), "works.example".into()],
            country: "DE".into(),
            revision: 1,
            etag: "1".into(),
            create_time: account.create_time,
            update_time: account.create_time,
            roll_up: Some(false),
            ..whole()
        };
        assert_eq!(account, expected);
        assert_eq!(world.account(&account.account_id).await, account);
        // From now on activities find it.
        for claim in [email("ada@works.example"), company("Works", "DE")] {
            let found = world.resolve_one(claim).await;
            assert_eq!((found.account_id, found.account_created), (account.account_id.clone(), false));
        }
        // A reference may be a number.
        world.create(referenced("10023", "Other", &[])).await;
    }

    async fn what_is_no_account_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        for (account, expected, field) in refused() {
            let request = CreateAccountRequest { account: Some(account), ..Default::default() };
            let error = world.client().create_account(request).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, expected), "{error:?}");
            assert_eq!(fields(&error), [field]);
        }
        let error = world.client().create_account(CreateAccountRequest::default()).await.unwrap_err();
        assert_eq!(fields(&error), ["account"]);
        assert!(world.accounts().await.is_empty());
    }

    async fn a_domain_and_a_reference_belong_to_one_account(database) {
        let world = World::start(database).await;
        world.create(whole()).await;
        let other = world.create(named("Other", &["other.de"])).await;
        for (account, expected, field) in [
            (named("Works", &["works.example"]), "DOMAIN_TAKEN", "domains"),
            (referenced("works", "Works", &[]), "REFERENCE_TAKEN", "reference"),
        ] {
            let request = CreateAccountRequest { account: Some(account.clone()), ..Default::default() };
            let error = world.client().create_account(request).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::AlreadyExists, expected));
            assert_eq!(fields(&error), [field]);
            let account = Account { account_id: other.account_id.clone(), ..account };
            let error = world.update(account, &[field]).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::AlreadyExists, expected));
        }
        assert_eq!(world.account(&other.account_id).await, other);
        // Given up by one, it is free for the next.
        let given_up = Account { account_id: other.account_id.clone(), ..Default::default() };
        world.update(given_up, &["domains"]).await.unwrap();
        world.create(named("Next", &["other.de"])).await;
    }

    async fn an_update_changes_what_the_mask_names_and_nothing_else(database) {
        let world = World::start(database).await;
        let before = world.create(whole()).await;
        world.hand.advance(5_000);
        let said = Account {
            account_id: before.account_id.clone(),
            industry: "Pharma".into(),
            employees: None,
            region: "ignored".into(),
            ..Default::default()
        };
        let after = world.update(said, &["industry", "employees"]).await.unwrap();
        let expected = Account {
            industry: "Pharma".into(),
            employees: None,
            revision: 2,
            etag: "2".into(),
            update_time: after.update_time,
            ..before.clone()
        };
        assert_eq!(after, expected);
        assert!(after.update_time.unwrap().seconds > before.update_time.unwrap().seconds);
        assert_eq!(world.account(&before.account_id).await, after);
    }

    async fn an_update_without_a_mask_changes_all_that_can_be_changed(database) {
        let world = World::start(database).await;
        let before = world.create(whole()).await;
        let said = Account { account_id: before.account_id.clone(), ..named("Renamed", &["renamed.de"]) };
        let request = UpdateAccountRequest { account: Some(said), ..Default::default() };
        let after = world.client().update_account(request).await.unwrap().into_inner().account.unwrap();
        assert_eq!((after.name.as_str(), after.domains.concat().as_str()), ("Renamed", "renamed.de"));
        assert_eq!(after.relation(), Relation::Prospect);
        assert_eq!((after.reference.as_str(), after.owner_rep.as_str()), ("", ""));
        // The old name and the old domains lead to it no more.
        assert_ne!(world.resolve_one(company("Works", "DE")).await.account_id, after.account_id);
        assert_ne!(world.resolve_one(email("ada@works.de")).await.account_id, after.account_id);
        assert_eq!(world.resolve_one(email("ada@renamed.de")).await.account_id, after.account_id);
    }

    async fn an_etag_that_is_out_of_date_is_refused_and_none_overwrites(database) {
        let world = World::start(database).await;
        let read = world.create(named("Works", &[])).await;
        let said = |industry: &str, etag: &str| {
            Account { industry: industry.into(), etag: etag.into(), ..read.clone() }
        };
        world.update(said("Chemicals", "1"), &["industry"]).await.unwrap();
        let error = world.update(said("Pharma", "1"), &["industry"]).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::Aborted, "STALE_ETAG"));
        assert_eq!(fields(&error), ["etag"]);
        assert_eq!(world.account(&read.account_id).await.industry, "Chemicals");
        let overwritten = world.update(said("Pharma", ""), &["industry"]).await.unwrap();
        assert_eq!((overwritten.industry.as_str(), overwritten.revision), ("Pharma", 3));
    }

    async fn an_update_that_makes_no_sense_is_refused(database) {
        let world = World::start(database).await;
        let account = world.create(named("Works", &[])).await;
        let error = world.update(account.clone(), &["industry", "revision"]).await.unwrap_err();
        assert_eq!((fields(&error), error.code()), (vec!["update_mask".to_owned()], Code::InvalidArgument));
        assert!(error.message().contains("`revision`") && error.message().contains("owner_rep"), "{error:?}");
        let unnamed = Account { name: String::new(), ..account };
        assert_eq!(fields(&world.update(unnamed, &["name"]).await.unwrap_err()), ["account.name"]);
        let unknown = ids::new().to_string();
        for (id, code) in [("", Code::InvalidArgument), ("me", Code::InvalidArgument), (&unknown, Code::NotFound)] {
            let said = Account { account_id: id.into(), ..named("Works", &[]) };
            assert_eq!(world.update(said, &["name"]).await.unwrap_err().code(), code);
            let request = GetAccountRequest { account_id: id.into() };
            assert_eq!(world.client().get_account(request).await.unwrap_err().code(), code);
        }
    }

    async fn a_repeated_request_gets_the_first_answer(database) {
        let world = World::start(database).await;
        let request = CreateAccountRequest { account: Some(whole()), request_id: ids::new().to_string() };
        let create = |request: CreateAccountRequest| {
            let mut client = world.client();
            async move { client.create_account(request).await.map(|answer| answer.into_inner().account.unwrap()) }
        };
        let first = create(request.clone()).await.unwrap();
        let update = UpdateAccountRequest {
            account: Some(Account { industry: "Pharma".into(), ..first.clone() }),
            update_mask: mask(&["industry"]),
            request_id: ids::new().to_string(),
        };
        let updated = world.client().update_account(update.clone()).await.unwrap().into_inner().account;
        assert_eq!(create(request.clone()).await.unwrap(), first);
        // Even though its etag is out of date by now.
        assert_eq!(world.client().update_account(update).await.unwrap().into_inner().account, updated);
        assert_eq!((world.accounts().await.len(), updated.unwrap().revision), (1, 2));

        let other = CreateAccountRequest { account: Some(named("Other", &[])), ..request.clone() };
        let error = create(other).await.unwrap_err();
        assert_eq!((reason(&error).as_str(), fields(&error)), ("REQUEST_ID_REUSED", vec!["request_id".to_owned()]));
        let error = create(CreateAccountRequest { request_id: "mine".into(), ..request }).await.unwrap_err();
        assert_eq!(fields(&error), ["request_id"]);
    }

    async fn who_changed_what_is_recorded(database) {
        let world = World::start(database).await;
        let mut anna = world.contact.client_as("anna.berg");
        let request = CreateAccountRequest { account: Some(whole()), ..Default::default() };
        let account = anna.create_account(request.clone()).await.unwrap().into_inner().account.unwrap();
        anna.create_account(request).await.unwrap_err();
        let mut bert = world.contact.client_as("bert");
        let said = Account { industry: "Pharma".into(), ..account.clone() };
        let update_mask = mask(&["industry"]);
        let request = UpdateAccountRequest { account: Some(said), update_mask, ..Default::default() };
        bert.update_account(request).await.unwrap();
        world.apply(vec![referenced("works", "Works", &[])]).await;

        let tables = world.tables().await;
        let rows = audit::Entity::find().all(tables.reader()).await.unwrap();
        let row = |row: &audit::Model| format!("{} {} {}", row.principal, row.method, row.resource);
        let mut rows: Vec<_> = rows.iter().map(row).collect();
        rows.sort_unstable();
        let id = account.account_id.as_str();
        let expected = [
            format!("anna.berg CreateAccount {id}"),
            format!("bert UpdateAccount {id}"),
            "tester ApplyConfiguration configuration".to_owned(),
        ];
        assert_eq!(rows, expected);
    }

    async fn who_changes_something_says_who_it_is(database) {
        let world = World::start(database).await;
        let endpoint = tonic::transport::Endpoint::from_shared(world.contact.url().to_owned()).unwrap();
        let mut nobody = ContactServiceClient::new(endpoint.connect().await.unwrap());
        let errors = [
            nobody.create_account(CreateAccountRequest::default()).await.unwrap_err(),
            nobody.update_account(UpdateAccountRequest::default()).await.unwrap_err(),
            nobody.update_contact(UpdateContactRequest::default()).await.unwrap_err(),
            nobody.apply_configuration(ApplyConfigurationRequest::default()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.code(), reason(&error).as_str()), (Code::Unauthenticated, "PRINCIPAL_REQUIRED"));
        }
        nobody.list_accounts(ListAccountsRequest::default()).await.unwrap();
    }
}
