//! The methods of `MergeService`.

use leadflow_platform::{audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{
    self as pb, merge_service_server::MergeService, preview_merge_response::Result as Shown,
};
use tonic::Request;

use super::{Answer, Response};
use crate::{app::App, domain::merge::Kind, wire};

#[tonic::async_trait]
impl MergeService for App {
    async fn preview_merge(&self, request: Request<pb::PreviewMergeRequest>) -> Answer<pb::PreviewMergeResponse> {
        let request = request.get_ref();
        let survivor = ids::parse("survivor_id", &request.survivor_id)?;
        let merged = ids::parse("merged_id", &request.merged_id)?;
        Ok(Response::new(match wire::merge_kind(request.kind())? {
            Kind::Account => wire::preview(self.preview_accounts(survivor, merged).await?, |preview| {
                Shown::Account(wire::joined_account(&preview.result))
            }),
            Kind::Contact => wire::preview(self.preview_contacts(survivor, merged).await?, |preview| {
                Shown::Contact(wire::joined_contact(&preview.result))
            }),
        }))
    }

    async fn merge(&self, request: Request<pb::MergeRequest>) -> Answer<pb::MergeResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let (kind, merging) = (wire::merge_kind(request.kind())?, wire::merging(&request)?);
        let mutation = Mutation::new(principal, "Merge", merging.merged_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let merge = self.merge(mutation, kind, merging).await?;
        Ok(Response::new(pb::MergeResponse { merge: Some(wire::merge(&merge)) }))
    }

    async fn undo_merge(&self, request: Request<pb::UndoMergeRequest>) -> Answer<pb::UndoMergeResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let merge_id = ids::parse("merge_id", &request.merge_id)?;
        let mutation = Mutation::new(principal, "UndoMerge", merge_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let merge = self.undo_merge(mutation, merge_id, wire::note(&request.note)?).await?;
        Ok(Response::new(pb::UndoMergeResponse { merge: Some(wire::merge(&merge)) }))
    }

    async fn get_merge(&self, request: Request<pb::GetMergeRequest>) -> Answer<pb::GetMergeResponse> {
        let merge = self.merge_by_id(ids::parse("merge_id", &request.get_ref().merge_id)?).await?;
        Ok(Response::new(pb::GetMergeResponse { merge: Some(wire::merge(&merge)) }))
    }

    async fn list_merges(&self, request: Request<pb::ListMergesRequest>) -> Answer<pb::ListMergesResponse> {
        let request = request.get_ref();
        let filter = wire::merge_filter(request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (merges, next_page_token) = self.merges(&filter, &page).await?;
        Ok(Response::new(pb::ListMergesResponse { merges: merges.iter().map(wire::merge).collect(), next_page_token }))
    }
}
