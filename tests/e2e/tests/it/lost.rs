//! The bus may forget whatever it likes: nothing is lost, and nothing comes twice.

use std::collections::{BTreeMap, HashSet};

use leadflow_harness::{
    Backend, Nats, TestDatabase, eventually,
    fleet::{Env, Fleet, ROLES},
};
use leadflow_platform::{auth::Credentials, rpc::channel};
use leadflow_proto::activity::v1::{RecordActivitiesRequest, activity_service_client::ActivityServiceClient};
use serde_json::Value as Json;

use crate::support::{Cli, binary, on_each_backend, quotation, sample};

/// Where the roles stand in the fleet.
const SCORING: usize = 2;
const ROUTING: usize = 3;

/// A process per role, comparing all the time.
struct World {
    fleet: Fleet,
    nats: Nats,
    cli: Cli,
    recorded: usize,
    _databases: Vec<TestDatabase>,
}

impl World {
    async fn start(backend: Backend) -> Self {
        let nats = Nats::start().unwrap();
        let (mut urls, mut databases) = (BTreeMap::new(), Vec::new());
        for role in ROLES {
            let database = TestDatabase::create(backend).await.unwrap();
            urls.insert(role, database.url.clone());
            databases.push(database);
        }
        let env = [
            ("LEADFLOW_RECONCILE_INTERVAL", "300ms"),
            ("LEADFLOW_ROUTING_DRAIN_INTERVAL", "300ms"),
            ("LEADFLOW_DATABASE_MAX_CONNECTIONS", "8"),
            ("RUST_LOG", "error"),
        ];
        let env: Env = env.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let fleet = Fleet::start(binary(), &urls, &nats.url(), &env, 1).unwrap();
        let mut cli = Cli::default();
        fleet.client_env.iter().for_each(|(key, value)| cli.set(key, value.clone()));
        cli.ok(&["apply", "-f", &sample().display().to_string()]).await;
        Self { fleet, nats, cli, recorded: 0, _databases: databases }
    }

    /// Ten companies, new ones every time, ask for a quotation.
    async fn record(&mut self) {
        let numbers = self.recorded..self.recorded + 10;
        self.recorded = numbers.end;
        self.record_again(numbers, "first").await;
    }

    async fn record_again(&self, companies: std::ops::Range<usize>, which: &str) {
        let ask = |n| {
            let (email, company) = (format!("x@werk-{n}.de"), format!("Werk {n}"));
            quotation(&format!("{which}-{n}"), &email, &company, "DE", "hplc")
        };
        let url = &self.fleet.client_env["LEADFLOW_ACTIVITY_INGEST_URL"];
        let mut client = ActivityServiceClient::new(channel(url, Credentials::Name("e2e".into())).unwrap());
        let activities = companies.map(ask).collect();
        let request = RecordActivitiesRequest { activities, ..Default::default() };
        client.record_activities(request).await.unwrap();
    }

    async fn start_again(&mut self, role: usize) {
        self.fleet.restart(role).unwrap();
        self.fleet.wait_until_ready(role).unwrap();
    }

    async fn jetstream(&self) -> async_nats::jetstream::Context {
        async_nats::jetstream::new(async_nats::connect(self.nats.url()).await.unwrap())
    }

    /// How many events the stream has ever held.
    async fn published(&self, stream: &str) -> usize {
        let stream = self.jetstream().await.get_stream(stream).await.unwrap();
        stream.cached_info().state.last_sequence as usize
    }

    async fn purge(&self, stream: &str) {
        self.jetstream().await.get_stream(stream).await.unwrap().purge().await.unwrap();
    }

    /// How many leads have this status.
    async fn leads(&self, statuses: &[&str]) -> usize {
        let leads = self.cli.json(&["leads", "--limit", "0"]).await;
        let wanted = |lead: &&Json| statuses.iter().any(|status| lead["status"] == *status);
        leads.as_array().unwrap().iter().filter(wanted).count()
    }

