//! The rep's answer: accept, or reject with a reason.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::ids;
use leadflow_proto::routing::v1::{
    AcceptAssignmentRequest, AssignmentState, RejectAssignmentRequest, hand_over::State,
};
use tonic::Code;

use crate::support::{World, fields, lead::TestLead, reason};

on_each_database! {
    async fn accepting_is_announced_once_and_again_is_no_error(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let offered = world.hand_over(&lead).await;
        let accepted = world.accept(&offered).await.unwrap();
        assert_eq!((accepted.state(), accepted.principal.as_str()), (AssignmentState::Accepted, "tester"));
        assert!(accepted.decide_time.is_some());
        assert_eq!(world.accept(&offered).await.unwrap(), accepted);
        eventually!(world.heard.facts(&lead) == ["offered", "accepted"]);
    }

    async fn a_rejected_lead_goes_back_and_its_next_hand_over_gets_a_new_assignment(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        let first = world.hand_over(&lead).await;
        let rejected = world.reject(&first, "wrong_territory", "they buy from Vienna").await.unwrap();
        assert_eq!(rejected.state(), AssignmentState::Rejected);
        assert_eq!((rejected.reason.as_str(), rejected.note.as_str()), ("wrong_territory", "they buy from Vienna"));
        // Again, and with another reason: the first one stays.
        assert_eq!(world.reject(&first, "bad_data", "").await.unwrap(), rejected);

        eventually!(world.heard.facts(&lead) == ["offered", "rejected"]);
        let (_, told) = world.heard.assignments().pop().unwrap();
        assert_eq!((told.hand_over, told.reason.as_str()), (1, "wrong_territory"));

        let second = world.hand_over(&lead.again()).await;
        assert_ne!(second.assignment_id, first.assignment_id);
        assert_eq!((second.hand_over, second.state()), (2, AssignmentState::Offered));
        let states: Vec<_> = world.hand_overs_of(&lead).await.iter().map(|one| (one.hand_over, one.state())).collect();
        assert_eq!(states, [(1, State::Rejected), (2, State::Assigned)]);

        // Each assignment is explained by its own decision.
        let request = leadflow_proto::routing::v1::ExplainAssignmentRequest {
            assignment_id: first.assignment_id,
            ..Default::default()
        };
        let explained = world.routing.client.explain_assignment(request).await.unwrap().into_inner();
        assert_eq!(explained.trace.unwrap().hand_over, 1);
        assert_eq!(world.explain(&lead).await.trace.unwrap().hand_over, 2);
    }

    async fn an_accepted_lead_may_be_given_back_and_a_rejected_one_not_be_accepted(database) {
        let mut world = World::start(database).await;
        let offered = world.hand_over(&TestLead::new("DE")).await;
        world.accept(&offered).await.unwrap();
        world.reject(&offered, "not_a_buyer", "").await.unwrap();
        let error = world.accept(&offered).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::FailedPrecondition, "ASSIGNMENT_NOT_OFFERED"));
    }

    async fn a_rejection_needs_a_reason_of_the_closed_set_and_other_needs_a_note(database) {
        let mut world = World::start(database).await;
        let offered = world.hand_over(&TestLead::new("DE")).await;
        for (why, note, field) in [("", "", "reason"), ("no_time", "", "reason"), ("other", "  ", "note")] {
            let error = world.reject(&offered, why, note).await.unwrap_err();
            assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]), "{why}");
        }
        let rejected = world.reject(&offered, "other", "the plant was sold").await.unwrap();
        assert_eq!(rejected.note, "the plant was sold");
    }

    async fn a_stale_etag_is_refused_and_a_fresh_one_is_not(database) {
        let mut world = World::start(database).await;
        let offered = world.hand_over(&TestLead::new("DE")).await;
        let accept = |etag: &str| AcceptAssignmentRequest {
            assignment_id: offered.assignment_id.clone(),
            etag: etag.to_owned(),
            ..Default::default()
        };
        let error = world.routing.client.accept_assignment(accept("0")).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::Aborted, "STALE_ETAG"));
        assert_eq!(world.assignments(AssignmentState::Accepted).await.len(), 0);
        let accepted = world.routing.client.accept_assignment(accept(&offered.etag)).await.unwrap().into_inner();
        assert_ne!(accepted.assignment.unwrap().etag, offered.etag);

        let reject = RejectAssignmentRequest {
            assignment_id: offered.assignment_id.clone(),
            reason: "too_early".to_owned(),
            etag: offered.etag.clone(),
            ..Default::default()
        };
        let error = world.routing.client.reject_assignment(reject).await.unwrap_err();
        assert_eq!(reason(&error), "STALE_ETAG");
    }

    async fn a_repeated_request_gets_the_first_answer(database) {
        let mut world = World::start(database).await;
        let offered = world.hand_over(&TestLead::new("DE")).await;
        let request = AcceptAssignmentRequest {
            assignment_id: offered.assignment_id.clone(),
            request_id: ids::new().to_string(),
            ..Default::default()
        };
        let first = world.routing.client.accept_assignment(request.clone()).await.unwrap().into_inner();
        world.reject(&offered, "too_early", "").await.unwrap();
        let again = world.routing.client.accept_assignment(request).await.unwrap().into_inner();
        assert_eq!(again, first);
    }

    async fn an_unknown_assignment_is_not_found_and_a_bad_id_is_named(database) {
        let mut world = World::start(database).await;
        let mut unknown = leadflow_proto::routing::v1::Assignment {
            assignment_id: ids::new().to_string(),
            ..Default::default()
        };
        assert_eq!(world.accept(&unknown).await.unwrap_err().code(), Code::NotFound);
        unknown.assignment_id = "7".to_owned();
        assert_eq!(fields(&world.accept(&unknown).await.unwrap_err()), ["assignment_id"]);
    }

    async fn the_name_of_who_answers_is_kept(database) {
        let mut world = World::start(database).await;
        let offered = world.hand_over(&TestLead::new("DE")).await;
        let mut anna = world.routing.client_as("anna.berg");
        let request = AcceptAssignmentRequest { assignment_id: offered.assignment_id, ..Default::default() };
        let accepted = anna.accept_assignment(request).await.unwrap().into_inner().assignment.unwrap();
        assert_eq!(accepted.principal, "anna.berg");
    }
}
