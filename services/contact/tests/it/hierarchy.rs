//! Groups of companies, and where they work.

use leadflow_harness::on_each_database;
use leadflow_platform::ids;
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, CreateAccountRequest, ListAccountsRequest, Site, UpdateAccountRequest,
};
use tonic::Code;

use crate::support::{Client, World, fields, mask, named, reason, referenced};

async fn create(world: &World, account: Account) -> Result<Account, tonic::Status> {
    let request = CreateAccountRequest { account: Some(account), ..Default::default() };
    Ok(world.client().create_account(request).await?.into_inner().account.unwrap())
}

fn below(parent: &Account, name: &str) -> Account {
    Account { parent_account_id: parent.account_id.clone(), ..named(name, &[]) }
}

/// Puts an account below another.
async fn put(mut client: Client, account: &Account, parent: &Account) -> Result<Account, tonic::Status> {
    let account = Account {
        account_id: account.account_id.clone(),
        parent_account_id: parent.account_id.clone(),
        ..Default::default()
    };
    let request = UpdateAccountRequest {
        account: Some(account),
        update_mask: mask(&["parent_account_id"]),
        ..Default::default()
    };
    Ok(client.update_account(request).await?.into_inner().account.unwrap())
}

fn plant() -> Site {
    Site {
        name: "Plant 2".into(),
        street: "Hauptstraße 1".into(),
        city: "Leipzig".into(),
        region: "Sachsen".into(),
        postal_code: "04103".into(),
        country: "DE".into(),
    }
}

/// Groups of a manifest: the child first, its parent by reference.
fn group() -> Vec<Account> {
    let child = Account { parent_reference: "group".into(), ..referenced("works", "Works", &["works.de"]) };
    vec![child, Account { sites: vec![plant()], ..referenced("group", "Group", &[]) }]
}

