//! The manifests: valid by the schemas of Kubernetes, without known misconfigurations, and held to our own rules.

use std::{path::Path, process::Command};

use leadflow_platform::lifecycle::GRACE;
use serde_json::Value as Json;

use crate::{
    cluster::{Cluster, Pod, lets_in_namespace, reaches_outside},
    tools::{OVERLAYS, Objects, deploy, find, list, name, objects, of_kind, render, run, text, tool},
};

/// The oldest and the newest version of Kubernetes that the manifests are for.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

fn each_overlay(check: impl Fn(&str, &Objects)) {
    for overlay in OVERLAYS {
        check(overlay, &objects(&render(overlay)));
    }
}

/// The pods of all workloads.
fn pods(objects: &[Json]) -> Vec<Pod> {
    let workloads = ["Deployment", "StatefulSet", "Job"];
    objects.iter().filter(|object| workloads.contains(&text(&object["kind"]))).flat_map(Pod::of).collect()
}

#[test]
fn every_overlay_is_valid_by_the_strict_schemas() {
    for overlay in OVERLAYS {
        let folder = leadflow_harness::scratch().unwrap();
        let file = folder.path().join("all.yaml");
        std::fs::write(&file, render(overlay)).unwrap();
        for version in VERSIONS {
            run(Command::new(tool("kubernetes-validate")).args(["--strict", "-k", version]).arg(&file));
        }
    }
}

#[test]
fn no_grave_misconfiguration_is_known() {
    let folder = leadflow_harness::scratch().unwrap();
    std::fs::copy(deploy().join("Dockerfile"), folder.path().join("Dockerfile")).unwrap();
    for overlay in OVERLAYS {
        std::fs::write(folder.path().join(format!("{overlay}.yaml")), render(overlay)).unwrap();
    }
    let mut scan = Command::new(tool("trivy"));
    scan.args(["config", "--skip-check-update", "--quiet", "--exit-code", "1", "--severity", "MEDIUM,HIGH,CRITICAL"]);
    run(scan.arg("--ignorefile").arg(deploy().join("trivy-ignore.yaml")).arg(folder.path()));
}

#[test]
fn the_servers_of_nats_are_of_the_version_that_the_tests_run() {
    let version = run(Command::new(tool("nats-server")).arg("--version"));
    let version = version.trim().rsplit('v').next().unwrap();
    each_overlay(|overlay, objects| {
        let servers = Pod::of(find(objects, "StatefulSet", "leadflow-nats").unwrap());
        assert_eq!(text(&servers[0].container()["image"]), format!("nats:{version}-alpine"), "{overlay}");
    });
}

#[test]
fn every_container_may_do_the_least() {
    each_overlay(|overlay, objects| {
        for pod in pods(objects) {
            let at = format!("{overlay}: {}", pod.name);
            let spec = &pod.template["spec"];
            assert_eq!(spec["automountServiceAccountToken"], false, "{at}");
            assert_eq!(spec["enableServiceLinks"], false, "{at}");
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{at}");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{at}");
            let account = find(objects, "ServiceAccount", text(&spec["serviceAccountName"]));
            assert_eq!(account.unwrap_or(&Json::Null)["automountServiceAccountToken"], false, "{at}");
            let container = pod.container();
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{at}");
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{at}");
            assert_eq!(list(&container["securityContext"]["capabilities"]["drop"]), ["ALL"], "{at}");
            for bound in ["requests", "limits"] {
                for what in ["cpu", "memory"] {
                    assert!(!container["resources"][bound][what].is_null(), "{at}: {bound} of {what}");
                }
            }
            let image = text(&container["image"]);
            let tag = image.rsplit('/').next().unwrap().split_once(':').map(|(_, tag)| tag);
            assert!(tag.is_some_and(|tag| tag != "latest"), "{at}: {image}");
        }
    });
}

