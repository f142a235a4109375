//! A served contact service with a private NATS server, and what it has announced.

mod heard;
mod merges;

use leadflow_contact::Config;
use leadflow_harness::{Nats, TestDatabase, eventually, fleet::SECRET};
use leadflow_platform::{
    auth::Credentials,
    clock::{Clock, Hand},
    config::Addresses,
    db::{self, Database, Tx},
    outbox, quarantine, rpc,
    service::Listeners,
    vars::Vars,
};
use leadflow_proto::contact::v1::{
    self as pb, contact_service_client::ContactServiceClient, import_service_client::ImportServiceClient,
    site_map_service_client::SiteMapServiceClient,
};
use sea_orm::{EntityTrait as _, Set};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt as _;

pub(crate) use heard::Heard;

/// Calls the service in the name of somebody.
pub(crate) type Client = ContactServiceClient<rpc::Client>;

/// When the clocks of the tests begin.
pub(crate) const START: &str = "2026-11-24T12:00:00Z";

/// One served contact service.
pub(crate) struct Replica {
    pub(crate) client: Client,
    url: String,
    shutdown: CancellationToken,
    running: JoinHandle<leadflow_platform::Result<()>>,
}

/// Contact with all that is around it.
pub(crate) struct World {
    pub(crate) contact: Replica,
    pub(crate) heard: Heard,
    pub(crate) hand: Hand,
    clock: Clock,
    config: Config,
    _nats: Nats,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let nats = Nats::start().unwrap();
        let vars = Vars::from_iter([
            ("LEADFLOW_CONTACT_DATABASE_URL", database.url.clone()),
            ("LEADFLOW_NATS_URL", nats.url()),
            ("LEADFLOW_CONTACT_SUPPRESSION_KEY", SECRET.to_owned()),
        ]);
        let config = Config::from_vars(&vars).unwrap();
        leadflow_contact::migrate(&config).await.unwrap();
        let heard = Heard::listen(&nats.url()).await;
        let (clock, hand) = Clock::manual(START.parse().unwrap());
        let contact = Replica::start(config.clone(), clock.clone()).await;
        Self { contact, heard, hand, clock, config, _nats: nats, _database: database }
    }

    pub(crate) fn client(&self) -> Client {
        self.contact.client.clone()
    }

    /// Imports in the name of the tester.
    pub(crate) fn importer(&self) -> ImportServiceClient<rpc::Client> {
        let credentials = Credentials::Name("tester".to_owned());
        ImportServiceClient::new(rpc::channel(&self.contact.url, credentials).unwrap())
    }

    /// Keeps site maps in the name of the tester.
    pub(crate) fn site_maps(&self) -> SiteMapServiceClient<rpc::Client> {
        let credentials = Credentials::Name("tester".to_owned());
        SiteMapServiceClient::new(rpc::channel(&self.contact.url, credentials).unwrap())
    }

    /// Another replica on the same database and the same bus.
    pub(crate) async fn another(&self) -> Replica {
        Replica::start(self.config.clone(), self.clock.clone()).await
    }

    /// The tables themselves, for what no method shows.
    pub(crate) async fn tables(&self) -> Database {
        let url = self.config.service.database.url.clone();
        Database::open(&db::Config { url, max_connections: 2 }).await.unwrap()
    }

    /// Keeps an event of this body, which also is its id, as one that cannot be handled.
    pub(crate) async fn set_aside(&self, body: String) {
        let tables = self.tables().await;
        let time = quarantine::depth(&tables).await.unwrap() as i64;
        let event = quarantine::ActiveModel {
            consumer: Set("contact-consents".to_owned()),
            event_id: Set(body.clone()),
            subject: Set("leadflow.activity.v1.consent_recorded".to_owned()),
            reason: Set("INVALID_FIELD".to_owned()),
            message: Set("is nothing".to_owned()),
            payload: Set(body.into_bytes()),
            headers: Set(None),
            create_time: Set(time),
        };
        let insert = move |tx: Tx| async move {
            quarantine::Entity::insert(event).exec_without_returning(&*tx).await?;
            Ok(())
        };
        tables.write(insert).await.unwrap();
        tables.close().await;
    }

    /// Waits until all that was announced is heard.
    pub(crate) async fn settle(&self) {
        let tables = self.tables().await;
        eventually!(outbox::depth(&tables).await.unwrap() == 0);
        tables.close().await;
        self.heard.catch_up().await;
    }

    /// Resolves claims in one call.
    pub(crate) async fn resolve(&self, claims: Vec<pb::IdentityClaim>) -> Vec<pb::ResolvedIdentity> {
        try_resolve(&self.client(), claims).await.unwrap()
    }

    /// Asks of claims who is known already.
    pub(crate) async fn recognise(&self, claims: Vec<pb::IdentityClaim>) -> Vec<pb::ResolvedIdentity> {
        let request = pb::ResolveIdentitiesRequest { claims, known_only: true };
        self.client().resolve_identities(request).await.unwrap().into_inner().results
    }

    /// Resolves one claim, which is valid.
    pub(crate) async fn resolve_one(&self, claim: pb::IdentityClaim) -> pb::ResolvedIdentity {
        let result = self.resolve(vec![claim]).await.remove(0);
        assert_eq!(result.error, None);
        result
    }

    pub(crate) async fn account(&self, account_id: &str) -> pb::Account {
        let request = pb::GetAccountRequest { account_id: account_id.to_owned() };
        self.client().get_account(request).await.unwrap().into_inner().account.unwrap()
    }

    pub(crate) async fn contact(&self, contact_id: &str) -> pb::Contact {
        let request = pb::GetContactRequest { contact_id: contact_id.to_owned() };
        self.client().get_contact(request).await.unwrap().into_inner().contact.unwrap()
    }

    /// All accounts, in the order of their names.
    pub(crate) async fn accounts(&self) -> Vec<pb::Account> {
        let request = pb::ListAccountsRequest { page_size: 1000, ..Default::default() };
        self.client().list_accounts(request).await.unwrap().into_inner().accounts
    }

    /// All contacts, the newest first.
    pub(crate) async fn contacts(&self) -> Vec<pb::Contact> {
        let request = pb::ListContactsRequest { page_size: 1000, ..Default::default() };
        self.client().list_contacts(request).await.unwrap().into_inner().contacts
    }

    pub(crate) async fn create(&self, account: pb::Account) -> pb::Account {
        let request = pb::CreateAccountRequest { account: Some(account), ..Default::default() };
        self.client().create_account(request).await.unwrap().into_inner().account.unwrap()
    }

    /// Changes the fields of an account that are named.
    pub(crate) async fn update(&self, account: pb::Account, paths: &[&str]) -> Result<pb::Account, tonic::Status> {
        let request =
            pb::UpdateAccountRequest { account: Some(account), update_mask: mask(paths), ..Default::default() };
        Ok(self.client().update_account(request).await?.into_inner().account.unwrap())
    }

    /// Applies a manifest and returns what has become of each reference.
    pub(crate) async fn apply(&self, accounts: Vec<pb::Account>) -> Vec<(String, String)> {
        let request = pb::ApplyConfigurationRequest { accounts, validate_only: false, ..Default::default() };
        let changes = self.client().apply_configuration(request).await.unwrap().into_inner().changes;
        changes.into_iter().map(|change| (change.name.clone(), change.action().as_str_name().to_owned())).collect()
    }
}

