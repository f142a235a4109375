//! Accounts and contacts in bulk.

use leadflow_platform::{audit::Mutation, auth::Principal};
use leadflow_proto::contact::v1::{self as pb, import_service_server::ImportService};
use tonic::Request;

use super::{Answer, MAX_ITEMS};
use crate::{app::App, error, wire};

#[tonic::async_trait]
impl ImportService for App {
    async fn import_accounts(&self, request: Request<pb::ImportAccountsRequest>) -> Answer<pb::ImportAccountsResponse> {
        let mutation = Mutation::new(Principal::of(&request)?, "ImportAccounts", "accounts", self.clock.now())
            .with_request(&request.get_ref().request_id, request.get_ref())?;
        let pb::ImportAccountsRequest { lines, validate_only, .. } = request.into_inner();
        if lines.len() > MAX_ITEMS {
            return Err(error::too_many("lines", MAX_ITEMS).into());
        }
        let lines = lines.into_iter().map(wire::account_line).collect();
        let outcomes = self.import_accounts(mutation, lines, validate_only).await?;
        let results = outcomes.into_iter().map(wire::import_result).collect();
        Ok(tonic::Response::new(pb::ImportAccountsResponse { results }))
    }

    async fn import_contacts(&self, request: Request<pb::ImportContactsRequest>) -> Answer<pb::ImportContactsResponse> {
        let mutation = Mutation::new(Principal::of(&request)?, "ImportContacts", "contacts", self.clock.now())
            .with_request(&request.get_ref().request_id, request.get_ref())?;
        let pb::ImportContactsRequest { lines, source, validate_only, .. } = request.into_inner();
        if lines.len() > MAX_ITEMS {
            return Err(error::too_many("lines", MAX_ITEMS).into());
        }
        let lines = lines.into_iter().map(|line| wire::contact_line(&source, line)).collect();
        let outcomes = self.import_contacts(mutation, lines, validate_only).await?;
        let results = outcomes.into_iter().map(wire::import_result).collect();
        Ok(tonic::Response::new(pb::ImportContactsResponse { results }))
    }
}
