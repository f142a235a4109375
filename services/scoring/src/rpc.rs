//! The methods: wire → app → wire.

use leadflow_platform::{audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::scoring::v1::{self as pb, scoring_service_server::ScoringService};
use tonic::{Request, Response, Status};

use crate::{app::App, wire};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ScoringService for App {
    async fn get_lead(&self, request: Request<pb::GetLeadRequest>) -> Answer<pb::GetLeadResponse> {
        let lead = self.lead(ids::parse("lead_id", &request.get_ref().lead_id)?).await?;
        Ok(Response::new(pb::GetLeadResponse { lead: Some(wire::lead(&lead)) }))
    }

    async fn list_leads(&self, request: Request<pb::ListLeadsRequest>) -> Answer<pb::ListLeadsResponse> {
        let request = request.get_ref();
        let filter = wire::lead_filter(request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (leads, next_page_token) = self.leads(&filter, &page).await?;
        Ok(Response::new(pb::ListLeadsResponse { leads: leads.iter().map(wire::lead).collect(), next_page_token }))
    }

    async fn explain_score(&self, request: Request<pb::ExplainScoreRequest>) -> Answer<pb::ExplainScoreResponse> {
        let request = request.get_ref();
        let at = wire::optional_time("at", request.at.as_ref())?;
        let known_at = wire::optional_time("known_at", request.known_at.as_ref())?;
        let (explanation, lead) = self.explain(ids::parse("lead_id", &request.lead_id)?, at, known_at).await?;
        Ok(Response::new(pb::ExplainScoreResponse {
            explanation: Some(wire::explanation(&explanation)),
            lead: Some(wire::lead(&lead)),
        }))
    }

    async fn get_hand_over(&self, request: Request<pb::GetHandOverRequest>) -> Answer<pb::GetHandOverResponse> {
        let request = request.get_ref();
        let number = (request.hand_over != 0).then_some(request.hand_over);
        let (explanation, hand_over) = self.hand_over(ids::parse("lead_id", &request.lead_id)?, number).await?;
        Ok(Response::new(pb::GetHandOverResponse { explanation: Some(wire::explanation(&explanation)), hand_over }))
    }

    async fn adjust_score(&self, request: Request<pb::AdjustScoreRequest>) -> Answer<pb::AdjustScoreResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let (lead_id, new) = wire::adjustment(&request)?;
        let mutation = Mutation::new(principal, "AdjustScore", lead_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let lead = self.adjust(mutation, lead_id, new).await?;
        Ok(Response::new(pb::AdjustScoreResponse { lead: Some(wire::lead(&lead)) }))
    }

    async fn close_lead(&self, request: Request<pb::CloseLeadRequest>) -> Answer<pb::CloseLeadResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let lead_id = ids::parse("lead_id", &request.lead_id)?;
        let reason = wire::close_reason(request.reason())?;
        let note = wire::reason_text("note", &request.note)?;
        let mutation = Mutation::new(principal, "CloseLead", lead_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let lead = self.close(mutation, lead_id, request.etag, reason, note).await?;
        Ok(Response::new(pb::CloseLeadResponse { lead: Some(wire::lead(&lead)) }))
    }

    async fn list_evidence(&self, request: Request<pb::ListEvidenceRequest>) -> Answer<pb::ListEvidenceResponse> {
        let request = request.get_ref();
        let filter = wire::evidence_filter(request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (evidence, next_page_token) = self.evidence(&filter, &page).await?;
        let evidence = evidence.iter().map(wire::evidence).collect();
        Ok(Response::new(pb::ListEvidenceResponse { evidence, next_page_token }))
    }

    async fn list_scoring_models(
        &self,
        request: Request<pb::ListScoringModelsRequest>,
    ) -> Answer<pb::ListScoringModelsResponse> {
        let request = request.get_ref();
        let size = if request.page_size == 0 { 10 } else { request.page_size.min(100) };
        let page = Page::parse(size, &request.page_token, &"models")?;
        let (versions, next_page_token) = self.versions(&page).await?;
        let scoring_models = versions.iter().map(wire::version).collect();
        Ok(Response::new(pb::ListScoringModelsResponse { scoring_models, next_page_token }))
    }

    async fn apply_configuration(
        &self,
        request: Request<pb::ApplyConfigurationRequest>,
    ) -> Answer<pb::ApplyConfigurationResponse> {
        let mutation = Mutation::new(Principal::of(&request)?, "ApplyConfiguration", "configuration", self.clock.now());
        let request = request.into_inner();
        let model = request.scoring_model.map(wire::scoring_model).transpose()?;
        let categories = wire::categories(request.product_categories)?;
        let changes = self.configure(mutation, categories, model, request.validate_only).await?;
        Ok(Response::new(pb::ApplyConfigurationResponse { changes: changes.iter().map(wire::change).collect() }))
    }
}
