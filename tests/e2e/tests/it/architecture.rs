//! Who may know whom, from the manifests and the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cargo_metadata::MetadataCommand;

const SERVICES: [&str; 4] = ["leadflow-contact", "leadflow-activity-ingest", "leadflow-scoring", "leadflow-routing"];
const FOLDERS: [&str; 4] = ["contact", "activity-ingest", "scoring", "routing"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = leadflow_harness::repository().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let normal = |package: &cargo_metadata::Package| {
        let kept = package.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal);
        kept.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn mentions(file: &Path, words: &[&str]) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let hits = code.filter(|line| words.iter().any(|word| line.contains(word)));
    hits.map(|line| format!("{}: {}", file.display(), line.trim())).collect()
}

#[test]
fn services_know_platform_and_proto_and_never_each_other() {
    let all = dependencies();
    for service in SERVICES {
        let ours: Vec<_> = all[service].iter().filter(|name| name.starts_with("leadflow")).collect();
        assert_eq!(ours, ["leadflow-platform", "leadflow-proto"], "{service}");
    }
}

#[test]
fn platform_knows_no_business() {
    let all = dependencies();
    let ours: Vec<_> = all["leadflow-platform"].iter().filter(|name| name.starts_with("leadflow")).collect();
    assert_eq!(ours, ["leadflow-proto"]);
    assert!(all["leadflow-proto"].iter().all(|name| !name.starts_with("leadflow")));
}

#[test]
fn the_domain_knows_neither_runtime_nor_wire_nor_database() {
    let outside =
        ["tokio", "tonic", "sea_orm", "async_nats", "tracing", "prost", "leadflow_proto", "crate::store", "crate::app"];
    for folder in FOLDERS {
        let domain = leadflow_harness::repository().join("services").join(folder).join("src/domain");
        let hits: Vec<_> = sources(&domain).iter().flat_map(|file| mentions(file, &outside)).collect();
        assert!(hits.is_empty(), "{hits:#?}");
    }
}

#[test]
fn rpc_and_events_never_touch_the_store() {
    for folder in FOLDERS {
        let source = leadflow_harness::repository().join("services").join(folder).join("src");
        for file in ["rpc.rs", "events.rs"].map(|name| source.join(name)) {
            if file.exists() {
                let hits = mentions(&file, &["store::", "sea_orm"]);
                assert!(hits.is_empty(), "{hits:#?}");
            }
        }
    }
}

#[test]
fn a_file_holds_one_idea() {
    let root = leadflow_harness::repository();
    let mut long = Vec::new();
    for folder in [
        "proto/src",
        "services",
        "tests/harness/src",
        "tests/bench/src",
        "tests/chaos/src",
        "tests/e2e/tests",
        "tests/deploy/tests",
    ] {
        for file in sources(&root.join(folder)) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            if lines > 400 {
                long.push(format!("{}: {lines}", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "more than 400 lines: {long:#?}");
}
