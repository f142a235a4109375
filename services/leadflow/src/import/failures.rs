//! The lines that were refused, each with its reason, in a file that can be corrected and imported.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use csv::{Writer, WriterBuilder};

/// What the columns that are added begin with; an import leaves them out of account.
pub(crate) const PREFIX: &str = "import_";
/// The column with the id under which the line was sent: corrected, it is sent under the same.
const COLUMNS: [&str; 6] =
    ["import_line", "import_reason", "import_field", "import_message", "import_event_id", "import_quarantine_id"];
/// Without it spreadsheets take the file for something else than UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// One line that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) line: u64,
    pub(crate) reason: String,
    /// The columns at fault.
    pub(crate) field: String,
    pub(crate) message: String,
    /// Empty when it was not sent.
    pub(crate) event_id: String,
    /// Empty when it is not kept.
    pub(crate) quarantine_id: String,
    /// The line as it came.
    pub(crate) cells: Vec<String>,
}

/// The file, which exists as soon as something is in it.
#[derive(Debug)]
pub(crate) struct Failures {
    path: PathBuf,
    header: Vec<String>,
    delimiter: u8,
    writer: Option<Writer<File>>,
}

impl Failures {
    /// Goes on with the first `length` bytes that an interrupted import has written. With none, an old file of the same
    /// name is removed.
    ///
    /// # Errors
    /// When another kind of file has this name.
    pub(crate) fn open(path: PathBuf, header: &[String], delimiter: u8, length: u64) -> Result<Self> {
        let mut failures = Self { path, header: header.to_vec(), delimiter, writer: None };
        if length > 0 {
            let file = OpenOptions::new().write(true).open(&failures.path);
            let mut file = file.with_context(|| failures.named("cannot go on with"))?;
            file.set_len(length)?;
            file.seek(SeekFrom::End(0))?;
            failures.writer = Some(failures.writer_to(file));
        } else if failures.path.exists() {
            if !is_ours(&failures.path)? {
                bail!(
                    "{}: it is there already, and holds no refused lines of an import",
                    failures.named("cannot write")
                );
            }
            std::fs::remove_file(&failures.path).with_context(|| failures.named("cannot replace"))?;
        }
        Ok(failures)
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds lines, and returns the length of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn add(&mut self, failures: &[Failure]) -> Result<u64> {
        if failures.is_empty() && self.writer.is_none() {
            return Ok(0);
        }
        let problem = self.named("cannot write");
        self.try_add(failures).context(problem)
    }

    fn try_add(&mut self, failures: &[Failure]) -> Result<u64> {
        // The columns that an earlier import has added would be there twice.
        let own: Vec<bool> = self.header.iter().map(|head| head.starts_with(PREFIX)).collect();
        let kept = |cells: &[String]| -> Vec<String> {
            let own = own.iter().copied().chain(std::iter::repeat(false));
            cells.iter().zip(own).filter(|(_, own)| !own).map(|(cell, _)| cell.clone()).collect()
        };
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let mut file = File::create(&self.path)?;
                file.write_all(MARK)?;
                let mut writer = self.writer_to(file);
                writer.write_record(COLUMNS.map(str::to_owned).into_iter().chain(kept(&self.header)))?;
                writer
            }
        };
        for it in failures {
            let line = it.line.to_string();
            let added = [&line, &it.reason, &it.field, &it.message, &it.event_id, &it.quarantine_id];
            writer.write_record(added.into_iter().cloned().chain(kept(&it.cells)))?;
        }
        writer.flush()?;
        let length = writer.get_ref().metadata()?.len();
        self.writer = Some(writer);
        Ok(length)
    }

    fn writer_to(&self, file: File) -> Writer<File> {
        WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_writer(file)
    }

    fn named(&self, what: &str) -> String {
        format!("{what} {}", self.path.display())
    }
}

fn is_ours(path: &Path) -> Result<bool> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).read_until(b'\n', &mut line)?;
    Ok(line.strip_prefix(MARK).unwrap_or(&line).starts_with(COLUMNS[0].as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn failure(line: u64, cells: &[&str]) -> Failure {
        Failure { line, reason: "INVALID_TIME".into(), field: "Zeit".into(), cells: texts(cells), ..Failure::default() }
    }

    fn content(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap().trim_start_matches('\u{feff}').to_owned()
    }

    const HEAD: &str =
        "import_line;import_reason;import_field;import_message;import_event_id;import_quarantine_id;a;b\n";

    #[test]
    fn there_is_no_file_without_a_refused_line_and_an_interrupted_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.errors.csv");
        let open = |length| Failures::open(path.clone(), &texts(&["a", "b"]), b';', length).unwrap();
        let mut failures = open(0);
        assert_eq!(failures.add(&[]).unwrap(), 0);
        assert!(!path.exists());
        let length = failures.add(&[failure(2, &["1", "x;y"])]).unwrap();
        // Not acknowledged any more when the import ended.
        failures.add(&[failure(3, &["2", "z"])]).unwrap();
        open(length).add(&[failure(4, &["3", "z"])]).unwrap();
        let expected = format!("{HEAD}2;INVALID_TIME;Zeit;;;;1;\"x;y\"\n4;INVALID_TIME;Zeit;;;;3;z\n");
        assert_eq!(content(&path), expected);
        open(0);
        assert!(!path.exists(), "a new import begins a new file");
    }

    #[test]
    fn the_columns_of_an_earlier_import_are_not_there_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.errors.csv");
        let header = texts(&["import_line", "import_event_id", "a", "b"]);
        let mut failures = Failures::open(path.clone(), &header, b';', 0).unwrap();
        failures.add(&[failure(2, &["7", "csv-1", "1", "2"]), failure(3, &["8"])]).unwrap();
        assert_eq!(content(&path), format!("{HEAD}2;INVALID_TIME;Zeit;;;;1;2\n3;INVALID_TIME;Zeit;;;\n"));
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customers.csv");
        std::fs::write(&path, "name\nAnna\n").unwrap();
        let error = Failures::open(path.clone(), &texts(&["a"]), b',', 0).unwrap_err().to_string();
        assert!(error.contains("customers.csv"), "{error}");
        assert_eq!(content(&path), "name\nAnna\n");
    }
}
