//! Activities that come twice, late, in any order, ahead of the clock, or broken.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::quarantine;
use leadflow_proto::{
    activity::v1::Channel,
    scoring::v1::{Band, Lead, LeadStatus},
};

use crate::support::{
    World,
    activity::{TestAccount, TestActivity},
    company::DAY,
};

/// The leads in `hplc` and in `gc`.
async fn by_category(world: &mut World, account: &TestAccount) -> [Lead; 2] {
    let leads = world.leads(account).await;
    ["hplc", "gc"].map(|category| leads.iter().find(|lead| lead.product_category == category).unwrap().clone())
}

/// Something of everything: a late one, one without a category, one that takes points, a repeated badge.
fn mixed(account: &TestAccount, now: i64) -> Vec<TestActivity> {
    vec![
        account.does("form_submitted", 0, now - 3 * DAY),
        account.does("form_submitted", 1, now - 40 * DAY).recorded_at(now),
        account.does("form_submitted", 1, now - DAY).in_category("").through(Channel::Email),
        account.does("badge_scanned", 0, now - 2 * DAY),
        account.does("badge_scanned", 0, now - 5 * DAY).in_category(""),
        account.does("badge_scanned", 2, now - 6 * DAY).through(Channel::Event),
        account.does("page_viewed", 3, now - 1).on("prices"),
        account.does("page_viewed", 2, now - 2).on("prices").in_category(""),
        account.does("email_bounced", 3, now - 3_600_000),
    ]
}

