//! What became of each line, in a file beside its own.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use csv::{Writer, WriterBuilder};
use serde::{Deserialize, Serialize};

const COLUMNS: [&str; 6] = ["import_line", "import_outcome", "id", "reason", "field", "message"];

/// What became of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// All lines of the file that say something.
    pub(crate) lines: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    /// It was so before.
    pub(crate) unchanged: u64,
    /// Sent, and refused.
    pub(crate) rejected: u64,
    /// Not readable, not sent.
    pub(crate) invalid: u64,
}

impl Summary {
    /// Lines that did not become what they should.
    pub(crate) fn failed(&self) -> u64 {
        self.rejected + self.invalid
    }
}

/// What became of one line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) line: u64,
    /// created, updated, unchanged, rejected or invalid.
    pub(crate) word: &'static str,
    /// Of the account or contact.
    pub(crate) id: String,
    pub(crate) reason: String,
    /// The columns at fault.
    pub(crate) field: String,
    /// What is wrong, or looks so.
    pub(crate) message: String,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Outcomes {
    path: PathBuf,
    writer: Writer<File>,
}

impl Outcomes {
    /// Goes on behind the first `length` bytes that an interrupted import has written; with none, anew.
    ///
    /// # Errors
    /// When it cannot be written, or another kind of file has this name.
    pub(crate) fn open(path: PathBuf, length: u64) -> Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        if length == 0 && path.exists() && !is_ours(&path).with_context(cannot)? {
            bail!("{}: it is there already, and does not hold what became of the lines of an import", cannot());
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).with_context(cannot)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        let mut writer = WriterBuilder::new().from_writer(file);
        if length == 0 {
            writer.write_record(COLUMNS)?;
        }
        Ok(Self { path, writer })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds what became of lines, and returns the length of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn add(&mut self, outcomes: &[Outcome]) -> Result<u64> {
        for it in outcomes {
            let line = it.line.to_string();
            self.writer.write_record([&line, it.word, &it.id, &it.reason, &it.field, &it.message])?;
        }
        self.writer.flush()?;
        Ok(self.writer.get_ref().metadata()?.len())
    }
}

fn is_ours(path: &Path) -> Result<bool> {
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    Ok(line.trim_end() == COLUMNS.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_file_goes_on_and_one_of_another_kind_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.results.csv");
        let outcome = |line, word| Outcome { line, word, ..Outcome::default() };
        let mut outcomes = Outcomes::open(path.clone(), 0).unwrap();
        let length = outcomes.add(&[outcome(2, "created")]).unwrap();
        // Not acknowledged any more when the import ended.
        outcomes.add(&[outcome(3, "created")]).unwrap();
        Outcomes::open(path.clone(), length).unwrap().add(&[outcome(4, "updated")]).unwrap();
        let content = std::fs::read_to_string(&path).unwrap();
        assert_eq!(content, format!("{}\n2,created,,,,\n4,updated,,,,\n", COLUMNS.join(",")));
        std::fs::write(&path, "name\nAnna\n").unwrap();
        assert!(Outcomes::open(path.clone(), 0).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "name\nAnna\n");
    }
}
