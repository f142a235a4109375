//! Why a score is what it is, was, and was thought to be.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::ids;
use leadflow_proto::{
    activity::v1::Channel,
    scoring::v1::{Band, ExplainScoreRequest, GetLeadRequest, Lead, score_line::Kind},
};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, DAY, HOUR},
    fields, millis, points, reason, sum,
};

on_each_database! {
    async fn every_line_names_its_rule_and_its_activity_and_all_add_up(database) {
        let mut world = World::start(database).await;
        let account = TestAccount { country: "DE", ..TestAccount::new() };
        let now = world.now();
        let form = account.does("form_submitted", 0, now - 10 * DAY).with_budget(2000.0);
        let nowhere = account.does("form_submitted", 1, now).in_category("").through(Channel::Phone);
        world.record(&[form.clone(), nowhere.clone()]).await;
        world.announce(&account).await;
        let lead = world.lead(&account).await;
        let explanation = world.explain(&lead).await;
        assert_eq!((explanation.score_milli, sum(&explanation), lead.score_milli), (38_000, 38_000, 38_000));
        assert_eq!(points(&explanation), [("form", 10_000), ("form", 10_000), ("germany", 10_000), ("budget", 8_000)]);
        let [half, faded, fit, answer] = &explanation.lines[..] else { panic!("{explanation:?}") };
        assert_eq!((half.share_milli, half.decay_milli, half.activity_id.as_str()), (500, 1000, nowhere.id()));
        assert_eq!((faded.share_milli, faded.decay_milli, faded.activity_id.as_str()), (1000, 500, form.id()));
        assert_eq!((faded.activity_type.as_str(), faded.source.as_str()), ("form_submitted", "website-form"));
        assert_eq!(
            (faded.contact_id.as_str(), millis(&faded.occur_time)),
            (account.contact(0).to_string().as_str(), now - 10 * DAY)
        );
        assert_eq!(faded.condition, "activity.type == \"form_submitted\"");
        assert_eq!(
            (fit.kind(), fit.group.as_str(), fit.condition.as_str()),
            (Kind::Fit, "fit", "account.country == \"DE\"")
        );
        assert_eq!((answer.kind(), answer.group.as_str()), (Kind::Qualification, "qualification"));
        let seen = explanation.validations.unwrap();
        assert_eq!((seen.contacts, seen.channels, seen.activities), (2, 2, 2));
        assert_eq!(explanation.thresholds.unwrap(), company::thresholds(50, 20, 2, 3));
        assert_eq!((explanation.model_version, millis(&explanation.at), millis(&explanation.known_at)), (1, now, now));
        assert_eq!(
            explanation.missing,
            ["12 more points are needed to be hot", "1 more activity is needed (has 2 of 3)"]
        );
        assert_eq!(explanation.next_check_time, lead.next_check_time);
    }

    async fn what_is_missing_is_said_in_words(database) {
        let mut world = World::start(database).await;
        let wanted = company::thresholds(50, 20, 3, 5);
        world.apply(company::changed(|model| model.default_thresholds = Some(wanted))).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now()).of_nobody()]).await;
        let lead = world.lead(&account).await;
        let expected = [
            "30 more points are needed to be hot",
            "3 more contacts are needed (has 0 of 3)",
            "4 more activities are needed (has 1 of 5)",
        ];
        assert_eq!(world.explain(&lead).await.missing, expected);
        world.record(&[account.does("demo_requested", 0, world.now())]).await;
        world.announce(&account).await;
        assert!(world.explain(&lead).await.missing.is_empty());
    }

    async fn a_category_has_the_thresholds_of_the_nearest_one_above_it(database) {
        let mut world = World::start(database).await;
        let own = company::thresholds(30, 5, 1, 1);
        world
            .apply(company::changed(|model| {
                model.category_thresholds.insert("chromatography".to_owned(), own);
            }))
            .await;
        let account = TestAccount::new();
        let now = world.now();
        world
            .record(&[
                account.does("form_submitted", 0, now - 10 * DAY),
                account.does("form_submitted", 0, now - 10 * DAY).in_category("scales"),
            ])
            .await;
        let bands: Vec<_> =
            world.leads(&account).await.iter().map(|lead| (lead.product_category.clone(), lead.band())).collect();
        assert!(
            bands.contains(&("hplc".to_owned(), Band::Warm)) && bands.contains(&("scales".to_owned(), Band::Cold)),
            "{bands:?}"
        );
    }

    async fn a_score_can_be_seen_as_it_was_and_as_it_was_known(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let begin = world.now();
        world.record(&[account.does("badge_scanned", 0, begin)]).await;
        world.hand.advance(2 * DAY);
        // What comes now happened on the first day.
        let late = account.does("badge_scanned", 1, begin + DAY).recorded_at(world.now());
        world.record(&[late, account.does("badge_scanned", 2, world.now())]).await;
        world.announce(&TestAccount { country: "DE", ..account.clone() }).await;
        let lead = world.lead(&account).await;
        assert_eq!(lead.score_milli, 55_000);

        let yesterday = begin + DAY;
        let in_hindsight = world.explain_at(&lead, Some(yesterday), None).await.unwrap();
        assert_eq!((in_hindsight.score_milli, sum(&in_hindsight)), (40_000, 40_000));
        let as_known_then = world.explain_at(&lead, Some(yesterday), Some(yesterday)).await.unwrap();
        assert_eq!((as_known_then.score_milli, millis(&as_known_then.known_at)), (15_000, yesterday));
        assert_eq!(points(&as_known_then), [("badge", 15_000)]);
        let in_a_year = world.explain_at(&lead, Some(begin + 365 * DAY), None).await.unwrap();
        assert_eq!((in_a_year.score_milli, in_a_year.band()), (10_000, Band::Cold));
    }

    async fn the_model_is_the_one_that_was_published_at_that_moment(database) {
        let mut world = World::start(database).await;
        let begin = world.now();
        let account = TestAccount::new();
        world.record(&[account.does("badge_scanned", 0, begin)]).await;
        let lead = world.lead(&account).await;
        world.hand.advance(2 * HOUR);
        world.apply(company::changed(|model| model.engagement.as_mut().unwrap().rules[1].points_milli = 1_000)).await;
        eventually!(world.lead(&account).await.model_version == 2);
        assert_eq!(world.lead(&account).await.score_milli, 1_000);
        for (at, version, score) in [(begin + 2 * HOUR - 1, 1, 15_000), (begin + 2 * HOUR, 2, 1_000)] {
            let explanation = world.explain_at(&lead, Some(at), None).await.unwrap();
            assert_eq!((explanation.model_version, explanation.score_milli), (version, score));
        }
        let error = world.explain_at(&lead, Some(begin - 1), None).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::FailedPrecondition, "NO_MODEL_AT".to_owned()));
        assert_eq!(fields(&error), ["at"]);
    }

    async fn what_does_not_exist_cannot_be_explained(database) {
        let mut world = World::start(database).await;
        let nobody = Lead { lead_id: ids::new().to_string(), ..Default::default() };
        assert_eq!(world.explain_at(&nobody, None, None).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.frozen(&nobody, 1).await.unwrap_err().code(), Code::NotFound);
        let request = GetLeadRequest { lead_id: nobody.lead_id };
        assert_eq!(reason(&world.scoring.client.get_lead(request).await.unwrap_err()), "NOT_FOUND");
        let request = ExplainScoreRequest { lead_id: "one".to_owned(), ..Default::default() };
        assert_eq!(fields(&world.scoring.client.explain_score(request).await.unwrap_err()), ["lead_id"]);

        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let lead = world.lead(&account).await;
        assert_eq!(reason(&world.frozen(&lead, 0).await.unwrap_err()), "NOT_HANDED_OVER");
        let got = world.scoring.client.get_lead(GetLeadRequest { lead_id: lead.lead_id.clone() }).await.unwrap();
        assert_eq!(got.into_inner().lead.unwrap(), lead);
        let request = ExplainScoreRequest {
            lead_id: lead.lead_id.clone(),
            at: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }),
            known_at: None,
        };
        assert_eq!(fields(&world.scoring.client.explain_score(request).await.unwrap_err()), ["at"]);
        for extreme in [-377_705_023_000_i64, 253_402_207_000] {
            let request = ExplainScoreRequest {
                lead_id: lead.lead_id.clone(),
                at: None,
                known_at: Some(prost_types::Timestamp { seconds: extreme, nanos: 0 }),
            };
            let known = world.scoring.client.explain_score(request).await.unwrap().into_inner().explanation.unwrap();
            assert_eq!(known.lines.is_empty(), extreme < 0);
        }
    }
}
