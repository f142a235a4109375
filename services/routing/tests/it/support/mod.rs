//! A served routing service with a private NATS server, the events that it sends, and the leads that it gets.

pub(crate) mod company;
pub(crate) mod heard;
pub(crate) mod lead;

use leadflow_harness::{Nats, TestDatabase, eventually};
use leadflow_platform::{
    auth::Credentials,
    bus::{self, Bus, Event, Keep, Stream},
    clock::{Clock, from_millis},
    db::{self, Database},
    ids, rpc,
    service::{Listeners, listen},
    vars::Vars,
};
use leadflow_proto::routing::v1::{self as pb, AssignmentState, routing_service_client::RoutingServiceClient};
use leadflow_routing::Config;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt as _;

use heard::Heard;
use lead::TestLead;

/// Calls the service in the name of somebody.
pub(crate) type Client = RoutingServiceClient<rpc::Client>;

/// One served routing service.
pub(crate) struct Replica {
    pub(crate) client: Client,
    rpc_port: u16,
    admin_port: u16,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

/// Routing with all that is around it.
pub(crate) struct World {
    pub(crate) routing: Replica,
    pub(crate) heard: Heard,
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
        let stream = Stream { name: "LEADFLOW_LEAD", subjects: &["leadflow.lead.v1.>"], keep: Keep::Events };
        bus.own(stream).await.unwrap();
        let heard = Heard::listen(&nats).await;
        let config = config(&database.url, &nats);
        leadflow_routing::migrate(&config).await.unwrap();
        let routing = Replica::start(config).await;
        let database_url = database.url.clone();
        Self { routing, heard, bus, nats, database_url, _database: database }
    }

    /// Another replica on the same database and the same bus.
    pub(crate) async fn another(&self) -> Replica {
        Replica::start(config(&self.database_url, &self.nats)).await
    }

    /// The tables themselves, for what no method shows.
    pub(crate) async fn tables(&self) -> Database {
        let config = db::Config { url: self.database_url.clone(), max_connections: 2 };
        Database::open(&config).await.unwrap()
    }

    /// Publishes what has become of a lead.
    pub(crate) async fn publish(&self, fact: &str, lead: &TestLead) {
        self.publish_all([(fact, lead)]).await;
    }

