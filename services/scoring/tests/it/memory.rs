//! What a replica remembers of an account is what the tables hold: the stored score is the one that is explained, which is
//! always read anew, whatever has happened in between and wherever.

use leadflow_harness::{Backend, TestDatabase, on_each_database};
use leadflow_proto::scoring::v1::CloseReason;

use crate::support::{
    World,
    activity::{TestAccount, TestActivity},
    company::DAY,
    millis, sum,
};

on_each_database! {
    async fn whatever_happens_to_an_account_the_next_activity_finds_it(database) {
        let mut world = World::start(database).await;
        happens(&mut world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_replica_has_done_to_an_account_the_next_activity_finds() {
    let mut world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    for _ in 0..3 {
        happens(&mut world).await;
    }
    second.stop().await;
}

/// All that can change what is held of an account, one after the other, with activities in between.
async fn happens(world: &mut World) {
    let mut account = TestAccount { country: "FR", ..TestAccount::new() };
    let now = world.now();
    next(world, &account, account.does("form_submitted", 0, now - 9).with_seats(12.0)).await;
    next(world, &account, account.does("page_viewed", 0, now - 8).on("prices")).await;
    account.country = "DE";
    world.announce(&account).await;
    next(world, &account, account.does("badge_scanned", 1, now - 7)).await;
    let lead = world.lead(&account).await;
    world.adjust(&lead, 5, None).await;
    next(world, &account, account.does("email_bounced", 0, now - 6)).await;
    world.announce_role(account.contact(0), &account, "decision_maker", 1).await;
    next(world, &account, account.does("page_viewed", 1, now - 5).on("prices")).await;
    next(world, &account, account.does("call_completed", 1, now - 4).with_budget(2000.0)).await;
    next(world, &account, account.does("form_submitted", 2, now - 3).in_category("scales")).await;
    next(world, &account, account.does("form_submitted", 1, now - 20 * DAY)).await;
    world.hand.advance(DAY);
    next(world, &account, account.does("page_viewed", 2, now - 2).on("uses")).await;
    let leads = world.leads(&account).await;
    let lead = leads.iter().find(|lead| lead.product_category == "hplc").unwrap();
    world.close(lead, CloseReason::Won).await.unwrap();
    let now = world.now();
    next(world, &account, account.does("form_submitted", 0, now + 1)).await;
    next(world, &account, account.does("form_submitted", 1, now + 2)).await;
}

/// One more activity, after which each lead has the score that is explained.
async fn next(world: &mut World, account: &TestAccount, activity: TestActivity) {
    world.record(&[activity]).await;
    for lead in world.leads(account).await {
        let explanation = world.explain_at(&lead, Some(millis(&lead.score_time)), None).await.unwrap();
        assert_eq!(sum(&explanation), lead.score_milli, "{} {}", lead.product_category, lead.activities);
    }
}
