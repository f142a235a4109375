//! A served scoring service with a private NATS server, a clock that stands still, and the events around it.

pub(crate) mod activity;
mod calls;
pub(crate) mod company;
pub(crate) mod heard;
mod merges;

use std::iter::repeat_with;

use leadflow_harness::{Nats, TestDatabase, eventually};
use leadflow_platform::{
    auth::Credentials,
    bus::{self, Bus, Event, Keep, Stream},
    clock::{Clock, Hand, from_millis, to_proto},
    db::{self, Database},
    ids, rpc,
    service::{Listeners, listen},
    trace::Origin,
    vars::Vars,
};
use leadflow_proto::{
    activity::v1::ActivityReattributed,
    contact::v1::{Account, AccountChanged, ContactChanged, ContactProfile},
    routing::v1::{Assignment, AssignmentEvent, AssignmentState, HandOver, HandOverHeld, hand_over},
    scoring::v1::{self as pb, scoring_service_client::ScoringServiceClient},
};
use leadflow_scoring::Config;
use prost::Message;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use activity::{TestAccount, TestActivity};
pub(crate) use calls::{fields, millis, points, reason, sum};
use heard::Heard;

/// Calls the service in the name of somebody.
pub(crate) type Client = ScoringServiceClient<rpc::Client>;

/// When the tests begin: 2026-11-02 09:17:23, not on the hour.
const BEGIN: i64 = 1_793_611_043_000;

/// One served scoring service.
pub(crate) struct Replica {
    pub(crate) client: Client,
    rpc_port: u16,
    admin_port: u16,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

/// Scoring with all that is around it.
pub(crate) struct World {
    pub(crate) scoring: Replica,
    pub(crate) heard: Heard,
    pub(crate) hand: Hand,
    clock: Clock,
    bus: Bus,
    nats: Nats,
    database_url: String,
    _database: TestDatabase,
}

impl World {
    /// With the configuration of [`company`].
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let mut world = Self::start_empty(database).await;
        world.apply(company::configuration()).await;
        world
    }

