//! Subsidiaries whose leads go up to their parents: the choice, and what merges make of it.

use leadflow_harness::on_each_database;
use leadflow_proto::contact::v1::{
    Account, AccountLine, ApplyConfigurationRequest, CreateAccountRequest, ImportAccountsRequest, MergeKind,
    MergeRequest, PreviewMergeRequest, import_result::Outcome, preview_merge_response::Result as Shown,
};
use tonic::Code;

use crate::support::{World, fields, item_refusal, named, reason, referenced};

fn below(parent: &Account, name: &str) -> Account {
    Account { parent_account_id: parent.account_id.clone(), ..named(name, &[]) }
}

/// Whether the leads of an account go up to its parent, and to which.
fn goes_up_to(account: &Account) -> (&str, bool) {
    (&account.parent_account_id, account.roll_up())
}

async fn choose(world: &World, account: &Account, roll_up: bool) -> Result<Account, tonic::Status> {
    let account = Account { account_id: account.account_id.clone(), roll_up: Some(roll_up), ..Default::default() };
    world.update(account, &["roll_up"]).await
}

async fn merge(world: &World, survivor: &Account, merged: &Account) -> Result<String, tonic::Status> {
    let request = MergeRequest {
        kind: MergeKind::Account.into(),
        survivor_id: survivor.account_id.clone(),
        merged_id: merged.account_id.clone(),
        ..Default::default()
    };
    Ok(world.merge(request).await?.merge_id)
}