on_each_database! {
    async fn whatever_the_order_of_their_coming_the_score_is_the_same(database) {
        let mut world = World::start(database).await;
        let now = world.now();
        let mut results = Vec::new();
        for step in [1, 2, 4, 5, 7, 8] {
            let account = TestAccount::new();
            let all = mixed(&account, now);
            // One by one, so that each is scored by itself.
            for place in 0..all.len() {
                world.record(&[all[place * step % all.len()].clone()]).await;
            }
            let lead = world.lead(&account).await;
            results.push((lead.score_milli, lead.band, lead.validations, lead.activities, lead.next_check_time));
        }
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        assert!(results[0].0 > 0 && results[0].3 == 9);
    }

    async fn a_repeated_activity_has_one_effect_however_late_it_is_repeated(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let all = mixed(&account, world.now());
        world.record(&all).await;
        let first = world.lead(&account).await;
        let facts = world.heard.facts_until(&account, &first).await;
        world.record(&[&all[..], &all[3..]].concat()).await;
        assert_eq!(world.lead(&account).await, first);
        world.hand.advance(20 * DAY);
        // The daily refresh has been here, so that what comes now is not mistaken for it.
        eventually!(world.lead(&account).await.score_milli != first.score_milli);
        let faded = world.lead(&account).await;
        world.record(&all).await;
        assert_eq!(world.lead(&account).await.score_milli, faded.score_milli);
        assert_eq!(world.heard.facts(&account)[..facts.len()], facts);
        assert_eq!(world.evidence(&account).await.len(), all.len());
    }

    async fn a_late_batch_counts_at_the_time_when_it_happened(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now - 10 * DAY).recorded_at(now)]).await;
        let lead = world.lead(&account).await;
        assert_eq!(lead.score_milli, 10_000);
        let line = world.explain(&lead).await.lines.remove(0);
        assert_eq!((line.base_points_milli, line.decay_milli, line.points_milli), (20_000, 500, 10_000));
    }

    async fn a_batch_scores_a_lead_once(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let many: Vec<_> =
            (0..200).map(|place| account.does("page_viewed", 0, now - place).on(&format!("page-{place}"))).collect();
        let all = [vec![account.does("form_submitted", 0, now - 500)], many].concat();
        world.publish_while_away(&all).await;
        world.settle().await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.activities, lead.score_milli), (201, 90_000));
        let heard = world.heard.facts_until(&account, &lead).await;
        assert!(heard.len() < 10, "scored {} times", heard.len());
        assert_eq!(lead.revision as usize, heard.len());
    }

    async fn while_a_lead_is_cultivated_nobody_hears_of_each_page_but_of_each_band(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now - 40 * DAY).recorded_at(now)]).await;
        let cold = world.lead(&account).await;
        assert_eq!(world.heard.facts_until(&account, &cold).await, ["opened"]);

        world.record(&[account.does("page_viewed", 0, now - 5).on("prices")]).await;
        let moved = world.lead(&account).await;
        assert!(moved.score_milli > cold.score_milli && moved.activities == 2);
        assert_eq!((moved.band(), moved.revision), (Band::Cold, cold.revision));
        world.record(&[account.does("form_submitted", 0, now - 4)]).await;
        let warm = world.lead(&account).await;
        assert_eq!((warm.band(), warm.revision), (Band::Warm, cold.revision + 1));
        assert_eq!(world.heard.facts_until(&account, &warm).await, ["opened", "changed"]);
        assert_eq!(world.heard.announced("changed", &account)[0].score_milli, warm.score_milli);
        // What a person does to it is told.
        let adjusted = world.adjust(&warm, 1, None).await;
        assert_eq!((adjusted.band(), adjusted.revision), (Band::Warm, warm.revision + 1));
    }

    async fn what_is_about_one_lead_leaves_the_others_of_its_account_as_they_are(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let form = |world: &World, category: &str| account.does("form_submitted", 0, world.now()).in_category(category);
        world.record(&[form(&world, "hplc"), form(&world, "gc")]).await;
        let [hplc, gc] = by_category(&mut world, &account).await;
        world.hand.advance(10 * 60_000);
        world.record(&[form(&world, "hplc")]).await;
        let [moved, resting] = by_category(&mut world, &account).await;
        assert!(moved.score_time != hplc.score_time && moved.score_milli > hplc.score_milli);
        assert_eq!(resting, gc);

        // Without a category it is about both.
        world.record(&[form(&world, "")]).await;
        let [_, both] = by_category(&mut world, &account).await;
        assert!(both.score_milli > gc.score_milli && both.score_time != gc.score_time);
    }

    async fn what_has_no_share_in_a_lead_may_still_take_an_earlier_ones_place(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let badge = |category: &str, ago: i64| account.does("badge_scanned", 0, now - ago).in_category(category);
        world.record(&[account.does("form_submitted", 1, now - 3), badge("hplc", 2)]).await;
        assert_eq!(world.lead(&account).await.score_milli, 35_000);
        world.record(&[badge("gc", 1)]).await;
        let [hplc, _] = by_category(&mut world, &account).await;
        assert_eq!(hplc.score_milli, 20_000);
    }

    async fn an_activity_of_a_clock_that_is_ahead_counts_at_once_and_its_lead_stays(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now + 240_000).recorded_at(now)]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.round, lead.score_milli, lead.status()), (1, 20_000, LeadStatus::Incubating));
        // What comes meanwhile does not look at an earlier moment.
        world.announce(&account).await;
        world.record(&[account.does("page_viewed", 0, now + 1)]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.round, lead.activities), (1, 2));
        let leads = world.leads(&account).await;
        assert_eq!(leads.len(), 1, "{leads:?}");
    }

    async fn an_activity_of_the_future_waits_for_its_time(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now + 3 * DAY).recorded_at(now)]).await;
        assert!(world.leads(&account).await.is_empty());
        world.hand.advance(3 * DAY);
        eventually!(!world.leads(&account).await.is_empty());
        assert_eq!(world.lead(&account).await.score_milli, 20_000);
    }

    async fn poison_is_set_aside_and_healthy_events_pass(database) {
        let mut world = World::start(database).await;
        let healthy: Vec<_> = (0..10).map(|_| TestAccount::new()).collect();
        let form = |account: &TestAccount, now| account.does("form_submitted", 0, now);
        let now = world.now();
        for account in &healthy[..5] {
            world.publish(&[form(account, now)]).await;
        }
        let mut nameless = form(&TestAccount::new(), now);
        nameless.0.activity_id = "number 7".to_owned();
        let mut timeless = form(&TestAccount::new(), now);
        timeless.0.occur_time = None;
        let poison = [nameless, timeless, form(&TestAccount::new(), now).with_seats(f64::INFINITY)];
        world.publish(&poison).await;
        for subject in [
            "activity.v1.recorded",
            "account.v1.changed",
            "contact.v1.changed",
            "assignment.v1.offered",
            "assignment.v1.held",
        ] {
            world.publish_garbage(&format!("leadflow.{subject}")).await;
        }
        for account in &healthy[5..] {
            world.publish(&[form(account, now)]).await;
        }
        world.settle().await;
        for account in &healthy {
            assert_eq!(world.lead(account).await.band(), Band::Warm);
        }
        let tables = world.tables().await;
        eventually!(quarantine::depth(&tables).await.unwrap() == 8);
        tables.close().await;
    }
}