    /// Without any configuration.
    pub(crate) async fn start_empty(database: TestDatabase) -> Self {
        let nats = Nats::start().unwrap();
        let bus = Bus::connect(&bus::Config::at(nats.url()), "test").await.unwrap();
        let streams: [(&'static str, &'static [&'static str]); 3] = [
            ("LEADFLOW_ACTIVITY", &["leadflow.activity.v1.>"]),
            ("LEADFLOW_CONTACT", &["leadflow.account.v1.>", "leadflow.contact.v1.>"]),
            ("LEADFLOW_ASSIGNMENT", &["leadflow.assignment.v1.>"]),
        ];
        for (name, subjects) in streams {
            bus.own(Stream { name, subjects, keep: Keep::Events }).await.unwrap();
        }
        let heard = Heard::listen(&nats).await;
        let (clock, hand) = Clock::manual(from_millis(BEGIN));
        let config = config(&database.url, &nats);
        leadflow_scoring::migrate(&config).await.unwrap();
        let scoring = Replica::start(config, clock.clone()).await;
        let database_url = database.url.clone();
        Self { scoring, heard, hand, clock, bus, nats, database_url, _database: database }
    }

    /// Another replica on the same database and the same bus.
    pub(crate) async fn another(&self) -> Replica {
        Replica::start(config(&self.database_url, &self.nats), self.clock.clone()).await
    }

    /// Ends the service, publishes these activities, and starts it again: they come in few batches.
    pub(crate) async fn publish_while_away(&mut self, activities: &[TestActivity]) {
        self.leave().await;
        self.publish(activities).await;
        self.come_back().await;
    }

    /// Ends the service.
    pub(crate) async fn leave(&mut self) {
        self.scoring.shutdown.cancel();
        (&mut self.scoring.running).await.unwrap();
    }

    /// Starts the service that has ended.
    pub(crate) async fn come_back(&mut self) {
        self.scoring = self.another().await;
    }

    /// The tables themselves, for what no method shows.
    pub(crate) async fn tables(&self) -> Database {
        Database::open(&db::Config { url: self.database_url.clone(), max_connections: 3 }).await.unwrap()
    }

    pub(crate) fn now(&self) -> i64 {
        self.hand.now().as_millisecond()
    }

    /// Publishes activities, each as an event of its own: the broker does not take repetitions out.
    pub(crate) async fn publish(&self, activities: &[TestActivity]) {
        for chunk in activities.chunks(100) {
            let events = chunk.iter().map(|one| event("leadflow.activity.v1.recorded", &one.0));
            self.bus.publish_all(events.collect::<Vec<_>>()).await.unwrap();
        }
    }

    /// Publishes that the ledger has moved these activities.
    pub(crate) async fn publish_moved(&self, activities: &[TestActivity]) {
        let moved = activities.iter().map(|one| ActivityReattributed { activity: Some(one.0.clone()) });
        let events = moved.map(|one| event("leadflow.activity.v1.reattributed", &one));
        self.bus.publish_all(events.collect::<Vec<_>>()).await.unwrap();
    }

    /// Publishes a body that is no message.
    pub(crate) async fn publish_garbage(&self, subject: &str) {
        self.bus.publish_all([Event { payload: vec![0xff; 20], ..event(subject, &()) }]).await.unwrap();
    }

    /// Publishes activities and waits until all that was published so far has come in.
    pub(crate) async fn record(&mut self, activities: &[TestActivity]) {
        self.publish(activities).await;
        self.settle().await;
    }

    /// Waits until all activities that were published have come in.
    pub(crate) async fn settle(&mut self) {
        // A batch is taken in on two connections, by the accounts: one for each.
        let of = |odd: u128| repeat_with(TestAccount::new).find(|one| one.account_id.as_u128() % 2 == odd).unwrap();
        let last = [of(0), of(1)];
        self.publish(&last.each_ref().map(|one| one.does("page_viewed", 0, self.now()))).await;
        for one in &last {
            eventually!(!self.evidence(one).await.is_empty());
        }
    }

    /// Announces an account.
    pub(crate) async fn publish_account(&self, account: &TestAccount) {
        self.publish_changed(account, |_| ()).await;
    }

    /// Announces an account with what `change` makes of it.
    pub(crate) async fn publish_changed(&self, account: &TestAccount, change: impl FnOnce(&mut Account)) {
        let mut announced = Account {
            account_id: account.account_id.to_string(),
            name: "Example Works".to_owned(),
            country: account.country.to_owned(),
            revision: account.revision,
            update_time: Some(to_proto(self.hand.now())),
            ..Default::default()
        };
        change(&mut announced);
        let changed = AccountChanged { account: Some(announced) };
        self.bus.publish_all([event("leadflow.account.v1.changed", &changed)]).await.unwrap();
    }

    /// Announces an account and waits until it has come in.
    pub(crate) async fn announce(&mut self, account: &TestAccount) {
        self.publish_account(account).await;
        let tables = self.tables().await;
        eventually!(revision(&tables, "account_revisions", "account_id", account.account_id, account.revision).await);
        tables.close().await;
    }

    /// Announces a contact.
    pub(crate) async fn publish_contact(&self, changed: &ContactChanged) {
        self.bus.publish_all([event("leadflow.contact.v1.changed", changed)]).await.unwrap();
    }

    /// Announces the role of a contact and waits until it has come in.
    pub(crate) async fn announce_role(&mut self, contact: Uuid, account: &TestAccount, role: &str, revision: i64) {
        let changed = ContactChanged {
            contact_id: contact.to_string(),
            account_id: account.account_id.to_string(),
            profile: Some(ContactProfile { role: role.to_owned(), ..Default::default() }),
            revision,
            update_time: Some(to_proto(self.hand.now())),
            ..Default::default()
        };
        self.publish_contact(&changed).await;
        let tables = self.tables().await;
        eventually!(self::revision(&tables, "contact_revisions", "contact_id", contact, revision).await);
        tables.close().await;
    }

    /// Publishes what has become of a lead's hand-over.
    pub(crate) async fn assign(&self, lead: &pb::Lead, hand_over: i32, state: AssignmentState, reason: &str) {
        let fact = state.as_str_name().trim_start_matches("ASSIGNMENT_STATE_").to_lowercase();
        let assignment = Assignment {
            assignment_id: ids::new().to_string(),
            lead_id: lead.lead_id.clone(),
            hand_over,
            rep: "anna".to_owned(),
            state: state.into(),
            offer_time: Some(to_proto(self.hand.now())),
            decide_time: (state != AssignmentState::Offered).then(|| to_proto(self.hand.now())),
            reason: reason.to_owned(),
            ..Default::default()
        };
        let news = AssignmentEvent { assignment: Some(assignment), event_time: None };
        self.bus.publish_all([event(&format!("leadflow.assignment.v1.{fact}"), &news)]).await.unwrap();
    }

    /// Publishes that nobody is eligible for a lead's hand-over.
    pub(crate) async fn hold(&self, lead: &pb::Lead, reason: &str) {
        let held = HandOver {
            lead_id: lead.lead_id.clone(),
            hand_over: lead.hand_over,
            state: hand_over::State::Held.into(),
            reason: reason.to_owned(),
            ..Default::default()
        };
        let news = HandOverHeld { hand_over: Some(held), event_time: Some(to_proto(self.hand.now())) };
        self.bus.publish_all([event("leadflow.assignment.v1.held", &news)]).await.unwrap();
    }
}

impl Replica {
    async fn start(config: Config, clock: Clock) -> Self {
        let rpc_listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let admin = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let rpc_port = rpc_listener.local_addr().unwrap().port();
        let admin_port = admin.local_addr().unwrap().port();
        let service = config.build(clock).await.unwrap();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let running = tokio::spawn(async move {
            service.run(Listeners { rpc: rpc_listener, admin }, stop).await.unwrap();
        });
        Self { client: client(rpc_port, "tester"), rpc_port, admin_port, shutdown, running }
    }

    /// A client that acts in this name.
    pub(crate) fn client_as(&self, principal: &str) -> Client {
        client(self.rpc_port, principal)
    }

    /// What `/metrics` answers.
    pub(crate) async fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port)).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Ends it as SIGTERM would.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }
}

