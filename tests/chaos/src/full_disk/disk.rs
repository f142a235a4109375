//! A disk that can be filled.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use leadflow_harness::fleet::run;

/// Bytes of the disk. Almost all of it is a hole in a file: JetStream wants to reserve five times 1 GiB.
const DISK: u64 = 8 << 30;
/// What fills the disk to the brim, the largest piece first.
const PIECES: [u64; 6] = [1 << 30, 64 << 20, 1 << 20, 64 << 10, 4 << 10, 1];

/// A small disk of its own in a file, mounted; taken away when dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Makes and mounts one below `folder`; or says why that is not permitted here.
    pub(crate) fn mount(folder: &Path) -> Result<Self> {
        let (image, mounted) = (folder.join("disk.img"), folder.join("disk"));
        std::fs::create_dir_all(&mounted)?;
        File::create(&image)?.set_len(DISK)?;
        let mut make = Command::new("mkfs.ext4");
        make.args(["-q", "-m", "0"]).arg(&image);
        run(make).context("no file system can be made")?;
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(&image).arg(&mounted);
        run(mount).context("nothing may be mounted here (root may, where there are loop devices)")?;
        Ok(Self { folder: mounted })
    }

    /// The folder of the data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Fills the disk until not one block is free.
    ///
    /// # Errors
    /// When `fallocate` is not there.
    pub(crate) fn fill(&self) -> Result<()> {
        for size in PIECES {
            for piece in 0.. {
                let mut allocate = Command::new("fallocate");
                allocate.args(["-l", &size.to_string()]).arg(self.folder.join(format!("filler-{size}-{piece}")));
                if !allocate.stderr(Stdio::null()).status()?.success() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When the files cannot be deleted.
    pub(crate) fn free(&self) -> Result<()> {
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("filler-") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may not have let go of its last file yet.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        let _ = std::fs::remove_file(self.folder.with_extension("img"));
    }
}
