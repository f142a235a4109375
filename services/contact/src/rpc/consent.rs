//! What people have said about being contacted: wire → app → wire.

use leadflow_platform::{Error, audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{self as pb, consent_service_server::ConsentService};
use tonic::Request;

use super::{Answer, MAX_ITEMS, given};
use crate::{app::App, error, wire};

#[tonic::async_trait]
impl ConsentService for App {
    async fn record_consent(&self, request: Request<pb::RecordConsentRequest>) -> Answer<pb::RecordConsentResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let now = self.clock.now();
        let said = wire::consent_from(given("consent", request.consent.clone())?, principal.as_str(), now)?;
        let mutation = Mutation::new(principal, "RecordConsent", said.contact_id, now)
            .with_request(&request.request_id, &request)?;
        let recorded = self.record_consent(mutation, said).await?;
        Ok(pb::RecordConsentResponse { consent: Some(wire::consent(&recorded)) }.into())
    }

    async fn list_consents(&self, request: Request<pb::ListConsentsRequest>) -> Answer<pb::ListConsentsResponse> {
        let request = request.get_ref();
        let contact_id = ids::parse("contact_id", &request.contact_id)?;
        let page = Page::parse(request.page_size, &request.page_token, &contact_id)?;
        let (consents, next_page_token) = self.consents(contact_id, &page).await?;
        let consents = consents.iter().map(wire::consent).collect();
        Ok(pb::ListConsentsResponse { consents, next_page_token }.into())
    }

    async fn may_contact(&self, request: Request<pb::MayContactRequest>) -> Answer<pb::MayContactResponse> {
        let questions = request.into_inner().questions;
        if questions.len() > MAX_ITEMS {
            return Err(error::too_many("questions", MAX_ITEMS).into());
        }
        let questions = questions.into_iter().enumerate().map(wire::question).collect::<Result<_, Error>>()?;
        let permissions = self.may_contact(questions).await?.into_iter().map(wire::permission).collect();
        Ok(pb::MayContactResponse { permissions }.into())
    }
}
