//! One pod: what the manifests say of it, and the process that stands for it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use leadflow_harness::Server;
use regex::Regex;
use serde_json::Value as Json;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{Cluster, Ports, config_map, items, names, secret, write};
use crate::tools::{binary, list, name, text, tool};

/// A pod as the manifests describe it. It has one container.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) template: Json,
    claims: Vec<String>,
}

impl Pod {
    /// The pods of a workload: one of a Deployment or a Job, which are all alike, and all of a StatefulSet.
    pub(crate) fn of(workload: &Json) -> Vec<Self> {
        let spec = &workload["spec"];
        let count = if workload["kind"] == "StatefulSet" { spec["replicas"].as_u64().unwrap() } else { 1 };
        let claims = list(&spec["volumeClaimTemplates"]).iter().map(|claim| name(claim).to_owned());
        let claims: Vec<_> = claims.collect();
        let pod = |n| Self {
            name: format!("{}-{n}", name(workload)),
            template: spec["template"].clone(),
            claims: claims.clone(),
        };
        (0..count).map(pod).collect()
    }

    pub(crate) fn labels(&self) -> &Json {
        &self.template["metadata"]["labels"]
    }

    pub(crate) fn container(&self) -> &Json {
        let containers = list(&self.template["spec"]["containers"]);
        assert_eq!(containers.len(), 1, "{}", self.name);
        &containers[0]
    }

    /// The number of a port that has a name.
    pub(crate) fn container_port(&self, name: &str) -> Option<u16> {
        let port = list(&self.container()["ports"]).iter().find(|port| port["name"] == name)?;
        port["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok())
    }

    /// The variables of the container.
    pub(crate) fn variables(&self, objects: &[Json]) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for from in list(&self.container()["envFrom"]) {
            let map = config_map(objects, text(&from["configMapRef"]["name"]));
            variables.extend(map.iter().map(|(key, value)| (key.clone(), text(value).to_owned())));
        }
        for entry in list(&self.container()["env"]) {
            let from = &entry["valueFrom"];
            let value = if let Some(value) = entry["value"].as_str() {
                value.to_owned()
            } else if from["fieldRef"]["fieldPath"] == "metadata.name" {
                self.name.clone()
            } else {
                // Nothing else is allowed; a secret is a file.
                let from = &from["configMapKeyRef"];
                text(&config_map(objects, text(&from["name"]))[text(&from["key"])]).to_owned()
            };
            variables.insert(text(&entry["name"]).to_owned(), value);
        }
        variables
    }

    /// The command that stands for the container, with its files written.
    pub(crate) fn command(&self, cluster: &Cluster) -> Command {
        self.write_files(cluster);
        let root = cluster.folder.path().join(format!("{}.root", self.name));
        std::fs::create_dir_all(&root).unwrap();
        let container = self.container();
        assert!(container["command"].is_null(), "{}: the image has its entrypoint", self.name);
        let image = text(&container["image"]);
        let mut command = Command::new(if image.contains("leadflow") { binary() } else { tool("nats-server") });
        command
            .args(list(&container["args"]).iter().map(|arg| self.here(cluster, text(arg))))
            .env_clear()
            .envs(self.variables(&cluster.objects).into_iter().map(|(key, value)| (key, self.here(cluster, &value))))
            .current_dir(root)
            .stdin(Stdio::null());
        command
    }