    /// A metric of a role, all its labels summed up.
    fn metric(&self, role: usize, name: &str) -> f64 {
        let text = self.fleet.metrics(role).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Waits until both consumers have compared everything a few times.
    async fn compared(&self) {
        for (role, pairs) in [(SCORING, 4.0), (ROUTING, 1.0)] {
            let before = self.metric(role, "leadflow_digest_compared");
            eventually!(self.metric(role, "leadflow_digest_compared") >= before + 3.0 * pairs);
        }
    }

    /// Everything is explained, and each lead was offered once.
    async fn is_whole(&self, activities: usize) {
        let report = self.cli.ok(&["reconcile", "--settle", "0s"]).await;
        assert!(report.contains(&format!("{activities}  activities in the ledger")), "{report}");
        assert!(report.contains(&format!("{activities}  evidence: scored")), "{report}");
        let assignments = self.cli.json(&["assignments", "--limit", "0"]).await;
        let leads: Vec<_> = assignments.as_array().unwrap().iter().map(|one| one["lead_id"].to_string()).collect();
        assert_eq!(leads.len(), leads.iter().collect::<HashSet<_>>().len(), "{leads:?}");
    }
}

async fn what_was_not_read_yet_is_scored_and_assigned_once(backend: Backend) {
    let mut world = World::start(backend).await;
    world.record().await;
    eventually!(world.leads(&["offered", "held"]).await == 10);
    world.compared().await;
    assert_eq!(world.metric(SCORING, "leadflow_digest_asked"), 0.0);
    assert_eq!(world.metric(ROUTING, "leadflow_digest_asked"), 0.0);
    assert_eq!(world.published("LEADFLOW_ACTIVITY").await, 10, "nothing is announced again while nothing differs");

    for loss in ["messages", "streams", "files"] {
        world.fleet.kill(SCORING);
        world.fleet.kill(ROUTING);
        let before = world.published("LEADFLOW_ACTIVITY").await;
        world.record().await;
        eventually!(world.published("LEADFLOW_ACTIVITY").await == before + 10);
        match loss {
            "messages" => {
                world.purge("LEADFLOW_ACTIVITY").await;
                world.purge("LEADFLOW_CONTACT").await;
            }
            "streams" => {
                for stream in ["LEADFLOW_ACTIVITY", "LEADFLOW_CONTACT", "LEADFLOW_LEAD", "LEADFLOW_ASSIGNMENT"] {
                    world.jetstream().await.delete_stream(stream).await.unwrap();
                }
            }
            _ => {
                world.nats.kill();
                world.nats.forget().unwrap();
                world.nats.restart().unwrap();
            }
        }
        world.start_again(SCORING).await;
        world.start_again(ROUTING).await;
        eventually!(world.leads(&["offered", "held"]).await == world.recorded);
    }
    world.compared().await;
    world.is_whole(40).await;
}

async fn lost_hand_overs_and_lost_answers_arrive(backend: Backend) {
    let mut world = World::start(backend).await;
    world.fleet.kill(ROUTING);
    world.record().await;
    eventually!(world.leads(&["handed_over"]).await == 10);
    world.purge("LEADFLOW_LEAD").await;
    // What comes later tells routing of the same leads, but not that they were handed over.
    let before = world.published("LEADFLOW_LEAD").await;
    world.record_again(0..10, "again").await;
    eventually!(world.published("LEADFLOW_LEAD").await >= before + 10);
    world.start_again(ROUTING).await;
    eventually!(world.leads(&["offered", "held"]).await == 10);

    // The reps' answers get lost: one no, all others yes.
    let offered = world.cli.json(&["assignments", "--state", "offered", "--limit", "0"]).await;
    let offered: Vec<_> =
        offered.as_array().unwrap().iter().map(|one| one["assignment_id"].as_str().unwrap()).collect();
    assert!(offered.len() > 1, "{offered:?}");
    world.fleet.kill(SCORING);
    let before = world.published("LEADFLOW_ASSIGNMENT").await;
    world.cli.ok(&["reject", offered[0], "--reason", "too_early"]).await;
    for assignment in &offered[1..] {
        world.cli.ok(&["accept", assignment]).await;
    }
    eventually!(world.published("LEADFLOW_ASSIGNMENT").await >= before + offered.len());
    world.purge("LEADFLOW_ASSIGNMENT").await;
    world.start_again(SCORING).await;
    eventually!(world.leads(&["accepted"]).await == offered.len() - 1);
    eventually!(world.leads(&["incubating"]).await == 1);
    world.compared().await;
    world.is_whole(20).await;
}

on_each_backend! {
    what_was_not_read_yet_is_scored_and_assigned_once
    lost_hand_overs_and_lost_answers_arrive
}
