//! CSV files, imported by the real binary: to the assigned rep, once however often, and what is wrong named.

mod calls;
mod interruption;
mod mistakes;
mod records;
mod scans;

use std::path::{Path, PathBuf};

use leadflow_harness::eventually;
use serde_json::Value as Json;

use crate::support::World;

/// A Wednesday at eleven in Berlin.
const NOW: &str = "2026-11-25T10:00:00Z";

/// What an import has said.
struct Imported {
    code: Option<i32>,
    /// Null when it has said none.
    summary: Json,
    errors: String,
}

impl Imported {
    /// A count of the summary.
    fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap_or_else(|| panic!("no {name}: {} {}", self.summary, self.errors))
    }

    /// Lines, sent, accepted, duplicates, quarantined, rejected, repeated, invalid.
    fn counts(&self) -> [u64; 8] {
        ["lines", "sent", "accepted", "duplicates", "quarantined", "rejected", "repeated", "invalid"]
            .map(|name| self.count(name))
    }
}

impl World {
    /// Writes a file into the folder of the test.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Imports a file into `expo`, with its moments in Berlin.
    async fn import(&self, file: &Path, words: &[&str]) -> Imported {
        self.import_from(file, "expo", words).await
    }

    async fn import_from(&self, file: &Path, source: &str, words: &[&str]) -> Imported {
        let file = file.display().to_string();
        let fixed = ["import", &file, "--source", source, "--time-zone", "Europe/Berlin", "--output", "json"];
        let output = self.cli.run(&[&fixed, words].concat()).await;
        Imported {
            code: output.status.code(),
            summary: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Waits until everything is explained. These tests live in the past, where what is on its way looks overdue.
    async fn reconciled(&self) {
        eventually!(self.cli.run(&["reconcile"]).await.status.success());
    }

    /// All activities of a source.
    async fn recorded(&self, source: &str) -> Vec<Json> {
        let all = self.cli.json(&["activities", "--source", source, "--limit", "0"]).await;
        all.as_array().unwrap().clone()
    }
}
