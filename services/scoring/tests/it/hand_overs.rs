//! A lead's passing to routing: once per hand-over, frozen as it was, again only for a reason.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    routing::v1::AssignmentState,
    scoring::v1::{Band, LeadStatus, score_line::Kind},
};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, DAY},
    millis, reason, sum,
};

on_each_database! {
    async fn a_lead_is_published_as_ready_once_however_its_score_falls_and_rises(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        let frozen = world.frozen(&lead, 1).await.unwrap();
        assert_eq!((frozen.score_milli, sum(&frozen), frozen.band()), (60_000, 60_000, Band::Hot));

        world.hand.advance(30 * DAY);
        eventually!(world.lead(&account).await.band() == Band::Cold);
        assert_eq!(world.lead(&account).await.status(), LeadStatus::HandedOver);
        world.record(&account.gets_hot(world.now())).await;
        let again = world.lead(&account).await;
        assert_eq!((again.band(), again.status(), again.hand_over), (Band::Hot, LeadStatus::HandedOver, 1));
        assert_eq!(again.ready_time, lead.ready_time);
        world.heard.facts_until(&account, &again).await;
        assert_eq!(world.heard.announced("sales_ready", &account).len(), 1);

        // A new model and more points change what counts now, never what was handed over.
        world.apply(company::changed(|model| model.engagement.as_mut().unwrap().rules[0].points_milli = 1_000)).await;
        eventually!(world.lead(&account).await.model_version == 2);
        assert_eq!(world.frozen(&lead, 0).await.unwrap(), frozen);
        assert_eq!(world.heard.announced("sales_ready", &account).len(), 1);
    }

    async fn what_routing_says_is_shown_on_the_lead(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        world.hold(&lead, "nobody is eligible").await;
        let held = world.lead_in(&account, LeadStatus::Held).await;
        assert_eq!((held.status_reason.as_str(), held.assigned_rep.as_str()), ("nobody is eligible", ""));
        world.assign(&lead, 1, AssignmentState::Offered, "").await;
        let offered = world.lead_in(&account, LeadStatus::Offered).await;
        assert_eq!((offered.assigned_rep.as_str(), offered.status_reason.as_str()), ("anna", ""));
        world.assign(&lead, 1, AssignmentState::Accepted, "").await;
        world.lead_in(&account, LeadStatus::Accepted).await;

        // Accepted: still scored, and what changes is announced, but never handed over again.
        world.record(&[account.does("badge_scanned", 2, world.now())]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.status()), (75_000, LeadStatus::Accepted));
        world.heard.facts_until(&account, &lead).await;
        assert_eq!(world.heard.announced("sales_ready", &account).len(), 1);
        assert_eq!(world.heard.announced("changed", &account).last().unwrap().score_milli, 75_000);
    }

    async fn steps_that_were_overtaken_change_nothing(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        world.assign(&lead, 1, AssignmentState::Accepted, "").await;
        world.lead_in(&account, LeadStatus::Accepted).await;
        world.assign(&lead, 1, AssignmentState::Offered, "").await;
        world.hold(&lead, "nobody is eligible").await;
        world.assign(&lead, 2, AssignmentState::Rejected, "not_yet_known").await;
        // The rejection of the next hand-over is as unknown as it is impossible; this one comes after all of them.
        world.assign(&lead, 1, AssignmentState::Rejected, "too_small").await;
        let rejected = world.lead_in(&account, LeadStatus::Incubating).await;
        assert_eq!((rejected.hand_over, rejected.status_reason.as_str()), (2, "too_small"));
        let heard = world.heard.facts_until(&account, &rejected).await;
        assert_eq!(world.heard.announced("recycled", &account).len(), 1);
        assert!(heard.iter().filter(|fact| *fact == "changed").count() <= 3, "{heard:?}");
    }

    async fn a_rejected_lead_is_handed_over_again_only_after_a_later_activity_with_points(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        let first = world.frozen(&lead, 1).await.unwrap();
        world.hand.advance(60_000);
        let rejection = world.now();
        for _ in 0..2 {
            world.assign(&lead, 1, AssignmentState::Rejected, "too_early").await;
        }
        let lead = world.lead_in(&account, LeadStatus::Incubating).await;
        assert_eq!((lead.hand_over, lead.band(), lead.assigned_rep.as_str()), (2, Band::Hot, ""));
        assert_eq!(lead.status_reason, "too_early");
        eventually!(world.heard.announced("recycled", &account).len() == 1);
        assert_eq!(world.explain(&lead).await.missing, ["a rep rejected it: it waits for a new activity with points"]);

        world.hand.advance(60_000);
        let now = world.now();
        let before = account.does("form_submitted", 2, rejection - 1).recorded_at(now);
        world
            .record(&[
                before,
                account.does("email_delivered", 0, now),
                account.does("email_bounced", 0, now - 20 * DAY),
            ])
            .await;
        assert_eq!(world.lead(&account).await.status(), LeadStatus::Incubating);

        world.record(&[account.does("page_viewed", 0, rejection + 1)]).await;
        let again = world.lead_in(&account, LeadStatus::HandedOver).await;
        assert_eq!(again.hand_over, 2);
        eventually!(world.heard.announced("sales_ready", &account).len() == 2);
        let told: Vec<_> = world.heard.announced("sales_ready", &account).iter().map(|lead| lead.hand_over).collect();
        assert_eq!(told, [1, 2]);
        assert_eq!(world.frozen(&again, 1).await.unwrap(), first);
        let second = world.frozen(&again, 2).await.unwrap();
        assert!(millis(&second.at) > millis(&first.at) && second.lines.len() > first.lines.len());
        assert_eq!(world.frozen(&again, 0).await.unwrap(), second);
        let error = world.frozen(&again, 3).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::NotFound, "NOT_HANDED_OVER".to_owned()));
    }

    async fn a_rejection_that_overtakes_its_offer_has_its_effect(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        world.assign(&lead, 1, AssignmentState::Rejected, "too_early").await;
        world.assign(&lead, 1, AssignmentState::Offered, "").await;
        world.lead_in(&account, LeadStatus::Incubating).await;
        // An activity after the rejection that has come before the news of it.
        world.hand.advance(60_000);
        world.record(&[account.does("page_viewed", 0, world.now())]).await;
        assert_eq!(world.lead(&account).await.hand_over, 2);
        world.assign(&lead, 2, AssignmentState::Expired, "no answer").await;
        let expired = world.lead_in(&account, LeadStatus::Incubating).await;
        assert_eq!((expired.hand_over, expired.status_reason.as_str()), (3, "no answer"));
    }

    async fn what_was_handed_over_is_not_news_after_its_rejection_even_from_a_clock_that_was_ahead(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let now = world.now();
        let ahead: Vec<_> = account.gets_hot(now + 240_000).into_iter().map(|one| one.recorded_at(now)).collect();
        world.record(&ahead).await;
        let lead = world.lead_in(&account, LeadStatus::HandedOver).await;
        world.hand.advance(60_000);
        world.assign(&lead, 1, AssignmentState::Rejected, "too_early").await;
        eventually!(world.heard.facts(&account).contains(&"recycled".to_owned()));
        let lead = world.lead(&account).await;
        assert_eq!((lead.status(), lead.hand_over), (LeadStatus::Incubating, 2));
    }

    async fn activities_beyond_the_maximum_are_one_line_of_nothing_also_in_what_is_frozen(database) {
        let mut world = World::start(database).await;
        world.apply(company::changed(|model| model.max_activities = 3)).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let now = world.now();
        let older = (1..=4).map(|place| account.does("badge_scanned", 0, now - place * DAY));
        world.record(&older.chain(account.gets_hot(now)).collect::<Vec<_>>()).await;
        let lead = world.lead_in(&account, LeadStatus::HandedOver).await;
        assert_eq!(lead.score_milli, 60_000);
        for explanation in [world.frozen(&lead, 1).await.unwrap(), world.explain(&lead).await] {
            let line = &explanation.lines[0];
            assert_eq!(
                (line.kind(), line.points_milli, line.reason.as_str()),
                (Kind::Limit, 0, "4 older activities are not counted")
            );
            assert_eq!((explanation.score_milli, sum(&explanation), explanation.lines.len()), (60_000, 60_000, 4));
        }
    }
}
