//! Lists of leads, page by page.

use leadflow_harness::on_each_database;
use leadflow_proto::{
    routing::v1::AssignmentState,
    scoring::v1::{
        Band, CloseReason, LeadStatus, ListLeadsRequest, ListScoringModelsRequest, list_leads_request::Order,
    },
};
use tonic::Code;

use crate::support::{Client, World, activity::TestAccount, company, fields, reason};

/// All leads of the list, in its order, and the number of pages.
async fn all(client: &mut Client, request: ListLeadsRequest) -> (Vec<(String, i64)>, usize) {
    let (mut found, mut pages, mut request) = (Vec::new(), 0, request);
    loop {
        let page = client.list_leads(request.clone()).await.unwrap().into_inner();
        found.extend(page.leads.into_iter().map(|lead| (lead.lead_id, lead.score_milli)));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (found, pages);
        }
    }
}

fn request() -> ListLeadsRequest {
    ListLeadsRequest::default()
}

on_each_database! {
    async fn leads_come_by_score_or_by_id_page_by_page(database) {
        let mut world = World::start(database).await;
        let now = world.now();
        // Scores of 15, 20 and 35, each several times.
        let types = [&["badge_scanned"][..], &["form_submitted"], &["badge_scanned", "form_submitted"]];
        let activities = (0..10).flat_map(|place| {
            let account = TestAccount::new();
            types[place % 3].iter().map(move |activity_type| account.does(activity_type, 0, now)).collect::<Vec<_>>()
        });
        world.record(&activities.collect::<Vec<_>>()).await;
        // And some that lie between these, or below zero.
        for (lead, points) in world.list(request()).await.iter().zip([1, -2, -4, 2, -21, -26, -30, -19]) {
            world.adjust(lead, points, None).await;
        }
        let client = &mut world.scoring.client;
        let (by_score, pages) = all(client, ListLeadsRequest { page_size: 3, ..request() }).await;
        assert_eq!((by_score.len(), pages), (10, 4));
        let mut expected = by_score.clone();
        expected.sort_by(|(a, x), (b, y)| (y, b).cmp(&(x, a)));
        expected.dedup();
        assert_eq!(by_score, expected);
        let (by_id, pages) =
            all(client, ListLeadsRequest { page_size: 5, order: Order::LeadId.into(), ..request() }).await;
        expected.sort();
        assert_eq!((by_id, pages), (expected, 2));
        assert_eq!(all(client, request()).await.1, 1);
    }

    async fn leads_are_filtered(database) {
        let mut world = World::start(database).await;
        let (hot, warm, cold) = (TestAccount::new(), TestAccount::new(), TestAccount::new());
        let now = world.now();
        let offered = world.hot_lead(&hot).await;
        world.assign(&offered, 1, AssignmentState::Offered, "").await;
        world.lead_in(&hot, LeadStatus::Offered).await;
        world
            .record(&[warm.does("form_submitted", 0, now).in_category("gc"), cold.does("badge_scanned", 0, now)])
            .await;
        let closed = world.lead(&cold).await;
        world.close(&closed, CloseReason::Lost).await.unwrap();

        let mut count = async |request: ListLeadsRequest| world.list(request).await.len();
        assert_eq!(count(request()).await, 2);
        assert_eq!(count(ListLeadsRequest { show_closed: true, ..request() }).await, 3);
        assert_eq!(count(ListLeadsRequest { status: LeadStatus::Closed.into(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { status: LeadStatus::Offered.into(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { status: LeadStatus::Held.into(), ..request() }).await, 0);
        assert_eq!(count(ListLeadsRequest { band: Band::Hot.into(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { band: Band::Warm.into(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { band: Band::Cold.into(), show_closed: true, ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { product_category: "gc".to_owned(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { product_category: "chromatography".to_owned(), ..request() }).await, 0);
        assert_eq!(count(ListLeadsRequest { assigned_rep: "anna".to_owned(), ..request() }).await, 1);
        assert_eq!(count(ListLeadsRequest { assigned_rep: "ben".to_owned(), ..request() }).await, 0);
        assert_eq!(count(ListLeadsRequest { account_id: warm.account_id.to_string(), ..request() }).await, 1);
        let both = ListLeadsRequest { account_id: warm.account_id.to_string(), band: Band::Hot.into(), ..request() };
        assert_eq!(count(both).await, 0);
    }

    async fn a_token_belongs_to_its_query(database) {
        let mut world = World::start(database).await;
        let now = world.now();
        world.record(&[0, 1, 2].map(|_| TestAccount::new().does("form_submitted", 0, now))).await;
        let client = &mut world.scoring.client;
        let small = ListLeadsRequest { page_size: 1, ..request() };
        let page_token = client.list_leads(small.clone()).await.unwrap().into_inner().next_page_token;
        // Another size is the same query.
        let rest = ListLeadsRequest { page_size: 2, page_token: page_token.clone(), ..request() };
        assert_eq!(client.list_leads(rest).await.unwrap().into_inner().leads.len(), 2);
        let others = [
            ListLeadsRequest { band: Band::Warm.into(), ..small.clone() },
            ListLeadsRequest { order: Order::LeadId.into(), ..small.clone() },
            ListLeadsRequest { show_closed: true, ..small.clone() },
        ];
        for other in others {
            let error =
                client.list_leads(ListLeadsRequest { page_token: page_token.clone(), ..other }).await.unwrap_err();
            assert_eq!((error.code(), reason(&error)), (Code::InvalidArgument, "INVALID_PAGE_TOKEN".to_owned()));
        }
        for (field, bad) in [
            ("page_token", ListLeadsRequest { page_token: "garbage".to_owned(), ..request() }),
            ("page_size", ListLeadsRequest { page_size: -1, ..request() }),
            ("account_id", ListLeadsRequest { account_id: "one".to_owned(), ..request() }),
            ("product_category", ListLeadsRequest { product_category: "a\0b".to_owned(), ..request() }),
            ("assigned_rep", ListLeadsRequest { assigned_rep: "a\0b".to_owned(), ..request() }),
        ] {
            let error = client.list_leads(bad).await.unwrap_err();
            assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]));
        }
    }

    async fn versions_of_the_model_come_the_newest_first(database) {
        let mut world = World::start(database).await;
        for max_activities in 1..=4 {
            world.apply(company::changed(|model| model.max_activities = max_activities)).await;
        }
        let client = &mut world.scoring.client;
        let (mut found, mut request) = (Vec::new(), ListScoringModelsRequest { page_size: 2, ..Default::default() });
        loop {
            let page = client.list_scoring_models(request.clone()).await.unwrap().into_inner();
            found.extend(page.scoring_models.into_iter().map(|model| (model.version, model.max_activities)));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, [(5, 4), (4, 3), (3, 2), (2, 1), (1, 1000)]);
        let request = ListScoringModelsRequest { page_size: -1, ..Default::default() };
        assert_eq!(fields(&client.list_scoring_models(request).await.unwrap_err()), ["page_size"]);
    }
}
