//! When a lead opens, and what counts for it.

use leadflow_harness::on_each_database;
use leadflow_proto::scoring::v1::{Band, Disposition, LeadStatus};

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, DAY},
    points,
};

on_each_database! {
    async fn only_what_a_buyer_does_opens_a_lead_and_what_came_before_counts_for_it(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let before: Vec<_> = ["page_viewed", "call_completed", "email_delivered", "email_bounced", "unheard_of"]
            .map(|activity_type| account.does(activity_type, 0, now - 1000))
            .into();
        world.record(&before).await;
        assert!(world.leads(&account).await.is_empty());
        assert!(world.heard.facts(&account).is_empty());
        for activity in &before {
            assert_eq!(world.disposition(&account, activity).await, Disposition::NoOpenLead);
        }

        world.record(&[account.does("form_submitted", 0, now)]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.product_category.as_str(), lead.round, lead.activities), ("hplc", 1, 6));
        assert_eq!((lead.status(), lead.hand_over), (LeadStatus::Incubating, 1));
        // 20 for the form, 2 for the page, and 15 less for the bounce.
        assert_eq!((lead.score_milli, lead.band()), (7_000, Band::Cold));
        assert_eq!(world.heard.facts_until(&account, &lead).await, ["opened"]);
        assert_eq!(world.heard.announced("opened", &account)[0].score_milli, 7_000);
    }

    async fn a_lead_is_opened_in_exactly_the_category_of_the_activity(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let form = |category: &str| account.does("form_submitted", 0, world.now()).in_category(category);
        let activities = [form(""), form("chromatography"), form("gc")];
        world.record(&activities[..1]).await;
        assert!(world.leads(&account).await.is_empty(), "what is in no category opens nothing");

        world.record(&activities[1..]).await;
        let mut scores: Vec<_> =
            world.leads(&account).await.into_iter().map(|lead| (lead.product_category, lead.score_milli)).collect();
        scores.sort();
        // Each has its own form, and a half of the one without a category; nothing goes up or down the tree.
        assert_eq!(scores, [("chromatography".to_owned(), 30_000), ("gc".to_owned(), 30_000)]);
    }

    async fn a_model_may_let_categories_share(database) {
        let mut world = World::start(database).await;
        let shares =
            leadflow_proto::scoring::v1::Shares { same_milli: 1000, below_milli: 250, above_milli: 100, none_milli: 0 };
        world.apply(company::changed(|model| model.shares = Some(shares))).await;
        let account = TestAccount::new();
        let form = |category: &str| account.does("form_submitted", 0, world.now()).in_category(category);
        let activities = [form("chromatography"), form("hplc"), form("scales"), form("")];
        world.record(&activities).await;
        let mut scores: Vec<_> =
            world.leads(&account).await.into_iter().map(|lead| (lead.product_category, lead.score_milli)).collect();
        scores.sort();
        let expected = [("chromatography", 25_000), ("hplc", 22_000), ("scales", 20_000)];
        assert_eq!(scores, expected.map(|(category, score)| (category.to_owned(), score)));
    }

    async fn people_of_one_account_make_one_lead_and_other_accounts_their_own(database) {
        let mut world = World::start(database).await;
        let (one, other) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        let activities: Vec<_> = (0..3)
            .flat_map(|who| [one.does("badge_scanned", who, now), other.does("badge_scanned", 0, now - 1 - who as i64)])
            .collect();
        world.record(&activities).await;
        let lead = world.lead(&one).await;
        assert_eq!((lead.score_milli, lead.validations.unwrap().contacts), (45_000, 3));
        let lead = world.lead(&other).await;
        assert_eq!((lead.score_milli, lead.validations.unwrap().contacts), (15_000, 1));
    }

    async fn rules_count_once_per_contact_and_once_per_object(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let page = |object: &str, ago: i64| account.does("page_viewed", 0, now - ago).on(object);
        world
            .record(&[
                account.does("badge_scanned", 0, now - 2),
                account.does("badge_scanned", 0, now - 1),
                account.does("badge_scanned", 1, now),
                account.does("badge_scanned", 2, now).of_nobody(),
                page("prices", 1),
                page("prices", 2),
                page("manual", 3),
                page("", 4),
            ])
            .await;
        let lead = world.lead(&account).await;
        let explanation = world.explain(&lead).await;
        let counted = |rule: &str| points(&explanation).into_iter().filter(|(of, _)| *of == rule).count();
        assert_eq!((counted("badge"), counted("page")), (3, 3));
        assert_eq!(lead.score_milli, 3 * 15_000 + 3 * 2_000);
        // The unknown contact of the fourth badge is counted as none.
        let seen = lead.validations.unwrap();
        assert_eq!((seen.contacts, seen.channels, seen.activities), (2, 1, 6));
    }

    async fn a_cap_ends_what_a_rule_and_a_group_can_give(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let mut activities: Vec<_> = (0..4).map(|_| account.does("form_submitted", 0, now)).collect();
        activities.extend((0..4).map(|who| account.does("badge_scanned", who, now)));
        world.record(&activities).await;
        // 80 for forms becomes 60, and with 60 for badges the group's 120 becomes 90.
        let lead = world.lead(&account).await;
        assert_eq!(lead.score_milli, 90_000);
        let explanation = world.explain(&lead).await;
        let caps: Vec<_> = explanation
            .lines
            .iter()
            .filter(|line| line.kind() == leadflow_proto::scoring::v1::score_line::Kind::Cap)
            .collect();
        let caps: Vec<_> = caps.iter().map(|line| (line.rule_id.as_str(), line.points_milli)).collect();
        assert_eq!(caps, [("form", -20_000), ("", -30_000)]);
    }

    async fn hot_needs_several_people_and_activities_whatever_the_score(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let now = world.now();
        let mut alone: Vec<_> = (0..3).map(|place| account.does("form_submitted", 0, now - place)).collect();
        world.record(&alone).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.band(), lead.status()), (60_000, Band::Warm, LeadStatus::Incubating));
        // A second person with points that have faded to nothing is no validation either.
        alone = vec![account.does("email_bounced", 1, now - 90 * DAY)];
        world.record(&alone).await;
        assert_eq!(world.lead(&account).await.band(), Band::Warm);
        world.record(&[account.does("page_viewed", 1, now)]).await;
        assert_eq!(world.lead(&account).await.status(), LeadStatus::HandedOver);
    }

    async fn a_fast_track_is_hot_at_once(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        world.record(&[account.does("demo_requested", 0, world.now())]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.band(), lead.status()), (5_000, Band::Hot, LeadStatus::HandedOver));
        assert_eq!(world.explain(&lead).await.fast_track_rule_id, "demo");
        assert_eq!(world.frozen(&lead, 1).await.unwrap().fast_track_rule_id, "demo");
    }
}
