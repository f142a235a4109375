//! Two replicas on one PostgreSQL: exactly one live assignment per lead, and shares as if there were one of them.

use std::collections::{HashMap, HashSet};

use leadflow_harness::{Backend, TestDatabase, eventually};
use leadflow_proto::routing::v1::{AssignmentState, hand_over::State};

use crate::support::{World, company, lead::TestLead};

async fn world() -> World {
    World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_leads_each_delivered_three_times_get_one_assignment_each_and_fair_shares() {
    let mut world = world().await;
    let second = world.another().await;
    let leads: Vec<_> = (0..200).map(|_| TestLead::new("DE")).collect();
    // In three orders, so that the two work on the same leads at once.
    for step in [1, 7, 13] {
        let order = (0..leads.len()).map(|place| place * step % leads.len());
        world.publish_all(order.map(|place| ("sales_ready", &leads[place]))).await;
    }
    eventually!(world.assignments(AssignmentState::Unspecified).await.len() >= 200);
    world.settle().await;
    second.stop().await;

    let assignments = world.assignments(AssignmentState::Unspecified).await;
    let of_leads: Vec<_> = assignments.iter().filter(|one| one.pool == "germany").collect();
    let assigned: HashSet<_> = of_leads.iter().map(|one| one.lead_id.as_str()).collect();
    assert_eq!((of_leads.len(), assigned.len()), (200, 200));
    assert!(of_leads.iter().all(|one| one.state() == AssignmentState::Offered));

    let mut counts: HashMap<&str, i64> = HashMap::new();
    for one in &of_leads {
        *counts.entry(one.rep.as_str()).or_default() += 1;
    }
    for member in world.pool("germany").await.balances {
        let weight = HashMap::from([("anna", 4.0), ("ben", 2.0), ("carla", 1.0)])[member.rep.as_str()];
        let count = counts[member.rep.as_str()];
        assert_eq!(member.offered, count, "{}", member.rep);
        assert!((200.0 * weight / 7.0 - count as f64 - member.balance).abs() < 1e-6, "{}", member.rep);
        assert!(member.balance.abs() <= 0.75, "{}", member.rep);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_in_several_pools_never_gets_more_than_fits_from_two_replicas() {
    let mut world = world().await;
    let second = world.another().await;
    let mut company = company::configuration();
    company.reps = vec![company::rep_with_capacity("anna", 20)];
    company.pools = vec![company::pool("germany", &[("anna", 1)]), company::pool("alps", &[("anna", 1)])];
    world.apply(company).await;
    let leads: Vec<_> = (0..150).map(|at| TestLead::new(if at % 2 == 0 { "DE" } else { "AT" })).collect();
    world.publish_all(leads.iter().map(|lead| ("sales_ready", lead))).await;
    eventually!(world.hand_overs().await.len() == 150);
    world.settle().await;
    second.stop().await;

    let live = world.assignments(AssignmentState::Offered).await.iter().filter(|one| one.rep == "anna").count();
    assert_eq!(live, 20);
    assert_eq!(world.hand_overs().await.iter().filter(|one| one.state() == State::Held).count(), 130);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_news_of_the_same_leads_at_once_leave_one_truth() {
    let mut world = world().await;
    let second = world.another().await;
    let leads: Vec<_> = (0..40).map(|_| TestLead::new("DE")).collect();
    world.publish_all(leads.iter().map(|lead| ("sales_ready", lead))).await;
    eventually!(world.assignments(AssignmentState::Offered).await.len() == 40);

    // Each lead is closed while its rep rejects it, and while it is handed over again.
    let offered = world.assignments(AssignmentState::Offered).await;
    let mut clients = [world.routing.client.clone(), second.client.clone()];
    let answers = async {
        for (place, one) in offered.iter().enumerate() {
            let request = leadflow_proto::routing::v1::RejectAssignmentRequest {
                assignment_id: one.assignment_id.clone(),
                reason: "too_early".to_owned(),
                ..Default::default()
            };
            // It may have been withdrawn meanwhile.
            let _ = clients[place % 2].reject_assignment(request).await;
        }
    };
    let closed: Vec<_> =
        leads.iter().map(|lead| lead.closed(leadflow_proto::scoring::v1::CloseReason::Lapsed)).collect();
    let news = async {
        for lead in &closed {
            world.publish_all([("closed", lead), ("sales_ready", lead)]).await;
        }
    };
    tokio::join!(answers, news);
    world.settle().await;
    eventually!(world.hand_overs().await.iter().filter(|one| one.state() == State::Assigned).count() == 1);
    second.stop().await;

    for lead in &leads {
        let assignments = world.assignments_of(lead).await;
        assert_eq!(assignments.len(), 1);
        let (state, hand_over) = (assignments[0].state(), world.hand_overs_of(lead).await[0].state());
        let expected = match state {
            AssignmentState::Rejected => State::Rejected,
            AssignmentState::Withdrawn => State::Closed,
            other => panic!("{other:?}"),
        };
        assert_eq!(hand_over, expected);
        let last = world.heard.facts(lead).pop().unwrap();
        assert_eq!(last, if state == AssignmentState::Rejected { "rejected" } else { "withdrawn" });
    }
}
