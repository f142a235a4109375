//! kill -9 between acceptance and assignment loses nothing that was acknowledged.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use leadflow::suite::ROLES;
use leadflow_harness::{Backend, TestDatabase, eventually, free_port};
use leadflow_platform::{auth::Credentials, config::variable, rpc::channel};
use leadflow_proto::activity::v1::{
    RecordActivitiesRequest, activity_service_client::ActivityServiceClient, record_result::Outcome,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Cli, binary, quotation, sample};

const KILLS: usize = 4;
const PER_ROUND: usize = 40;

/// `leadflow up` as a process of its own.
struct Up {
    process: Child,
}

impl Up {
    fn start(folder: &Path, env: &[(String, String)]) -> Self {
        let mut command = Command::new(binary());
        command.arg("up").arg("--data-dir").arg(folder).envs(env.iter().cloned()).env("RUST_LOG", "error");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { process }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn end(mut self) -> std::process::ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }
}

async fn nothing_acknowledged_is_lost(backend: Backend) {
    let folder = leadflow_harness::scratch().unwrap();
    let (mut env, mut cli, mut databases) = (Vec::new(), Cli::default(), Vec::new());
    for (role, _) in ROLES {
        let port = free_port().unwrap();
        env.push((variable(role, "LISTEN"), format!("127.0.0.1:{port}")));
        env.push((variable(role, "ADMIN_LISTEN"), format!("127.0.0.1:{}", free_port().unwrap())));
        cli.set(&variable(role, "URL"), format!("http://127.0.0.1:{port}"));
        if backend == Backend::Postgres {
            let database = TestDatabase::create(backend).await.unwrap();
            env.push((variable(role, "DATABASE_URL"), database.url.clone()));
            databases.push(database);
        }
    }
    env.push(("LEADFLOW_ACTIVITY_INGEST_HTTP_LISTEN".into(), format!("127.0.0.1:{}", free_port().unwrap())));
    env.push(("LEADFLOW_DATABASE_MAX_CONNECTIONS".into(), "8".into()));
    let url =
        env.iter().find(|(key, _)| key == "LEADFLOW_ACTIVITY_INGEST_LISTEN").map(|(_, at)| format!("http://{at}"));
    let mut client = ActivityServiceClient::new(channel(&url.unwrap(), Credentials::Name("e2e".into())).unwrap());

    let mut up = Up::start(folder.path(), &env);
    eventually!(cli.run(&["apply", "-f", &sample().display().to_string()]).await.status.success());
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let activities = (0..PER_ROUND).map(|n| {
            let company = format!("Werk {round}-{n}");
            quotation(&format!("q-{round}-{n}"), &format!("x@werk-{round}-{n}.de"), &company, "DE", "hplc")
        });
        let request = RecordActivitiesRequest { activities: activities.collect(), ..Default::default() };
        let results = eventually!(some: client.record_activities(request.clone()).await.ok()).into_inner().results;
        acknowledged += results.iter().filter(|result| result.outcome() != Outcome::Rejected).count();
        // At once in the first round, a little further on the way in each next one.
        tokio::time::sleep(std::time::Duration::from_millis(60 * round as u64)).await;
        up.kill();
        up = Up::start(folder.path(), &env);
    }
    assert_eq!(acknowledged, KILLS * PER_ROUND);
    let all = KILLS * PER_ROUND;
    eventually!(cli.run(&["leads", "--limit", "1"]).await.status.success());
    eventually!({
        let leads = cli.json(&["leads", "--band", "hot", "--limit", "0"]).await;
        let routed = |lead: &&serde_json::Value| ["offered", "held"].iter().any(|status| lead["status"] == *status);
        leads.as_array().unwrap().iter().filter(routed).count() == all
    });
    let report = cli.ok(&["reconcile", "--settle", "0s"]).await;
    assert!(report.contains(&format!("{all}  activities in the ledger")), "{report}");
    assert!(up.end().success(), "SIGTERM drains and ends well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    nothing_acknowledged_is_lost(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_postgres() {
    nothing_acknowledged_is_lost(Backend::Postgres).await;
}