fn client(port: u16, principal: &str) -> Client {
    let credentials = Credentials::Name(principal.to_owned());
    ScoringServiceClient::new(rpc::channel(&format!("http://127.0.0.1:{port}"), credentials).unwrap())
}

fn config(database_url: &str, nats: &Nats) -> Config {
    let vars = Vars::from_iter([
        ("LEADFLOW_SCORING_DATABASE_URL", database_url),
        ("LEADFLOW_NATS_URL", &nats.url()),
        ("LEADFLOW_SCORING_SWEEP_INTERVAL", "100ms"),
    ]);
    Config::from_vars(&vars).unwrap()
}

fn event(subject: &str, message: &impl Message) -> Event {
    Event {
        id: ids::new().to_string(),
        subject: subject.to_owned(),
        source: "test",
        time: from_millis(0),
        payload: message.encode_to_vec(),
        origin: Origin::current(),
    }
}

async fn revision(tables: &Database, table: &str, key: &str, id: Uuid, revision: i64) -> bool {
    use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
    let backend = tables.backend();
    let marks = if backend == DatabaseBackend::Postgres { ("$1", "$2") } else { ("?", "?") };
    let sql = format!("SELECT 1 FROM {table} WHERE {key} = {} AND revision = {}", marks.0, marks.1);
    let statement = Statement::from_sql_and_values(backend, sql, [id.into(), revision.into()]);
    tables.reader().query_one_raw(statement).await.unwrap().is_some()
}
