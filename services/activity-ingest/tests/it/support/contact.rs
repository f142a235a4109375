use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use leadflow_platform::{error::Error, ids};
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, ApplyConfigurationResponse, Contact, CreateAccountRequest,
    CreateAccountResponse, GetAccountRequest, GetAccountResponse, GetContactRequest, GetContactResponse, IdentityClaim,
    ListAccountsRequest, ListAccountsResponse, ListContactsRequest, ListContactsResponse, ListProfileFieldsRequest,
    ListProfileFieldsResponse, ResolveIdentitiesRequest, ResolveIdentitiesResponse, ResolvedIdentity,
    UpdateAccountRequest, UpdateAccountResponse, UpdateContactRequest, UpdateContactResponse, VerifyMobileRequest,
    VerifyMobileResponse,
    contact_service_server::{ContactService, ContactServiceServer},
};
use tokio::sync::Notify;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A contact service that knows everybody: the same address is always the same contact, the same domain the same
/// account. It does what a test tells it.
#[derive(Clone)]
pub(crate) struct FakeContact {
    port: u16,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    down: Option<tonic::Code>,
    known: HashMap<String, uuid::Uuid>,
    /// The visitors who turned out to be who has this address.
    recognised: HashMap<String, String>,
    /// What was merged into what.
    merged: HashMap<String, String>,
    /// Whom it knows without being told anything new.
    known_already: HashSet<String>,
    /// The contacts that are not there any more.
    erased: HashSet<String>,
    /// It does not answer whom it knows.
    silent: bool,
    /// The phones that were said to be verified.
    verified: Vec<String>,
    /// The sizes of the calls that were answered.
    calls: Vec<usize>,
    /// The next call waits for this.
    hold_next: Option<Arc<Notify>>,
}

impl FakeContact {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self { port: listener.local_addr().unwrap().port(), inner: Arc::default() };
        let server = tonic::transport::Server::builder()
            .add_service(ContactServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers every call with this code.
    pub(crate) fn fail(&self, code: tonic::Code) {
        self.inner.lock().unwrap().down = Some(code);
    }

    /// Knows this address, before anybody has asked who it is.
    pub(crate) fn knows(&self, email: &str) {
        self.inner.lock().unwrap().known_already.insert(email.to_owned());
    }

    /// Nothing of this contact is left.
    pub(crate) fn erase(&self, contact_id: &str) {
        self.inner.lock().unwrap().erased.insert(contact_id.to_owned());
    }

    /// Takes the question whom it knows, and never answers it.
    pub(crate) fn fall_silent(&self) {
        self.inner.lock().unwrap().silent = true;
    }

    /// Answers again.
    pub(crate) fn recover(&self) {
        self.inner.lock().unwrap().down = None;
    }

    /// Lets the next call wait until it is told to go on.
    pub(crate) fn hold_next(&self) -> Arc<Notify> {
        let go_on = Arc::new(Notify::new());
        self.inner.lock().unwrap().hold_next = Some(go_on.clone());
        go_on
    }

    /// Whether the call that is to wait has come.
    pub(crate) fn holds(&self) -> bool {
        self.inner.lock().unwrap().hold_next.is_none()
    }

    /// The id that stands for this address or this domain.
    pub(crate) fn id(&self, key: &str) -> String {
        self.inner.lock().unwrap().id(key)
    }

    /// Who has this cookie has this address, too: it is one contact from now on.
    pub(crate) fn becomes_known(&self, cookie: &str, email: &str) {
        let mut inner = self.inner.lock().unwrap();
        let id = inner.id(cookie).parse().unwrap();
        inner.known.insert(email.to_owned(), id);
    }

    /// Who has this cookie turns out to be who has this address, with each claim that says so.
    pub(crate) fn recognise(&self, cookie: &str, email: &str) {
        let mut inner = self.inner.lock().unwrap();
        let visitor = inner.id(cookie);
        inner.recognised.insert(email.to_owned(), visitor);
    }

    /// Merges the second into the first, by what they are known by.
    pub(crate) fn merge(&self, survivor: &str, merged: &str) {
        let mut inner = self.inner.lock().unwrap();
        let (survivor, merged) = (inner.id(survivor), inner.id(merged));
        inner.merged.insert(merged, survivor);
    }

    /// The phones that claims have said to be verified.
    pub(crate) fn verified(&self) -> Vec<String> {
        self.inner.lock().unwrap().verified.clone()
    }

    /// How many claims each answered call had.
    pub(crate) fn calls(&self) -> Vec<usize> {
        self.inner.lock().unwrap().calls.clone()
    }
}

impl Inner {
    fn id(&mut self, key: &str) -> String {
        let unused = ids::new();
        self.known.entry(key.to_owned()).or_insert(unused).to_string()
    }

    /// The survivor of what has this id, and all that were merged into it.
    fn joined(&self, id: String) -> Result<(String, Vec<String>), Status> {
        if let Some(code) = self.down {
            return Err(Status::new(code, "as the test wants it"));
        }
        if !self.known.values().any(|known| known.to_string() == id) {
            return Err(Status::not_found("nobody"));
        }
        let survivor = self.merged.get(&id).cloned().unwrap_or(id);
        let merged = self.merged.iter().filter(|(_, into)| **into == survivor).map(|(merged, _)| merged.clone());
        let merged = merged.collect();
        Ok((survivor, merged))
    }

