//! A stand-in for a cluster: each pod of a rendered overlay is a process here, started with exactly the arguments, the
//! variables and the files that the manifests give it.
//!
//! What must differ, differs by these rules, and by no other:
//! - A path below a mount (`/etc/leadflow/secrets/…`) lies below the pod's own folder.
//! - `0.0.0.0:PORT` gets a free port, one for each pod and port.
//! - `SERVICE:PORT` and `POD.SERVICE:PORT` become `localhost` and that port of a pod which the Service selects.
//!
//! They hold in arguments, variables, and files from ConfigMaps. What Secrets hold is untouched.

mod names;
mod pod;
mod policies;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use leadflow_harness::Postgres;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::tools::{Objects, binary, deploy, list, name, objects, read, render, run, text};

pub(crate) use pod::{Pod, Running};
pub(crate) use policies::{lets_in_namespace, reaches_outside};

/// A rendered overlay, with the Secrets that it expects, and the processes that run.
pub(crate) struct Cluster {
    pub(crate) objects: Objects,
    pub(crate) folder: TempDir,
    ports: Ports,
    running: Vec<Running>,
    /// The last to go.
    postgres: Option<Postgres>,
}

impl Cluster {
    /// Renders an overlay, and makes the Secrets that it expects with PostgreSQL at `database`. Nothing runs yet.
    pub(crate) fn prepare(overlay: &str, database: &str) -> Self {
        let folder = leadflow_harness::scratch().unwrap();
        let made = folder.path().join("made");
        run(Command::new(deploy().join("make-secrets")).arg(&made).arg(database));
        let mut objects = objects(&render(overlay));
        objects.extend(read(&made.join("secrets.yaml")));
        Self { objects, folder, ports: Ports::default(), running: Vec::new(), postgres: None }
    }

    /// Starts an overlay whole, in the order of `deploy/README.md`: PostgreSQL, NATS, the migrations, the roles.
    pub(crate) async fn start(overlay: &str) -> Self {
        let postgres = tokio::task::spawn_blocking(Postgres::start).await.unwrap().unwrap();
        let mut cluster = Self::prepare(overlay, postgres.base_url().rsplit('@').next().unwrap());
        let databases = Database::connect(format!("{}/postgres", postgres.base_url())).await.unwrap();
        for statement in std::fs::read_to_string(cluster.made("databases.sql")).unwrap().lines() {
            databases.execute_unprepared(statement).await.unwrap();
        }
        databases.close().await.unwrap();
        cluster.postgres = Some(postgres);
        cluster.start_nats().await;
        for migration in cluster.pods("Job") {
            cluster.run(&migration);
        }
        cluster.start_all(cluster.pods("Deployment")).await;
        cluster
    }

    /// Starts the servers of NATS.
    pub(crate) async fn start_nats(&mut self) {
        let all = self.pods("StatefulSet");
        self.start_all(all.into_iter().filter(|pod| pod.name.starts_with("leadflow-nats-")).collect()).await;
    }

    /// Starts pods, together, and waits until every probe of theirs succeeds.
    async fn start_all(&mut self, pods: Vec<Pod>) {
        for pod in &pods {
            let running = Running::start(self, pod);
            self.running.push(running);
        }
        for pod in &pods {
            let running = self.running.iter_mut().find(|running| running.pod == pod.name).unwrap();
            running.wait_until_ready(pod, &self.ports).await;
        }
    }

    /// Runs a Job's pod to its end, which has to be a good one.
    fn run(&self, pod: &Pod) {
        run(&mut pod.command(self));
    }

    /// The pods of all objects of a kind: one of each Deployment and Job, all of a StatefulSet.
    pub(crate) fn pods(&self, kind: &str) -> Vec<Pod> {
        let of_kind = self.objects.iter().filter(|object| object["kind"] == kind);
        of_kind.flat_map(Pod::of).collect()
    }

    /// The port here that stands for this one of a pod.
    pub(crate) fn port(&self, pod: &str, port: u16) -> u16 {
        self.ports.of(pod, port)
    }

    /// Where `HOST:PORT`, as the manifests write it, is here.
    pub(crate) fn address(&self, host: &str, port: u16) -> String {
        let (pod, port) = names::resolve(self, host, port).unwrap_or_else(|| panic!("{host}:{port} is no Service"));
        format!("localhost:{}", self.port(&pod.name, port))
    }

