//! Events that were set aside: an operator sees them, has them handled once more, or says that they are nothing.

use std::sync::{Arc, atomic::Ordering};

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{bus::Delivery, ids, quarantine, rpc};
use leadflow_proto::common::v1::{
    DiscardQuarantinedEventRequest, GetQuarantinedEventRequest, ListQuarantinedEventsRequest, QuarantinedEvent,
    RedriveQuarantinedEventRequest, RedriveQuarantinedEventResponse,
    quarantine_service_client::QuarantineServiceClient,
};
use sea_orm::ConnectionTrait as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::support::{
    SUBJECT,
    notes::number,
    pair::{CONSUMER, Consuming, Pair},
};

/// A role that has set something aside, and its operator.
struct Ground {
    pair: Pair,
    client: QuarantineServiceClient<rpc::Client>,
    /// What it could not take in.
    thing: Uuid,
}

impl Ground {
    async fn start(database: leadflow_harness::TestDatabase) -> Self {
        let (pair, thing) = (Pair::start(database).await, ids::new());
        pair.consuming.poison.lock().unwrap().insert(thing);
        pair.announce(&[(thing, 1), (ids::new(), 1)]).await;
        // By then the producer was asked for it three times, and it has come as often.
        eventually!(pair.metric("leadflow_digest_stuck", "things").await == 1.0);
        eventually!(quarantine::depth(&pair.database).await.unwrap() >= 2);
        let client = QuarantineServiceClient::new(pair.client.clone());
        Self { pair, client, thing }
    }

    fn consuming(&self) -> &Arc<Consuming> {
        &self.pair.consuming
    }

    fn last(&self) -> Delivery {
        self.consuming().last.lock().unwrap().clone().unwrap()
    }

    /// The cause is mended.
    fn mend(&self) {
        self.consuming().poison.lock().unwrap().clear();
    }

    async fn all(&self) -> Vec<QuarantinedEvent> {
        let request = ListQuarantinedEventsRequest::default();
        self.client.clone().list_quarantined_events(request).await.unwrap().into_inner().quarantined_events
    }

    async fn get(&self, event_id: &str) -> Result<QuarantinedEvent, Status> {
        let request = GetQuarantinedEventRequest { consumer: CONSUMER.durable.into(), event_id: event_id.into() };
        let answer = self.client.clone().get_quarantined_event(request).await?;
        Ok(answer.into_inner().quarantined_event.unwrap())
    }

    async fn redrive(&self, event_id: &str, request_id: &str) -> Result<RedriveQuarantinedEventResponse, Status> {
        let (consumer, event_id) = (CONSUMER.durable.into(), event_id.into());
        let request = RedriveQuarantinedEventRequest { consumer, event_id, request_id: request_id.into() };
        Ok(self.client.clone().redrive_quarantined_event(request).await?.into_inner())
    }

    async fn discard(&self, event_id: &str) -> Result<(), Status> {
        let (consumer, event_id) = (CONSUMER.durable.into(), event_id.into());
        let request = DiscardQuarantinedEventRequest { consumer, event_id, ..Default::default() };
        self.client.clone().discard_quarantined_event(request).await.map(drop)
    }

