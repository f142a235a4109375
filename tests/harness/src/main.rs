//! Runs a command with one private PostgreSQL server for all its tests: `leadflow-harness cargo nextest run`.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use leadflow_harness::Postgres;

fn main() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    let program = words.next().context("usage: leadflow-harness COMMAND [ARG…]")?;
    let server = Postgres::start()?;
    let status = Command::new(program).args(words).env("LEADFLOW_TEST_POSTGRES_URL", server.base_url()).status()?;
    drop(server);
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
