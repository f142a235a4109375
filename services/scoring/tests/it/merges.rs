//! Accounts and contacts that were merged: one lead of a category for all, and each its own again.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::ids;
use leadflow_proto::{
    routing::v1::AssignmentState,
    scoring::v1::{CloseReason, Lead, LeadStatus},
};

use crate::support::{World, activity::TestAccount, company::DAY};

/// What of a lead is to be the same again.
fn content(lead: &Lead) -> (String, String, i64, i32, i32) {
    (lead.lead_id.clone(), lead.product_category.clone(), lead.score_milli, lead.activities, lead.status)
}

on_each_database! {
    async fn merged_accounts_have_one_lead_and_each_its_own_again_after_an_undo(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        world.announce(&a).await;
        world.announce(&b).await;
        let now = world.now();
        world.record(&[a.does("form_submitted", 0, now - 2), a.does("form_submitted", 0, now - 1), b.does("form_submitted", 0, now)]).await;
        let (of_a, of_b) = (world.lead(&a).await, world.lead(&b).await);
        let behind = world.behind(&[of_a.clone(), of_b.clone()]).await;

        world.merge(&mut a, Some(&b)).await;
        let joined = world.lead(&b).await;
        assert_eq!((&joined.lead_id, &joined.account_id), (&of_b.lead_id, &b.account_id.to_string()));
        // Together they are three activities of two people.
        assert_eq!((joined.score_milli, joined.activities, joined.status()), (60_000, 3, LeadStatus::HandedOver));
        assert_eq!(world.behind(std::slice::from_ref(&joined)).await, behind);
        assert_eq!(world.evidence(&b).await.len(), 3);
        let closed = world.leads(&a).await.into_iter().find(|lead| lead.lead_id == of_a.lead_id).unwrap();
        assert_eq!((closed.close_reason(), &closed.merged_into_lead_id), (CloseReason::Merged, &of_b.lead_id));
        // What comes from either side counts for the one.
        world.record(&[a.does("badge_scanned", 0, world.now())]).await;
        assert_eq!(world.lead(&a).await.lead_id, of_b.lead_id);
        assert_eq!(world.lead(&a).await.score_milli, 75_000);

        world.merge(&mut a, None).await;
        let again = world.lead(&a).await;
        assert_eq!((&again.lead_id, again.score_milli, again.status()), (&of_a.lead_id, 55_000, LeadStatus::Incubating));
        assert_eq!(world.lead(&b).await.score_milli, 20_000);
        eventually!(world.heard.announced("recycled", &a).len() == 1);
    }

    async fn a_lead_that_only_the_merged_account_has_goes_on(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        world.announce(&b).await;
        let lead = world.hot_lead(&a).await;
        world.assign(&lead, 1, AssignmentState::Accepted, "").await;
        world.lead_in(&a, LeadStatus::Accepted).await;
        world.merge(&mut a, Some(&b)).await;
        let same = world.lead(&b).await;
        assert_eq!((&same.lead_id, same.status(), &same.account_id), (&lead.lead_id, LeadStatus::Accepted, &b.account_id.to_string()));
        // The merged side's next activity does not open another one.
        world.record(&[b.does("form_submitted", 0, world.now())]).await;
        assert_eq!(world.open_leads(&b).await.len(), 1);
    }

    async fn of_two_leads_the_accepted_one_goes_on_before_the_offered(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        let (of_a, of_b) = (world.hot_lead(&a).await, world.hot_lead(&b).await);
        world.assign(&of_b, 1, AssignmentState::Offered, "").await;
        world.lead_in(&b, LeadStatus::Offered).await;
        world.assign(&of_a, 1, AssignmentState::Accepted, "").await;
        world.lead_in(&a, LeadStatus::Accepted).await;
        world.merge(&mut a, Some(&b)).await;
        assert_eq!(world.lead(&b).await.lead_id, of_a.lead_id);
        let closed = world.leads(&b).await.into_iter().find(|lead| lead.lead_id == of_b.lead_id).unwrap();
        assert_eq!((closed.close_reason(), &closed.merged_into_lead_id), (CloseReason::Merged, &of_a.lead_id));
        // Apart again, it is ready once more, under the next number.
        world.merge(&mut a, None).await;
        let ready = world.lead_in(&b, LeadStatus::HandedOver).await;
        assert_eq!((&ready.lead_id, ready.hand_over), (&of_b.lead_id, 2));
    }

    async fn of_two_offered_leads_the_earlier_goes_on_until_a_rep_has_accepted_the_other(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        let of_b = world.hot_lead(&b).await;
        world.hand.advance(1000);
        let of_a = world.hot_lead(&a).await;
        for (lead, account) in [(&of_b, &b), (&of_a, &a)] {
            world.assign(lead, 1, AssignmentState::Offered, "").await;
            world.lead_in(account, LeadStatus::Offered).await;
        }
        world.merge(&mut a, Some(&b)).await;
        assert_eq!(world.lead(&b).await.lead_id, of_b.lead_id);
        // It was accepted before anybody had heard of the merge.
        world.assign(&of_a, 1, AssignmentState::Accepted, "").await;
        let accepted = world.lead_in(&b, LeadStatus::Accepted).await;
        assert_eq!((&accepted.lead_id, accepted.hand_over, accepted.assigned_rep.as_str()), (&of_a.lead_id, 1, "anna"));
        let closed = world.leads(&b).await.into_iter().find(|lead| lead.lead_id == of_b.lead_id).unwrap();
        assert_eq!((closed.close_reason(), &closed.merged_into_lead_id), (CloseReason::Merged, &of_a.lead_id));
    }

    async fn what_is_about_one_lead_of_merged_accounts_leaves_the_others_as_they_are(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        world.record(&[a.does("form_submitted", 0, now), b.does("form_submitted", 0, now).in_category("gc")]).await;
        world.merge(&mut a, Some(&b)).await;
        let before = world.open_leads(&b).await;
        world.hand.advance(10 * 60_000);
        world.record(&[b.does("form_submitted", 1, world.now())]).await;
        let after = world.open_leads(&b).await;
        let of = |leads: &[Lead], category: &str| leads.iter().find(|lead| lead.product_category == category).cloned().unwrap();
        assert_eq!(of(&after, "gc"), of(&before, "gc"));
        assert_eq!((of(&before, "hplc").activities, of(&after, "hplc").activities), (1, 2));
    }

    async fn points_that_people_gave_count_for_the_lead_that_goes_on(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        world.record(&[a.does("form_submitted", 0, now), b.does("form_submitted", 0, now)]).await;
        let (of_a, of_b) = (world.lead(&a).await, world.lead(&b).await);
        world.adjust(&of_a, 7, None).await;
        world.merge(&mut a, Some(&b)).await;
        assert_eq!(world.lead(&b).await.score_milli, 47_000);
        assert_eq!(world.explain(&of_b).await.score_milli, 47_000);
        world.merge(&mut a, None).await;
        assert_eq!((world.lead(&a).await.score_milli, world.lead(&b).await.score_milli), (27_000, 20_000));
    }

    async fn merged_people_count_once(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("badge_scanned", 0, now - 1), account.does("badge_scanned", 1, now)]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.validations.unwrap().contacts), (30_000, 2));
        world.merge_contact(account.contact(1), &account, 1, None).await;
        world.announce_role(account.contact(0), &account, "decision_maker", 1).await;
        world.merge_contact(account.contact(1), &account, 2, Some(account.contact(0))).await;
        let once = world.lead(&account).await;
        assert_eq!((once.score_milli, once.validations.unwrap().contacts), (15_000, 1));
        // The other's form is a decision maker's, too.
        world.record(&[account.does("form_submitted", 1, world.now())]).await;
        assert_eq!(world.lead(&account).await.score_milli, 39_000);
        // An older revision that comes late is no news.
        world.merge_contact(account.contact(1), &account, 4, None).await;
        world.merge_contact(account.contact(1), &account, 3, Some(account.contact(0))).await;
        let twice = world.lead(&account).await;
        assert_eq!((twice.score_milli, twice.validations.unwrap().contacts), (50_000, 2));
    }

    async fn what_is_said_of_a_merged_person_counts_wherever_they_are(database) {
        let mut world = World::start(database).await;
        let (account, other) = (TestAccount::new(), TestAccount::new());
        let (merged, survivor) = (account.contact(0), other.contact(0));
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        world.merge_contact(merged, &account, 1, None).await;
        world.announce_role(survivor, &other, "user", 1).await;
        world.merge_contact(merged, &account, 2, Some(survivor)).await;
        assert_eq!(world.lead(&account).await.score_milli, 20_000);
        world.announce_role(survivor, &other, "decision_maker", 2).await;
        assert_eq!(world.lead(&account).await.score_milli, 24_000);
    }

    async fn news_of_merges_may_come_in_any_order(database) {
        let mut world = World::start(database).await;
        let (mut a, mut b) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        world.record(&[a.does("form_submitted", 0, now), b.does("form_submitted", 0, now)]).await;
        // First A was merged into B; that was undone, and B merged into A. The undo comes last.
        let overtaken = TestAccount { revision: 2, ..a.clone() };
        world.merge(&mut a, Some(&b)).await;
        world.merge(&mut b, Some(&a)).await;
        assert_eq!(world.open_leads(&a).await.len(), 1);
        world.merge(&mut a, None).await;
        world.publish_merged(&overtaken, Some(&b)).await;
        world.settle().await;
        let lead = world.lead(&b).await;
        assert_eq!((lead.account_id, lead.activities), (a.account_id.to_string(), 2));
    }

    async fn whatever_is_merged_and_undone_the_same_activities_are_behind_the_leads(database) {
        let mut world = World::start(database).await;
        let mut all: Vec<_> = (0..4).map(|_| TestAccount::new()).collect();
        let now = world.now();
        let mut activities = Vec::new();
        for (at, account) in all.iter().enumerate() {
            for place in 0..=at {
                let category = if place % 2 == 0 { "hplc" } else { "scales" };
                let time = now - DAY * i64::try_from(place).unwrap() - 1;
                // Of nobody that is known: never hot, however many there are.
                activities.push(account.does("form_submitted", place, time).in_category(category).of_nobody());
            }
        }
        world.record(&activities).await;
        let mut before = Vec::new();
        for account in &all {
            before.extend(world.open_leads(account).await);
        }
        let behind = world.behind(&before).await;
        assert_eq!(behind.len(), activities.len());
        // A chain that is built from its end, its middle, or its beginning; and taken apart in the same order.
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            for at in order {
                let into = all[at + 1].clone();
                world.merge(&mut all[at], Some(&into)).await;
            }
            let joined = world.open_leads(&all[0]).await;
            assert_eq!(joined.len(), 2, "one lead of each category");
            assert_eq!(world.behind(&joined).await, behind);
            for at in order {
                world.merge(&mut all[at], None).await;
            }
            let mut after = Vec::new();
            for account in &all {
                after.extend(world.open_leads(account).await);
            }
            assert_eq!(after.iter().map(content).collect::<Vec<_>>(), before.iter().map(content).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_of_both_sides_and_merges_at_once_get_along_at_two_replicas() {
    use leadflow_harness::{Backend, TestDatabase};
    let mut world = World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await;
    let second = world.another().await;
    let (mut a, b) = (TestAccount::new(), TestAccount::new());
    for round in 0..6 {
        let now = world.now();
        for place in 0..20 {
            let account = if place % 2 == 0 { &a } else { &b };
            world.publish(&[account.does("page_viewed", 0, now).on(&ids::new().to_string())]).await;
        }
        world.publish(&[a.does("form_submitted", 0, now), b.does("form_submitted", 0, now)]).await;
        world.merge(&mut a, (round % 2 == 0).then_some(&b)).await;
        world.hand.advance(1000);
    }
    world.merge(&mut a, Some(&b)).await;
    eventually!(world.evidence(&b).await.len() == 132);
    eventually!(world.open_leads(&b).await.len() == 1);
    eventually!(world.lead(&b).await.activities == 132);
    second.stop().await;
}
