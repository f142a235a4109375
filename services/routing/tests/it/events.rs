//! Events that come twice, late, in any order, or broken.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::quarantine;
use leadflow_proto::{
    routing::v1::{AssignmentState, hand_over::State},
    scoring::v1::CloseReason,
};
use sea_orm::{
    ConnectionTrait as _,
    sea_query::{Expr, ExprTrait as _, Query},
};

use crate::support::{World, lead::TestLead};

on_each_database! {
    async fn a_hand_over_that_comes_five_times_has_one_effect(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        for _ in 0..3 {
            world.publish("sales_ready", &lead).await;
        }
        world.publish_all([("sales_ready", &lead), ("sales_ready", &lead)]).await;
        world.settle().await;
        assert_eq!(world.assignments_of(&lead).await.len(), 1);
        assert_eq!(world.heard.facts(&lead), ["offered"]);
        assert_eq!(world.pool("germany").await.balances.iter().map(|member| member.offered).sum::<i64>(), 1);
    }

    async fn a_hand_over_that_comes_again_after_its_rejection_has_no_effect(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let offered = world.hand_over(&lead).await;
        world.reject(&offered, "too_early", "").await.unwrap();
        world.publish("recycled", &lead.again()).await;
        world.publish("sales_ready", &lead).await;
        world.settle().await;
        assert_eq!(world.assignments_of(&lead).await.len(), 1);
        assert_eq!(world.heard.facts(&lead), ["offered", "rejected"]);
    }

    async fn a_hand_over_that_news_has_overtaken_is_decided_by_the_newest_facts(database) {
        let mut world = World::start(database).await;
        let ready = TestLead::new("DE");
        let moved = TestLead { country: "FR".to_owned(), ..ready.later(1) };
        world.publish("changed", &moved).await;
        world.settle().await;
        let assignment = world.hand_over(&ready).await;
        assert_eq!(assignment.territory, "europe-other");
        assert_eq!(world.explain(&ready).await.trace.unwrap().account.unwrap().country, "FR");
    }

    async fn revisions_in_any_order_have_the_effect_of_the_newest(database) {
        let mut world = World::start(database).await;
        // Every order of: opened, handed over, moved to France, closed.
        let all = |lead: &TestLead| {
            [
                ("opened", lead.clone()),
                ("sales_ready", lead.later(1)),
                ("changed", TestLead { country: "FR".to_owned(), ..lead.later(2) }),
                ("closed", TestLead { closed: Some(CloseReason::Lapsed), ..lead.later(3) }),
            ]
        };
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [3, 1, 2, 0], [1, 0, 3, 2]];
        let leads: Vec<_> = orders.iter().map(|_| TestLead::new("DE")).collect();
        for (lead, order) in leads.iter().zip(orders) {
            let events = all(lead);
            for place in order {
                world.publish(events[place].0, &events[place].1).await;
            }
        }
        world.settle().await;
        for lead in &leads {
            let states: Vec<_> = world.hand_overs_of(lead).await.iter().map(|one| one.state()).collect();
            assert_eq!(states, [State::Closed]);
            assert!(world.assignments_of(lead).await.iter().all(|one| one.state() == AssignmentState::Withdrawn));
        }
    }

    async fn nothing_is_kept_of_a_lead_that_was_never_handed_over(database) {
        let mut world = World::start(database).await;
        let tables = world.tables().await;
        let copy = async |lead: &TestLead| {
            let of_lead = Expr::col("lead_id").eq(lead.lead_id);
            let query = Query::select().column("revision").from("leads").and_where(of_lead).take();
            let row = tables.reader().query_one(&query).await.unwrap();
            row.map(|row| row.try_get_by_index::<i64>(0).unwrap())
        };
        let lead = TestLead::new("DE");
        world.publish_all([("opened", &lead.cultivated()), ("changed", &lead.later(1).cultivated())]).await;
        // Closed while it was cultivated, and open again, because accounts were merged and taken apart.
        let closed = TestLead::new("DE").closed(CloseReason::Merged);
        let again = TestLead { closed: None, ..closed.later(1).cultivated() };
        world.publish_all([("closed", &closed), ("recycled", &again)]).await;
        world.settle().await;
        assert_eq!(copy(&lead).await, None);
        assert_eq!(copy(&closed).await, Some(again.revision));
        let offered = world.hand_over(&lead.later(2)).await;
        // One that was given back is cultivated too, and its rep may look at it.
        world.reject(&offered, "too_early", "").await.unwrap();
        world.publish_all([("recycled", &lead.later(2).again().cultivated()), ("opened", &lead.cultivated())]).await;
        world.settle().await;
        assert_eq!(copy(&lead).await, Some(4));
        assert_eq!(world.heard.facts(&lead), ["offered", "rejected"]);
    }

    async fn an_older_revision_never_replaces_a_newer_one(database) {
        let mut world = World::start(database).await;
        let first = world.hand_over(&TestLead::new("CH")).await;
        let lead = TestLead::new("CH");
        world.hand_over_in_vain(&lead).await;
        world.publish("changed", &TestLead { country: "DE".to_owned(), ..lead.later(5) }).await;
        world.publish("changed", &TestLead { country: "FR".to_owned(), ..lead.later(4) }).await;
        // The drain decides by the copy.
        assert_eq!(world.assignment_of(&lead).await.territory, "germany");
        assert_eq!(world.assignment_of(&lead).await.account_id, lead.account_id.to_string());
        drop(first);
    }

    async fn a_later_hand_over_takes_the_place_of_one_that_is_still_open(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        world.hand_over(&lead).await;
        // As after a restored backup: scoring knows of a rejection that routing has forgotten.
        let second = world.hand_over(&lead.again()).await;
        assert_eq!(second.state(), AssignmentState::Offered);
        let withdrawn = world.assignments(AssignmentState::Withdrawn).await.remove(0);
        assert_eq!((withdrawn.hand_over, withdrawn.reason.as_str()), (1, "superseded"));
    }

    async fn poison_is_set_aside_and_healthy_events_pass(database) {
        let mut world = World::start(database).await;
        let healthy: Vec<_> = (0..20).map(|_| TestLead::new("DE")).collect();
        world.publish_all(healthy[..10].iter().map(|lead| ("sales_ready", lead))).await;
        world.publish_garbage("sales_ready").await;
        world.publish("sales_ready", &TestLead { hand_over: 0, ..TestLead::new("DE") }).await;
        world.publish_all(healthy[10..].iter().map(|lead| ("sales_ready", lead))).await;
        for lead in &healthy {
            world.assignment_of(lead).await;
        }
        let tables = world.tables().await;
        eventually!(quarantine::depth(&tables).await.unwrap() == 2);
        assert_eq!(world.assignments(AssignmentState::Unspecified).await.len(), 20);
        assert!(world.routing.metrics().await.contains("leadflow_quarantine_depth"));
        tables.close().await;
    }

    async fn a_fact_that_is_not_known_yet_is_news_all_the_same(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("CH");
        world.publish("renamed", &TestLead { country: "DE".to_owned(), ..lead.later(1) }).await;
        assert_eq!(world.hand_over(&lead).await.territory, "germany");
    }
}
