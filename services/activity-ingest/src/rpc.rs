//! The gRPC service.

use leadflow_platform::{auth::Principal, ids, page::Page, rpc};
use leadflow_proto::activity::v1::{
    ApplyConfigurationRequest, ApplyConfigurationResponse, GetActivityRequest, GetActivityResponse,
    ListActivitiesRequest, ListActivitiesResponse, ListSourcesRequest, ListSourcesResponse, RecordActivitiesRequest,
    RecordActivitiesResponse,
    activity_service_server::{ActivityService, ActivityServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{app::App, metrics::Door, wire};

/// The routes of the service over these use cases.
pub(crate) fn routes(app: App) -> Routes {
    Routes::new(
        ActivityServiceServer::new(Service { app })
            .max_decoding_message_size(rpc::MAX_MESSAGE)
            .max_encoding_message_size(rpc::MAX_ANSWER),
    )
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
        let drafts = wire::drafts(request.into_inner().activities)?;
        let results = self.app.record(drafts, &principal, Door::Grpc).await?;
        Ok(Response::new(wire::record_response(results)))
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
