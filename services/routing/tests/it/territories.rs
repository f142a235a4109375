//! Who gets a lead: the owner, or down the tree to a pool.

use std::collections::HashMap;

use leadflow_harness::on_each_database;
use leadflow_proto::routing::v1::AssignmentState;

use crate::support::{World, company, lead::TestLead};

on_each_database! {
    async fn the_owner_of_the_account_gets_the_lead_and_no_pool_is_debited(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE").owned_by("dora");
        let assignment = world.hand_over(&lead).await;
        assert_eq!((assignment.rep.as_str(), assignment.territory.as_str(), assignment.pool.as_str()), ("dora", "", ""));
        assert_eq!(assignment.account_name, "Example Works");
        assert!(world.pool("germany").await.balances.iter().all(|member| member.balance == 0.0));

        let trace = world.explain(&lead).await.trace.unwrap();
        assert!(trace.owner.unwrap().eligible);
        assert_eq!(trace.reason, "`dora` owns the account");
    }

    async fn an_owner_who_may_not_get_it_is_named_with_the_reason_and_the_tree_decides(database) {
        let mut world = World::start(database).await;
        for (owner, exclusion) in [("otto", "inactive"), ("nobody", "unknown_rep")] {
            let lead = TestLead::new("FR").owned_by(owner);
            assert_eq!(world.hand_over(&lead).await.rep, "dora");
            let owner = world.explain(&lead).await.trace.unwrap().owner.unwrap();
            assert_eq!((owner.eligible, owner.exclusion.as_str()), (false, exclusion));
        }
    }

    async fn each_lead_descends_to_the_first_territory_by_priority_that_takes_it(database) {
        let mut world = World::start(database).await;
        let large = TestLead { employees: Some(5000), ..TestLead::new("DE") };
        let cases = [
            (TestLead::new("DE"), "germany"),
            (TestLead::new("CH"), "alps"),
            (TestLead::new("FR"), "europe-other"),
            (TestLead::new("JP"), "elsewhere"),
            (TestLead::new(""), "elsewhere"),
            (large, "large"),
        ];
        for (lead, territory) in cases {
            assert_eq!(world.hand_over(&lead).await.territory, territory, "{lead:?}");
        }
    }

    async fn the_trace_shows_each_look_each_candidate_and_the_reason(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let assignment = world.hand_over(&lead).await;
        let response = world.explain(&lead).await;
        assert_eq!(response.assignment.unwrap().assignment_id, assignment.assignment_id);
        let trace = response.trace.unwrap();

        let looks: Vec<_> =
            trace.territories.iter().map(|step| (step.territory.as_str(), step.matched, step.error.is_empty())).collect();
        // The number of employees is unknown: the condition on it fails, which is no match.
        let expected =
            [("world", true, true), ("europe", true, true), ("large", false, false), ("germany", true, true)];
        assert_eq!(looks, expected);

        let candidates: Vec<_> = trace
            .candidates
            .iter()
            .map(|one| (one.rep.as_str(), one.eligible, one.weight, (one.share * 7.0).round(), (one.balance_after * 7.0).round()))
            .collect();
        let expected =
            [("anna", true, 4, 4.0, -3.0), ("ben", true, 2, 2.0, 2.0), ("carla", true, 1, 1.0, 1.0)];
        assert_eq!(candidates, expected);
        assert_eq!((trace.chosen_rep.as_str(), trace.pool.as_str()), ("anna", "germany"));
        assert!(trace.reason.contains("the turn of `anna`"), "{}", trace.reason);
        assert_eq!((trace.configuration_version, trace.score_milli), (1, 61_500));
        assert_eq!(trace.account.unwrap().country, "DE");
    }

    async fn two_hundred_leads_are_shared_by_weight_within_one_lead(database) {
        let mut world = World::start(database).await;
        let leads: Vec<_> = (0..200).map(|_| TestLead::new("DE")).collect();
        world.publish_all(leads.iter().map(|lead| ("sales_ready", lead))).await;
        world.settle().await;

        let mut counts: HashMap<String, f64> = HashMap::new();
        for assignment in world.assignments(AssignmentState::Offered).await {
            *counts.entry(assignment.rep).or_default() += 1.0;
        }
        for (rep, weight) in [("anna", 4.0), ("ben", 2.0), ("carla", 1.0)] {
            let share = 200.0 * weight / 7.0;
            assert!((counts[rep] - share).abs() <= 0.75, "{rep}: {} of {share}", counts[rep]);
        }
        let balances = world.pool("germany").await.balances;
        assert_eq!(balances.iter().map(|member| member.offered).sum::<i64>(), 200);
        assert!(balances.iter().map(|member| member.balance).sum::<f64>().abs() < 1e-9);
    }

    async fn a_member_who_is_inactive_is_passed_over_until_active_again(database) {
        let mut world = World::start(database).await;
        let large = || TestLead { employees: Some(9000), ..TestLead::new("AT") };
        for _ in 0..3 {
            assert_eq!(world.hand_over(&large()).await.rep, "kim");
        }
        let reps = vec![company::rep("otto")];
        world.apply(leadflow_proto::routing::v1::ApplyConfigurationRequest { reps, ..Default::default() }).await;
        // What was missed is not made up for: from here on they take turns.
        let mut reps = Vec::new();
        for _ in 0..4 {
            reps.push(world.hand_over(&large()).await.rep);
        }
        assert_eq!(reps, ["kim", "otto", "kim", "otto"]);
    }
}
