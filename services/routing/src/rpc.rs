//! The methods: wire → app → wire.

use leadflow_platform::{Error, audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::routing::v1::{self as pb, routing_service_server::RoutingService};
use tonic::{Request, Response, Status};

use crate::{app::App, wire};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RoutingService for App {
    async fn get_assignment(&self, request: Request<pb::GetAssignmentRequest>) -> Answer<pb::GetAssignmentResponse> {
        let found = self.assignment(ids::parse("assignment_id", &request.get_ref().assignment_id)?).await?;
        Ok(Response::new(pb::GetAssignmentResponse { assignment: Some(wire::assignment(&found)) }))
    }

    async fn list_assignments(
        &self,
        request: Request<pb::ListAssignmentsRequest>,
    ) -> Answer<pb::ListAssignmentsResponse> {
        let request = request.get_ref();
        let filter = wire::assignment_filter(request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (found, next_page_token) = self.assignments(&filter, &page).await?;
        let assignments = found.iter().map(wire::assignment).collect();
        Ok(Response::new(pb::ListAssignmentsResponse { assignments, next_page_token }))
    }

    async fn explain_assignment(
        &self,
        request: Request<pb::ExplainAssignmentRequest>,
    ) -> Answer<pb::ExplainAssignmentResponse> {
        let pb::ExplainAssignmentRequest { assignment_id, lead_id } = request.get_ref();
        let (trace, assignment) = match (assignment_id.as_str(), lead_id.as_str()) {
            (id, "") => self.explain_assignment(ids::parse("assignment_id", id)?).await?,
            ("", id) => self.explain_lead(ids::parse("lead_id", id)?).await?,
            _ => return Err(Error::invalid("lead_id", "and assignment_id are both set: set one of them").into()),
        };
        let assignment = assignment.as_ref().map(wire::assignment);
        Ok(Response::new(pb::ExplainAssignmentResponse { trace: Some(wire::trace(&trace)), assignment }))
    }

    async fn accept_assignment(
        &self,
        request: Request<pb::AcceptAssignmentRequest>,
    ) -> Answer<pb::AcceptAssignmentResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let id = ids::parse("assignment_id", &request.assignment_id)?;
        let mutation = Mutation::new(principal, "AcceptAssignment", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let accepted = self.accept(mutation, id, request.etag).await?;
        Ok(Response::new(pb::AcceptAssignmentResponse { assignment: Some(wire::assignment(&accepted)) }))
    }

    async fn reject_assignment(
        &self,
        request: Request<pb::RejectAssignmentRequest>,
    ) -> Answer<pb::RejectAssignmentResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let id = ids::parse("assignment_id", &request.assignment_id)?;
        let (reason, note) = wire::rejection(&request)?;
        let mutation = Mutation::new(principal, "RejectAssignment", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let rejected = self.reject(mutation, id, request.etag, reason, note).await?;
        Ok(Response::new(pb::RejectAssignmentResponse { assignment: Some(wire::assignment(&rejected)) }))
    }

    async fn list_hand_overs(&self, request: Request<pb::ListHandOversRequest>) -> Answer<pb::ListHandOversResponse> {
        let request = request.get_ref();
        let state = wire::hand_over_state(request.state)?;
        let page = Page::parse(request.page_size, &request.page_token, &state)?;
        let (found, next_page_token) = self.hand_overs(state, &page).await?;
        let hand_overs = found.iter().map(wire::hand_over).collect();
        Ok(Response::new(pb::ListHandOversResponse { hand_overs, next_page_token }))
    }

    async fn list_reps(&self, request: Request<pb::ListRepsRequest>) -> Answer<pb::ListRepsResponse> {
        let request = request.get_ref();
        let page = Page::parse(request.page_size, &request.page_token, &"reps")?;
        let (found, next_page_token) = self.reps(&page).await?;
        Ok(Response::new(pb::ListRepsResponse { reps: found.iter().map(wire::rep).collect(), next_page_token }))
    }

    async fn list_pools(&self, request: Request<pb::ListPoolsRequest>) -> Answer<pb::ListPoolsResponse> {
        let request = request.get_ref();
        let page = Page::parse(request.page_size, &request.page_token, &"pools")?;
        let (found, next_page_token) = self.pools(&page).await?;
        let pools = found.iter().map(wire::pool_status).collect();
        Ok(Response::new(pb::ListPoolsResponse { pools, next_page_token }))
    }

    async fn list_territories(
        &self,
        request: Request<pb::ListTerritoriesRequest>,
    ) -> Answer<pb::ListTerritoriesResponse> {
        let request = request.get_ref();
        let page = Page::parse(request.page_size, &request.page_token, &"territories")?;
        let (found, next_page_token) = self.territories(&page).await?;
        let territories = found.iter().map(wire::territory).collect();
        Ok(Response::new(pb::ListTerritoriesResponse { territories, next_page_token }))
    }

    async fn apply_configuration(
        &self,
        request: Request<pb::ApplyConfigurationRequest>,
    ) -> Answer<pb::ApplyConfigurationResponse> {
        let mutation = Mutation::new(Principal::of(&request)?, "ApplyConfiguration", "configuration", self.clock.now());
        let request = request.into_inner();
        let validate_only = request.validate_only;
        let changes = self.configure(mutation, wire::patch(request)?, validate_only).await?;
        Ok(Response::new(pb::ApplyConfigurationResponse { changes: changes.iter().map(wire::change).collect() }))
    }
}
