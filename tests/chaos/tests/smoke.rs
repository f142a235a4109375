//! A minute of torment, as part of `make test`. Nothing is said about speed here: other tests run at the same time.

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use leadflow_chaos::{Settings, torment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_of_torment_leaves_nothing_lost_doubled_or_unexplained() -> Result<()> {
    let tests = std::env::current_exe()?;
    let binary = tests.ancestors().nth(2).context("where are the binaries?")?.join("leadflow");
    ensure!(binary.exists(), "{} is missing: run `cargo build` first, or `make test`", binary.display());
    let out = leadflow_harness::scratch()?;
    let words = ["leadflow-chaos", "--duration", "60", "--seed", "1", "--rate", "15"];
    let settings = Settings { binary, out: out.path().to_owned(), ..Settings::parse_from(words) };
    let summary = torment(&settings).await?;
    ensure!(summary.acked > 300 && summary.kills >= 5 && summary.redeliveries > 0, "{summary:?}");
    Ok(())
}
