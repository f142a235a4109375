//! The same new person at the same moment: one contact, one account, whoever asks.

use std::collections::BTreeSet;

use leadflow_harness::{Backend, TestDatabase};
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, CreateAccountRequest, Identity, IdentityClaim, ResolvedIdentity,
    UpdateAccountRequest,
};
use tokio::task::JoinSet;

use crate::support::{Client, World, claim, company, mask, named, referenced, try_resolve};

/// Asks 64 times at once, by turns of these clients.
async fn race(clients: &[Client], claims: impl Fn(usize) -> Vec<IdentityClaim>) -> Vec<Vec<ResolvedIdentity>> {
    let mut calls = JoinSet::new();
    for at in 0..64 {
        let (client, claims) = (clients[at % clients.len()].clone(), claims(at));
        calls.spawn(async move { try_resolve(&client, claims).await.unwrap() });
    }
    calls.join_all().await
}

fn ada() -> IdentityClaim {
    let identity = Identity {
        email: "ada@example.de".into(),
        anonymous_id: "cookie-1".into(),
        company: "Example Works".into(),
        country: "DE".into(),
        ..Default::default()
    };
    claim(identity)
}

async fn assert_that_a_double_click_makes_one(world: &World, clients: &[Client]) {
    let results: Vec<_> = race(clients, |_| vec![ada()]).await.concat();
    let contacts: BTreeSet<_> = results.iter().map(|one| &one.contact_id).collect();
    let accounts: BTreeSet<_> = results.iter().map(|one| &one.account_id).collect();
    assert_eq!((contacts.len(), accounts.len()), (1, 1));
    assert_eq!(results.iter().filter(|one| one.contact_created).count(), 1);
    assert_eq!(results.iter().filter(|one| one.account_created).count(), 1);
    assert_eq!((world.contacts().await.len(), world.accounts().await.len()), (1, 1));
    world.settle().await;
    assert_eq!((world.heard.accounts().len(), world.heard.contacts().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_double_clicks_make_one_contact_and_one_account_on_sqlite() {
    let world = World::start(TestDatabase::create(Backend::Sqlite).await.unwrap()).await;
    assert_that_a_double_click_makes_one(&world, &[world.client()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_double_clicks_at_two_replicas_make_one_contact_and_one_account_on_postgres() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    assert_that_a_double_click_makes_one(&world, &[world.client(), second.client.clone()]).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_name_the_same_people_in_any_order_do_not_get_in_each_others_way() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    let person = |at: usize| {
        claim(Identity {
            email: format!("person-{at}@example-{}.de", at % 5),
            phone: "+4930901820".into(),
            company: format!("Works {}", at % 5),
            country: "DE".into(),
            ..Default::default()
        })
    };
    let clients = [world.client(), second.client.clone()];
    // Each batch begins with somebody else, and each second one goes backwards.
    let order = |at: usize| {
        let forwards = (0..20).map(move |place| person((place + at) % 20));
        if at.is_multiple_of(2) { forwards.collect() } else { forwards.rev().collect() }
    };
    race(&clients, order).await;
    second.stop().await;
    assert_eq!((world.contacts().await.len(), world.accounts().await.len()), (20, 5));
    world.settle().await;
    for account in world.accounts().await {
        let announced: BTreeSet<_> = world.heard.revisions(&account.account_id).into_iter().collect();
        assert_eq!(announced, (1..=account.revision).collect());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_activities_change_the_same_account_at_once_without_a_deadlock() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    let account = world.create(named("Works", &["works.de"])).await;
    let mut calls = JoinSet::new();
    for at in 0..48 {
        let mut client = if at % 2 == 0 { world.client() } else { second.client.clone() };
        let account_id = account.account_id.clone();
        calls.spawn(async move {
            match at % 3 {
                0 => {
                    let identity = Identity {
                        email: format!("person-{at}@works.de"),
                        postal_code: format!("{at}"),
                        company: "Works".into(),
                        ..Default::default()
                    };
                    try_resolve(&client, vec![claim(identity)]).await.map(drop)
                }
                1 => {
                    let account = Account { account_id, ..named("Works", &["works.de", &format!("works-{at}.de")]) };
                    let request = UpdateAccountRequest {
                        account: Some(account),
                        update_mask: mask(&["name", "domains"]),
                        ..Default::default()
                    };
                    client.update_account(request).await.map(drop)
                }
                _ => {
                    let accounts = vec![Account {
                        industry: format!("industry {at}"),
                        ..referenced("works", "Works", &["works.de"])
                    }];
                    let request = ApplyConfigurationRequest { accounts, validate_only: false, ..Default::default() };
                    client.apply_configuration(request).await.map(drop)
                }
            }
        });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
    second.stop().await;
    world.settle().await;
    let account = world.account(&account.account_id).await;
    let announced: BTreeSet<_> = world.heard.revisions(&account.account_id).into_iter().collect();
    assert_eq!(announced, (1..=account.revision).collect());
    assert_eq!(world.accounts().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_name_is_created_by_hand_and_by_activities_at_once() {
    let world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    for round in 0..8 {
        let name = format!("Works {round}");
        let mut calls = JoinSet::new();
        for at in 0..8 {
            let (world, mut second, name) = (world.client(), second.client.clone(), name.clone());
            calls.spawn(async move {
                if at % 2 == 0 {
                    let claims = vec![company(&name, "")];
                    return try_resolve(&world, claims).await.map(drop);
                }
                let account = Some(named(&name, &[]));
                let request = CreateAccountRequest { account, ..Default::default() };
                second.create_account(request).await.map(drop)
            });
        }
        for result in calls.join_all().await {
            result.unwrap();
        }
    }
    second.stop().await;
}
