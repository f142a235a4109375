//! A running service with everything around it.

mod contact;
mod events;
mod links;
pub(crate) mod quarantine;

use std::collections::HashMap;

use leadflow_activity_ingest::{Config, migrate};
use leadflow_harness::{Nats, Publisher, TestDatabase, fleet::SECRET};
use leadflow_platform::{
    auth::Credentials,
    clock::{Clock, Hand},
    config::Addresses,
    rpc,
    service::{Listeners, listen},
    vars::Vars,
};
use leadflow_proto::{
    activity::v1::{
        Activity, ActivityState, ApplyConfigurationRequest, Channel, Consent, Field, FieldType, GetActivityRequest,
        ProductCategory, RecordActivitiesRequest, RecordResult, Source, activity_service_client::ActivityServiceClient,
    },
    contact::v1::Identity,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, TransactionTrait as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use contact::FakeContact;
pub(crate) use events::Events;
pub(crate) use links::{EMAIL, look, press, told};

pub(crate) type Client = ActivityServiceClient<rpc::Client>;

/// When the tests' clocks begin.
pub(crate) const START: &str = "2026-11-24T12:00:00Z";

/// What a test plays in: a database, a bus, contact, and one running service.
pub(crate) struct World {
    pub(crate) contact: FakeContact,
    pub(crate) events: Events,
    pub(crate) hand: Hand,
    pub(crate) service: Service,
    clock: Clock,
    vars: Vars,
    database: TestDatabase,
    pub(crate) nats: Nats,
}

/// A database that is away.
pub(crate) enum Outage {
    Locked(DatabaseTransaction),
    Closed(DatabaseConnection, String),
}

impl Outage {
    /// Ends it.
    pub(crate) async fn end(self) {
        match self {
            Self::Locked(transaction) => transaction.rollback().await.unwrap(),
            Self::Closed(server, name) => {
                let back = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
                server.execute_unprepared(&back).await.unwrap();
            }
        }
    }
}

/// One running service.
pub(crate) struct Service {
    pub(crate) client: Client,
    /// `http://127.0.0.1:PORT` of gRPC.
    pub(crate) rpc: String,
    /// `http://127.0.0.1:PORT` of the HTTP edge.
    pub(crate) web: String,
    admin: String,
    shutdown: CancellationToken,
    task: JoinHandle<leadflow_platform::Result<()>>,
}

impl World {
    /// With the sources and categories of [`configuration`].
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let world = Self::empty(database).await;
        world.client().apply_configuration(configuration()).await.unwrap();
        world
    }

    /// With nothing registered.
    pub(crate) async fn empty(database: TestDatabase) -> Self {
        let nats = Nats::start().unwrap();
        let contact = FakeContact::start().await;
        let vars = Vars::from_iter([
            ("LEADFLOW_ACTIVITY_INGEST_DATABASE_URL", database.url.clone()),
            ("LEADFLOW_NATS_URL", nats.url()),
            ("LEADFLOW_CONTACT_URL", contact.url()),
            ("LEADFLOW_ACTIVITY_INGEST_LINK_KEY", SECRET.to_owned()),
        ]);
        migrate(&Config::from_vars(&vars).unwrap()).await.unwrap();
        let events = Events::watch(&nats.url()).await;
        let (clock, hand) = Clock::manual(START.parse().unwrap());
        let service = Service::start(&vars, clock.clone()).await;
        Self { contact, events, hand, service, clock, vars, database, nats }
    }

    /// Another replica on the same database.
    pub(crate) async fn replica(&self) -> Service {
        Service::start(&self.vars, self.clock.clone()).await
    }

    /// Ends the service without a word, and starts it again.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.crash().await;
        self.restart().await;
    }

    /// Ends the service without a word.
    pub(crate) async fn crash(&mut self) {
        self.service.task.abort();
        let _ = (&mut self.service.task).await;
    }

    /// Starts the service that has ended.
    pub(crate) async fn restart(&mut self) {
        self.service = self.replica().await;
    }

    /// A marketing tool.
    pub(crate) async fn publisher(&self) -> Publisher {
        Publisher::connect(&self.nats.url()).await.unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        self.service.client.clone()
    }

    /// Brings the tables up to date.
    pub(crate) async fn migrate(&self) {
        migrate(&Config::from_vars(&self.vars).unwrap()).await.unwrap();
    }

    /// The database itself, to look or to interfere.
    pub(crate) async fn database(&self) -> DatabaseConnection {
        sea_orm::Database::connect(&self.database.url).await.unwrap()
    }

    /// Lets the database refuse the rows of the ledger for which the condition holds.
    pub(crate) async fn refuse_rows(&self, condition: &str) {
        let script = if self.database.url.starts_with("sqlite") {
            format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON activities WHEN NEW.{condition} \
                 BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        } else {
            format!("ALTER TABLE activities ADD CONSTRAINT refuse CHECK (NOT coalesce({condition}, false))")
        };
        self.database().await.execute_unprepared(&script).await.unwrap();
    }

    /// Lets nobody use the database any more: PostgreSQL takes no connections, and SQLite is locked by somebody else for
    /// longer than anybody waits.
    pub(crate) async fn take_database_away(&self) -> Outage {
        let url = &self.database.url;
        if url.starts_with("sqlite") {
            return Outage::Locked(self.block_ledger().await);
        }
        let (server, name) = url.rsplit_once('/').unwrap();
        let server = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
        let away = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        server.execute_unprepared(&away).await.unwrap();
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        server.execute_unprepared(&end).await.unwrap();
        Outage::Closed(server, name.to_owned())
    }

    /// Keeps everybody from writing to the ledger until the guard is dropped.
    pub(crate) async fn block_ledger(&self) -> DatabaseTransaction {
        let transaction = self.database().await.begin().await.unwrap();
        let block = if self.database.url.starts_with("sqlite") {
            "UPDATE activities SET attempts = attempts WHERE source = 'nothing'"
        } else {
            "LOCK TABLE activities IN EXCLUSIVE MODE"
        };
        transaction.execute_unprepared(block).await.unwrap();
        transaction
    }
}