#[test]
fn servers_end_well_spread_out_and_are_asked_how_they_are() {
    each_overlay(|overlay, objects| {
        let servers = pods(objects).into_iter().filter(|pod| pod.template["spec"]["restartPolicy"].is_null());
        for pod in servers {
            let at = format!("{overlay}: {}", pod.name);
            let container = pod.container();
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                assert!(container[probe].is_object(), "{at}: {probe}");
            }
            if pod.name.starts_with("leadflow-postgresql") {
                continue;
            }
            let budgets = of_kind(objects, "PodDisruptionBudget");
            let selects = |budget: &&Json| is_part_of(&budget["spec"]["selector"]["matchLabels"], pod.labels());
            assert_eq!(budgets.filter(selects).count(), 1, "{at}: disruption budgets");
            if pod.name.starts_with("leadflow-nats") {
                continue;
            }
            // The tasks, then the bus, then two pools of the database, each within its bound.
            let pause = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
            let longest = pause + GRACE.as_secs() + 5 + 2 * 5;
            assert!(pod.template["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap() > longest, "{at}");
            for constraint in list(&pod.template["spec"]["topologySpreadConstraints"]) {
                let own = &constraint["labelSelector"]["matchLabels"];
                assert!(is_part_of(own, pod.labels()), "{at}: {constraint}");
                assert!(!own["app.kubernetes.io/component"].is_null(), "{at}: all roles together");
            }
            assert_eq!(list(&pod.template["spec"]["topologySpreadConstraints"]).len(), 2, "{at}");
        }
    });
}

fn is_part_of(part: &Json, whole: &Json) -> bool {
    part.as_object().is_some_and(|part| part.iter().all(|(key, value)| whole[key] == *value))
}

#[test]
fn a_service_selects_only_pods_that_serve_its_ports() {
    each_overlay(|overlay, objects| {
        for service in of_kind(objects, "Service") {
            let all = pods(objects);
            let selected: Vec<_> =
                all.iter().filter(|pod| is_part_of(&service["spec"]["selector"], pod.labels())).collect();
            assert!(!selected.is_empty(), "{overlay}: {} selects nothing", name(service));
            for (pod, port) in
                selected.iter().flat_map(|pod| list(&service["spec"]["ports"]).iter().map(move |port| (pod, port)))
            {
                let target = pod.container_port(text(&port["targetPort"]));
                assert!(target.is_some(), "{overlay}: {} has no port {port}", pod.name);
            }
        }
    });
}

#[test]
fn secrets_are_files_and_no_variable_is_unknown_to_the_binary() {
    let sources = sources(&leadflow_harness::repository().join("services"));
    each_overlay(|overlay, objects| {
        for pod in pods(objects) {
            let container = pod.container();
            let from_secret = list(&container["envFrom"]).iter().any(|from| !from["secretRef"].is_null())
                || list(&container["env"]).iter().any(|entry| !entry["valueFrom"]["secretKeyRef"].is_null());
            assert!(!from_secret, "{overlay}: {} has a secret in a variable", pod.name);
            let mut maps = objects.clone();
            maps.push(serde_json::json!({
                "kind": "ConfigMap", "metadata": {"name": "leadflow-auth"}, "data": {"issuer": "i", "jwks.json": "{}"},
            }));
            for (key, value) in pod.variables(&maps) {
                let is_secret = ["PASSWORD", "TOKEN", "SECRET", "DATABASE_URL", "CREDENTIALS"];
                let is_secret = is_secret.iter().any(|word| key.contains(word)) && !key.ends_with("_FILE");
                assert!(!is_secret && !value.contains("://:"), "{overlay}: {} has {key}", pod.name);
                assert!(is_known(&key, &sources), "{overlay}: {} has {key}, which nothing reads", pod.name);
            }
        }
    });
}

/// Whether the sources name the variable: whole, or as a role's own (`variable(role, "LISTEN")`). `KEY_FILE` is a secret's
/// file.
fn is_known(key: &str, sources: &str) -> bool {
    let Some(rest) = key.strip_prefix("LEADFLOW_") else { return true };
    let role = leadflow_harness::fleet::ROLES.map(|role| role.to_uppercase().replace('-', "_"));
    let own = role.iter().find_map(|role| rest.strip_prefix(role.as_str())?.strip_prefix('_'));
    let candidates = [Some(key), own].into_iter().flatten();
    candidates.flat_map(|key| [Some(key), key.strip_suffix("_FILE")]).flatten().any(|key| {
        let quoted = format!("\"{key}\"");
        sources.contains(&quoted)
    })
}

fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn the_readme_names_every_secret_and_every_key_that_the_operator_has_to_make() {
    let readme = std::fs::read_to_string(deploy().join("README.md")).unwrap();
    each_overlay(|_, objects| {
        for pod in pods(objects) {
            for volume in list(&pod.template["spec"]["volumes"]) {
                let source = &volume["secret"];
                let Some(secret) = source["secretName"].as_str() else { continue };
                assert!(readme.contains(&format!("`{secret}`")), "{secret}");
                for item in list(&source["items"]) {
                    assert!(readme.contains(&format!("`{}`", text(&item["key"]))), "{secret}: {item}");
                }
            }
            for value in list(&pod.container()["env"]).iter().map(|entry| text(&entry["value"])) {
                let Some(key) = value.strip_prefix("/etc/leadflow/secrets/") else { continue };
                assert!(readme.contains(&format!("`{key}`")), "{}: {key}", pod.name);
            }
        }
    });
}

#[test]
fn the_network_lets_through_what_is_needed_and_denies_the_rest() {
    for overlay in OVERLAYS {
        let cluster = Cluster::prepare(overlay, "nowhere");
        let roles = cluster.pods("Deployment");
        for pod in roles.iter().chain(&cluster.pods("Job")) {
            let database = match overlay {
                "production" => reaches_outside(&cluster, pod, 5432),
                _ => cluster.lets_through(pod, "leadflow-postgresql-0", 5432),
            };
            assert!(database, "{overlay}: {} does not reach PostgreSQL", pod.name);
            assert!(!reaches_outside(&cluster, pod, 443), "{overlay}: {} reaches the world", pod.name);
        }
        for pod in &roles {
            let admin = pod.container_port("admin").unwrap();
            assert!(lets_in_namespace(&cluster, pod, "monitoring", admin), "{overlay}: {}", pod.name);
            assert!(cluster.lets_through(pod, "leadflow-nats-0", 4222), "{overlay}: {}", pod.name);
            assert!(!cluster.lets_through(pod, "leadflow-nats-0", 8222), "{overlay}: {}", pod.name);
            // Who has to be asked who it was, or for what got lost on the bus, and nobody else.
            for (asked, port, callers) in [
                ("leadflow-contact-0", 7101, &["leadflow-activity-ingest-0", "leadflow-scoring-0"][..]),
                ("leadflow-activity-ingest-0", 7102, &["leadflow-contact-0", "leadflow-scoring-0"]),
                ("leadflow-scoring-0", 7103, &["leadflow-routing-0"]),
                ("leadflow-routing-0", 7104, &["leadflow-scoring-0"]),
            ] {
                let asks = cluster.lets_through(pod, asked, port);
                assert_eq!(asks, callers.contains(&pod.name.as_str()), "{overlay}: {} and {asked}", pod.name);
            }
        }
        let edge = roles.iter().find(|pod| pod.name == "leadflow-activity-ingest-0").unwrap();
        assert!(lets_in_namespace(&cluster, edge, "ingress-nginx", 7180), "{overlay}");
        assert!(!lets_in_namespace(&cluster, edge, "ingress-nginx", 7102), "{overlay}");
        assert!(!lets_in_namespace(&cluster, edge, "default", 7180), "{overlay}");
    }
}
