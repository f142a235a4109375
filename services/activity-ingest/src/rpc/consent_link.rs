//! Links by which people say themselves whether they may be contacted: wire → app → wire.

use leadflow_platform::page::Page;
use leadflow_proto::activity::v1::{
    GetUnsubscribeLinkRequest, GetUnsubscribeLinkResponse, ListPendingConfirmationsRequest,
    ListPendingConfirmationsResponse, consent_link_service_server::ConsentLinkService,
};
use tonic::{Request, Response, Status};

use super::Service;
use crate::wire;

#[tonic::async_trait]
impl ConsentLinkService for Service {
    async fn get_unsubscribe_link(
        &self,
        request: Request<GetUnsubscribeLinkRequest>,
    ) -> Result<Response<GetUnsubscribeLinkResponse>, Status> {
        let wanted = wire::unsubscription(request.into_inner())?;
        let channel = wanted.channel;
        Ok(Response::new(wire::link(self.app.unsubscribe_url(wanted).await?, channel)))
    }

    async fn list_pending_confirmations(
        &self,
        request: Request<ListPendingConfirmationsRequest>,
    ) -> Result<Response<ListPendingConfirmationsResponse>, Status> {
        let ListPendingConfirmationsRequest { page_size, page_token } = request.into_inner();
        let (pending, next_page_token) =
            self.app.pending_confirmations(&Page::parse(page_size, &page_token, &())?).await?;
        let pending_confirmations = pending.into_iter().map(wire::pending_confirmation).collect();
        Ok(Response::new(ListPendingConfirmationsResponse { pending_confirmations, next_page_token }))
    }
}
