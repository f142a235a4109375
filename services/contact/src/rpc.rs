//! The methods: wire → app → wire.

mod consent;
mod import;
mod match_reviews;
mod merges;
mod privacy;
mod site_map;

use leadflow_platform::{Error, audit::Mutation, auth::Principal, ids, page::Page};
use leadflow_proto::contact::v1::{self as pb, contact_service_server::ContactService};
use tonic::{Request, Response, Status};

use crate::{app::App, domain::Account, error, wire};

type Answer<T> = Result<Response<T>, Status>;

/// Claims and accounts in one call at the most.
const MAX_ITEMS: usize = 1000;

#[tonic::async_trait]
impl ContactService for App {
    async fn resolve_identities(
        &self,
        request: Request<pb::ResolveIdentitiesRequest>,
    ) -> Answer<pb::ResolveIdentitiesResponse> {
        let pb::ResolveIdentitiesRequest { claims, known_only } = request.into_inner();
        if claims.len() > MAX_ITEMS {
            return Err(error::too_many("claims", MAX_ITEMS).into());
        }
        let results = self.resolve(claims, known_only).await?;
        Ok(Response::new(pb::ResolveIdentitiesResponse { results: results.into_iter().map(wire::resolved).collect() }))
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Answer<pb::GetAccountResponse> {
        let account = self.account(ids::parse("account_id", &request.get_ref().account_id)?).await?;
        Ok(Response::new(pb::GetAccountResponse { account: Some(wire::joined_account(&account)) }))
    }

    async fn list_accounts(&self, request: Request<pb::ListAccountsRequest>) -> Answer<pb::ListAccountsResponse> {
        let request = request.into_inner();
        let filter = wire::account_filter(&request)?;
        let page = Page::parse(request.page_size, &request.page_token, &filter)?;
        let (accounts, next_page_token) = self.accounts(&filter, &page).await?;
        let accounts = accounts.iter().map(wire::joined_account).collect();
        Ok(Response::new(pb::ListAccountsResponse { accounts, next_page_token }))
    }

    async fn create_account(&self, request: Request<pb::CreateAccountRequest>) -> Answer<pb::CreateAccountResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let account_id = ids::new();
        let mutation = Mutation::new(principal, "CreateAccount", account_id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let said = wire::account_from("account", given("account", request.account)?)?;
        let account = self.create_account(mutation, Account { account_id, ..said }).await?;
        Ok(Response::new(pb::CreateAccountResponse { account: Some(wire::account(&account)) }))
    }

    async fn update_account(&self, request: Request<pb::UpdateAccountRequest>) -> Answer<pb::UpdateAccountResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let mut said = given("account", request.account.clone())?;
        let id = ids::parse("account.account_id", &said.account_id)?;
        let mutation = Mutation::new(principal, "UpdateAccount", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let etag = std::mem::take(&mut said.etag);
        let change = wire::account_change(request.update_mask.as_ref(), said)?;
        let account = self.update_account(mutation, id, etag, change).await?;
        Ok(Response::new(pb::UpdateAccountResponse { account: Some(wire::joined_account(&account)) }))
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Answer<pb::GetContactResponse> {
        let contact = self.contact(ids::parse("contact_id", &request.get_ref().contact_id)?).await?;
        Ok(Response::new(pb::GetContactResponse { contact: Some(wire::joined_contact(&contact)) }))
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Answer<pb::ListContactsResponse> {
        let request = request.get_ref();
        let account = ids::parse_optional("account_id", &request.account_id)?;
        let page = Page::parse(request.page_size, &request.page_token, &account)?;
        let (contacts, next_page_token) = self.contacts(account, &page).await?;
        let contacts = contacts.iter().map(wire::joined_contact).collect();
        Ok(Response::new(pb::ListContactsResponse { contacts, next_page_token }))
    }

    async fn update_contact(&self, request: Request<pb::UpdateContactRequest>) -> Answer<pb::UpdateContactResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let said = given("contact", request.contact.clone())?;
        let id = ids::parse("contact.contact_id", &said.contact_id)?;
        let mutation = Mutation::new(principal, "UpdateContact", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let change = wire::contact_change(request.update_mask.as_ref(), &said)?;
        let contact = self.update_contact(mutation, id, said.etag, change).await?;
        Ok(Response::new(pb::UpdateContactResponse { contact: Some(wire::joined_contact(&contact)) }))
    }

    async fn verify_mobile(&self, request: Request<pb::VerifyMobileRequest>) -> Answer<pb::VerifyMobileResponse> {
        let principal = Principal::of(&request)?;
        let request = request.into_inner();
        let id = ids::parse("contact_id", &request.contact_id)?;
        let mutation = Mutation::new(principal, "VerifyMobile", id, self.clock.now())
            .with_request(&request.request_id, &request)?;
        let contact = self.verify_mobile(mutation, id, wire::mobile(&request)?, request.withdraw).await?;
        Ok(Response::new(pb::VerifyMobileResponse { contact: Some(wire::joined_contact(&contact)) }))
    }

    async fn list_profile_fields(
        &self,
        _: Request<pb::ListProfileFieldsRequest>,
    ) -> Answer<pb::ListProfileFieldsResponse> {
        let profile_fields = self.profile_fields().await?.iter().map(wire::profile_field).collect();
        Ok(Response::new(pb::ListProfileFieldsResponse { profile_fields }))
    }

    async fn apply_configuration(
        &self,
        request: Request<pb::ApplyConfigurationRequest>,
    ) -> Answer<pb::ApplyConfigurationResponse> {
        let mutation = Mutation::new(Principal::of(&request)?, "ApplyConfiguration", "configuration", self.clock.now());
        let pb::ApplyConfigurationRequest { accounts, validate_only, profile_fields } = request.into_inner();
        if accounts.len() > MAX_ITEMS {
            return Err(error::too_many("accounts", MAX_ITEMS).into());
        }
        let read = |(index, account)| wire::named_from(&format!("accounts[{index}]"), account);
        let wanted = accounts.into_iter().enumerate().map(read).collect::<Result<_, Error>>()?;
        let fields = wire::profile_fields_from(profile_fields)?;
        let changes = self.configure(mutation, fields, wanted, validate_only).await?;
        Ok(Response::new(pb::ApplyConfigurationResponse { changes: changes.iter().map(wire::change).collect() }))
    }
}

fn given<T>(field: &str, message: Option<T>) -> Result<T, Error> {
    message.ok_or_else(|| Error::invalid(field, "is required"))
}
