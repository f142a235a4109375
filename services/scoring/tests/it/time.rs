//! What the mere passing of time does: bands on whole hours, the daily refresh, the end of what nobody goes on with.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::scoring::v1::{Band, CloseReason, Lead, LeadStatus};

use crate::support::{
    World,
    activity::TestAccount,
    company::{DAY, HOUR, WINDOW},
    millis,
};

/// The last whole hour.
fn hour(time: i64) -> i64 {
    time.div_euclid(HOUR) * HOUR
}

impl World {
    /// Sets the clock and waits until the sweep has scored the lead again.
    async fn sweep_at(&mut self, time: i64, account: &TestAccount) -> Lead {
        let before = millis(&self.lead(account).await.score_time);
        self.hand.set(leadflow_platform::clock::from_millis(time));
        eventually!(some: self.leads(account).await.into_iter().find(|lead| millis(&lead.score_time) != before))
    }
}

on_each_database! {
    async fn a_band_falls_on_the_whole_hour_that_was_foretold(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let begin = hour(world.now());
        let lead = world.hot_lead(&account).await;
        // 60 fade to less than 50 after 63.1 hours, and to less than 20 after 380.4.
        let next = begin + 64 * HOUR;
        assert_eq!(millis(&lead.next_check_time), next);
        let hot = world.sweep_at(next - 1, &account).await;
        assert_eq!((hot.band(), millis(&hot.next_check_time)), (Band::Hot, next));
        let warm = world.sweep_at(next, &account).await;
        assert_eq!((warm.band(), millis(&warm.score_time)), (Band::Warm, next));
        assert_eq!(millis(&warm.next_check_time), begin + 381 * HOUR);
        assert_eq!(warm.revision, lead.revision + 1);
        assert_eq!(world.heard.facts_until(&account, &warm).await.last().unwrap(), "changed");
        let cold = world.sweep_at(begin + 381 * HOUR, &account).await;
        assert_eq!((cold.band(), cold.next_check_time), (Band::Cold, None));
    }

    async fn a_sweep_that_comes_late_finds_what_the_last_whole_hour_brought(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let begin = hour(world.now());
        world.hot_lead(&account).await;
        // At 63.2 hours the score is below 50, but the hour has not come.
        let late = begin + 63 * HOUR + 50 * 60_000;
        let lead = world.sweep_at(late, &account).await;
        assert_eq!((lead.band(), millis(&lead.score_time)), (Band::Hot, begin + 63 * HOUR));
        let lead = world.sweep_at(begin + 64 * HOUR + 1234, &account).await;
        assert_eq!((lead.band(), millis(&lead.score_time)), (Band::Warm, begin + 64 * HOUR));
    }

    async fn a_band_rises_when_what_speaks_against_it_fades(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let (begin, now) = (hour(world.now()), world.now());
        let badges = (0..2).map(|who| account.does("badge_scanned", who, now));
        world.record(&badges.chain([account.does("email_bounced", 0, now)]).collect::<Vec<_>>()).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.band()), (15_000, Band::Cold));
        // The 15 that the bounce takes are 10 after 14.04 hours.
        assert_eq!(millis(&lead.next_check_time), begin + 15 * HOUR);
        let lead = world.sweep_at(begin + 15 * HOUR, &account).await;
        assert_eq!(lead.band(), Band::Warm);
        // Which way it goes from here cannot be known without looking: in 48 hours again.
        assert_eq!(millis(&lead.next_check_time), begin + (15 + 48) * HOUR);
    }

    async fn a_lead_gets_ready_when_an_adjustment_against_it_expires(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let (begin, now) = (hour(world.now()), world.now());
        let hot = account.gets_hot(now);
        world.record(&hot[..2]).await;
        let lead = world.lead(&account).await;
        world.adjust(&lead, -30, Some(now + 5 * HOUR)).await;
        world.record(&hot[2..]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.band()), (30_000, Band::Warm));
        assert_eq!(millis(&lead.next_check_time), begin + 6 * HOUR);
        let lead = world.sweep_at(begin + 6 * HOUR, &account).await;
        assert_eq!((lead.band(), lead.status()), (Band::Hot, LeadStatus::HandedOver));
        eventually!(world.heard.announced("sales_ready", &account).len() == 1);
    }

    async fn a_fast_track_ends(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("demo_requested", 0, now)]).await;
        let lead = world.lead(&account).await;
        let end = hour(now + 14 * DAY) + HOUR;
        assert_eq!((lead.band(), millis(&lead.next_check_time)), (Band::Hot, end));
        assert_eq!(world.sweep_at(end, &account).await.band(), Band::Cold);
    }

    async fn open_leads_are_refreshed_daily_without_a_word(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now), account.does("badge_scanned", 0, now)]).await;
        let lead = world.lead(&account).await;
        let heard = world.heard.facts_until(&account, &lead).await;
        assert_eq!((lead.score_milli, lead.band()), (35_000, Band::Warm));
        let refreshed = world.sweep_at(now + DAY, &account).await;
        assert!(refreshed.score_milli < 35_000);
        assert_eq!(refreshed.revision, lead.revision);
        world.settle().await;
        assert_eq!(world.heard.facts(&account), heard);
    }

    async fn a_lead_lapses_when_nothing_has_happened_in_the_window(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world
            .record(&[account.does("form_submitted", 0, now), account.does("form_submitted", 0, now).in_category("gc")])
            .await;
        // Activity elsewhere does not keep it, and does not put off its end.
        world.hand.advance(WINDOW - 11 * HOUR);
        world.record(&[account.does("badge_scanned", 1, world.now()).in_category("gc")]).await;
        assert_eq!(world.leads(&account).await.iter().filter(|lead| lead.status() == LeadStatus::Closed).count(), 0);
        world.hand.set(leadflow_platform::clock::from_millis(hour(now + WINDOW) + HOUR));
        let lapsed = world.lead_in(&account, LeadStatus::Closed).await;
        assert_eq!((lapsed.product_category.as_str(), lapsed.close_reason()), ("hplc", CloseReason::Lapsed));
        assert_eq!(millis(&lapsed.close_time), hour(now + WINDOW) + HOUR);
        assert_eq!(world.lead(&account).await.product_category, "gc");
        eventually!(world.heard.announced("closed", &account).len() == 1);

        world.record(&[account.does("form_submitted", 0, world.now() + 1)]).await;
        let again = world.leads(&account).await.into_iter().find(|lead| lead.round == 2).unwrap();
        assert_eq!((again.product_category.as_str(), again.score_milli, again.activities), ("hplc", 20_000, 1));
    }

    async fn what_a_rep_has_does_not_lapse(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.hot_lead(&account).await;
        let lead = world.sweep_at(world.now() + 2 * WINDOW, &account).await;
        assert_eq!((lead.status(), lead.score_milli, lead.activities), (LeadStatus::HandedOver, 0, 0));
    }

    async fn accounts_without_a_model_are_not_overdue(database) {
        let mut world = World::start_empty(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let categories = crate::support::company::configuration().product_categories;
        world
            .apply(leadflow_proto::scoring::v1::ApplyConfigurationRequest {
                product_categories: categories,
                ..Default::default()
            })
            .await;
        world.hand.advance(5 * 60_000);
        let overdue = |metrics: &str| {
            let line = metrics.lines().find(|line| line.starts_with("leadflow_accounts_overdue")).unwrap();
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        eventually!(overdue(&world.scoring.metrics().await) == 0.0);
    }
}
