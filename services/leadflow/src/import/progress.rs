//! How far an import has come, in a small file beside its own.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// What became of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// All lines of the file that say something.
    pub(crate) lines: u64,
    /// Lines that were sent; the others are `repeated` or `invalid`.
    pub(crate) sent: u64,
    /// Sent, and new.
    pub(crate) accepted: u64,
    /// Sent, and in the ledger before.
    pub(crate) duplicates: u64,
    /// Of these, those whose content was another one; the first stands.
    pub(crate) conflicting: u64,
    /// Sent, refused, and kept in the quarantine.
    pub(crate) quarantined: u64,
    /// Sent, and refused.
    pub(crate) rejected: u64,
    /// The same as a line before.
    pub(crate) repeated: u64,
    /// Not readable.
    pub(crate) invalid: u64,
}

impl Summary {
    /// Adds the counts of further lines.
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.conflicting += other.conflicting;
        self.quarantined += other.quarantined;
        self.rejected += other.rejected;
        self.repeated += other.repeated;
        self.invalid += other.invalid;
    }

    /// Lines that did not become what they should.
    pub(crate) fn failed(&self) -> u64 {
        self.quarantined + self.rejected + self.invalid
    }
}

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress<S = Summary> {
    /// Of the file and of all that its meaning depends on.
    key: String,
    pub(crate) summary: S,
    /// Bytes of the file of refused lines.
    pub(crate) errors_bytes: u64,
    /// Bytes of the file with what became of each line, where there is one.
    #[serde(default)]
    pub(crate) outcomes_bytes: u64,
}

/// The file beside.
#[derive(Clone, Debug)]
pub(crate) struct State {
    path: PathBuf,
    key: String,
}

impl State {
    /// The state of importing `file` with this meaning.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn of(file: &Path, meaning: &impl Serialize) -> Result<Self> {
        let mut hash = Sha256::new();
        let cannot = || format!("cannot read {}", file.display());
        io::copy(&mut File::open(file).with_context(cannot)?, &mut hash).with_context(cannot)?;
        hash.update(serde_json::to_vec(meaning)?);
        let key = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: file.with_extension("import.json"), key })
    }

    /// Where an interrupted import of the same file with the same meaning has come; the beginning otherwise.
    pub(crate) fn read<S: Default + DeserializeOwned>(&self) -> Progress<S> {
        let text = std::fs::read_to_string(&self.path).ok();
        let found = text.and_then(|text| serde_json::from_str::<Progress<S>>(&text).ok());
        found.filter(|progress| progress.key == self.key).unwrap_or_else(|| Progress {
            key: self.key.clone(),
            summary: S::default(),
            errors_bytes: 0,
            outcomes_bytes: 0,
        })
    }

    /// Writes it down; an interruption leaves the old or the new.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write<S: Serialize>(&self, progress: &Progress<S>) -> Result<()> {
        let new = self.path.with_extension("json.new");
        let written =
            std::fs::write(&new, serde_json::to_vec(progress)?).and_then(|()| std::fs::rename(&new, &self.path));
        written
            .with_context(|| format!("cannot write {}: how far the import has come is kept there", self.path.display()))
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_while_file_and_meaning_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("show.csv");
        std::fs::write(&file, "email\n").unwrap();
        let state = State::of(&file, &"mapping").unwrap();
        let progress = Progress { summary: Summary { lines: 5, sent: 5, ..Summary::default() }, ..state.read() };
        state.write(&progress).unwrap();
        assert_eq!(State::of(&file, &"mapping").unwrap().read::<Summary>(), progress);
        assert_eq!(State::of(&file, &"another mapping").unwrap().read::<Summary>().summary, Summary::default());
        std::fs::write(&file, "email\nanna@example.com\n").unwrap();
        assert_eq!(State::of(&file, &"mapping").unwrap().read::<Summary>().summary, Summary::default());
        state.remove().unwrap();
        state.remove().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
