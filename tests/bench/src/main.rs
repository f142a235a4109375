#![doc = include_str!("../README.md")]

mod backtest;
mod data;
mod floor;
mod growth;
mod load;
mod plan;
mod report;
mod resolve;
mod steady;
mod usage;
mod world;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum as _};

use crate::plan::{Part, Scale};

/// How fast the suite is, beside the least that any such system has to do.
#[derive(Debug, Parser)]
struct Options {
    /// How much is sent.
    #[arg(long, value_enum, default_value = "full")]
    scale: Scale,
    /// The same seed makes the same activities.
    #[arg(long, default_value_t = 4711)]
    seed: u64,
    /// Only these parts, for example `postgres,growth`.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Where `summary.json` and `latency.svg` go.
    #[arg(long, default_value = "target/bench")]
    output: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Options { scale, seed, only, output } = Options::parse();
    let parts = if only.is_empty() { Part::value_variants() } else { &only };
    let summary = plan::measure(scale, seed, parts).await?;
    report::write(&summary, &output)?;
    println!("{}\n{} and latency.svg", report::tables(&summary), output.join("summary.json").display());
    Ok(())
}
