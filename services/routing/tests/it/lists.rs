//! Lists, page by page.

use leadflow_harness::on_each_database;
use leadflow_platform::ids;
use leadflow_proto::routing::v1::{
    AssignmentState, ExplainAssignmentRequest, GetAssignmentRequest, ListAssignmentsRequest, ListHandOversRequest,
    hand_over::State,
};
use tonic::Code;

use crate::support::{Client, World, fields, lead::TestLead, reason};

/// All ids of the list, in its order, and the number of pages.
async fn all_assignments(client: &mut Client, request: ListAssignmentsRequest) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut request) = (Vec::new(), 0, request);
    loop {
        let page = client.list_assignments(request.clone()).await.unwrap().into_inner();
        found.extend(page.assignments.into_iter().map(|one| one.assignment_id));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (found, pages);
        }
    }
}

on_each_database! {
    async fn assignments_come_the_newest_first_page_by_page(database) {
        let mut world = World::start(database).await;
        let mut offered = Vec::new();
        for _ in 0..7 {
            offered.push(world.hand_over(&TestLead::new("JP")).await);
        }
        offered.reverse();
        let newest_first: Vec<_> = offered.iter().map(|one| one.assignment_id.clone()).collect();
        let request = ListAssignmentsRequest { page_size: 3, ..Default::default() };
        assert_eq!(all_assignments(&mut world.routing.client, request).await, (newest_first.clone(), 3));

        world.accept(&offered[0]).await.unwrap();
        let accepted = ListAssignmentsRequest { state: AssignmentState::Accepted.into(), ..Default::default() };
        assert_eq!(all_assignments(&mut world.routing.client, accepted).await.0, newest_first[..1]);
        let of_rep = ListAssignmentsRequest { rep: "dora".to_owned(), page_size: 6, ..Default::default() };
        assert_eq!(all_assignments(&mut world.routing.client, of_rep).await.0.len(), 7);
        let of_nobody = ListAssignmentsRequest { rep: "nobody".to_owned(), ..Default::default() };
        assert!(all_assignments(&mut world.routing.client, of_nobody).await.0.is_empty());

        let request = GetAssignmentRequest { assignment_id: newest_first[6].clone() };
        let one = world.routing.client.get_assignment(request).await.unwrap().into_inner().assignment.unwrap();
        assert_eq!(one, offered[6]);
    }

    async fn leads_of_one_batch_have_one_time_and_still_page_without_gaps(database) {
        let mut world = World::start(database).await;
        let leads: Vec<_> = (0..30).map(|_| TestLead::new("JP")).collect();
        world.publish_all(leads.iter().map(|lead| ("sales_ready", lead))).await;
        world.settle().await;
        let request = ListAssignmentsRequest { page_size: 4, rep: "dora".to_owned(), ..Default::default() };
        let (mut found, _) = all_assignments(&mut world.routing.client, request).await;
        found.sort();
        found.dedup();
        // The one that settles the world is the desk's too.
        assert_eq!(found.len(), 31);
    }

    async fn a_token_belongs_to_its_query(database) {
        let mut world = World::start(database).await;
        for _ in 0..2 {
            world.hand_over(&TestLead::new("JP")).await;
        }
        let request = ListAssignmentsRequest { page_size: 1, ..Default::default() };
        let page_token = world.routing.client.list_assignments(request).await.unwrap().into_inner().next_page_token;
        let other = ListAssignmentsRequest { rep: "dora".to_owned(), page_token, ..Default::default() };
        let error = world.routing.client.list_assignments(other).await.unwrap_err();
        assert_eq!(reason(&error), "INVALID_PAGE_TOKEN");
    }

    async fn hand_overs_come_by_lead_and_number_page_by_page(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("JP");
        let first = world.hand_over(&lead).await;
        world.reject(&first, "too_early", "").await.unwrap();
        world.hand_over(&lead.again()).await;
        for _ in 0..2 {
            world.publish("sales_ready", &TestLead::new("CH")).await;
        }
        world.settle().await;

        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListHandOversRequest { page_size: 2, page_token, ..Default::default() };
            let page = world.routing.client.list_hand_overs(request).await.unwrap().into_inner();
            found.extend(page.hand_overs);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let keys: Vec<_> = found.iter().map(|one| (one.lead_id.clone(), one.hand_over)).collect();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!((keys.len(), keys), (5, sorted));

        let held = ListHandOversRequest { state: State::Held.into(), ..Default::default() };
        let held = world.routing.client.list_hand_overs(held).await.unwrap().into_inner().hand_overs;
        assert_eq!(held.len(), 1);
        assert_eq!(held[0].product_category, "scales");
    }

    async fn an_explanation_is_asked_for_by_one_id(database) {
        let mut world = World::start(database).await;
        let id = ids::new().to_string();
        let both = ExplainAssignmentRequest { assignment_id: id.clone(), lead_id: id.clone() };
        let error = world.routing.client.explain_assignment(both).await.unwrap_err();
        assert_eq!(fields(&error), ["lead_id"]);
        let none = ExplainAssignmentRequest::default();
        assert_eq!(fields(&world.routing.client.explain_assignment(none).await.unwrap_err()), ["assignment_id"]);
        let unknown = ExplainAssignmentRequest { lead_id: id, ..Default::default() };
        assert_eq!(world.routing.client.explain_assignment(unknown).await.unwrap_err().code(), Code::NotFound);
    }
}
