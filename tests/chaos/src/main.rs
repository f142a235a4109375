//! `leadflow-chaos`: see the crate's README.

use anyhow::Result;
use clap::Parser as _;
use leadflow_chaos::{Settings, plant_each, torment};

#[tokio::main]
async fn main() -> Result<()> {
    let settings = Settings::parse();
    if settings.every_plant { plant_each(&settings).await } else { torment(&settings).await.map(drop) }
}
