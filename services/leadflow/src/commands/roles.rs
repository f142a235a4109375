//! Running roles: all in one process, or one.

use std::{fs::File, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use leadflow::{
    embedded_nats::EmbeddedNats,
    suite::{self, ROLES, Suite},
};
use leadflow_platform::{clock::Clock, config::variable, vars::Vars};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::sample;
use crate::{
    cli::{Global, Up},
    client::Clients,
};

/// Runs all roles until Ctrl-C or SIGTERM.
pub(crate) async fn up(global: Global, up: Up, vars: Vars) -> Result<ExitCode> {
    std::fs::create_dir_all(&up.data_dir).with_context(|| format!("cannot create {}", up.data_dir.display()))?;
    let _lock = lock(&up)?;
    let data_dir = up.data_dir.canonicalize()?;
    let vars = vars.with("LEADFLOW_DATA_DIR", data_dir.display().to_string());
    let mut nats = None;
    let mut vars = vars;
    if vars.get("LEADFLOW_NATS_URL").is_none() {
        let server = EmbeddedNats::start(&data_dir.join("nats")).await?;
        vars = vars.with("LEADFLOW_NATS_URL", server.url());
        nats = Some(server);
    }
    let result = run_all(global, &up, vars, &mut nats).await;
    if let Some(nats) = nats {
        nats.stop().await;
    }
    result
}

async fn run_all(global: Global, up: &Up, vars: Vars, nats: &mut Option<EmbeddedNats>) -> Result<ExitCode> {
    let stop = termination()?;
    let mut suite = Suite::start(vars.clone(), Clock::system()).await?;
    for (role, addresses) in suite.listening.roles() {
        println!("{role:<16} gRPC {}   health and metrics http://{}", addresses.rpc, addresses.admin);
    }
    println!("{:<16} forms {}/v1/forms/SOURCE", "", suite.listening.http_url());
    if let Some(url) = vars.get("LEADFLOW_NATS_URL") {
        println!("{:<16} NATS {url}   publish to leadflow.intake.v1.SOURCE", "");
    }
    println!("{:<16} data in {}\n", "", up.data_dir.display());

    let vars = ROLES.iter().fold(vars, |vars, (role, _)| vars.or(&variable(role, "URL"), suite.listening.url(role)));
    let vars = vars.or("LEADFLOW_ACTIVITY_INGEST_HTTP_URL", suite.listening.http_url());
    let clients = Clients::new(&global, &vars)?;
    let sample = async {
        if let Some(folder) = &up.sample {
            sample::run(&clients, sample::Sample { folder, data_dir: &up.data_dir, vars: &vars }).await?;
        }
        println!("Ready. Press Ctrl-C to stop.");
        std::future::pending::<Result<()>>().await
    };
    let nats_alive = async {
        match nats {
            Some(nats) => nats.keep_alive().await,
            None => std::future::pending().await,
        }
    };
    let failed = tokio::select! {
        () = stop.cancelled() => None,
        result = suite.ended() => Some(result.err().map_or_else(|| anyhow::anyhow!("a role has ended"), Into::into)),
        result = sample => result.err(),
        never = nats_alive => match never {},
    };
    println!("Stopping …");
    suite.stop().await?;
    match failed {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn lock(up: &Up) -> Result<File> {
    let path = up.data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!("another `leadflow up` runs on {}: stop it, or choose another --data-dir", up.data_dir.display());
    }
    Ok(file)
}

/// Runs one role until Ctrl-C or SIGTERM.
pub(crate) async fn serve(role: &str, vars: &Vars) -> Result<ExitCode> {
    suite::serve(role, vars, termination()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Brings the tables of a role up to date, or of all.
pub(crate) async fn migrate(role: &str, vars: &Vars) -> Result<ExitCode> {
    let roles: Vec<_> = ROLES.iter().map(|(name, _)| *name).filter(|name| role == "all" || role == *name).collect();
    if roles.is_empty() {
        suite::migrate(role, vars).await?;
    }
    for role in roles {
        suite::migrate(role, vars).await.with_context(|| format!("the tables of {role}"))?;
        println!("{role}: up to date");
    }
    Ok(ExitCode::SUCCESS)
}

/// A token that Ctrl-C or SIGTERM cancels. The second one ends the process at once.
pub(super) fn termination() -> Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancel = token.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            cancel.cancel();
        }
    });
    Ok(token)
}