    fn write_files(&self, cluster: &Cluster) {
        for mount in list(&self.container()["volumeMounts"]) {
            let folder = cluster.file(&self.name, text(&mount["mountPath"]));
            std::fs::create_dir_all(&folder).unwrap();
            let volumes = list(&self.template["spec"]["volumes"]);
            let Some(volume) = volumes.iter().find(|volume| volume["name"] == mount["name"]) else {
                assert!(self.claims.iter().any(|claim| mount["name"] == **claim), "{}: no volume {mount}", self.name);
                continue;
            };
            if let Some(name) = volume["secret"]["secretName"].as_str() {
                let data = secret(&cluster.objects, name);
                for (key, path) in items(&volume["secret"], data) {
                    let content = data.get(&key).unwrap_or_else(|| panic!("the Secret {name} has no {key}"));
                    write(&folder.join(path), text(content));
                }
            } else if let Some(name) = volume["configMap"]["name"].as_str() {
                let data = config_map(&cluster.objects, name);
                for (key, path) in items(&volume["configMap"], data) {
                    let content = data.get(&key).unwrap_or_else(|| panic!("the ConfigMap {name} has no {key}"));
                    write(&folder.join(path), &self.here(cluster, text(content)));
                }
            } else {
                assert!(volume["emptyDir"].is_object(), "{}: {volume}", self.name);
            }
        }
    }

    /// A text with its paths and addresses as they are here.
    fn here(&self, cluster: &Cluster, text: &str) -> String {
        let mut changed = text.to_owned();
        for mount in list(&self.container()["volumeMounts"]) {
            let path = regex::escape(crate::tools::text(&mount["mountPath"]));
            let here = cluster.file(&self.name, crate::tools::text(&mount["mountPath"])).display().to_string();
            let below = Regex::new(&format!(r#"(?m)(^|["\s=]){path}($|["/\s])"#)).unwrap();
            changed = below.replace_all(&changed, format!("${{1}}{here}${{2}}")).into_owned();
        }
        let address = Regex::new(r"([a-zA-Z0-9][a-zA-Z0-9.-]*):(\d{2,5})\b").unwrap();
        let replaced = address.replace_all(&changed, |found: &regex::Captures<'_>| {
            let (host, port) = (&found[1], found[2].parse().unwrap());
            if host == "0.0.0.0" {
                return format!("{host}:{}", cluster.port(&self.name, port));
            }
            match names::resolve_from(cluster, self, host, port) {
                Some((pod, port)) => format!("localhost:{}", cluster.port(&pod.name, port)),
                None => found[0].to_owned(),
            }
        });
        replaced.into_owned()
    }
}

/// The process that stands for a pod.
pub(crate) struct Running {
    pub(crate) pod: String,
    /// The folder in which it was started.
    pub(crate) root: PathBuf,
    log: PathBuf,
    server: Server,
}

impl Running {
    pub(super) fn start(cluster: &Cluster, pod: &Pod) -> Self {
        let log = cluster.folder.path().join(format!("{}.log", pod.name));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = pod.command(cluster);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let root = command.get_current_dir().unwrap().to_owned();
        cluster.ports.release(&pod.name);
        Self { pod: pod.name.clone(), root, log, server: Server::start(&mut command).unwrap() }
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Asks what the kubelet would ask, until all answers are good.
    pub(super) async fn wait_until_ready(&mut self, pod: &Pod, ports: &Ports) {
        let container = pod.container().clone();
        let port = |value: &Json| match value {
            Json::String(name) => pod.container_port(name).unwrap(),
            number => u16::try_from(number.as_u64().unwrap()).unwrap(),
        };
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"].map(|kind| &container[kind]) {
            let deadline = std::time::Instant::now() + Duration::from_secs(60);
            loop {
                let asked = async {
                    if probe["grpc"].is_object() {
                        return serves(ports.of(&pod.name, port(&probe["grpc"]["port"]))).await;
                    }
                    let port = ports.of(&pod.name, port(&probe["httpGet"]["port"]));
                    let url = format!("http://127.0.0.1:{port}{}", text(&probe["httpGet"]["path"]));
                    reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success())
                };
                if tokio::time::timeout(Duration::from_secs(5), asked).await == Ok(true) {
                    break;
                }
                let gone = self.server.has_ended();
                assert!(!gone && std::time::Instant::now() < deadline, "{}: {probe}", pod.name);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serves(port: u16) -> bool {
    let Ok(channel) =
        tonic::transport::Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await
    else {
        return false;
    };
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}