on_each_database! {
    async fn an_account_has_a_parent_and_sites_and_is_found_below_it(database) {
        let world = World::start(database).await;
        let group = create(&world, named("Group", &[])).await.unwrap();
        let said = Account { sites: vec![Site { country: "de".into(), ..plant() }], ..below(&group, "Works") };
        let works = create(&world, said).await.unwrap();
        assert_eq!((&works.parent_account_id, &works.sites), (&group.account_id, &vec![plant()]));
        assert_eq!(world.account(&works.account_id).await, works);
        create(&world, named("Other", &[])).await.unwrap();

        let request = ListAccountsRequest { parent_account_id: group.account_id.clone(), ..Default::default() };
        let children = world.client().list_accounts(request).await.unwrap().into_inner().accounts;
        assert_eq!(children, std::slice::from_ref(&works));
        world.settle().await;
        assert!(world.heard.accounts().contains(&works), "others hear of it too");

        // It may leave the group again.
        let alone = put(world.client(), &works, &Account::default()).await.unwrap();
        assert_eq!((alone.parent_account_id.as_str(), alone.revision), ("", 2));
    }

    async fn an_account_never_belongs_to_itself(database) {
        let world = World::start(database).await;
        let top = create(&world, named("Top", &[])).await.unwrap();
        let middle = create(&world, below(&top, "Middle")).await.unwrap();
        let bottom = create(&world, below(&middle, "Bottom")).await.unwrap();
        for parent in [&top, &middle, &bottom] {
            let error = put(world.client(), &top, parent).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "HIERARCHY_CYCLE"));
            assert_eq!(fields(&error), ["account.parent_account_id"]);
        }
        assert_eq!(world.account(&top.account_id).await, top);
        // What is no circle is no problem.
        put(world.client(), &bottom, &top).await.unwrap();
        put(world.client(), &middle, &bottom).await.unwrap();
    }

    async fn an_account_that_was_merged_with_its_parent_does_not_belong_to_itself(database) {
        let world = World::start(database).await;
        let top = create(&world, named("Top", &[])).await.unwrap();
        let middle = create(&world, below(&top, "Middle")).await.unwrap();
        let bottom = create(&world, below(&middle, "Bottom")).await.unwrap();
        let merge = world.merge_accounts(&bottom.account_id, &middle.account_id).await;
        assert_eq!(world.account(&bottom.account_id).await.parent_account_id, top.account_id);
        // By whatever id: what was merged is one.
        for parent in [&bottom, &middle] {
            assert_eq!(reason(&put(world.client(), &top, parent).await.unwrap_err()), "HIERARCHY_CYCLE");
        }
        world.undo(&merge.merge_id).await.unwrap();
        assert_eq!(world.account(&bottom.account_id).await.parent_account_id, middle.account_id);
    }

    async fn two_who_change_the_hierarchy_at_once_make_no_circle_together(database) {
        let world = World::start(database).await;
        let replica = world.another().await;
        for round in 0..10 {
            let one = create(&world, named(&format!("One {round}"), &[])).await.unwrap();
            let other = create(&world, named(&format!("Other {round}"), &[])).await.unwrap();
            let (first, second) = tokio::join!(
                put(world.client(), &one, &other),
                put(replica.client.clone(), &other, &one)
            );
            let refused = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
            assert_eq!(refused.iter().map(reason).collect::<Vec<_>>(), ["HIERARCHY_CYCLE"], "one of the two");
        }
        replica.stop().await;
    }

    async fn a_parent_or_a_site_that_makes_no_sense_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        let works = || named("Works", &[]);
        let unknown = ids::new().to_string();
        let sites = |site: Site| vec![plant(), site];
        for (account, expected, field) in [
            (Account { parent_account_id: unknown, ..works() }, "UNKNOWN_PARENT", "account.parent_account_id"),
            (Account { parent_account_id: "me".into(), ..works() }, "INVALID_FIELD", "account.parent_account_id"),
            (Account { parent_reference: "group".into(), ..works() }, "INVALID_FIELD", "account.parent_reference"),
            (Account { sites: sites(Site::default()), ..works() }, "INVALID_FIELD", "account.sites[1]"),
            (
                Account { sites: sites(Site { country: "Germany".into(), ..plant() }), ..works() },
                "INVALID_COUNTRY",
                "account.sites[1].country",
            ),
            (
                Account { sites: sites(Site { street: "x".repeat(321), ..plant() }), ..works() },
                "INVALID_FIELD",
                "account.sites[1].street",
            ),
            (Account { sites: vec![plant(); 501], ..works() }, "TOO_MANY_ITEMS", "account.sites"),
        ] {
            let error = create(&world, account).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, expected), "{error:?}");
            assert_eq!(fields(&error), [field]);
        }
        assert!(world.accounts().await.is_empty());
        let mut deep = create(&world, works()).await.unwrap();
        for _ in 0..31 {
            deep = create(&world, below(&deep, "Deeper")).await.unwrap();
        }
        let error = create(&world, below(&deep, "Too deep")).await.unwrap_err();
        assert_eq!(reason(&error), "HIERARCHY_TOO_DEEP");
    }

    async fn a_manifest_names_parents_by_reference_in_any_order(database) {
        let world = World::start(database).await;
        let created = ["works", "group"].map(|name| (name.to_owned(), "ACTION_CREATED".to_owned()));
        assert_eq!(world.apply(group()).await, created);
        let accounts = world.accounts().await;
        let ids: Vec<_> = accounts.iter().map(|one| (one.name.as_str(), one.parent_account_id.as_str())).collect();
        assert_eq!(ids, [("Group", ""), ("Works", accounts[0].account_id.as_str())]);
        assert_eq!(accounts[0].sites, [plant()]);
        assert!(world.apply(group()).await.iter().all(|(_, action)| action == "ACTION_UNCHANGED"));
        assert_eq!(world.accounts().await, accounts);

        // A parent of an earlier manifest; and the difference names references.
        let second = Account { parent_reference: "works".into(), ..referenced("lab", "Lab", &[]) };
        let request = ApplyConfigurationRequest { accounts: vec![second], validate_only: false, ..Default::default() };
        let change = world.client().apply_configuration(request).await.unwrap().into_inner().changes.remove(0);
        assert!(change.after.contains(r#""parent": "works""#), "{}", change.after);
        // What the manifest does not say any more is no more.
        let alone = referenced("works", "Works", &["works.de"]);
        assert_eq!(world.apply(vec![alone]).await[0].1, "ACTION_UPDATED");
        assert!(world.accounts().await.iter().all(|one| one.name != "Works" || one.parent_account_id.is_empty()));
    }

    async fn a_manifest_with_a_circle_or_an_unknown_parent_is_refused_whole(database) {
        let world = World::start(database).await;
        world.apply(group()).await;
        let before = world.accounts().await;
        let at = |reference: &str, parent: &str| {
            Account { parent_reference: parent.into(), ..referenced(reference, reference, &[]) }
        };
        for (accounts, expected, field) in [
            (vec![at("lab", "lab")], "HIERARCHY_CYCLE", "accounts[0].parent_reference"),
            (vec![at("lab", "group"), at("group", "works")], "HIERARCHY_CYCLE", "accounts[1].parent_reference"),
            (vec![at("a", "b"), at("b", "c"), at("c", "b")], "HIERARCHY_CYCLE", "accounts[1].parent_reference"),
            (vec![at("lab", "group"), at("shop", "nobody")], "UNKNOWN_PARENT", "accounts[1].parent_reference"),
        ] {
            let request = ApplyConfigurationRequest { accounts, validate_only: false, ..Default::default() };
            let error = world.client().apply_configuration(request).await.unwrap_err();
            assert_eq!((reason(&error).as_str(), fields(&error)), (expected, vec![field.to_owned()]), "{error:?}");
        }
        assert_eq!(world.accounts().await, before);
    }
}
