//! `leadflow-chaos`: see the crate's README.

use anyhow::Result;
use clap::Parser as _;
use leadflow_chaos::{Settings, torment};

#[tokio::main]
async fn main() -> Result<()> {
    torment(&Settings::parse()).await.map(drop)
}
