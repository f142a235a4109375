//! Which pod a name leads to.

use serde_json::Value as Json;

use super::{Cluster, Pod};
use crate::tools::{find, list, text};

/// The pod and its port that `HOST:PORT` leads to; nothing where the host is none of the cluster's.
pub(super) fn resolve(cluster: &Cluster, host: &str, port: u16) -> Option<(Pod, u16)> {
    let mut labels = host.split('.');
    let first = labels.next()?;
    if let Some(service) = find(&cluster.objects, "Service", first) {
        let pod = selected(cluster, service).into_iter().next();
        let pod = pod.unwrap_or_else(|| panic!("the Service {first} selects no pod"));
        let port = target(service, &pod, port);
        return Some((pod, port));
    }
    // `POD.SERVICE`, as a StatefulSet's pods are called.
    let service = find(&cluster.objects, "Service", labels.next()?)?;
    let pod = selected(cluster, service).into_iter().find(|pod| pod.name == first);
    let pod = pod.unwrap_or_else(|| panic!("{host} is no pod"));
    let port = target(service, &pod, port);
    Some((pod, port))
}

/// As [`resolve`], for a pod that goes there: it has to be let out, and the other one has to let it in.
pub(super) fn resolve_from(cluster: &Cluster, from: &Pod, host: &str, port: u16) -> Option<(Pod, u16)> {
    let (to, port) = resolve(cluster, host, port)?;
    assert!(cluster.lets_through(from, &to.name, port), "{} is not let through to {}:{port}", from.name, to.name);
    Some((to, port))
}

fn selected(cluster: &Cluster, service: &Json) -> Vec<Pod> {
    let selector = service["spec"]["selector"].as_object().unwrap();
    let pods = ["Deployment", "StatefulSet", "Job"].into_iter().flat_map(|kind| cluster.pods(kind));
    pods.filter(|pod| selector.iter().all(|(key, value)| pod.labels()[key] == *value)).collect()
}

fn target(service: &Json, pod: &Pod, port: u16) -> u16 {
    let entry = list(&service["spec"]["ports"]).iter().find(|entry| entry["port"] == port);
    let entry = entry.unwrap_or_else(|| panic!("{}: no port {port}", text(&service["metadata"]["name"])));
    let target = match &entry["targetPort"] {
        Json::String(name) => pod.container_port(name).unwrap_or_else(|| panic!("{}: no port {name}", pod.name)),
        number => u16::try_from(number.as_u64().unwrap()).unwrap(),
    };
    // A headless Service is a list of addresses; nobody turns one port into another.
    assert!(service["spec"]["clusterIP"] != "None" || target == port, "{service:#}");
    target
}
