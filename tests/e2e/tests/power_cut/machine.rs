//! A machine with one disk, whose power can be cut: ext4 on a block device that forgets what was not flushed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// What has to be installed.
const NEEDED: [&str; 5] = ["python3", "losetup", "mkfs.ext4", "mount", "unshare"];

/// Why no disk can be mounted here, if so.
pub(crate) fn forbidden() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root may mount a disk".into());
    }
    for device in ["/dev/fuse", "/dev/loop-control"] {
        if let Err(error) = std::fs::File::options().read(true).write(true).open(device) {
            return Some(format!("{device} cannot be opened: {error}"));
        }
    }
    if let Some(tool) = NEEDED.into_iter().find(|tool| Command::new(tool).arg("--version").output().is_err()) {
        return Some(format!("{tool} is not installed"));
    }
    // It needs the capability that mounting needs.
    run(Command::new("unshare").args(["--mount", "true"])).err().map(|error| format!("{error:#}"))
}

/// A machine that runs. Shut down when dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
    disk: Disk,
    /// The block device, while the disk is in use.
    device: Option<String>,
}

impl Machine {
    /// A new machine with an empty disk.
    ///
    /// # Errors
    /// When the disk cannot be mounted.
    pub(crate) fn new() -> Result<Self> {
        let folder = leadflow_harness::scratch()?;
        // The database's server runs as somebody else.
        run(Command::new("chmod").arg("755").arg(folder.path()))?;
        for name in ["disk", "root"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let disk = Disk::start(folder.path().join("disk"))?;
        let mut machine = Self { folder, disk, device: None };
        machine.plug_in()?;
        let device = machine.device.as_deref().unwrap_or_default();
        run(Command::new("mkfs.ext4").args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", device]))?;
        machine.mount()?;
        Ok(machine)
    }

    /// Where the disk's files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Makes everything that has been written so far last.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn sync(&self) -> Result<()> {
        run(Command::new("sync").arg("--file-system").arg(self.root()))
    }

    /// Cuts the power: nothing reaches the disk any more, and what was not flushed is gone. What runs on it goes on for
    /// a moment and does not know.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub(crate) fn cut(&mut self) -> Result<()> {
        self.disk.order("cut")
    }

    /// Starts with what is left on the disk, in the same folder. What ran on the machine was killed.
    ///
    /// # Errors
    /// When the disk cannot be mounted.
    pub(crate) fn boot(&mut self) -> Result<()> {
        self.unplug()?;
        self.plug_in()?;
        self.mount()
    }

    fn plug_in(&mut self) -> Result<()> {
        self.disk.order("plug")?;
        let output = Command::new("losetup").args(["--find", "--show"]).arg(self.disk.folder.join("disk")).output()?;
        ensure!(output.status.success(), "losetup: {}", String::from_utf8_lossy(&output.stderr));
        self.device = Some(String::from_utf8(output.stdout)?.trim().to_owned());
        Ok(())
    }

    /// By itself, ext4 writes nothing for an hour: only who asks for it is safe.
    fn mount(&self) -> Result<()> {
        let device = self.device.as_deref().context("no disk is plugged in")?;
        run(Command::new("mount").args(["-o", "commit=3600", device]).arg(self.root()))
    }

    fn unplug(&mut self) -> Result<()> {
        let Some(device) = self.device.take() else { return Ok(()) };
        // As soon as the children of what was killed are gone too.
        patiently(|| run(Command::new("umount").arg(self.root())))?;
        run(Command::new("losetup").args(["--detach", &device]))?;
        patiently(|| self.disk.order("unplug"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Nobody needs what is on it any more, and the way down shall not depend on it.
        if let Err(error) = self.cut().and_then(|()| self.unplug()) {
            eprintln!("the machine did not shut down: {error:#}");
        }
    }
}

/// The disk, which is a process of its own. It ends with its standard input.
#[derive(Debug)]
struct Disk {
    folder: PathBuf,
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Disk {
    fn start(folder: PathBuf) -> Result<Self> {
        let script = leadflow_harness::repository().join("tests/e2e/tests/power_cut/disk.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start python3")?;
        let answers = BufReader::new(process.stdout.take().context("no answers")?);
        Ok(Self { folder, orders: process.stdin.take(), answers, process })
    }

    fn order(&mut self, order: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("the disk has ended")?;
        writeln!(orders, "{order}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim() {
            "ok" => Ok(()),
            "" => bail!("the disk has ended"),
            error => bail!("{order}: {error}"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.process.wait();
    }
}

fn patiently(mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = attempt() {
        ensure!(Instant::now() < deadline, error);
        std::thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