    /// How often the operator has done this.
    async fn done(&self, method: &str) -> i64 {
        let of_operator = "SELECT count(*) FROM mutations WHERE principal = 'service:test' AND method =";
        number(&self.pair.database, &format!("{of_operator} '{method}'")).await
    }
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

on_each_database! {
    async fn what_was_set_aside_is_shown_and_handled_as_it_came_once_its_cause_is_mended(database) {
        let ground = Ground::start(database).await;
        let before = ground.all().await;
        let event_id = before[0].event_id.as_str();
        assert_eq!((before[0].reason.as_str(), before[0].message.as_str()), ("INVALID_FIELD", "payload cannot be swallowed"));
        assert_eq!((before[0].consumer.as_str(), before[0].subject.as_str()), (CONSUMER.durable, SUBJECT));
        assert!(before.iter().all(|event| event.payload.is_empty()), "a list shows no bodies");
        let shown = ground.get(event_id).await.unwrap();
        assert_eq!(shown.payload, format!("{} 1", ground.thing).into_bytes());

        ground.mend();
        let (events, request_id) = (ground.consuming().events(), ids::new().to_string());
        assert!(ground.redrive(event_id, &request_id).await.unwrap().handled);
        assert_eq!(ground.pair.held().await.get(&ground.thing), Some(&1));
        let last = ground.last();
        assert_eq!((last.id.as_str(), last.header("ce-type"), ground.consuming().events()), (event_id, Some(SUBJECT), events));
        assert_eq!(ground.all().await, before[1..]);

        // A repeated request gets the first answer, and another one hears that it is gone.
        assert!(ground.redrive(event_id, &request_id).await.unwrap().handled);
        assert_eq!(ground.done("RedriveQuarantinedEvent").await, 1);
        let gone = ground.redrive(event_id, "").await.unwrap_err();
        assert_eq!((gone.code(), reason(&gone)), (Code::NotFound, "NOT_FOUND".to_owned()));
        assert!(gone.message().contains("it was redriven or discarded"), "{}", gone.message());
        assert_eq!(ground.get(event_id).await.unwrap_err().code(), Code::NotFound);
        // The same thing a second time has no second effect.
        assert!(ground.redrive(&before[1].event_id, "").await.unwrap().handled);
        assert_eq!(ground.pair.held().await.len(), 2);
        ground.pair.stop().await;
    }

    async fn what_fails_again_stays_with_the_new_reason_and_what_is_down_changes_nothing(database) {
        let ground = Ground::start(database).await;
        let event_id = &ground.all().await[0].event_id;
        let other = "UPDATE quarantined_events SET reason = 'OTHER', message = ''";
        ground.pair.database.reader().execute_unprepared(other).await.unwrap();
        ground.consuming().blocked.store(true, Ordering::SeqCst);
        assert_eq!(ground.redrive(event_id, "").await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(ground.get(event_id).await.unwrap().reason, "OTHER");
        ground.consuming().blocked.store(false, Ordering::SeqCst);
        let failed = ground.redrive(event_id, "").await.unwrap();
        assert_eq!((failed.handled, failed.reason.as_str(), failed.message.as_str()), (false, "INVALID_FIELD", "payload cannot be swallowed"));
        let kept = ground.get(event_id).await.unwrap();
        assert_eq!((kept.reason, kept.message), (failed.reason, failed.message));
        assert_eq!(ground.done("RedriveQuarantinedEvent").await, 1);
        ground.pair.stop().await;
    }

    async fn what_is_discarded_is_gone_and_what_no_consumer_wants_can_only_be_discarded(database) {
        let ground = Ground::start(database).await;
        let all = ground.all().await;
        ground.discard(&all[0].event_id).await.unwrap();
        assert_eq!(ground.all().await, all[1..]);
        assert_eq!(ground.done("DiscardQuarantinedEvent").await, 1);
        assert_eq!(ground.discard(&all[0].event_id).await.unwrap_err().code(), Code::NotFound);

        let orphan = "UPDATE quarantined_events SET consumer = 'test-former'";
        ground.pair.database.reader().execute_unprepared(orphan).await.unwrap();
        let (consumer, event_id) = ("test-former".to_owned(), all[1].event_id.clone());
        let request = RedriveQuarantinedEventRequest { consumer, event_id, ..Default::default() };
        let refused = ground.client.clone().redrive_quarantined_event(request).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "NO_SUCH_CONSUMER".to_owned()));
        let nobody = RedriveQuarantinedEventRequest { event_id: "e".into(), ..Default::default() };
        let refused = ground.client.clone().redrive_quarantined_event(nobody).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "consumer is missing"));
        ground.pair.stop().await;
    }

    async fn a_list_goes_page_by_page_through_those_that_the_filter_leaves(database) {
        let ground = Ground::start(database).await;
        let all = ground.all().await;
        let page = async |page_token: String, consumer: &str, reason: &str| {
            let (consumer, reason) = (consumer.to_owned(), reason.to_owned());
            let request = ListQuarantinedEventsRequest { page_size: 1, page_token, consumer, reason };
            ground.client.clone().list_quarantined_events(request).await.unwrap().into_inner()
        };
        let first = page(String::new(), CONSUMER.durable, "INVALID_FIELD").await;
        let second = page(first.next_page_token, CONSUMER.durable, "INVALID_FIELD").await;
        assert_eq!([first.quarantined_events, second.quarantined_events].concat(), all[..2]);
        for (consumer, reason) in [("test-other", ""), ("", "OTHER")] {
            assert!(page(String::new(), consumer, reason).await.quarantined_events.is_empty());
        }
        ground.pair.stop().await;
    }
}
