//! A whole role on free ports, with a stand-in for the contact service that shows who called it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use leadflow_harness::{Backend, TestDatabase, free_port};
use leadflow_platform::{
    auth::{Auth, Credentials, Principal},
    bus::{self, Bus},
    clock::Clock,
    config::ServiceConfig,
    db::Database,
    lifecycle::Tasks,
    rpc,
    service::{Foundation, Listeners, listen},
    trace,
};
use leadflow_proto::contact::v1::{
    Account, ApplyConfigurationRequest, ApplyConfigurationResponse, CreateAccountRequest, CreateAccountResponse,
    GetAccountRequest, GetAccountResponse, GetContactRequest, GetContactResponse, ListAccountsRequest,
    ListAccountsResponse, ListContactsRequest, ListContactsResponse, ListProfileFieldsRequest,
    ListProfileFieldsResponse, ResolveIdentitiesRequest, ResolveIdentitiesResponse, UpdateAccountRequest,
    UpdateAccountResponse, UpdateContactRequest, UpdateContactResponse, VerifyMobileRequest, VerifyMobileResponse,
    contact_service_client::ContactServiceClient,
    contact_service_server::{ContactService, ContactServiceServer},
};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};

use super::{config, open};

/// The account that is shown only when [`Door::open`] was called.
pub(crate) const BEHIND_THE_DOOR: &str = "behind-the-door";

/// A client of the stand-in.
pub(crate) type Client = ContactServiceClient<rpc::Client>;

/// A role that serves.
pub(crate) struct Role {
    pub(crate) rpc: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) door: Arc<Door>,
    pub(crate) database: Database,
    pub(crate) bus: Bus,
    pub(crate) shutdown: CancellationToken,
    finished: JoinHandle<Result<(), String>>,
    _test: TestDatabase,
}

impl Role {
    /// Starts a role without a bus.
    pub(crate) async fn start(auth: Auth) -> Self {
        Self::start_on(nowhere(), auth).await
    }

    /// Starts a role on this bus.
    pub(crate) async fn start_on(nats: bus::Config, auth: Auth) -> Self {
        Self::start_with(nats, auth, trace::Config::default()).await
    }

    /// Starts a role without a bus whose spans go somewhere.
    pub(crate) async fn start_traced(traces: trace::Config) -> Self {
        Self::start_with(nowhere(), Auth::Loopback, traces).await
    }

    async fn start_with(nats: bus::Config, auth: Auth, traces: trace::Config) -> Self {
        let test = TestDatabase::create(Backend::Sqlite).await.unwrap();
        open(&test).await.close().await;
        let config = ServiceConfig {
            database: config(&test),
            nats,
            auth,
            credentials: Credentials::Name("service:test".into()),
            traces,
            reconcile_interval: Duration::from_secs(600),
        };
        let foundation = Foundation::lay::<super::Migrator>("test", &config, Clock::system()).await.unwrap();
        let listeners = Listeners { rpc: port().await, admin: port().await };
        let (rpc, admin) = (listeners.rpc.local_addr().unwrap(), listeners.admin.local_addr().unwrap());
        let (database, bus) = (foundation.database.clone(), foundation.bus.clone());
        let door = Arc::new(Door::default());
        let routes = Routes::new(ContactServiceServer::new(StandIn(door.clone())));
        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        foundation.start(&mut tasks, listeners, routes, Arc::new(|| Box::pin(async { Ok(()) })));
        let finished = tokio::spawn(async move {
            let result = tasks.finish().await;
            foundation.close().await;
            result
        });
        Self { rpc, admin, door, database, bus, shutdown, finished, _test: test }
    }

    /// A client that shows itself so.
    pub(crate) fn client(&self, credentials: Credentials) -> Client {
        ContactServiceClient::new(rpc::channel(&format!("http://{}", self.rpc), credentials).unwrap())
    }

    /// A channel without any credentials.
    pub(crate) async fn nobody(&self) -> tonic::transport::Channel {
        tonic::transport::Endpoint::from_shared(format!("http://{}", self.rpc)).unwrap().connect().await.unwrap()
    }

    /// What an HTTP client reads at the operator's port.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.admin)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Shuts it down; what the tasks say at the end.
    pub(crate) async fn stop(self) -> Result<(), String> {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(30), self.finished).await.unwrap().unwrap()
    }
}

/// A bus that is away.
fn nowhere() -> bus::Config {
    bus::Config::at(format!("nats://127.0.0.1:{}", free_port().unwrap()))
}

async fn port() -> tokio::net::TcpListener {
    listen(([127, 0, 0, 1], 0).into()).await.unwrap()
}

/// Asks for an account.
pub(crate) fn get(account_id: &str) -> GetAccountRequest {
    GetAccountRequest { account_id: account_id.into() }
}

/// Asks to change an account's name.
pub(crate) fn rename(name: &str) -> UpdateAccountRequest {
    UpdateAccountRequest { account: Some(Account { name: name.into(), ..Default::default() }), ..Default::default() }
}

/// Lets calls wait, and knows how many are under way.
pub(crate) struct Door {
    under_way: AtomicUsize,
    most: AtomicUsize,
    keys: Semaphore,
}

impl Default for Door {
    fn default() -> Self {
        Self { under_way: AtomicUsize::new(0), most: AtomicUsize::new(0), keys: Semaphore::new(0) }
    }
}

impl Door {
    /// Lets all calls through.
    pub(crate) fn open(&self) {
        self.keys.add_permits(100_000);
    }

    /// Calls that wait right now.
    pub(crate) fn waiting(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Calls that waited at once, at the most.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    async fn pass(&self) {
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let _leave = Leave(&self.under_way);
        self.keys.acquire().await.unwrap().forget();
    }
}

/// Answers with the principal as the name of the account, and with the trace it runs in as its owner.
struct StandIn(Arc<Door>);

fn account<T>(request: &Request<T>) -> Option<Account> {
    let name = Principal::of(request).map_or("nobody".to_owned(), |principal| principal.as_str().to_owned());
    let owner_rep = trace::Origin::current().traceparent().unwrap_or_default();
    Some(Account { name, owner_rep, ..Default::default() })
}

#[tonic::async_trait]
impl ContactService for StandIn {
    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<GetAccountResponse>, Status> {
        let account = account(&request);
        if request.into_inner().account_id == BEHIND_THE_DOOR {
            self.0.pass().await;
        }
        Ok(Response::new(GetAccountResponse { account }))
    }

    async fn update_account(
        &self,
        request: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        Ok(Response::new(UpdateAccountResponse { account: account(&request) }))
    }

    async fn resolve_identities(
        &self,
        _: Request<ResolveIdentitiesRequest>,
    ) -> Result<Response<ResolveIdentitiesResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn list_accounts(&self, _: Request<ListAccountsRequest>) -> Result<Response<ListAccountsResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn create_account(
        &self,
        _: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn get_contact(&self, _: Request<GetContactRequest>) -> Result<Response<GetContactResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn list_contacts(&self, _: Request<ListContactsRequest>) -> Result<Response<ListContactsResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn update_contact(
        &self,
        _: Request<UpdateContactRequest>,
    ) -> Result<Response<UpdateContactResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn verify_mobile(&self, _: Request<VerifyMobileRequest>) -> Result<Response<VerifyMobileResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn list_profile_fields(
        &self,
        _: Request<ListProfileFieldsRequest>,
    ) -> Result<Response<ListProfileFieldsResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn apply_configuration(
        &self,
        _: Request<ApplyConfigurationRequest>,
    ) -> Result<Response<ApplyConfigurationResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }
}
