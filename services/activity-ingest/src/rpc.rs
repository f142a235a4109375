//! The gRPC services.

mod consent_link;
mod observation;

use leadflow_platform::{auth::Principal, ids, page::Page, rpc};
use leadflow_proto::activity::v1::{
    ApplyConfigurationRequest, ApplyConfigurationResponse, CorrectQuarantinedActivityRequest,
    CorrectQuarantinedActivityResponse, DiscardQuarantinedActivitiesRequest, DiscardQuarantinedActivitiesResponse,
    GetActivityRequest, GetActivityResponse, GetQuarantinedActivityRequest, GetQuarantinedActivityResponse,
    ListActivitiesRequest, ListActivitiesResponse, ListQuarantinedActivitiesRequest, ListQuarantinedActivitiesResponse,
    ListSourcesRequest, ListSourcesResponse, RecordActivitiesRequest, RecordActivitiesResponse,
    ReplayQuarantinedActivitiesRequest, ReplayQuarantinedActivitiesResponse,
    activity_service_server::{ActivityService, ActivityServiceServer},
    consent_link_service_server::ConsentLinkServiceServer,
    observation_service_server::ObservationServiceServer,
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{app::App, wire};

/// The routes of the services over these use cases.
pub(crate) fn routes(app: App) -> Routes {
    let observations = ObservationServiceServer::new(Service { app: app.clone() });
    let links = ConsentLinkServiceServer::new(Service { app: app.clone() });
    Routes::new(
        ActivityServiceServer::new(Service { app })
            .max_decoding_message_size(rpc::MAX_MESSAGE)
            .max_encoding_message_size(rpc::MAX_ANSWER),
    )
    .add_service(observations.max_decoding_message_size(rpc::MAX_MESSAGE))
    .add_service(links.max_encoding_message_size(rpc::MAX_ANSWER))
}

struct Service {
    app: App,
}

#[tonic::async_trait]
impl ActivityService for Service {
    async fn record_activities(
        &self,
        request: Request<RecordActivitiesRequest>,
    ) -> Result<Response<RecordActivitiesResponse>, Status> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let door = wire::door_of_request(request.door)?;
        let outcomes = self.app.record(wire::incoming(request.activities)?, &principal, door).await?;
        Ok(Response::new(wire::record_response(outcomes)))
    }

    async fn get_activity(
        &self,
        request: Request<GetActivityRequest>,
    ) -> Result<Response<GetActivityResponse>, Status> {
        let activity_id = ids::parse("activity_id", &request.get_ref().activity_id)?;
        let activity = self.app.activity(activity_id).await?;
        Ok(Response::new(GetActivityResponse { activity: Some(wire::activity(activity)) }))
    }

    async fn list_activities(
        &self,
        request: Request<ListActivitiesRequest>,
    ) -> Result<Response<ListActivitiesResponse>, Status> {
        let request = request.into_inner();
        let filter = wire::filter(&request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (activities, next_page_token) = self.app.activities(&filter, &page).await?;
        let activities = activities.into_iter().map(wire::activity).collect();
        Ok(Response::new(ListActivitiesResponse { activities, next_page_token }))
    }

    async fn list_quarantined_activities(
        &self,
        request: Request<ListQuarantinedActivitiesRequest>,
    ) -> Result<Response<ListQuarantinedActivitiesResponse>, Status> {
        let request = request.into_inner();
        let filter = wire::quarantine_filter(request.filter)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (found, next_page_token) = self.app.quarantined(&filter, &page).await?;
        let found = found.into_iter().map(|it| wire::quarantined(it, None)).collect::<Result<_, _>>()?;
        Ok(Response::new(ListQuarantinedActivitiesResponse { quarantined_activities: found, next_page_token }))
    }

    async fn get_quarantined_activity(
        &self,
        request: Request<GetQuarantinedActivityRequest>,
    ) -> Result<Response<GetQuarantinedActivityResponse>, Status> {
        let quarantine_id = ids::parse("quarantine_id", &request.get_ref().quarantine_id)?;
        let (found, in_ledger) = self.app.quarantined_one(quarantine_id).await?;
        let found = wire::quarantined(found, in_ledger)?;
        Ok(Response::new(GetQuarantinedActivityResponse { quarantined_activity: Some(found) }))
    }

    async fn correct_quarantined_activity(
        &self,
        request: Request<CorrectQuarantinedActivityRequest>,
    ) -> Result<Response<CorrectQuarantinedActivityResponse>, Status> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let quarantine_id = ids::parse("quarantine_id", &request.quarantine_id)?;
        let mutation = self.app.mutation(principal, "CorrectQuarantinedActivity", quarantine_id);
        let mutation = mutation.with_request(&request.request_id, &request)?;
        self.app.correct(mutation, quarantine_id, request.activity.unwrap_or_default(), request.etag).await?;
        let (found, in_ledger) = self.app.quarantined_one(quarantine_id).await?;
        let found = wire::quarantined(found, in_ledger)?;
        Ok(Response::new(CorrectQuarantinedActivityResponse { quarantined_activity: Some(found) }))
    }

    async fn replay_quarantined_activities(
        &self,
        request: Request<ReplayQuarantinedActivitiesRequest>,
    ) -> Result<Response<ReplayQuarantinedActivitiesResponse>, Status> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let mutation = self.app.mutation(principal, "ReplayQuarantinedActivities", "quarantine");
        let mutation = mutation.with_request(&request.request_id, &request)?;
        let selection = wire::selection(request.selection)?;
        let decisions = self.app.replay(mutation, selection, request.note, request.validate_only).await?;
        let (decisions, next_page_token) = decisions;
        let decisions = decisions.into_iter().map(wire::decision).collect();
        Ok(Response::new(ReplayQuarantinedActivitiesResponse { decisions, next_page_token }))
    }

    async fn discard_quarantined_activities(
        &self,
        request: Request<DiscardQuarantinedActivitiesRequest>,
    ) -> Result<Response<DiscardQuarantinedActivitiesResponse>, Status> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let mutation = self.app.mutation(principal, "DiscardQuarantinedActivities", "quarantine");
        let mutation = mutation.with_request(&request.request_id, &request)?;
        let selection = wire::selection(request.selection)?;
        let decisions = self.app.discard(mutation, selection, request.note, request.validate_only).await?;
        let (decisions, next_page_token) = decisions;
        let decisions = decisions.into_iter().map(wire::decision).collect();
        Ok(Response::new(DiscardQuarantinedActivitiesResponse { decisions, next_page_token }))
    }

    async fn list_sources(
        &self,
        request: Request<ListSourcesRequest>,
    ) -> Result<Response<ListSourcesResponse>, Status> {
        let request = request.into_inner();
        let page = Page::parse(request.page_size, &request.page_token, &())?;
        let (sources, next_page_token) = self.app.sources(&page).await?;
        let sources = sources.into_iter().map(wire::source).collect();
        Ok(Response::new(ListSourcesResponse { sources, next_page_token }))
    }

    async fn apply_configuration(
        &self,
        request: Request<ApplyConfigurationRequest>,
    ) -> Result<Response<ApplyConfigurationResponse>, Status> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let validate_only = request.validate_only;
        let changes = self.app.apply(wire::configuration(request)?, validate_only, principal).await?;
        let changes = changes.into_iter().map(wire::change).collect();
        Ok(Response::new(ApplyConfigurationResponse { changes }))
    }
}
