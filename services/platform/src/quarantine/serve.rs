//! What an operator may do with the events that were set aside.

use async_trait::async_trait;
use leadflow_proto::common::v1::{
    self as pb,
    quarantine_service_server::{QuarantineService, QuarantineServiceServer},
};
use tonic::{Request, Response, Status};

use super::{Handler, Handlers, Key, Model};
use crate::{
    audit::{self, Mutation, mutate},
    auth::Principal,
    bus::Delivery,
    clock::{Clock, from_millis, to_proto},
    db::Database,
    error::{Error, Result},
    page::Page,
    rpc::MAX_ANSWER,
};

/// The gRPC service of every role.
pub type Server = QuarantineServiceServer<Service>;

/// Serves what the role has set aside.
pub(crate) fn server(database: Database, clock: Clock, handlers: Handlers) -> Server {
    QuarantineServiceServer::new(Service { database, clock, handlers }).max_encoding_message_size(MAX_ANSWER)
}

/// What was set aside, and how it is handled.
#[derive(Debug)]
pub struct Service {
    database: Database,
    clock: Clock,
    handlers: Handlers,
}

impl Service {
    async fn list(&self, request: &pb::ListQuarantinedEventsRequest) -> Result<pb::ListQuarantinedEventsResponse> {
        let filter = (request.consumer.as_str(), request.reason.as_str());
        let page = Page::<Key>::parse(request.page_size, &request.page_token, &filter)?;
        let rows = super::list(&self.database, filter, page.after(), page.limit()).await?;
        let (rows, next_page_token) = page.finish(rows, |row| (row.consumer.clone(), row.event_id.clone()));
        let quarantined_events = rows.into_iter().map(to_message).collect();
        Ok(pb::ListQuarantinedEventsResponse { quarantined_events, next_page_token })
    }

    /// Hands an event over once more, and says why that fails, if it does.
    async fn redrive(
        &self,
        principal: Principal,
        request: &pb::RedriveQuarantinedEventRequest,
    ) -> Result<Option<(String, String)>> {
        let key = key(&request.consumer, &request.event_id)?;
        let mutation = self.mutation(principal, "RedriveQuarantinedEvent", &key);
        let mutation = mutation.with_request(&request.request_id, request)?;
        if let Some(answer) = audit::answered(&self.database, &mutation).await? {
            return Ok(answer);
        }
        let event = super::delivery(super::get(&self.database, &key).await?)?;
        let failure = match handled(self.handlers.of(&key.0)?, event).await {
            Ok(()) => None,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::error!(consumer = key.0, event = key.1, %error, "an event was redriven in vain");
                Some((error.reason().to_owned(), error.to_string()))
            }
        };
        mutate(&self.database, mutation, move |tx| async move {
            match &failure {
                None => super::remove(&tx, &key).await?,
                Some((reason, message)) => super::note(&tx, &key, reason, message).await?,
            }
            Ok(failure)
        })
        .await
    }

    async fn discard(&self, principal: Principal, request: &pb::DiscardQuarantinedEventRequest) -> Result<()> {
        let key = key(&request.consumer, &request.event_id)?;
        let mutation = self.mutation(principal, "DiscardQuarantinedEvent", &key);
        let mutation = mutation.with_request(&request.request_id, request)?;
        mutate(&self.database, mutation, move |tx| async move { super::remove(&tx, &key).await }).await
    }

    fn mutation(&self, principal: Principal, method: &'static str, (consumer, event_id): &Key) -> Mutation {
        Mutation::new(principal, method, format!("{consumer}/{event_id}"), self.clock.now())
    }
}

/// Handles an event in a task of its own: neither the end of the call nor a panic may leave anything half done.
async fn handled(handler: Handler, event: Delivery) -> Result<()> {
    let handled = tokio::spawn(async move { handler(vec![event]).await }).await;
    handled.map_err(|cause| Error::internal("a consumer panicked").because(cause))?
}

fn key(consumer: &str, event_id: &str) -> Result<Key> {
    for (field, text) in [("consumer", consumer), ("event_id", event_id)] {
        if text.is_empty() {
            return Err(Error::invalid(field, "is missing"));
        }
    }
    Ok((consumer.to_owned(), event_id.to_owned()))
}

fn to_message(row: Model) -> pb::QuarantinedEvent {
    pb::QuarantinedEvent {
        consumer: row.consumer,
        event_id: row.event_id,
        subject: row.subject,
        reason: row.reason,
        message: row.message,
        create_time: Some(to_proto(from_millis(row.create_time))),
        payload: row.payload,
    }
}

#[async_trait]
impl QuarantineService for Service {
    async fn list_quarantined_events(
        &self,
        request: Request<pb::ListQuarantinedEventsRequest>,
    ) -> Result<Response<pb::ListQuarantinedEventsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn get_quarantined_event(
        &self,
        request: Request<pb::GetQuarantinedEventRequest>,
    ) -> Result<Response<pb::GetQuarantinedEventResponse>, Status> {
        let request = request.get_ref();
        let row = super::get(&self.database, &key(&request.consumer, &request.event_id)?).await?;
        Ok(Response::new(pb::GetQuarantinedEventResponse { quarantined_event: Some(to_message(row)) }))
    }

    async fn redrive_quarantined_event(
        &self,
        request: Request<pb::RedriveQuarantinedEventRequest>,
    ) -> Result<Response<pb::RedriveQuarantinedEventResponse>, Status> {
        let principal = Principal::of(&request)?;
        let failure = self.redrive(principal, request.get_ref()).await?;
        let handled = failure.is_none();
        let (reason, message) = failure.unwrap_or_default();
        Ok(Response::new(pb::RedriveQuarantinedEventResponse { handled, reason, message }))
    }

    async fn discard_quarantined_event(
        &self,
        request: Request<pb::DiscardQuarantinedEventRequest>,
    ) -> Result<Response<pb::DiscardQuarantinedEventResponse>, Status> {
        let principal = Principal::of(&request)?;
        self.discard(principal, request.get_ref()).await?;
        Ok(Response::new(pb::DiscardQuarantinedEventResponse {}))
    }
}
