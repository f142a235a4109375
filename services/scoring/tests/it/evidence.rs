//! No activity vanishes: each is kept with what became of it.

use leadflow_harness::on_each_database;
use leadflow_platform::clock::{from_millis, to_proto};
use leadflow_proto::scoring::v1::{CloseReason, Disposition, ListEvidenceRequest};
use tonic::Code;

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, WINDOW},
    fields, reason,
};

on_each_database! {
    async fn each_activity_is_scored_or_kept_with_a_reason(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let lonely = account.does("page_viewed", 0, now - 9).in_category("scales");
        let ancient = account.does("form_submitted", 0, now - WINDOW);
        let unmatched = account.does("email_delivered", 0, now - 8);
        let form = account.does("form_submitted", 0, now - 7);
        let homeless = account.does("form_submitted", 1, now - 6).of_no_account();
        world.record(&[lonely.clone(), ancient.clone(), unmatched.clone(), form.clone(), homeless.clone()]).await;
        let expected = [
            (&lonely, Disposition::NoOpenLead),
            (&ancient, Disposition::NoOpenLead),
            (&unmatched, Disposition::NoRule),
            (&form, Disposition::Scored),
        ];
        for (activity, expected) in expected {
            assert_eq!(world.disposition(&account, activity).await, expected, "{activity:?}");
        }
        let request = ListEvidenceRequest { disposition: Disposition::NoAccount.into(), ..Default::default() };
        let kept = world.scoring.client.list_evidence(request).await.unwrap().into_inner().evidence;
        assert_eq!((kept.len(), kept[0].activity_id.as_str(), kept[0].account_id.as_str()), (1, homeless.id(), ""));

        let lead = world.lead(&account).await;
        world.close(&lead, CloseReason::Won).await.unwrap();
        assert_eq!(world.disposition(&account, &form).await, Disposition::Closed);
        let late = account.does("form_submitted", 2, now - 5).recorded_at(now);
        world.record(std::slice::from_ref(&late)).await;
        assert_eq!(world.disposition(&account, &late).await, Disposition::Closed);
    }

    async fn what_waited_is_scored_when_its_lead_opens(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let page = account.does("page_viewed", 0, now - 9);
        world.record(std::slice::from_ref(&page)).await;
        assert_eq!(world.disposition(&account, &page).await, Disposition::NoOpenLead);
        world.record(&[account.does("form_submitted", 0, now)]).await;
        assert_eq!(world.disposition(&account, &page).await, Disposition::Scored);
    }

    async fn what_comes_before_the_first_model_is_scored_with_it(database) {
        let mut world = World::start_empty(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        let hot = account.gets_hot(world.now());
        world.record(&hot).await;
        assert!(world.leads(&account).await.is_empty());
        world.apply(company::configuration()).await;
        world.lead_in(&account, leadflow_proto::scoring::v1::LeadStatus::HandedOver).await;
        assert_eq!(world.disposition(&account, &hot[0]).await, Disposition::Scored);
    }

    async fn evidence_is_listed_by_id_page_by_page_and_filtered(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let all: Vec<_> =
            (0..7).map(|place| account.does("page_viewed", 0, now - 100).recorded_at(now - 100 + place)).collect();
        world.record(&all).await;
        let of_account =
            ListEvidenceRequest { account_id: account.account_id.to_string(), page_size: 3, ..Default::default() };
        let (mut found, mut request) = (Vec::new(), of_account.clone());
        loop {
            let page = world.scoring.client.list_evidence(request.clone()).await.unwrap().into_inner();
            assert!(page.evidence.len() <= 3);
            found.extend(page.evidence.into_iter().map(|one| one.activity_id));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let mut ids: Vec<_> = all.iter().map(|one| one.id().to_owned()).collect();
        ids.sort();
        assert_eq!(found, ids);

        let before =
            ListEvidenceRequest { record_time_before: Some(to_proto(from_millis(now - 98))), ..of_account.clone() };
        assert_eq!(world.scoring.client.list_evidence(before).await.unwrap().into_inner().evidence.len(), 2);
        let scored = ListEvidenceRequest { disposition: Disposition::Scored.into(), ..of_account.clone() };
        assert!(world.scoring.client.list_evidence(scored).await.unwrap().into_inner().evidence.is_empty());

        let token = world.scoring.client.list_evidence(of_account).await.unwrap().into_inner().next_page_token;
        let other = ListEvidenceRequest { page_token: token, ..Default::default() };
        let error = world.scoring.client.list_evidence(other).await.unwrap_err();
        assert_eq!((error.code(), reason(&error)), (Code::InvalidArgument, "INVALID_PAGE_TOKEN".to_owned()));
        let nameless = ListEvidenceRequest { account_id: "seven".to_owned(), ..Default::default() };
        let error = world.scoring.client.list_evidence(nameless).await.unwrap_err();
        assert_eq!(fields(&error), ["account_id"]);
    }
}