on_each_database! {
    async fn leads_go_up_to_the_parent_by_choice_and_the_account_stays_its_own(database) {
        let world = World::start(database).await;
        let group = world.create(named("Group", &["group.de"])).await;
        let works = world.create(Account { domains: vec!["works.de".into()], ..below(&group, "Works") }).await;
        assert!(!works.roll_up(), "unless it is chosen");
        let chosen = choose(&world, &works, true).await.unwrap();
        assert_eq!((goes_up_to(&chosen), chosen.revision), ((group.account_id.as_str(), true), 2));
        let people = world.resolve(vec![crate::support::email("ada@works.de")]).await;
        assert_eq!(people[0].account_id, works.account_id, "people and domains stay where they are");
        assert_eq!(world.account(&works.account_id).await, chosen);
        world.settle().await;
        assert!(world.heard.accounts().contains(&chosen), "others hear of it");
        let taken_back = choose(&world, &works, false).await.unwrap();
        assert_eq!(goes_up_to(&taken_back), (group.account_id.as_str(), false));
    }

    async fn without_a_parent_there_is_nothing_to_go_up_to(database) {
        let world = World::start(database).await;
        let alone = Account { roll_up: Some(true), ..named("Alone", &[]) };
        let request = CreateAccountRequest { account: Some(alone.clone()), ..Default::default() };
        let refused = world.client().create_account(request).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["account.roll_up".to_owned()]));
        let group = world.create(named("Group", &[])).await;
        let refused = choose(&world, &group, true).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("INVALID_FIELD", vec!["account.roll_up".to_owned()]));
        // Who leaves the group takes the leads along.
        let works = world.create(Account { roll_up: Some(true), ..below(&group, "Works") }).await;
        let left = Account { account_id: works.account_id.clone(), ..Default::default() };
        let left = world.update(left, &["parent_account_id"]).await.unwrap();
        assert_eq!(goes_up_to(&left), ("", false));

        let request = ApplyConfigurationRequest {
            accounts: vec![Account { roll_up: Some(true), ..referenced("alone", "Alone", &[]) }],
            ..Default::default()
        };
        let refused = world.client().apply_configuration(request).await.unwrap_err();
        assert_eq!(fields(&refused), ["accounts[0].roll_up"]);
        let lines = vec![AccountLine { account: Some(alone), parent: String::new() }];
        let request = ImportAccountsRequest { lines, ..Default::default() };
        let results = world.importer().import_accounts(request).await.unwrap().into_inner().results;
        assert_eq!(item_refusal(results[0].error.as_ref()).1, ["lines[0].account.roll_up"]);
    }

    async fn a_manifest_chooses_it_and_a_line_that_does_not_say_it_leaves_it(database) {
        let world = World::start(database).await;
        let group = || referenced("group", "Group", &[]);
        let works = |roll_up| Account { parent_reference: "group".into(), roll_up, ..referenced("works", "Works", &[]) };
        world.apply(vec![works(Some(true)), group()]).await;
        let all = world.accounts().await;
        assert_eq!(goes_up_to(&all[1]), (all[0].account_id.as_str(), true));
        let unchanged = world.apply(vec![works(Some(true)), group()]).await;
        assert!(unchanged.iter().all(|(_, action)| action == "ACTION_UNCHANGED"));

        let import = async |roll_up| {
            let line = Account { reference: "works".into(), roll_up, ..Default::default() };
            let request = ImportAccountsRequest {
                lines: vec![AccountLine { account: Some(line), parent: String::new() }],
                ..Default::default()
            };
            let results = world.importer().import_accounts(request).await.unwrap().into_inner().results;
            (results[0].outcome(), world.account(&all[1].account_id).await.roll_up())
        };
        assert_eq!(import(None).await, (Outcome::Unchanged, true));
        assert_eq!(import(Some(false)).await, (Outcome::Updated, false));
        assert_eq!(import(Some(true)).await, (Outcome::Updated, true));
        // What the manifest does not say any more is no more.
        assert_eq!(world.apply(vec![works(None), group()]).await[0].1, "ACTION_UPDATED");
        assert!(!world.account(&all[1].account_id).await.roll_up());
    }

    async fn of_merged_accounts_the_survivors_choice_counts_and_each_has_its_own_again(database) {
        let world = World::start(database).await;
        let group = world.create(named("Group", &[])).await;
        let works = world.create(Account { roll_up: Some(true), ..below(&group, "Works") }).await;
        let other = world.create(below(&group, "Other")).await;
        let lone = world.create(named("Lone", &[])).await;

        let request = PreviewMergeRequest {
            kind: MergeKind::Account.into(),
            survivor_id: other.account_id.clone(),
            merged_id: works.account_id.clone(),
        };
        let preview = world.merges().preview_merge(request).await.unwrap().into_inner();
        let conflict = preview.conflicts.iter().find(|one| one.field == "roll_up").unwrap();
        assert_eq!((conflict.kept.as_str(), conflict.hidden.as_str()), ("false", "true"));
        let Some(Shown::Account(shown)) = preview.result else { panic!("no account") };
        assert!(!shown.roll_up());
        // A parent is filled in, and with it goes no choice.
        let merged = merge(&world, &lone, &works).await.unwrap();
        assert_eq!(goes_up_to(&world.account(&lone.account_id).await), (group.account_id.as_str(), false));
        assert_eq!(goes_up_to(&choose(&world, &lone, true).await.unwrap()), (group.account_id.as_str(), true));
        assert_eq!(goes_up_to(&choose(&world, &lone, false).await.unwrap()), (group.account_id.as_str(), false));
        world.undo(&merged).await.unwrap();
        assert!(world.account(&works.account_id).await.roll_up());
        // What it goes up to is merged into it: it does not belong to itself.
        let merged = merge(&world, &works, &group).await.unwrap();
        assert_eq!(goes_up_to(&world.account(&works.account_id).await), ("", false));
        world.undo(&merged).await.unwrap();
        assert_eq!(goes_up_to(&world.account(&works.account_id).await), (group.account_id.as_str(), true));
    }

    async fn neither_a_merge_nor_its_undoing_makes_an_account_belong_to_itself(database) {
        let world = World::start(database).await;
        let top = world.create(named("Top", &[])).await;
        let middle = world.create(Account { roll_up: Some(true), ..below(&top, "Middle") }).await;
        let bottom = world.create(Account { roll_up: Some(true), ..below(&middle, "Bottom") }).await;
        let refused = merge(&world, &bottom, &top).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("HIERARCHY_CYCLE", vec!["merged_id".to_owned()]));
        assert_eq!(world.account(&top.account_id).await, top, "nothing has happened");

        // While it was merged, its own place was not to be seen: another came below it.
        let other = world.create(named("Other", &[])).await;
        let merged = merge(&world, &other, &bottom).await.unwrap();
        let alone = Account { account_id: other.account_id.clone(), parent_account_id: top.account_id.clone(), ..Default::default() };
        world.update(alone, &["parent_account_id"]).await.unwrap();
        let below_it = Account { account_id: middle.account_id.clone(), parent_account_id: bottom.account_id.clone(), ..Default::default() };
        world.update(below_it, &["parent_account_id"]).await.unwrap();
        let refused = world.undo(&merged).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("HIERARCHY_CYCLE", vec!["merge_id".to_owned()]));
        let elsewhere = Account { account_id: middle.account_id.clone(), ..Default::default() };
        world.update(elsewhere, &["parent_account_id"]).await.unwrap();
        world.undo(&merged).await.unwrap();
        assert_eq!(goes_up_to(&world.account(&bottom.account_id).await), (middle.account_id.as_str(), true));
    }
}
