//! Reading the ledger: pages in the order of acceptance, and filters.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::activity::v1::{
    Activity, ActivityState, GetActivityRequest, ListActivitiesRequest, ListSourcesRequest,
};
use tonic_types::StatusExt as _;

use crate::support::{Client, World, activity, record};

/// The source event ids of all pages of a query.
async fn all(client: &Client, query: ListActivitiesRequest) -> Vec<String> {
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let request = ListActivitiesRequest { page_size: 3, page_token: token, ..query.clone() };
        let page = client.clone().list_activities(request).await.unwrap().into_inner();
        assert!(page.activities.len() <= 3);
        seen.extend(page.activities.into_iter().map(|activity| activity.source_event_id));
        token = page.next_page_token;
        if token.is_empty() {
            return seen;
        }
    }
}

fn query() -> ListActivitiesRequest {
    ListActivitiesRequest::default()
}

on_each_database! {
    async fn pages_follow_the_order_of_acceptance_to_the_end(database) {
        let world = World::start(database).await;
        let ids: Vec<_> = (0..8).map(|n| format!("e-{}", 9 - n)).collect();
        record(&world.client(), ids.iter().map(|id| activity(id, "anna@example.com")).collect()).await;
        assert_eq!(all(&world.client(), query()).await, ids);
    }

    async fn filters_narrow_a_list_down(database) {
        let world = World::start(database).await;
        let client = world.client();
        let expo = |id: &str, email: &str| Activity { source: "expo".into(), ..activity(id, email) };
        record(&client, vec![activity("a", "anna@one.example"), expo("b", "ben@one.example")]).await;
        let between = world.hand.now();
        world.hand.advance(1);
        record(&client, vec![activity("c", "carl@two.example"), expo("d", "anna@one.example")]).await;
        eventually!(world.events.recorded().len() == 4);

        assert_eq!(all(&client, ListActivitiesRequest { source: "expo".into(), ..query() }).await, ["b", "d"]);
        let account_id = world.contact.id("one.example");
        assert_eq!(all(&client, ListActivitiesRequest { account_id, ..query() }).await, ["a", "b", "d"]);
        let contact_id = world.contact.id("anna@one.example");
        assert_eq!(all(&client, ListActivitiesRequest { contact_id, ..query() }).await, ["a", "d"]);
        let unknown = leadflow_platform::ids::new().to_string();
        assert!(all(&client, ListActivitiesRequest { account_id: unknown, ..query() }).await.is_empty());
        let state = |state: ActivityState| ListActivitiesRequest { state: state.into(), ..query() };
        assert_eq!(all(&client, state(ActivityState::Identified)).await.len(), 4);
        assert_eq!(all(&client, state(ActivityState::Pending)).await.len(), 0);
        // Only what was accepted before, not at, the moment.
        let before = |millis: i64| {
            let time = leadflow_platform::clock::from_millis(between.as_millisecond() + millis);
            ListActivitiesRequest { record_time_before: Some(leadflow_platform::clock::to_proto(time)), ..query() }
        };
        assert_eq!(all(&client, before(0)).await, Vec::<String>::new());
        assert_eq!(all(&client, before(1)).await, ["a", "b"]);
        assert_eq!(all(&client, before(2)).await.len(), 4);
    }

    async fn what_cannot_be_asked_is_refused_by_name(database) {
        let world = World::start(database).await;
        let bad = [
            (ListActivitiesRequest { account_id: "x".into(), ..query() }, "account_id"),
            (ListActivitiesRequest { contact_id: "x".into(), ..query() }, "contact_id"),
            (ListActivitiesRequest { state: 99, ..query() }, "state"),
            (ListActivitiesRequest { page_size: -1, ..query() }, "page_size"),
            (ListActivitiesRequest { page_token: "x".into(), ..query() }, "page_token"),
        ];
        for (request, field) in bad {
            let status = world.client().list_activities(request).await.unwrap_err();
            assert_eq!(status.get_error_details().bad_request().unwrap().field_violations[0].field, field);
        }
        let get = async |id: &str| world.client().get_activity(GetActivityRequest { activity_id: id.into() }).await;
        assert_eq!(get("x").await.unwrap_err().code(), tonic::Code::InvalidArgument);
        let unknown = leadflow_platform::ids::new().to_string();
        assert_eq!(get(&unknown).await.unwrap_err().code(), tonic::Code::NotFound);
    }

    async fn what_was_merged_is_listed_as_one_by_any_of_its_ids(database) {
        let world = World::start(database).await;
        let client = world.client();
        let (here, there) = (activity("a", "anna@one.example"), activity("b", "anna@two.example"));
        record(&client, vec![here, there, activity("c", "carl@three.example")]).await;
        eventually!(world.events.recorded().len() == 3);
        world.contact.merge("one.example", "two.example");
        world.contact.merge("anna@two.example", "anna@one.example");
        for key in ["one.example", "two.example"] {
            let account_id = world.contact.id(key);
            assert_eq!(all(&client, ListActivitiesRequest { account_id, ..query() }).await, ["a", "b"]);
            let contact_id = world.contact.id(&format!("anna@{key}"));
            assert_eq!(all(&client, ListActivitiesRequest { contact_id, ..query() }).await, ["a", "b"]);
        }
        // Half of it would be taken for all.
        world.contact.fail(tonic::Code::Unavailable);
        let request = ListActivitiesRequest { account_id: world.contact.id("one.example"), ..query() };
        assert_eq!(client.clone().list_activities(request).await.unwrap_err().code(), tonic::Code::Unavailable);
        assert_eq!(all(&client, query()).await, ["a", "b", "c"]);
    }

    async fn sources_are_listed_by_name(database) {
        let world = World::start(database).await;
        let request = ListSourcesRequest { page_size: 1, page_token: String::new() };
        let first = world.client().list_sources(request).await.unwrap().into_inner();
        assert_eq!(first.sources, [crate::support::expo()]);
        let request = ListSourcesRequest { page_size: 1, page_token: first.next_page_token };
        let second = world.client().list_sources(request).await.unwrap().into_inner();
        assert_eq!(second.sources, [crate::support::website_form()]);
        assert_eq!(second.next_page_token, "");
    }
}
