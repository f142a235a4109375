//! The dashboard, the alerts, the runbook: what they name is there.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::{
    label::MatchOp,
    parser::{self, Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value as Json;

use crate::{
    cluster::Cluster,
    tools::{deploy, list, objects, of_kind, read, render, text},
};

type Labels = BTreeMap<String, String>;

/// Which series an expression reads.
#[derive(Default)]
struct Selectors(Vec<VectorSelector>);

impl ExprVisitor for Selectors {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.0.push(selector.clone()),
            Expr::MatrixSelector(selector) => self.0.push(selector.vs.clone()),
            _ => {}
        }
        Ok(true)
    }
}

fn selectors(expression: &str) -> Vec<VectorSelector> {
    // What Grafana and the adapter put in.
    let plain = expression.replace("$__rate_interval", "5m").replace(",<<.LabelMatchers>>", "");
    let parsed = parser::parse(&plain).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let mut found = Selectors::default();
    let Ok(_) = walk_expr(&mut found, &parsed);
    assert!(!found.0.is_empty(), "{expression} reads nothing");
    found.0
}

fn alerts() -> Vec<Json> {
    let file = &read(&deploy().join("alerts/leadflow.yaml"))[0];
    list(&file["groups"]).iter().flat_map(|group| list(&group["rules"])).cloned().collect()
}

fn adapter() -> Json {
    read(&deploy().join("prometheus-adapter.yaml"))[0]["rules"]["external"][0].clone()
}

/// Every expression that somebody relies on, with the place where it is written.
fn expressions() -> Vec<(String, String)> {
    let mut all: Vec<_> =
        alerts().iter().map(|rule| (text(&rule["alert"]).to_owned(), text(&rule["expr"]).to_owned())).collect();
    let dashboard = std::fs::read_to_string(deploy().join("grafana/leadflow.json")).unwrap();
    let dashboard: Json = serde_json::from_str(&dashboard).unwrap();
    for panel in list(&dashboard["panels"]) {
        let place = format!("the panel `{}`", text(&panel["title"]));
        all.extend(list(&panel["targets"]).iter().map(|target| (place.clone(), text(&target["expr"]).to_owned())));
    }
    let adapter = adapter();
    all.extend(["seriesQuery", "metricsQuery"].map(|key| (key.to_owned(), text(&adapter[key]).to_owned())));
    all
}

/// The series in what `/metrics` answers.
fn series(exposed: &str) -> Vec<(String, Labels)> {
    let lines = exposed.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let read = |line: &str| {
        let series = line.rsplit_once(' ').unwrap().0;
        let Ok(Expr::VectorSelector(selector)) = parser::parse(series) else { panic!("{line} is no series") };
        let labels = selector.matchers.matchers.into_iter().map(|matcher| (matcher.name, matcher.value));
        (selector.name.unwrap(), labels.collect())
    };
    lines.map(read).collect()
}

/// The names of the codes of gRPC, as the metrics write them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A code that no role ever shows would be looked for in vain, and nobody would notice.
fn codes(selector: &VectorSelector) -> Vec<String> {
    let ours = selector.matchers.matchers.iter().filter(|matcher| matcher.name == "rpc_response_status_code");
    ours.flat_map(|matcher| matcher.value.split('|').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Everything that the dashboard, the alerts and the autoscaler read is shown by some role, labels and their values too.
pub(crate) async fn what_is_watched_is_exposed(cluster: &Cluster) {
    let exposed: Vec<_> = cluster.metrics().await.values().flat_map(|answer| series(answer)).collect();
    let mut missing = BTreeSet::new();
    let shown = exposed.iter().filter_map(|(_, labels)| labels.get("rpc_response_status_code"));
    assert!(shown.clone().count() > 0 && shown.clone().all(|code| CODES.contains(&code.as_str())), "codes have names");
    for (place, expression) in expressions() {
        for selector in selectors(&expression) {
            let name = selector.name.clone().unwrap();
            missing.extend(codes(&selector).into_iter().filter(|code| !CODES.contains(&code.as_str())));
            let fits = |labels: &Labels| {
                selector.matchers.matchers.iter().all(|matcher| match &matcher.op {
                    MatchOp::Equal => labels.get(&matcher.name) == Some(&matcher.value),
                    _ => labels.contains_key(&matcher.name),
                })
            };
            if !exposed.iter().any(|(shown, labels)| *shown == name && fits(labels)) {
                missing.insert(format!("{place} reads {selector}, which no role shows"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_expression_is_promql() {
    for (_, expression) in expressions() {
        selectors(&expression);
    }
}

#[test]
fn every_alert_has_its_paragraph_in_the_runbook_and_every_paragraph_its_alert() {
    let runbook = std::fs::read_to_string(deploy().join("runbook.md")).unwrap();
    let paragraphs: BTreeMap<_, _> =
        runbook.split("\n### ").skip(1).map(|paragraph| paragraph.split_once('\n').unwrap()).collect();
    let mut named = BTreeSet::new();
    for alert in alerts() {
        let name = text(&alert["alert"]).to_owned();
        let paragraph = paragraphs.get(name.as_str()).unwrap_or_else(|| panic!("the runbook says nothing of {name}"));
        for part in ["**Means:**", "**Look at:**", "**Do:**"] {
            assert!(paragraph.contains(part), "{name}: {part}");
        }
        let anchor = format!("deploy/runbook.md#{}", name.to_lowercase());
        assert_eq!(text(&alert["annotations"]["runbook_url"]), anchor, "{name}");
        assert!(!text(&alert["annotations"]["summary"]).is_empty(), "{name}");
        assert!(["page", "ticket"].contains(&text(&alert["labels"]["severity"])), "{name}");
        assert!(named.insert(name.clone()), "{name} is there twice");
    }
    let known: BTreeSet<_> = paragraphs.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(known, named);
}

#[test]
fn the_autoscaler_asks_for_the_metric_that_the_adapter_serves() {
    let objects = objects(&render("production"));
    let autoscaler = of_kind(&objects, "HorizontalPodAutoscaler").next().unwrap();
    let metric = &list(&autoscaler["spec"]["metrics"])[0]["external"]["metric"]["name"];
    assert_eq!(*metric, adapter()["name"]["as"]);
}
