//! The one binary: roles to run, and the operator's commands.

mod activity_json;
mod cli;
mod client;
mod commands;
mod import;
mod manifest;
mod output;
mod profile;
mod proto_json;

use std::process::ExitCode;

use clap::Parser as _;
use leadflow_platform::vars::Vars;

/// Batches of thousands of small things come and go: where the C library's allocator spends a third of a role's time on
/// that, this one spends a tenth.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let vars = Vars::from_env();
    leadflow_platform::metrics::init_log(&vars);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&anyhow::Error::from(error)),
    };
    match runtime.block_on(commands::run(cli, vars)) {
        Ok(code) => code,
        Err(error) => output::fail(&error),
    }
}