impl Service {
    async fn start(vars: &Vars, clock: Clock) -> Self {
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::open(Addresses { rpc: anywhere, admin: anywhere }).await.unwrap();
        let http = listen(anywhere).await.unwrap();
        let url = |listener: &tokio::net::TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (rpc_url, admin, web) = (url(&listeners.rpc), url(&listeners.admin), url(&http));
        let service = Config::from_vars(vars).unwrap().build(clock).await.unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(service.run(listeners, http, shutdown.clone()));
        let channel = rpc::channel(&rpc_url, Credentials::Name("tester".into())).unwrap();
        Self { client: ActivityServiceClient::new(channel), rpc: rpc_url, web, admin, shutdown, task }
    }

    /// Asks the service to end.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) {
        self.task.await.unwrap().unwrap();
    }

    /// The value of a metric, all its labels summed up; `labels` narrows it down, such as `door="form"`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.admin)).await.unwrap().text().await.unwrap();
        let of_this = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
        text.lines().filter(of_this).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}

/// Two sources and a tree of categories.
pub(crate) fn configuration() -> ApplyConfigurationRequest {
    let category = |name: &str, parent: &str| ProductCategory {
        name: name.into(),
        display_name: name.to_uppercase(),
        parent: parent.into(),
    };
    ApplyConfigurationRequest {
        sources: vec![website_form(), expo()],
        product_categories: vec![category("chromatography", ""), category("hplc", "chromatography")],
        validate_only: false,
    }
}

pub(crate) fn website_form() -> Source {
    Source {
        name: "website-form".into(),
        display_name: "Website".into(),
        default_activity_type: "form_submitted".into(),
        default_channel: Channel::Web.into(),
        default_product_category: "hplc".into(),
        consent: Some(Consent {
            basis: "consent".into(),
            purpose: "sales".into(),
            field: "agree".into(),
            channels: Vec::new(),
            confirmation: None,
        }),
        fields: vec![
            field("pages", FieldType::Number, false),
            field("wants_call", FieldType::Bool, false),
            field("topic", FieldType::String, false),
            field("budget", FieldType::Number, true),
        ],
        redirect_url: String::new(),
        webhook: None,
        verifies_mobile: false,
    }
}

pub(crate) fn expo() -> Source {
    Source {
        name: "expo".into(),
        default_activity_type: "badge_scanned".into(),
        default_channel: Channel::Event.into(),
        ..Source::default()
    }
}

pub(crate) fn field(name: &str, field_type: FieldType, answer: bool) -> Field {
    Field { name: name.into(), r#type: field_type.into(), answer }
}

/// What this person did on the website, with this id of the event.
pub(crate) fn activity(source_event_id: &str, email: &str) -> Activity {
    Activity {
        source: "website-form".into(),
        source_event_id: source_event_id.into(),
        identity: Some(Identity { email: email.into(), ..Identity::default() }),
        ..Activity::default()
    }
}

pub(crate) fn text(text: &str) -> prost_types::Value {
    prost_types::Value { kind: Some(prost_types::value::Kind::StringValue(text.into())) }
}

pub(crate) fn number(number: f64) -> prost_types::Value {
    prost_types::Value { kind: Some(prost_types::value::Kind::NumberValue(number)) }
}

pub(crate) fn flag(flag: bool) -> prost_types::Value {
    prost_types::Value { kind: Some(prost_types::value::Kind::BoolValue(flag)) }
}

pub(crate) fn values<const N: usize>(pairs: [(&str, prost_types::Value); N]) -> HashMap<String, prost_types::Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Sends activities in one call.
pub(crate) async fn record(client: &Client, activities: Vec<Activity>) -> Vec<RecordResult> {
    try_record(client, activities).await.unwrap()
}

pub(crate) async fn try_record(client: &Client, activities: Vec<Activity>) -> Result<Vec<RecordResult>, tonic::Status> {
    let response =
        client.clone().record_activities(RecordActivitiesRequest { activities, ..Default::default() }).await?;
    Ok(response.into_inner().results)
}

/// Sends one activity.
pub(crate) async fn record_one(client: &Client, activity: Activity) -> RecordResult {
    record(client, vec![activity]).await.remove(0)
}

pub(crate) async fn get(client: &Client, activity_id: &str) -> Activity {
    let request = GetActivityRequest { activity_id: activity_id.into() };
    client.clone().get_activity(request).await.unwrap().into_inner().activity.unwrap()
}

pub(crate) async fn state(client: &Client, activity_id: &str) -> ActivityState {
    get(client, activity_id).await.state()
}
