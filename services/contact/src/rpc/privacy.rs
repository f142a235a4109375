//! The rights of a person: wire → app → wire.

use leadflow_platform::{Error, audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{self as pb, privacy_service_server::PrivacyService};
use tonic::Request;

use super::Answer;
use crate::{app::App, wire};

#[tonic::async_trait]
impl PrivacyService for App {
    async fn erase_contact(&self, request: Request<pb::EraseContactRequest>) -> Answer<pb::EraseContactResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let contact_id = ids::parse("contact_id", &request.contact_id)?;
        let reason = wire::reason("reason", &request.reason)?;
        let mutation = Mutation::new(principal, "EraseContact", "erasure", self.clock.now())
            .with_request(&request.request_id, &request)?;
        let erasure = self.erase(mutation, contact_id, reason).await?;
        Ok(pb::EraseContactResponse { erasure: Some(wire::erasure(erasure)) }.into())
    }

    async fn lift_suppression(
        &self,
        request: Request<pb::LiftSuppressionRequest>,
    ) -> Answer<pb::LiftSuppressionResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let claim = wire::claim(&request.claim.clone().unwrap_or_default()).map_err(|error| error.within("claim."))?;
        let reason = wire::reason("reason", &request.reason)?;
        let mutation = Mutation::new(principal, "LiftSuppression", "erasure", self.clock.now())
            .with_request(&request.request_id, &request)?;
        let erasures = self.lift(mutation, claim, reason).await?;
        Ok(pb::LiftSuppressionResponse { erasures: erasures.into_iter().map(wire::erasure).collect() }.into())
    }

    async fn get_erasure(&self, request: Request<pb::GetErasureRequest>) -> Answer<pb::GetErasureResponse> {
        let erasure = self.erasure(ids::parse("erasure_id", &request.get_ref().erasure_id)?).await?;
        Ok(pb::GetErasureResponse { erasure: Some(wire::erasure(erasure)) }.into())
    }

    async fn list_erasures(&self, request: Request<pb::ListErasuresRequest>) -> Answer<pb::ListErasuresResponse> {
        let request = request.get_ref();
        let page = Page::parse(request.page_size, &request.page_token, &request.open_only)?;
        let (erasures, next_page_token) = self.erasures(request.open_only, &page).await?;
        let erasures = erasures.into_iter().map(wire::erasure).collect();
        Ok(pb::ListErasuresResponse { erasures, next_page_token }.into())
    }

    async fn export_contact(&self, request: Request<pb::ExportContactRequest>) -> Answer<pb::ExportContactResponse> {
        let held = self.held(ids::parse("contact_id", &request.get_ref().contact_id)?).await?;
        Ok(wire::held(held).into())
    }

    async fn get_erased_person(
        &self,
        request: Request<pb::GetErasedPersonRequest>,
    ) -> Answer<pb::GetErasedPersonResponse> {
        let person = self.erased_person(ids::parse("erasure_id", &request.get_ref().erasure_id)?).await?;
        Ok(wire::erased_person(person).into())
    }

    async fn report_erasure(&self, request: Request<pb::ReportErasureRequest>) -> Answer<pb::ReportErasureResponse> {
        let principal = Principal::of(&request)?;
        let pb::ReportErasureRequest { erasure_id, service, deleted } = request.into_inner();
        let erasure_id = ids::parse("erasure_id", &erasure_id)?;
        if deleted < 0 {
            return Err(Error::invalid("deleted", "must not be negative").into());
        }
        let mutation = Mutation::new(principal, "ReportErasure", erasure_id, self.clock.now());
        let erasure = self.report(mutation, erasure_id, service, deleted).await?;
        Ok(pb::ReportErasureResponse { erasure: Some(wire::erasure(erasure)) }.into())
    }
}