    fn resolve_known(&mut self, claim: IdentityClaim) -> Result<ResolvedIdentity, Status> {
        let email = claim.identity.as_ref().map(|identity| identity.email.as_str()).unwrap_or_default();
        if self.known_already.contains(email) {
            return self.resolve(claim);
        }
        Ok(ResolvedIdentity { unknown: true, ..ResolvedIdentity::default() })
    }

    /// `external_id` says what is to go wrong with a claim.
    fn resolve(&mut self, claim: IdentityClaim) -> Result<ResolvedIdentity, Status> {
        if !claim.contact_id.is_empty() {
            let suppressed = self.erased.contains(&claim.contact_id);
            let contact_id = if suppressed { String::new() } else { claim.contact_id };
            return Ok(ResolvedIdentity { contact_id, suppressed, ..ResolvedIdentity::default() });
        }
        let identity = claim.identity.unwrap_or_default();
        if identity.phone_verified {
            self.verified.push(identity.phone.clone());
        }
        match identity.external_id.as_str() {
            "poison" => {
                let error = Error::field("POISONED", "identity.external_id", "can never be read");
                return Ok(ResolvedIdentity { error: Some(error.to_item_status()), ..ResolvedIdentity::default() });
            }
            "refuse-call" => {
                return Err(Status::invalid_argument("a claim of this call is no claim"));
            }
            "crash-call" => return Err(Status::internal("a claim of this call brings me down")),
            _ => {}
        }
        let domain = identity.email.split('@').nth(1).unwrap_or(&identity.domain).to_owned();
        // Free mail tells no organisation.
        let account = if domain.is_empty() || domain == "mail.example" { String::new() } else { self.id(&domain) };
        let recognised_contact_ids = self.recognised.get(&identity.email).cloned().into_iter().collect();
        let contact = match (identity.email.as_str(), identity.anonymous_id.as_str()) {
            ("", "") => String::new(),
            ("", cookie) => self.id(cookie),
            (email, _) => self.id(email),
        };
        let account_revision = if account.is_empty() { 0 } else { 3 };
        Ok(ResolvedIdentity {
            contact_id: contact,
            account_id: account,
            account_revision,
            recognised_contact_ids,
            ..ResolvedIdentity::default()
        })
    }
}

#[tonic::async_trait]
impl ContactService for FakeContact {
    async fn resolve_identities(
        &self,
        request: Request<ResolveIdentitiesRequest>,
    ) -> Result<Response<ResolveIdentitiesResponse>, Status> {
        let ResolveIdentitiesRequest { claims, known_only } = request.into_inner();
        if known_only && self.inner.lock().unwrap().silent {
            return std::future::pending().await;
        }
        if !known_only {
            let hold = self.inner.lock().unwrap().hold_next.take();
            if let Some(go_on) = hold {
                go_on.notified().await;
            }
        }
        let mut inner = self.inner.lock().unwrap();
        if let Some(code) = inner.down {
            return Err(Status::new(code, "as the test wants it"));
        }
        if known_only {
            let results = claims.into_iter().map(|claim| inner.resolve_known(claim)).collect::<Result<_, _>>()?;
            return Ok(Response::new(ResolveIdentitiesResponse { results }));
        }
        let asked = claims.len();
        let results = claims.into_iter().map(|claim| inner.resolve(claim)).collect::<Result<_, _>>()?;
        inner.calls.push(asked);
        Ok(Response::new(ResolveIdentitiesResponse { results }))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<GetAccountResponse>, Status> {
        let (account_id, merged_account_ids) = self.inner.lock().unwrap().joined(request.into_inner().account_id)?;
        let account = Some(Account { account_id, merged_account_ids, ..Account::default() });
        Ok(Response::new(GetAccountResponse { account }))
    }

    async fn list_accounts(&self, _: Request<ListAccountsRequest>) -> Result<Response<ListAccountsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn create_account(
        &self,
        _: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn update_account(
        &self,
        _: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_contact(&self, request: Request<GetContactRequest>) -> Result<Response<GetContactResponse>, Status> {
        let (contact_id, merged_contact_ids) = self.inner.lock().unwrap().joined(request.into_inner().contact_id)?;
        let contact = Some(Contact { contact_id, merged_contact_ids, ..Contact::default() });
        Ok(Response::new(GetContactResponse { contact }))
    }

    async fn list_contacts(&self, _: Request<ListContactsRequest>) -> Result<Response<ListContactsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn update_contact(
        &self,
        _: Request<UpdateContactRequest>,
    ) -> Result<Response<UpdateContactResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn verify_mobile(&self, _: Request<VerifyMobileRequest>) -> Result<Response<VerifyMobileResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_profile_fields(
        &self,
        _: Request<ListProfileFieldsRequest>,
    ) -> Result<Response<ListProfileFieldsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn apply_configuration(
        &self,
        _: Request<ApplyConfigurationRequest>,
    ) -> Result<Response<ApplyConfigurationResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