    /// Publishes several events, each with an id of its own: the broker does not take repetitions out.
    pub(crate) async fn publish_all<'a>(&self, events: impl IntoIterator<Item = (&'a str, &'a TestLead)>) {
        let events: Vec<_> = events.into_iter().map(|(fact, lead)| event(fact, lead)).collect();
        for chunk in events.chunks(100) {
            self.bus.publish_all(chunk.to_vec()).await.unwrap();
        }
    }

    /// Publishes a body that is no message.
    pub(crate) async fn publish_garbage(&self, fact: &str) {
        let garbage = Event { payload: vec![0xff; 20], ..event(fact, &TestLead::new("DE")) };
        self.bus.publish_all([garbage]).await.unwrap();
    }

    /// Hands a lead over and waits for its assignment.
    pub(crate) async fn hand_over(&mut self, lead: &TestLead) -> pb::Assignment {
        self.publish("sales_ready", lead).await;
        self.assignment_of(lead).await
    }

    /// Hands a lead over and waits until it is held.
    pub(crate) async fn hand_over_in_vain(&mut self, lead: &TestLead) -> pb::HandOver {
        self.publish("sales_ready", lead).await;
        eventually!(some: self.hand_overs_of(lead).await.into_iter().find(|one| {
            one.hand_over == lead.hand_over && one.state() == pb::hand_over::State::Held
        }))
    }

    /// The assignment for a lead's present hand-over, as soon as there is one.
    pub(crate) async fn assignment_of(&mut self, lead: &TestLead) -> pb::Assignment {
        eventually!(some: self.assignments_of(lead).await.into_iter().find(|one| one.hand_over == lead.hand_over))
    }

    pub(crate) async fn assignments_of(&mut self, lead: &TestLead) -> Vec<pb::Assignment> {
        let request = pb::ListAssignmentsRequest { lead_id: lead.lead_id.to_string(), ..Default::default() };
        self.routing.client.list_assignments(request).await.unwrap().into_inner().assignments
    }

    /// All assignments in this state; in any, when it is not specified.
    pub(crate) async fn assignments(&mut self, state: AssignmentState) -> Vec<pb::Assignment> {
        let request = pb::ListAssignmentsRequest { page_size: 1000, state: state.into(), ..Default::default() };
        self.routing.client.list_assignments(request).await.unwrap().into_inner().assignments
    }

    pub(crate) async fn hand_overs(&mut self) -> Vec<pb::HandOver> {
        let request = pb::ListHandOversRequest { page_size: 1000, ..Default::default() };
        self.routing.client.list_hand_overs(request).await.unwrap().into_inner().hand_overs
    }

    pub(crate) async fn hand_overs_of(&mut self, lead: &TestLead) -> Vec<pb::HandOver> {
        let lead_id = lead.lead_id.to_string();
        self.hand_overs().await.into_iter().filter(|one| one.lead_id == lead_id).collect()
    }

    /// How the decision on a lead came out.
    pub(crate) async fn explain(&mut self, lead: &TestLead) -> pb::ExplainAssignmentResponse {
        let request = pb::ExplainAssignmentRequest { lead_id: lead.lead_id.to_string(), ..Default::default() };
        self.routing.client.explain_assignment(request).await.unwrap().into_inner()
    }

    pub(crate) async fn pool(&mut self, name: &str) -> pb::PoolStatus {
        let pools = self.routing.client.list_pools(pb::ListPoolsRequest::default()).await.unwrap().into_inner().pools;
        pools.into_iter().find(|status| status.pool.as_ref().unwrap().name == name).unwrap()
    }

    pub(crate) async fn apply(&mut self, request: pb::ApplyConfigurationRequest) -> Vec<(String, String)> {
        let response = self.routing.client.apply_configuration(request).await.unwrap().into_inner();
        response
            .changes
            .into_iter()
            .map(|change| (change.name.clone(), change.action().as_str_name().to_owned()))
            .collect()
    }

    pub(crate) async fn accept(&mut self, assignment: &pb::Assignment) -> Result<pb::Assignment, tonic::Status> {
        let assignment_id = assignment.assignment_id.clone();
        let request = pb::AcceptAssignmentRequest { assignment_id, ..Default::default() };
        let response = self.routing.client.accept_assignment(request).await?;
        Ok(response.into_inner().assignment.unwrap())
    }

    pub(crate) async fn reject(
        &mut self,
        assignment: &pb::Assignment,
        reason: &str,
        note: &str,
    ) -> Result<pb::Assignment, tonic::Status> {
        let request = pb::RejectAssignmentRequest {
            assignment_id: assignment.assignment_id.clone(),
            reason: reason.to_owned(),
            note: note.to_owned(),
            ..Default::default()
        };
        let response = self.routing.client.reject_assignment(request).await?;
        Ok(response.into_inner().assignment.unwrap())
    }

    /// Publishes a lead whose news comes after all that was published before, and waits until it has arrived.
    pub(crate) async fn settle(&mut self) {
        let last = TestLead::new("ZZ").owned_by("settler");
        self.publish("sales_ready", &last).await;
        eventually!(!self.hand_overs_of(&last).await.is_empty());
    }
}

impl Replica {
    async fn start(config: Config) -> Self {
        let rpc_listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let admin = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let rpc_port = rpc_listener.local_addr().unwrap().port();
        let admin_port = admin.local_addr().unwrap().port();
        let service = config.build(Clock::system()).await.unwrap();
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
    RoutingServiceClient::new(rpc::channel(&format!("http://127.0.0.1:{port}"), credentials).unwrap())
}

fn config(database_url: &str, nats: &Nats) -> Config {
    let vars = Vars::from_iter([
        ("LEADFLOW_ROUTING_DATABASE_URL", database_url),
        ("LEADFLOW_NATS_URL", &nats.url()),
        ("LEADFLOW_ROUTING_DRAIN_INTERVAL", "250ms"),
        // Nobody: what these tests publish, no scoring has announced.
        ("LEADFLOW_SCORING_URL", "http://127.0.0.1:1"),
    ]);
    Config::from_vars(&vars).unwrap()
}

fn event(fact: &str, lead: &TestLead) -> Event {
    Event {
        id: ids::new().to_string(),
        subject: format!("leadflow.lead.v1.{fact}"),
        source: "scoring",
        time: from_millis(0),
        payload: lead.event().encode_to_vec(),
        origin: lead.origin,
    }
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