    /// What is in a Secret.
    pub(crate) fn secret(&self, name: &str, key: &str) -> &str {
        text(&crate::tools::find(&self.objects, "Secret", name).unwrap()["stringData"][key])
    }

    /// A file in the folder of a pod.
    pub(crate) fn file(&self, pod: &str, path: &str) -> PathBuf {
        self.folder.path().join(pod).join(path.trim_start_matches('/'))
    }

    /// The token of an operator, who holds all scopes.
    pub(crate) fn operator_token(&self) -> PathBuf {
        self.made("operator.token")
    }

    fn made(&self, file: &str) -> PathBuf {
        self.folder.path().join("made").join(file)
    }

    /// What `leadflow` prints for an operator.
    pub(crate) fn leadflow(&self, words: &[&str]) -> String {
        let mut command = Command::new(binary());
        command.args(words).arg("--token-file").arg(self.operator_token()).env("RUST_LOG", "warn");
        for role in leadflow_harness::fleet::ROLES {
            let pod = self.pods("Deployment").into_iter().find(|pod| pod.name == format!("leadflow-{role}-0")).unwrap();
            let address = self.address(&format!("leadflow-{role}"), pod.container_port("grpc").unwrap());
            command.env(leadflow_platform::config::variable(role, "URL"), format!("http://{address}"));
        }
        run(&mut command)
    }

    /// What `/metrics` of every role answers, by pod.
    pub(crate) async fn metrics(&self) -> BTreeMap<String, String> {
        let mut answers = BTreeMap::new();
        for pod in self.pods("Deployment") {
            let template = &pod.template["metadata"]["annotations"];
            let (port, path) = (text(&template["prometheus.io/port"]), text(&template["prometheus.io/path"]));
            let url = format!("http://127.0.0.1:{}{path}", self.port(&pod.name, port.parse().unwrap()));
            answers.insert(pod.name, reqwest::get(url).await.unwrap().text().await.unwrap());
        }
        answers
    }

    /// Files below the folders in which the processes were started: a root that may be read only stays empty.
    pub(crate) fn written(&self) -> BTreeSet<PathBuf> {
        let roots = self.running.iter().map(|running| running.root.clone());
        roots.flat_map(|root| std::fs::read_dir(root).unwrap()).map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Cluster {
    /// A test that fails shows what the processes have said last.
    fn drop(&mut self) {
        for running in self.running.iter().filter(|_| std::thread::panicking()) {
            eprintln!("--- {}\n{}", running.pod, running.last_words());
        }
    }
}

/// Which port here stands for which of a pod.
#[derive(Default)]
struct Ports(RefCell<BTreeMap<(String, u16), Port>>);

struct Port {
    number: u16,
    /// Until its pod starts, so that nobody else takes it.
    held: Option<TcpListener>,
}

impl Ports {
    fn of(&self, pod: &str, port: u16) -> u16 {
        let hold = || {
            let held = TcpListener::bind("0.0.0.0:0").unwrap();
            Port { number: held.local_addr().unwrap().port(), held: Some(held) }
        };
        self.0.borrow_mut().entry((pod.to_owned(), port)).or_insert_with(hold).number
    }

    fn release(&self, pod: &str) {
        for (_, port) in self.0.borrow_mut().iter_mut().filter(|((name, _), _)| name == pod) {
            port.held = None;
        }
    }
}

/// The data of a ConfigMap.
fn config_map<'a>(objects: &'a [Json], wanted: &str) -> &'a serde_json::Map<String, Json> {
    let found = objects.iter().find(|object| object["kind"] == "ConfigMap" && name(object) == wanted);
    found.unwrap_or_else(|| panic!("there is no ConfigMap {wanted}"))["data"].as_object().unwrap()
}

/// The data of a Secret.
fn secret<'a>(objects: &'a [Json], wanted: &str) -> &'a serde_json::Map<String, Json> {
    let found = objects.iter().find(|object| object["kind"] == "Secret" && name(object) == wanted);
    found.unwrap_or_else(|| panic!("there is no Secret {wanted}"))["stringData"].as_object().unwrap()
}

/// Which keys of a volume become which files.
fn items(volume: &Json, data: &serde_json::Map<String, Json>) -> Vec<(String, String)> {
    if volume["items"].is_null() {
        return data.keys().map(|key| (key.clone(), key.clone())).collect();
    }
    let pair = |item: &Json| (text(&item["key"]).to_owned(), text(&item["path"]).to_owned());
    list(&volume["items"]).iter().map(pair).collect()
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
