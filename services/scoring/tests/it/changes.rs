//! What people give and take by hand.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{
    clock::{from_millis, to_proto},
    ids,
};
use leadflow_proto::scoring::v1::{AdjustScoreRequest, Band, CloseReason, LeadStatus, score_line::Kind};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{DAY, HOUR},
    fields, points, reason, sum,
};

on_each_database! {
    async fn an_adjustment_is_a_line_with_its_author_and_reason_until_it_expires(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("badge_scanned", 0, now)]).await;
        let lead = world.lead(&account).await;
        let request = AdjustScoreRequest {
            lead_id: lead.lead_id.clone(),
            points_milli: 10_500,
            reason: "  met the head of the laboratory ".to_owned(),
            expire_time: Some(to_proto(from_millis(now + 3 * HOUR))),
            ..Default::default()
        };
        let mut maria = world.scoring.client_as("maria");
        let adjusted = maria.adjust_score(request).await.unwrap().into_inner().lead.unwrap();
        assert_eq!((adjusted.score_milli, adjusted.band(), adjusted.revision), (25_500, Band::Warm, lead.revision + 1));
        let explanation = world.explain(&lead).await;
        let line = explanation.lines.iter().find(|line| line.kind() == Kind::Adjustment).unwrap();
        assert_eq!((line.principal.as_str(), line.reason.as_str()), ("maria", "met the head of the laboratory"));
        assert_eq!((line.points_milli, line.group.as_str(), sum(&explanation)), (10_500, "adjustments", 25_500));
        assert_eq!(world.heard.facts_until(&account, &adjusted).await.last().unwrap(), "changed");

        world.hand.advance(4 * HOUR);
        eventually!(world.lead(&account).await.score_milli == 15_000);
        assert_eq!(points(&world.explain(&lead).await), [("badge", 15_000)]);
        // It counted while it was there, and it was not known before it was made.
        assert_eq!(world.explain_at(&lead, Some(now + HOUR), None).await.unwrap().score_milli, 25_500);
        assert_eq!(world.explain_at(&lead, Some(now + HOUR), Some(now - 1)).await.unwrap().score_milli, 0);
    }

    async fn an_adjustment_is_in_no_cap_and_can_make_a_lead_ready(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let now = world.now();
        world.record(&[0, 1, 2].map(|who| account.does("badge_scanned", who, now))).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.score_milli, lead.band()), (45_000, Band::Warm));
        let lead = world.adjust(&lead, 200, None).await;
        assert_eq!((lead.score_milli, lead.status()), (245_000, LeadStatus::HandedOver));
        let lead = world.adjust(&lead, -300, None).await;
        assert_eq!((lead.score_milli, lead.band(), lead.status()), (-55_000, Band::Cold, LeadStatus::HandedOver));
        world.hand.advance(90 * DAY);
        eventually!(world.lead(&account).await.score_time != lead.score_time);
        assert_eq!(world.lead(&account).await.score_milli, -55_000);
    }

    async fn an_adjustment_that_makes_no_sense_is_refused_by_name(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let lead = world.lead(&account).await;
        let good = AdjustScoreRequest {
            lead_id: lead.lead_id.clone(),
            points_milli: 1_000,
            reason: "because".to_owned(),
            ..Default::default()
        };
        let refused = [
            ("points_milli", AdjustScoreRequest { points_milli: 0, ..good.clone() }),
            ("points_milli", AdjustScoreRequest { points_milli: 1_000_000_001, ..good.clone() }),
            ("points_milli", AdjustScoreRequest { points_milli: i64::MIN, ..good.clone() }),
            ("reason", AdjustScoreRequest { reason: String::new(), ..good.clone() }),
            ("reason", AdjustScoreRequest { reason: "x".repeat(501), ..good.clone() }),
            ("reason", AdjustScoreRequest { reason: "a\0b".to_owned(), ..good.clone() }),
            ("expire_time", AdjustScoreRequest { expire_time: Some(to_proto(world.hand.now())), ..good.clone() }),
            (
                "expire_time",
                AdjustScoreRequest {
                    expire_time: Some(prost_types::Timestamp { seconds: 1, nanos: -1 }),
                    ..good.clone()
                },
            ),
            ("lead_id", AdjustScoreRequest { lead_id: "the best one".to_owned(), ..good.clone() }),
        ];
        for (field, request) in refused {
            let error = world.scoring.client.adjust_score(request).await.unwrap_err();
            assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]), "{error:?}");
        }
        let nowhere = AdjustScoreRequest { lead_id: ids::new().to_string(), ..good.clone() };
        assert_eq!(world.scoring.client.adjust_score(nowhere).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.lead(&account).await, lead);

        let twice = AdjustScoreRequest { request_id: ids::new().to_string(), ..good.clone() };
        for _ in 0..2 {
            let answer = world.scoring.client.adjust_score(twice.clone()).await.unwrap().into_inner().lead.unwrap();
            assert_eq!(answer.score_milli, 21_000);
        }
        assert_eq!(world.lead(&account).await.score_milli, 21_000);
        world.close(&lead, CloseReason::Won).await.unwrap();
        let error = world.scoring.client.adjust_score(good).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::FailedPrecondition, "LEAD_CLOSED".to_owned()));
    }
}
