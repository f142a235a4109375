//! A suite for one test, and the operator's commands against it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
};

use leadflow::suite::{ROLES, Suite, free_ports};
use leadflow_harness::{Backend, Nats, TestDatabase, fleet::SECRET};
use leadflow_platform::{
    auth::Credentials,
    clock::{Clock, Hand},
    config::variable,
    rpc::{Client, channel},
};
use leadflow_proto::{
    activity::v1::{self as activity, activity_service_client::ActivityServiceClient},
    contact::v1::Identity,
};
use serde_json::Value as Json;
use tempfile::TempDir;

/// All roles in this process, with a clock that the test holds.
pub(crate) struct World {
    pub(crate) suite: Suite,
    pub(crate) clock: Hand,
    pub(crate) cli: Cli,
    pub(crate) folder: TempDir,
    pub(crate) databases: BTreeMap<&'static str, TestDatabase>,
    pub(crate) nats: Nats,
}

impl World {
    /// Starts all roles at `now`, with the sample company's configuration applied.
    pub(crate) async fn start(backend: Backend, now: &str) -> Self {
        Self::start_with(backend, now, &[]).await
    }

    /// The same with more variables.
    pub(crate) async fn start_with(backend: Backend, now: &str, more: &[(&str, &str)]) -> Self {
        let nats = Nats::start().unwrap();
        let folder = leadflow_harness::scratch().unwrap();
        let mut databases = BTreeMap::new();
        let mut vars = free_ports()
            .with("LEADFLOW_NATS_URL", nats.url())
            .with("LEADFLOW_CONTACT_SUPPRESSION_KEY", SECRET)
            .with("LEADFLOW_ACTIVITY_INGEST_LINK_KEY", SECRET)
            .with("LEADFLOW_SCORING_SWEEP_INTERVAL", "200ms")
            .with("LEADFLOW_ROUTING_DRAIN_INTERVAL", "200ms")
            .with("LEADFLOW_DATABASE_MAX_CONNECTIONS", "8");
        vars = more.iter().fold(vars, |vars, (key, value)| vars.with(*key, *value));
        for (role, _) in ROLES {
            let database = TestDatabase::create(backend).await.unwrap();
            vars = vars.with(variable(role, "DATABASE_URL"), database.url.clone());
            databases.insert(role, database);
        }
        let (clock, hand) = Clock::manual(now.parse().unwrap());
        let suite = Suite::start(vars, clock).await.unwrap();
        let mut cli = Cli::default();
        for (role, _) in ROLES {
            cli.set(&variable(role, "URL"), suite.listening.url(role));
        }
        cli.set("LEADFLOW_ACTIVITY_INGEST_HTTP_URL", suite.listening.http_url());
        cli.set("LEADFLOW_NATS_URL", nats.url());
        let world = Self { suite, clock: hand, cli, folder, databases, nats };
        world.cli.ok(&["apply", "-f", &sample().display().to_string()]).await;
        world
    }

    /// The gRPC door.
    pub(crate) fn activities(&self) -> ActivityServiceClient<Client> {
        let url = self.suite.listening.url(leadflow_activity());
        ActivityServiceClient::new(channel(&url, Credentials::Name("e2e".into())).unwrap())
    }
}

fn leadflow_activity() -> &'static str {
    "activity-ingest"
}

/// The folder of the sample company.
pub(crate) fn sample() -> PathBuf {
    leadflow_harness::repository().join("examples/laboratory")
}

/// The binary, as it was built beside these tests.
pub(crate) fn binary() -> PathBuf {
    built("leadflow")
}

/// A binary of the workspace.
pub(crate) fn built(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run `cargo build` first, or `make test`", path.display());
    path
}

/// The command line, with the addresses of one suite.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cli(BTreeMap<String, String>);

impl Cli {
    pub(crate) fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    /// A command that is not started yet.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).envs(&self.0).env("RUST_LOG", "warn").args(["--as", "anna"]);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, words: &[&str]) -> Output {
        let mut command = self.command(words);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs a command that has to succeed, and returns what it prints.
    pub(crate) async fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words).await;
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{words:?}\n{out}\n{error}");
        out.into_owned()
    }

    /// Runs a command that has to succeed, and returns the JSON it prints.
    pub(crate) async fn json(&self, words: &[&str]) -> Json {
        let words: Vec<_> = words.iter().copied().chain(["--output", "json"]).collect();
        serde_json::from_str(&self.ok(&words).await).unwrap()
    }

    /// The open lead of an account in a category, by the account's name.
    pub(crate) async fn lead(&self, account: &str, category: &str) -> Option<Json> {
        let leads = self.json(&["leads", "--limit", "0"]).await;
        let wanted = |lead: &&Json| lead["account_name"] == account && lead["product_category"] == category;
        leads.as_array().unwrap().iter().find(wanted).cloned()
    }
}

/// A request for a quotation, which the sample company's model puts on the fast track.
pub(crate) fn quotation(id: &str, email: &str, company: &str, country: &str, category: &str) -> activity::Activity {
    activity::Activity {
        source: "website-form".into(),
        source_event_id: id.into(),
        activity_type: "quote_requested".into(),
        product_category: category.into(),
        identity: Some(Identity {
            email: email.into(),
            company: company.into(),
            country: country.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Makes each test run with every role on SQLite (`sqlite::name`) and on PostgreSQL (`postgres::name`).
macro_rules! on_each_backend {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Backend::Sqlite).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Backend::Postgres).await; })+
        }
    };
}
pub(crate) use on_each_backend;
