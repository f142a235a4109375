//! What a run is told.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

/// Torments Leadflow and checks afterwards that nothing was lost, doubled, scored wrong or routed wrong.
#[derive(Clone, Debug, Parser)]
#[command(about)]
pub struct Settings {
    /// How long the load and the faults last, in seconds.
    #[arg(long, default_value_t = 900)]
    pub duration: u64,
    /// Which faults and which activities; the same seed draws the same. By default another one every time.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Distinct activities a second.
    #[arg(long, default_value_t = 40.0)]
    pub rate: f64,
    /// No faults: what the load alone comes to.
    #[arg(long)]
    pub calm: bool,
    /// The bug to switch on, in a binary that has it compiled in: then its counter has to be above zero.
    #[arg(long)]
    pub plant: Option<String>,
    /// Each bug that there is, one run after the other: all of them have to be found.
    #[arg(long, conflicts_with_all = ["plant", "full_disk"])]
    pub every_plant: bool,
    /// The other scenario: the embedded default on a disk that runs full. Needs root, for it mounts one.
    #[arg(long)]
    pub full_disk: bool,
    /// The program under torment.
    #[arg(long, default_value = "target/debug/leadflow")]
    pub binary: PathBuf,
    /// Where the summary and what the run leaves behind are written.
    #[arg(long, default_value = "target/chaos")]
    pub out: PathBuf,
}

impl Settings {
    /// How long the load and the faults last.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.duration)
    }

    /// Where the summary is written.
    pub(crate) fn summary(&self) -> PathBuf {
        self.out.join(if self.full_disk { "full-disk.json" } else { "summary.json" })
    }

    /// What the oracle reads, and the logs.
    pub(crate) fn run_folder(&self) -> PathBuf {
        self.out.join(if self.full_disk { "full-disk" } else { "run" })
    }
}
