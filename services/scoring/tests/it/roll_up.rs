//! Subsidiaries whose leads go up to their parents, by choice; and their own again.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    routing::v1::AssignmentState,
    scoring::v1::{CloseReason, LeadStatus},
};

use crate::support::{World, activity::TestAccount};

on_each_database! {
    async fn what_is_done_at_a_subsidiary_counts_for_its_parent_and_for_itself_again(database) {
        let mut world = World::start(database).await;
        let (mut works, group) = (TestAccount::new(), TestAccount::new());
        world.announce(&works).await;
        world.announce(&group).await;
        let now = world.now();
        world.record(&[works.does("form_submitted", 0, now - 2), works.does("form_submitted", 0, now - 1), group.does("form_submitted", 0, now)]).await;
        let (of_works, of_group) = (world.lead(&works).await, world.lead(&group).await);
        let behind = world.behind(&[of_works.clone(), of_group.clone()]).await;

        world.roll_up(&mut works, Some(&group)).await;
        let joined = world.lead(&group).await;
        assert_eq!((&joined.lead_id, &joined.account_id), (&of_group.lead_id, &group.account_id.to_string()));
        // Together they are three activities of two people.
        assert_eq!((joined.score_milli, joined.activities, joined.status()), (60_000, 3, LeadStatus::HandedOver));
        assert_eq!(world.behind(std::slice::from_ref(&joined)).await, behind);
        let closed = world.leads(&works).await.into_iter().find(|lead| lead.lead_id == of_works.lead_id).unwrap();
        assert_eq!((closed.close_reason(), &closed.merged_into_lead_id), (CloseReason::Merged, &of_group.lead_id));
        world.record(&[works.does("badge_scanned", 0, world.now())]).await;
        assert_eq!(world.lead(&group).await.score_milli, 75_000);

        world.roll_up(&mut works, None).await;
        let again = world.lead(&works).await;
        assert_eq!((&again.lead_id, again.score_milli, again.status()), (&of_works.lead_id, 55_000, LeadStatus::Incubating));
        assert_eq!(world.lead(&group).await.score_milli, 20_000);
        eventually!(world.heard.announced("recycled", &works).len() == 1);
    }

    async fn a_parent_is_judged_by_its_own_facts_and_not_by_those_of_its_subsidiaries(database) {
        let mut world = World::start(database).await;
        let mut works = TestAccount { country: "DE", ..TestAccount::new() };
        let group = TestAccount { country: "", ..TestAccount::new() };
        world.announce(&group).await;
        world.roll_up(&mut works, Some(&group)).await;
        world.record(&works.gets_hot(world.now())).await;
        let lead = world.lead_in(&group, LeadStatus::HandedOver).await;
        assert_eq!((lead.score_milli, world.explain(&lead).await.score_milli), (60_000, 60_000), "nobody says that it is in Germany");
        let told = eventually!(some: world.heard.events(&group).into_iter().find(|(fact, _)| fact == "sales_ready"));
        let account = told.1.account.unwrap();
        assert_eq!((account.account_id, account.country.as_str()), (group.account_id.to_string(), ""), "routing decides by the parent's");
        // Also in hindsight, when the lead is closed.
        world.close(&lead, CloseReason::Lost).await.unwrap();
        assert_eq!(world.explain(&lead).await.score_milli, 60_000);
        // A merge is another thing: what was merged is the parent itself.
        world.hand.advance(1000);
        world.merge(&mut works, Some(&group)).await;
        world.record(&[works.does("form_submitted", 0, world.now())]).await;
        assert_eq!(world.lead(&group).await.score_milli, 30_000);
    }

    async fn a_chain_goes_up_to_the_topmost_that_is_chosen(database) {
        let mut world = World::start(database).await;
        let (mut lab, mut works, mut division, group) =
            (TestAccount::new(), TestAccount::new(), TestAccount::new(), TestAccount::new());
        for account in [&lab, &works, &division, &group] {
            world.announce(account).await;
            world.record(&[account.does("form_submitted", 0, world.now())]).await;
        }
        // From the middle, the end, and at last the top.
        world.roll_up(&mut works, Some(&division)).await;
        world.roll_up(&mut lab, Some(&works)).await;
        let lead = world.lead(&lab).await;
        assert_eq!((lead.account_id, lead.activities), (division.account_id.to_string(), 3));
        assert_eq!(world.lead(&group).await.activities, 1);
        world.roll_up(&mut division, Some(&group)).await;
        let lead = world.lead(&lab).await;
        assert_eq!((lead.account_id, lead.activities), (group.account_id.to_string(), 4));
        // Out of the middle of it.
        world.roll_up(&mut works, None).await;
        let (below, above) = (world.lead(&lab).await, world.lead(&division).await);
        assert_eq!((below.account_id, below.activities), (works.account_id.to_string(), 2));
        assert_eq!((above.account_id, above.activities), (group.account_id.to_string(), 2));
    }

    async fn what_was_merged_rolls_up_as_its_survivor_does(database) {
        let mut world = World::start(database).await;
        let (mut works, mut other, mut group, top) =
            (TestAccount::new(), TestAccount::new(), TestAccount::new(), TestAccount::new());
        for account in [&works, &other, &group, &top] {
            world.announce(account).await;
            world.record(&[account.does("form_submitted", 0, world.now())]).await;
        }
        world.roll_up(&mut works, Some(&group)).await;
        // Into another: it is that one, and goes up to nobody.
        world.merge(&mut works, Some(&other)).await;
        assert_eq!((world.lead(&works).await.account_id, world.lead(&group).await.activities), (other.account_id.to_string(), 1));
        world.roll_up(&mut works, Some(&group)).await;
        assert_eq!((world.lead(&works).await.account_id, world.lead(&other).await.activities), (group.account_id.to_string(), 1));
        // Another into it goes up with it, and what its parent is merged into is its parent.
        world.merge(&mut other, Some(&works)).await;
        assert_eq!(world.lead(&other).await.account_id, group.account_id.to_string());
        world.merge(&mut group, Some(&top)).await;
        let lead = world.lead(&other).await;
        assert_eq!((lead.account_id, lead.activities), (top.account_id.to_string(), 4));
        // What was its parent is itself: it does not belong to itself.
        world.merge(&mut group, Some(&works)).await;
        let lead = world.lead(&group).await;
        assert_eq!((lead.account_id, lead.activities), (works.account_id.to_string(), 3));
        assert_eq!(world.lead(&top).await.activities, 1);
    }

    async fn the_lead_that_a_rep_has_accepted_goes_on_under_the_parents_name(database) {
        let mut world = World::start(database).await;
        let (mut works, group) = (TestAccount::new(), TestAccount::new());
        world.announce(&group).await;
        let lead = world.hot_lead(&works).await;
        world.assign(&lead, 1, AssignmentState::Accepted, "").await;
        world.lead_in(&works, LeadStatus::Accepted).await;
        world.record(&[group.does("form_submitted", 0, world.now())]).await;
        world.roll_up(&mut works, Some(&group)).await;
        let same = world.lead(&group).await;
        assert_eq!((&same.lead_id, same.status(), &same.account_id), (&lead.lead_id, LeadStatus::Accepted, &group.account_id.to_string()));
    }

    async fn news_of_a_choice_may_come_in_any_order(database) {
        let mut world = World::start(database).await;
        let (mut works, group) = (TestAccount::new(), TestAccount::new());
        // Before anything is known of the parent.
        world.roll_up(&mut works, Some(&group)).await;
        let overtaken = works.clone();
        world.record(&works.gets_hot(world.now())).await;
        let lead = world.lead(&group).await;
        assert_eq!((lead.account_id.clone(), lead.status()), (group.account_id.to_string(), LeadStatus::Incubating), "its facts have not come");
        world.announce(&group).await;
        assert_eq!(world.lead_in(&group, LeadStatus::HandedOver).await.lead_id, lead.lead_id);
        world.roll_up(&mut works, None).await;
        world.publish_rolled_up(&overtaken, Some(&group)).await;
        world.settle().await;
        assert_eq!(world.lead(&works).await.account_id, works.account_id.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_of_both_and_changes_of_the_choice_at_once_get_along_at_two_replicas() {
    use leadflow_harness::{Backend, TestDatabase};
    let mut world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    let (mut works, group) = (TestAccount::new(), TestAccount::new());
    for round in 0..6 {
        for _ in 0..10 {
            let now = world.now();
            world.publish(&[works.does("form_submitted", 0, now), group.does("form_submitted", 0, now)]).await;
        }
        world.roll_up(&mut works, (round % 2 == 0).then_some(&group)).await;
        world.hand.advance(1000);
    }
    world.roll_up(&mut works, Some(&group)).await;
    eventually!(world.evidence(&group).await.len() == 120);
    eventually!(world.open_leads(&group).await.len() == 1);
    eventually!(world.lead(&group).await.activities == 120);
    second.stop().await;
}
