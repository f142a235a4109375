//! Starts again what has ended, as Kubernetes does; helps with nothing else.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Result;
use leadflow_harness::fleet::Fleet;

use crate::world::{World, lock};

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long it waits before it starts a process again.
const PAUSE: Duration = Duration::from_millis(300);

/// Threads that keep processes alive, until they are stopped.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: Arc<AtomicBool>,
    restarts: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Supervisor {
    /// Begins to watch all processes of the world.
    pub(crate) fn start(world: &World) -> Self {
        let mut supervisor = Self { stop: Arc::default(), restarts: Arc::default(), threads: Vec::new() };
        let (fleet, nats, postgres) = world.processes();
        supervisor.watch(fleet, revive_members);
        supervisor.watch(nats, |nats| {
            let ended = nats.has_ended();
            if ended {
                nats.restart()?;
            }
            Ok(u64::from(ended))
        });
        supervisor.watch(postgres, |postgres| {
            let ended = postgres.has_ended();
            if ended {
                postgres.restart()?;
            }
            Ok(u64::from(ended))
        });
        supervisor
    }

    /// How many processes were started again so far.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    fn watch<T: Send + 'static>(
        &mut self,
        what: Arc<Mutex<T>>,
        revive: impl Fn(&mut T) -> Result<u64> + Send + 'static,
    ) {
        let (stop, restarts) = (self.stop.clone(), self.restarts.clone());
        self.threads.push(std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                match revive(&mut lock(&what)) {
                    Ok(count) => restarts.fetch_add(count, Ordering::Relaxed),
                    Err(error) => {
                        eprintln!("cannot start it again: {error:#}");
                        0
                    }
                };
                std::thread::sleep(INTERVAL);
            }
        }));
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn revive_members(fleet: &mut Fleet) -> Result<u64> {
    let ended: Vec<_> = (0..fleet.members.len()).filter(|index| fleet.has_ended(*index)).collect();
    if !ended.is_empty() {
        std::thread::sleep(PAUSE);
    }
    for index in &ended {
        fleet.restart(*index)?;
    }
    Ok(ended.len() as u64)
}
