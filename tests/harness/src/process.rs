//! A child process that is ended by its id when it is dropped.

use std::{
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A server that was started here. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child })
    }

    /// Waits until `ready` holds.
    ///
    /// # Errors
    /// When the server ends before, or takes longer than thirty seconds.
    pub fn wait_until(&mut self, what: &str, ready: impl Fn() -> bool) -> Result<()> {
        for _ in 0..1200 {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{what} ended with {status} before it was ready");
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        bail!("{what} was not ready within 30 seconds")
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal` and waits until the server has ended, ten seconds at the most.
    pub(crate) fn end(&mut self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
        for _ in 0..400 {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
