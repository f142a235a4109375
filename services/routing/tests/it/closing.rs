//! A lead is closed: its live assignment and its hold come to their end.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    routing::v1::{AssignmentState, hand_over::State},
    scoring::v1::CloseReason,
};

use crate::support::{World, lead::TestLead, reason};

on_each_database! {
    async fn an_offer_is_withdrawn_and_can_no_longer_be_answered(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let offered = world.hand_over(&lead).await;
        world.publish("closed", &lead.closed(CloseReason::Lapsed)).await;
        eventually!(world.heard.facts(&lead) == ["offered", "withdrawn"]);

        let withdrawn = world.assignments(AssignmentState::Withdrawn).await.remove(0);
        assert_eq!((withdrawn.reason.as_str(), withdrawn.principal.as_str()), ("lead_closed", "service:routing"));
        assert_eq!(world.hand_overs_of(&lead).await[0].state(), State::Closed);
        assert_eq!(reason(&world.accept(&offered).await.unwrap_err()), "ASSIGNMENT_NOT_OFFERED");
        assert_eq!(reason(&world.reject(&offered, "too_early", "").await.unwrap_err()), "ASSIGNMENT_ENDED");
    }

    async fn accepted_work_is_complete_when_won_or_lost_and_withdrawn_otherwise(database) {
        let mut world = World::start(database).await;
        let cases = [
            (CloseReason::Won, "completed", "won"),
            (CloseReason::Lost, "completed", "lost"),
            (CloseReason::Disqualified, "withdrawn", "lead_closed"),
        ];
        for (closed, fact, reason) in cases {
            let lead = TestLead::new("DE");
            let offered = world.hand_over(&lead).await;
            world.accept(&offered).await.unwrap();
            world.publish("closed", &lead.closed(closed)).await;
            eventually!(world.heard.facts(&lead) == ["offered", "accepted", fact]);
            assert_eq!(world.assignment_of(&lead).await.reason, reason);
        }
    }

    async fn a_hold_ends_with_its_lead(database) {
        let mut world = World::start(database).await;
        let first = world.hand_over(&TestLead::new("CH")).await;
        let lead = TestLead::new("CH");
        world.hand_over_in_vain(&lead).await;
        world.publish("closed", &lead.closed(CloseReason::Lapsed)).await;
        eventually!(world.hand_overs_of(&lead).await[0].state() == State::Closed);
        // The rep has room again, but nobody waits any more.
        world.reject(&first, "too_early", "").await.unwrap();
        world.settle().await;
        assert!(world.assignments_of(&lead).await.is_empty());
        let closed = world.hand_overs_of(&lead).await.remove(0);
        assert_eq!((closed.reason.as_str(), closed.deadline), ("lead_closed", None));
    }

    async fn a_lead_that_was_closed_before_its_hand_over_came_is_not_assigned(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        world.publish("closed", &lead.closed(CloseReason::Won)).await;
        world.publish("sales_ready", &lead).await;
        let closed = eventually!(some: world.hand_overs_of(&lead).await.pop());
        assert_eq!((closed.state(), closed.reason.as_str()), (State::Closed, "lead_closed"));
        assert!(world.assignments_of(&lead).await.is_empty());
        assert!(world.heard.facts(&lead).is_empty());
    }

    async fn a_rejected_assignment_stays_rejected_when_its_lead_is_closed(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let offered = world.hand_over(&lead).await;
        world.reject(&offered, "not_a_buyer", "").await.unwrap();
        world.publish("closed", &lead.closed(CloseReason::Disqualified)).await;
        world.settle().await;
        assert_eq!(world.assignment_of(&lead).await.state(), AssignmentState::Rejected);
        assert_eq!(world.hand_overs_of(&lead).await[0].state(), State::Rejected);
        assert_eq!(world.heard.facts(&lead), ["offered", "rejected"]);
    }

    async fn of_two_leads_that_are_joined_one_keeps_its_rep_and_the_other_rep_is_told(database) {
        let mut world = World::start(database).await;
        let (goes_on, ends) = (TestLead::new("DE"), TestLead::new("DE"));
        let accepted = world.hand_over(&goes_on).await;
        world.accept(&accepted).await.unwrap();
        let also = world.hand_over(&ends).await;
        world.accept(&also).await.unwrap();
        world.publish("closed", &ends.merged_into(&goes_on)).await;
        eventually!(world.heard.facts(&ends) == ["offered", "accepted", "withdrawn"]);
        assert_eq!(world.assignment_of(&ends).await.reason, "merged");
        assert_eq!(world.assignment_of(&goes_on).await.state(), AssignmentState::Accepted);
    }

    async fn a_rep_who_accepts_while_the_lead_is_joined_with_one_that_is_only_offered_keeps_it(database) {
        let mut world = World::start(database).await;
        let (offered, taken) = (TestLead::new("DE"), TestLead::new("DE"));
        world.hand_over(&offered).await;
        let accepted = world.hand_over(&taken).await;
        // Scoring has not heard of this when it joins the leads.
        world.accept(&accepted).await.unwrap();
        world.publish("closed", &taken.merged_into(&offered)).await;
        world.settle().await;
        assert_eq!(world.assignment_of(&taken).await.state(), AssignmentState::Accepted);
        // It hears of it, and turns round.
        world.publish("changed", &taken.later(2)).await;
        world.publish("closed", &offered.merged_into(&taken)).await;
        eventually!(world.heard.facts(&offered) == ["offered", "withdrawn"]);
        assert_eq!(world.assignment_of(&taken).await.state(), AssignmentState::Accepted);
        assert_eq!(world.hand_overs_of(&taken).await[0].state(), State::Assigned);
    }
}
