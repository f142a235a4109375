//! The methods of match reviews: wire → app → wire.

use leadflow_platform::{audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{self as pb, match_review_service_server::MatchReviewService};
use tonic::Request;

use super::Answer;
use crate::{app::App, wire};

#[tonic::async_trait]
impl MatchReviewService for App {
    async fn list_match_reviews(
        &self,
        request: Request<pb::ListMatchReviewsRequest>,
    ) -> Answer<pb::ListMatchReviewsResponse> {
        let request = request.into_inner();
        let filter = wire::review_filter(&request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (reviews, next_page_token) = self.reviews(&filter, &page).await?;
        let match_reviews = reviews.iter().map(wire::review).collect();
        Ok(tonic::Response::new(pb::ListMatchReviewsResponse { match_reviews, next_page_token }))
    }

    async fn get_match_review(
        &self,
        request: Request<pb::GetMatchReviewRequest>,
    ) -> Answer<pb::GetMatchReviewResponse> {
        let sides = self.review(ids::parse("review_id", &request.get_ref().review_id)?).await?;
        Ok(tonic::Response::new(wire::review_with_sides(&sides)))
    }

    async fn decide_match_review(
        &self,
        request: Request<pb::DecideMatchReviewRequest>,
    ) -> Answer<pb::DecideMatchReviewResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let id = ids::parse("review_id", &request.review_id)?;
        let mutation = Mutation::new(principal, "DecideMatchReview", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let (decision, note) = (wire::decision(&request)?, wire::short("note", &request.note)?);
        let review = self.decide_review(mutation, id, decision, note).await?;
        Ok(tonic::Response::new(pb::DecideMatchReviewResponse { match_review: Some(wire::review(&review)) }))
    }
}
