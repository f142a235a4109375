//! How accounts buy.

use leadflow_platform::{audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{self as pb, site_map_service_server::SiteMapService};
use tonic::{Request, Response};

use super::{Answer, given};
use crate::{app::App, wire};

#[tonic::async_trait]
impl SiteMapService for App {
    async fn record_fact(&self, request: Request<pb::RecordFactRequest>) -> Answer<pb::RecordFactResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let (fact_id, now) = (ids::new(), self.clock.now());
        let said = given("fact", request.fact.clone())?;
        let fact = wire::fact_from(&said, fact_id, principal.as_str(), now.as_millisecond())?;
        let mutation =
            Mutation::new(principal, "RecordFact", fact_id, now).with_request(&request.request_id, &request)?;
        let shown = self.record_fact(mutation, fact).await?;
        Ok(Response::new(pb::RecordFactResponse { fact: Some(wire::fact(shown)) }))
    }

    async fn retract_fact(&self, request: Request<pb::RetractFactRequest>) -> Answer<pb::RetractFactResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let fact_id = ids::parse("fact_id", &request.fact_id)?;
        let reason = wire::reason_from("reason", &request.reason)?;
        let mutation = Mutation::new(principal, "RetractFact", fact_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let shown = self.retract_fact(mutation, fact_id, reason).await?;
        Ok(Response::new(pb::RetractFactResponse { fact: Some(wire::fact(shown)) }))
    }

    async fn list_facts(&self, request: Request<pb::ListFactsRequest>) -> Answer<pb::ListFactsResponse> {
        let request = request.get_ref();
        let account_id = ids::parse("account_id", &request.account_id)?;
        let page = Page::parse(request.page_size, &request.page_token, &(account_id, request.kind))?;
        let (facts, next_page_token) = self.facts(account_id, wire::shows(request.kind()), &page).await?;
        Ok(Response::new(pb::ListFactsResponse { facts: facts.into_iter().map(wire::fact).collect(), next_page_token }))
    }

    async fn get_site_map(&self, request: Request<pb::GetSiteMapRequest>) -> Answer<pb::GetSiteMapResponse> {
        let pb::GetSiteMapRequest { account_id, product_category } = request.into_inner();
        let account_id = ids::parse("account_id", &account_id)?;
        if !product_category.is_empty() {
            ids::check_name("product_category", &product_category)?;
        }
        let map = self.site_map(account_id, &product_category).await?;
        Ok(Response::new(pb::GetSiteMapResponse { site_map: Some(wire::site_map(account_id, product_category, map)) }))
    }
}
