//! What the NetworkPolicies let through.

use serde_json::Value as Json;

use super::{Cluster, Pod};
use crate::tools::{list, text};

impl Cluster {
    /// Whether a pod is let out to a port of another one, and let in there.
    pub(crate) fn lets_through(&self, from: &Pod, to: &str, port: u16) -> bool {
        let all = ["Deployment", "StatefulSet"].into_iter().flat_map(|kind| self.pods(kind));
        let to = all.into_iter().find(|pod| pod.name == to).unwrap();
        allows(self, from, "Egress", port, |peer| selects(&peer["podSelector"], &to))
            && allows(self, &to, "Ingress", port, |peer| selects(&peer["podSelector"], from))
    }
}

/// Whether a pod may reach a port outside of the cluster.
pub(crate) fn reaches_outside(cluster: &Cluster, from: &Pod, port: u16) -> bool {
    allows(cluster, from, "Egress", port, |peer| !peer["ipBlock"].is_null())
}

/// Whether another namespace may reach a port of a pod.
pub(crate) fn lets_in_namespace(cluster: &Cluster, to: &Pod, namespace: &str, port: u16) -> bool {
    let named = |peer: &Json| peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == namespace;
    allows(cluster, to, "Ingress", port, named)
}

fn allows(cluster: &Cluster, pod: &Pod, direction: &str, port: u16, is_peer: impl Fn(&Json) -> bool) -> bool {
    let policies = cluster.objects.iter().filter(|object| object["kind"] == "NetworkPolicy");
    let ours: Vec<_> = policies
        .map(|policy| &policy["spec"])
        .filter(|spec| list(&spec["policyTypes"]).iter().any(|kind| kind == direction))
        .filter(|spec| selects(&spec["podSelector"], pod))
        .collect();
    assert!(!ours.is_empty(), "{}: everything is let through", pod.name);
    let (rules, peers) = if direction == "Egress" { ("egress", "to") } else { ("ingress", "from") };
    ours.iter().flat_map(|spec| list(&spec[rules])).any(|rule| {
        list(&rule["ports"]).iter().any(|entry| entry["port"] == port) && list(&rule[peers]).iter().any(&is_peer)
    })
}

/// Whether a label selector takes a pod. None takes none; an empty one takes all.
fn selects(selector: &Json, pod: &Pod) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    let labels = pod.labels();
    selector.iter().all(|(kind, wanted)| match kind.as_str() {
        "matchLabels" => wanted.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value),
        "matchExpressions" => list(wanted).iter().all(|expression| {
            assert_eq!(expression["operator"], "In", "{expression}");
            list(&expression["values"]).contains(&labels[text(&expression["key"])])
        }),
        other => panic!("{other} is not understood"),
    })
}
