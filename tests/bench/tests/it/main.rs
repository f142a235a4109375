//! Whether the bench works: a quick run of it. How fast the suite is, no test says: machines differ.

use std::process::Command;

use serde_json::Value as Json;

const DOORS: [&str; 3] = ["grpc_batches", "grpc_single", "http"];
const ROLES: [&str; 4] = ["activity-ingest", "contact", "routing", "scoring"];

#[test]
fn a_quick_run_writes_a_summary_that_is_whole_and_whose_sums_agree() {
    let folder = leadflow_harness::scratch().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_leadflow-bench"))
        // On SQLite it is the same code, and minutes more.
        .args(["--scale", "quick", "--only", "postgres,backtest,growth", "--output"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let summary = std::fs::read(folder.path().join("summary.json")).unwrap();
    let summary: Json = serde_json::from_slice(&summary).unwrap();

    let postgres = &summary["postgres"];
    for door in DOORS {
        check_door(&postgres["doors"][door]);
    }
    for figure in ["rate_per_s", "accept_p50_ms", "accept_p99_ms", "assign_p50_ms", "assign_p99_ms"] {
        assert!(postgres[figure].is_f64(), "no {figure}");
    }
    assert!(number(&postgres["floor_per_s"]) > 0.0 && number(&postgres["round_trip_p50_ms"]) > 0.0, "{postgres}");
    let batches = &postgres["doors"]["grpc_batches"];
    let ratio = number(&batches["e2e_per_s"]) / number(&postgres["floor_per_s"]);
    assert!((number(&batches["ratio"]) - ratio).abs() < 1e-9, "{batches}");
    assert!(number(&summary["backtest_per_s"]) > 0.0);

    let growth = summary["growth"].as_array().unwrap();
    assert_eq!(growth.len(), 2);
    assert!(growth[1]["ledger_rows"].as_u64() > growth[0]["ledger_rows"].as_u64());
    assert_eq!(number(&growth[0]["ratio"]), 1.0);

    let plot = std::fs::read_to_string(folder.path().join("latency.svg")).unwrap();
    assert_eq!(plot.matches("<polyline").count(), 2, "two latencies");
}

/// All that was sent came through: what is lost on the way, the bench itself does not let pass.
fn check_door(door: &Json) {
    assert!(door["activities"].as_u64() >= Some(100), "{door}");
    assert!(door["hot"].as_u64() >= Some(2), "{door}");
    assert_eq!(door["hot"], door["assignments"], "{door}");
    assert!(number(&door["accepted_per_s"]) >= number(&door["e2e_per_s"]), "{door}");
    for role in ROLES {
        assert!(number(&door["rss_mib"][role]) > 1.0, "no memory of {role}: {door}");
        assert!(number(&door["cpu_s_per_10k"][role]) > 0.0, "no time of {role}: {door}");
    }
    assert!(door["cpu_s_per_10k"]["nats"].is_f64() && door["cpu_s_per_10k"]["driver"].is_f64(), "{door}");
}

fn number(figure: &Json) -> f64 {
    figure.as_f64().unwrap_or_else(|| panic!("{figure} is no number"))
}