impl Replica {
    async fn start(config: Config, clock: Clock) -> Self {
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::open(Addresses { rpc: anywhere, admin: anywhere }).await.unwrap();
        let url = format!("http://{}", listeners.rpc.local_addr().unwrap());
        let service = config.build(clock).await.unwrap();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(service.run(listeners, shutdown.clone()));
        Self { client: client(&url, "tester"), url, shutdown, running }
    }

    /// A client that acts in this name.
    pub(crate) fn client_as(&self, principal: &str) -> Client {
        client(&self.url, principal)
    }

    /// Where it is served.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it as SIGTERM would.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

fn client(url: &str, principal: &str) -> Client {
    ContactServiceClient::new(rpc::channel(url, Credentials::Name(principal.to_owned())).unwrap())
}

pub(crate) async fn try_resolve(
    client: &Client,
    claims: Vec<pb::IdentityClaim>,
) -> Result<Vec<pb::ResolvedIdentity>, tonic::Status> {
    let request = pb::ResolveIdentitiesRequest { claims, known_only: false };
    Ok(client.clone().resolve_identities(request).await?.into_inner().results)
}

/// What the source `website-form` says of somebody.
pub(crate) fn claim(identity: pb::Identity) -> pb::IdentityClaim {
    pb::IdentityClaim { identity: Some(identity), source: "website-form".to_owned(), ..Default::default() }
}

pub(crate) fn email(email: &str) -> pb::IdentityClaim {
    claim(pb::Identity { email: email.to_owned(), ..Default::default() })
}

pub(crate) fn company(company: &str, country: &str) -> pb::IdentityClaim {
    claim(pb::Identity { company: company.to_owned(), country: country.to_owned(), ..Default::default() })
}

/// An account as a person would write it down.
pub(crate) fn named(name: &str, domains: &[&str]) -> pb::Account {
    let domains = domains.iter().map(|&domain| domain.to_owned()).collect();
    pb::Account { name: name.to_owned(), domains, ..Default::default() }
}

/// An account of a manifest.
pub(crate) fn referenced(reference: &str, name: &str, domains: &[&str]) -> pb::Account {
    pb::Account { reference: reference.to_owned(), ..named(name, domains) }
}

pub(crate) fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() })
}

/// The stable reason of an error.
pub(crate) fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The fields at fault.
pub(crate) fn fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|request| request.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// The reason and the fields of an item's error.
pub(crate) fn refusal(item: &pb::ResolvedIdentity) -> (String, Vec<String>) {
    item_refusal(item.error.as_ref())
}

/// The reason and the fields of the error in an answer.
pub(crate) fn item_refusal(error: Option<&tonic_types::Status>) -> (String, Vec<String>) {
    let error = error.expect("the item is refused");
    let details = prost::Message::encode_to_vec(error).into();
    let status = tonic::Status::with_details(error.code.into(), error.message.clone(), details);
    (reason(&status), fields(&status))
}
