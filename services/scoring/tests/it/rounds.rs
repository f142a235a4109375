//! Rounds: how a lead ends, and what begins after it.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::ids;
use leadflow_proto::scoring::v1::{CloseLeadRequest, CloseReason, Disposition, LeadStatus};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{DAY, REOPEN_AFTER},
    fields, millis, reason, sum,
};

on_each_database! {
    async fn the_next_round_counts_only_what_happened_after_the_close(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        for outcome in [CloseReason::Won, CloseReason::Lost] {
            let now = world.now();
            world.record(&[account.does("form_submitted", 0, now - 10), account.does("form_submitted", 1, now)]).await;
            let lead = world.lead(&account).await;
            assert_eq!(lead.score_milli, 40_000);
            let closed = world.close(&lead, outcome).await.unwrap();
            assert_eq!((closed.status(), closed.close_reason()), (LeadStatus::Closed, outcome));
            assert_eq!((millis(&closed.close_time), closed.revision), (now, lead.revision + 1));
            world.hand.advance(1000);
        }
        eventually!(world.heard.announced("closed", &account).len() == 2);

        // Late: it belongs to the second round, and before it to the first.
        let now = world.now();
        let late = [account.does("form_submitted", 2, now - 1500), account.does("form_submitted", 2, now - 500)];
        world.record(&late[..1]).await;
        assert_eq!(world.leads(&account).await.len(), 2);
        assert_eq!(world.disposition(&account, &late[0]).await, Disposition::Closed);

        world.record(&late[1..]).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.round, lead.activities, lead.hand_over, lead.revision), (3, 1, 1, 1));
        assert_eq!(lead.score_milli, 20_000);
        let mut rounds: Vec<_> = world.leads(&account).await.iter().map(|lead| lead.round).collect();
        rounds.sort_unstable();
        assert_eq!(rounds, [1, 2, 3]);
    }

    async fn a_closed_round_is_explained_by_its_own_activities(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now)]).await;
        let lead = world.lead(&account).await;
        let lead = world.close(&lead, CloseReason::Lost).await.unwrap();
        world.hand.advance(10 * DAY);
        world.record(&[account.does("form_submitted", 0, world.now()).with_budget(9000.0)]).await;
        let explanation = world.explain(&lead).await;
        assert_eq!((explanation.score_milli, explanation.lines.len()), (10_000, 1));
        let again = world.lead(&account).await;
        assert_eq!((again.round, again.score_milli), (2, 28_000));
    }

    async fn answers_of_a_closed_round_do_not_count_for_the_next(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now()).with_budget(9000.0)]).await;
        let lead = world.lead(&account).await;
        assert_eq!(lead.score_milli, 28_000);
        world.close(&lead, CloseReason::Lost).await.unwrap();
        world.hand.advance(DAY);
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let again = world.lead(&account).await;
        assert_eq!((again.round, again.score_milli, world.explain(&again).await.score_milli), (2, 20_000, 20_000));
    }

    async fn a_disqualified_lead_waits(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let begin = world.now();
        world.record(&[account.does("form_submitted", 0, begin)]).await;
        let lead = world.lead(&account).await;
        world.close(&lead, CloseReason::Disqualified).await.unwrap();

        world.hand.advance(REOPEN_AFTER - 1);
        let early = account.does("form_submitted", 0, world.now());
        world.record(std::slice::from_ref(&early)).await;
        assert_eq!(world.leads(&account).await.len(), 1);
        assert_eq!(world.disposition(&account, &early).await, Disposition::Closed);
        // Other categories do not wait.
        world.record(&[account.does("form_submitted", 0, world.now()).in_category("scales")]).await;
        assert_eq!(world.lead(&account).await.product_category, "scales");

        world.hand.advance(1);
        world.record(&[account.does("badge_scanned", 0, world.now())]).await;
        let again = world.leads(&account).await.into_iter().find(|lead| lead.round == 2).unwrap();
        // What came too early to look again still happened after the close.
        assert_eq!((again.product_category.as_str(), again.activities, again.score_milli), ("hplc", 2, 35_000));
        assert_eq!(world.disposition(&account, &early).await, Disposition::Scored);
    }

    async fn a_fast_track_does_not_wait(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let lead = world.lead(&account).await;
        world.close(&lead, CloseReason::Disqualified).await.unwrap();
        world.hand.advance(DAY);
        world.record(&[account.does("demo_requested", 0, world.now())]).await;
        let again = world.lead_in(&account, LeadStatus::HandedOver).await;
        assert_eq!((again.round, again.score_milli), (2, 5_000));
    }

    async fn a_close_ends_also_what_came_from_a_clock_that_is_ahead(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        world.record(&[account.does("form_submitted", 0, now + 200_000).recorded_at(now)]).await;
        let lead = world.lead(&account).await;
        world.close(&lead, CloseReason::Won).await.unwrap();
        world.record(&[account.does("email_delivered", 0, now)]).await;
        assert_eq!(world.leads(&account).await.len(), 1);
    }

    async fn routing_has_no_say_in_a_closed_lead(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let lead = world.hot_lead(&account).await;
        let closed = world.close(&lead, CloseReason::Won).await.unwrap();
        world.assign(&lead, 1, leadflow_proto::routing::v1::AssignmentState::Rejected, "too_early").await;
        // The next news on the same stream shows that this one has come.
        let other = TestAccount::new();
        let next = world.hot_lead(&other).await;
        world.assign(&next, 1, leadflow_proto::routing::v1::AssignmentState::Offered, "").await;
        world.lead_in(&other, LeadStatus::Offered).await;
        assert_eq!(world.leads(&account).await, std::slice::from_ref(&closed));
        let frozen = world.frozen(&closed, 1).await.unwrap();
        assert_eq!((frozen.score_milli, sum(&frozen)), (60_000, 60_000));
    }

    async fn a_lead_is_closed_as_it_was_read_once_and_with_a_reason(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let read = world.lead(&account).await;
        world.adjust(&read, 5, None).await;

        let good = CloseLeadRequest {
            lead_id: read.lead_id.clone(),
            reason: CloseReason::Lost.into(),
            note: "bought elsewhere".to_owned(),
            ..Default::default()
        };
        let stale = CloseLeadRequest { etag: read.etag.clone(), ..good.clone() };
        let error = world.scoring.client.close_lead(stale).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::Aborted, "STALE_ETAG".to_owned()));
        assert_eq!(fields(&error), ["etag"]);
        let refused = [
            ("reason", CloseLeadRequest { reason: CloseReason::Unspecified.into(), ..good.clone() }),
            ("reason", CloseLeadRequest { reason: CloseReason::Lapsed.into(), ..good.clone() }),
            ("reason", CloseLeadRequest { reason: CloseReason::Merged.into(), ..good.clone() }),
            ("note", CloseLeadRequest { note: "  ".to_owned(), ..good.clone() }),
            ("note", CloseLeadRequest { note: "x".repeat(501), ..good.clone() }),
            ("note", CloseLeadRequest { note: "a\0b".to_owned(), ..good.clone() }),
            ("lead_id", CloseLeadRequest { lead_id: String::new(), ..good.clone() }),
            ("request_id", CloseLeadRequest { request_id: "first".to_owned(), ..good.clone() }),
        ];
        for (field, request) in refused {
            let error = world.scoring.client.close_lead(request).await.unwrap_err();
            assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]), "{error:?}");
        }
        let nowhere = CloseLeadRequest { lead_id: ids::new().to_string(), ..good.clone() };
        assert_eq!(world.scoring.client.close_lead(nowhere).await.unwrap_err().code(), Code::NotFound);

        let etag = world.lead(&account).await.etag;
        let close = CloseLeadRequest { etag, request_id: ids::new().to_string(), ..good.clone() };
        let first = world.scoring.client.close_lead(close.clone()).await.unwrap().into_inner();
        let repeated = world.scoring.client.close_lead(close.clone()).await.unwrap().into_inner();
        assert_eq!(first, repeated);
        let misused = CloseLeadRequest { note: "another".to_owned(), ..close };
        assert_eq!(reason(&world.scoring.client.close_lead(misused).await.unwrap_err()), "REQUEST_ID_REUSED");
        let error = world.scoring.client.close_lead(good).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::FailedPrecondition, "LEAD_CLOSED".to_owned()));
        eventually!(world.heard.announced("closed", &account).len() == 1);
    }
}
