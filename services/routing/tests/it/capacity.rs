//! Nobody eligible: held with a reason and a deadline, and assigned as soon as somebody is.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    routing::v1::{ApplyConfigurationRequest, hand_over::State},
    scoring::v1::CloseReason,
};

use crate::support::{World, company, lead::TestLead};

on_each_database! {
    async fn a_lead_that_comes_before_any_configuration_is_held_and_assigned_after_it(database) {
        let mut world = World::start_empty(database).await;
        let lead = TestLead::new("DE");
        let held = world.hand_over_in_vain(&lead).await;
        assert_eq!((held.reason.as_str(), held.account_name.as_str()), ("no_configuration", "Example Works"));
        let response = world.explain(&lead).await;
        assert!(response.assignment.is_none());
        assert!(response.trace.unwrap().reason.contains("no territories"));

        world.apply(company::configuration()).await;
        assert_eq!(world.assignment_of(&lead).await.rep, "anna");
        let trace = world.explain(&lead).await.trace.unwrap();
        assert_eq!((trace.chosen_rep.as_str(), trace.configuration_version), ("anna", 1));
        let hand_over = world.hand_overs_of(&lead).await.remove(0);
        assert_eq!((hand_over.state(), hand_over.reason.as_str()), (State::Assigned, ""));
        assert!(hand_over.deadline.is_none());
    }

    async fn a_held_lead_is_announced_once_with_its_deadline(database) {
        let mut world = World::start(database).await;
        world.hand_over(&TestLead::new("CH")).await;
        let lead = TestLead::new("CH");
        let held = world.hand_over_in_vain(&lead).await;
        assert_eq!(held.reason, "no_eligible_rep");
        let (begin, deadline) = (held.create_time.unwrap(), held.deadline.unwrap());
        assert_eq!(deadline.seconds - begin.seconds, 4 * 3600);

        // Never silently the parent's, and never the desk's: the drain tries in vain.
        world.settle().await;
        let trace = world.explain(&lead).await.trace.unwrap();
        assert_eq!(trace.candidates[0].exclusion, "at_capacity");
        assert_eq!(trace.candidates[0].live_assignments, 1);
        eventually!(!world.heard.held(&lead).is_empty());
        let heard = world.heard.held(&lead);
        assert_eq!((heard.len(), heard[0].reason.as_str()), (1, "no_eligible_rep"));
        assert_eq!(heard[0].deadline, Some(deadline));
        assert!(world.assignments_of(&lead).await.is_empty());
    }

    async fn a_rep_with_room_again_gets_the_oldest_held_lead(database) {
        let mut world = World::start(database).await;
        let first = world.hand_over(&TestLead::new("CH")).await;
        let (older, newer) = (TestLead::new("AT"), TestLead::new("CH"));
        world.hand_over_in_vain(&older).await;
        world.hand_over_in_vain(&newer).await;

        world.reject(&first, "too_early", "").await.unwrap();
        let second = world.assignment_of(&older).await;
        assert_eq!(second.rep, "reto");
        assert!(world.assignments_of(&newer).await.is_empty());

        world.accept(&second).await.unwrap();
        world.publish("closed", &older.closed(CloseReason::Won)).await;
        assert_eq!(world.assignment_of(&newer).await.rep, "reto");
    }

    async fn more_capacity_drains_what_is_held(database) {
        let mut world = World::start(database).await;
        let leads: Vec<_> = (0..4).map(|_| TestLead::new("CH")).collect();
        world.publish_all(leads.iter().map(|lead| ("sales_ready", lead))).await;
        world.settle().await;
        assert_eq!(world.hand_overs().await.iter().filter(|one| one.state() == State::Held).count(), 3);

        let reps = vec![company::rep_with_capacity("reto", 3)];
        world.apply(ApplyConfigurationRequest { reps, ..Default::default() }).await;
        eventually!(world.hand_overs().await.iter().filter(|one| one.state() == State::Held).count() == 1);
        let metrics = world.routing.metrics().await;
        let held = |line: &str| line.starts_with("leadflow_hand_overs_held{reason=\"no_eligible_rep\"") && line.ends_with(" 1");
        assert!(metrics.lines().any(held), "{metrics}");
    }

    async fn a_batch_never_gives_a_rep_more_than_fits(database) {
        let mut world = World::start(database).await;
        let owned: Vec<_> = (0..5).map(|_| TestLead::new("CH").owned_by("reto")).collect();
        world.publish_all(owned.iter().map(|lead| ("sales_ready", lead))).await;
        world.settle().await;
        let live: Vec<_> = world.heard.assignments().into_iter().filter(|(_, one)| one.rep == "reto").collect();
        assert_eq!(live.len(), 1);
    }

    async fn a_pool_without_members_holds_its_leads(database) {
        let mut world = World::start(database).await;
        let pools = vec![company::pool("germany", &[])];
        world.apply(ApplyConfigurationRequest { pools, ..Default::default() }).await;
        let lead = TestLead::new("DE");
        assert_eq!(world.hand_over_in_vain(&lead).await.reason, "no_eligible_rep");
        assert_eq!(world.explain(&lead).await.trace.unwrap().reason, "the pool `germany` has no members");
    }
}
