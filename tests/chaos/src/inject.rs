//! Makes the faults happen, and notes when each was over.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use leadflow_harness::fleet::{ROLES, is_ready};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    fault::{Fault, REPLICAS, Target},
    proxy::Trouble,
    world::{World, lock},
};

/// How long a process may take to end by itself before it is killed, as Kubernetes has it.
const TERMINATION_GRACE: Duration = Duration::from_secs(30);

/// What has happened so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Happened {
    pub(crate) kills: usize,
    pub(crate) pauses: usize,
    pub(crate) cuts: usize,
    /// What ended when; recovery is measured from there.
    pub(crate) ends: Vec<(Instant, String)>,
}

/// Runs a schedule from `begin` to its end.
pub(crate) async fn run(
    world: Arc<World>,
    schedule: Vec<(Duration, Fault)>,
    begin: Instant,
    happened: Arc<Mutex<Happened>>,
) {
    let mut running = tokio::task::JoinSet::new();
    for (at, fault) in schedule {
        let (world, happened) = (world.clone(), happened.clone());
        running.spawn(async move {
            tokio::time::sleep_until((begin + at).into()).await;
            println!("{:>7.1} s  {fault}", at.as_secs_f64());
            match inject(&world, &fault).await {
                Ok(()) => note(&mut lock(&happened), &fault),
                Err(error) => eprintln!("           {fault} did not work: {error:#}"),
            }
        });
    }
    running.join_all().await;
}

fn note(happened: &mut Happened, fault: &Fault) {
    happened.kills += fault.kills();
    match fault {
        Fault::Pause(..) => happened.pauses += 1,
        Fault::Network(..) => happened.cuts += 1,
        Fault::NewModel => return,
        Fault::Kill(_) | Fault::RollingRestart | Fault::ForgetStreams => {}
    }
    happened.ends.push((Instant::now(), fault.to_string()));
}

async fn inject(world: &Arc<World>, fault: &Fault) -> Result<()> {
    match fault {
        Fault::Kill(targets) => {
            blocking(world, {
                let targets = targets.clone();
                move |world| {
                    targets.iter().for_each(|target| kill(world, *target));
                    Ok(())
                }
            })
            .await
        }
        Fault::Pause(target, time) => {
            let target = *target;
            let stopped = blocking(world, move |world| Ok(signal(&processes(world, target), Signal::STOP))).await?;
            tokio::time::sleep(*time).await;
            signal(&stopped, Signal::CONT);
            Ok(())
        }
        Fault::Network(way, trouble, time) => {
            world.ways.set(*way, *trouble)?;
            tokio::time::sleep(*time).await;
            world.ways.set(*way, Trouble::None)
        }
        Fault::RollingRestart => rolling_restart(world).await,
        Fault::ForgetStreams => {
            blocking(world, |world| {
                let mut nats = world.nats();
                nats.kill();
                nats.forget()?;
                nats.restart()
            })
            .await
        }
        Fault::NewModel => new_model(world).await,
    }
}

/// What waits for processes must not hold up the load.
async fn blocking<T: Send + 'static>(
    world: &Arc<World>,
    act: impl FnOnce(&World) -> Result<T> + Send + 'static,
) -> Result<T> {
    let world = world.clone();
    tokio::task::spawn_blocking(move || act(&world)).await.context("a fault panicked")?
}

fn kill(world: &World, target: Target) {
    match target {
        Target::Member(index) => world.fleet().kill(index),
        Target::Nats => world.nats().kill(),
        Target::Postgres => world.postgres().kill(),
    }
}

/// The processes of a target. PostgreSQL has one for each connection.
fn processes(world: &World, target: Target) -> Vec<Pid> {
    let pid = match target {
        Target::Member(index) => world.fleet().pid(index),
        Target::Nats => world.nats().pid(),
        Target::Postgres => world.postgres().pid(),
    };
    let Some(pid) = pid else { return Vec::new() };
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(pid).chain(children).filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).collect()
}

/// Sends a signal to those that are still there.
fn signal(processes: &[Pid], signal: Signal) -> Vec<Pid> {
    processes.iter().copied().filter(|pid| kill_process(*pid, signal).is_ok()).collect()
}

async fn rolling_restart(world: &Arc<World>) -> Result<()> {
    for index in 0..ROLES.len() * REPLICAS {
        blocking(world, move |world| {
            let before = world.fleet().pid(index);
            signal(&processes(world, Target::Member(index)), Signal::TERM);
            // The supervisor starts it again when it has ended.
            let deadline = Instant::now() + TERMINATION_GRACE;
            while world.fleet().pid(index) == before && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(100));
            }
            if world.fleet().pid(index) == before {
                eprintln!("           {} did not end within {TERMINATION_GRACE:?}", Target::Member(index));
                world.fleet().kill(index);
            }
            // The next one only when this one is ready, within reason: others may be dying at the same time.
            let port = world.fleet().members[index].admin_port;
            while !is_ready(port) && Instant::now() < deadline + TERMINATION_GRACE {
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// As a sales manager does: again, until it has worked.
async fn new_model(world: &World) -> Result<()> {
    let mut tries = 0;
    while let Err(error) = world.apply("company-2").await {
        tries += 1;
        anyhow::ensure!(tries < 60, "the new model cannot be published: {error:#}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
