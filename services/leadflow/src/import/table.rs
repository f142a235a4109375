//! The lines of a CSV file as spreadsheets and badge readers write them.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Bytes of one line. Much longer is a quote that was never closed, or no CSV.
const MAX_LINE: usize = 1 << 20;
/// Bytes from which the delimiter is told.
const SAMPLE: usize = 64 << 10;
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// An open file, behind its header.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) delimiter: u8,
    reader: csv::Reader<Lines>,
    record: ByteRecord,
    encoding: &'static Encoding,
    left: Arc<AtomicUsize>,
    /// Lines of the file that the reader does not see.
    skipped: u64,
}

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// In the file, from 1.
    pub(crate) number: u64,
    /// As many as the header has, unless `problem` says otherwise.
    pub(crate) cells: Vec<String>,
    /// Why it cannot be read: a reason, and in words.
    pub(crate) problem: Option<(&'static str, String)>,
}

impl Table {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it is empty, no CSV, or not in the encoding.
    pub(crate) fn open(path: &Path, delimiter: Option<&str>, encoding: Option<&str>) -> Result<Self> {
        let encoding = encoding.map_or(Ok(UTF_8), by_name)?;
        let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut sample = Vec::new();
        file.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
        check_sample(&sample).with_context(|| path.display().to_string())?;
        let mark = if sample.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
        let (named, named_bytes) = spreadsheet_hint(&sample[mark..]);
        let begin = mark + named_bytes;
        let said = delimiter.map(delimiter_of).transpose()?.or(named);
        let delimiter = said.unwrap_or_else(|| sniff(&sample[begin..]));
        file.seek(SeekFrom::Start(begin as u64))?;
        let left = Arc::new(AtomicUsize::new(MAX_LINE));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(file, left.clone()));
        let skipped = u64::from(named.is_some());
        let record = ByteRecord::new();
        let mut table = Self { header: Vec::new(), delimiter, reader, record, encoding, left, skipped };
        table.read_header().with_context(|| path.display().to_string())?;
        Ok(table)
    }

    /// Where the reader is, in bytes.
    pub(crate) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    fn read_header(&mut self) -> Result<()> {
        let Some(line) = self.next_line()? else { bail!("is empty: a header line is needed") };
        if let Some((_, problem)) = line.problem {
            bail!("the header {problem}");
        }
        self.header = line.cells;
        Ok(())
    }

    /// The next line that says something; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>> {
        loop {
            self.left.store(MAX_LINE, Ordering::Relaxed);
            let begin = self.reader.position().line() + self.skipped;
            if !self.reader.read_byte_record(&mut self.record).with_context(|| format!("after line {begin}"))? {
                return Ok(None);
            }
            let says_something = self.record.iter().any(|cell| !cell.trim_ascii().is_empty());
            if says_something {
                return Ok(Some(self.to_line()));
            }
        }
    }

    fn to_line(&self) -> Line {
        // The reader stands behind the line's end; ends of lines inside of quotes belong to the line.
        let inside: usize = self.record.iter().map(|cell| cell.iter().filter(|&&byte| byte == b'\n').count()).sum();
        let number = self.reader.position().line() - 1 - inside as u64 + self.skipped;
        let decoded: Option<Vec<_>> = self.record.iter().map(|cell| decode(self.encoding, cell)).collect();
        let encoding_problem = decoded.is_none().then(|| self.encoding_problem());
        let mut cells = decoded.unwrap_or_else(|| {
            self.record.iter().map(|cell| WINDOWS_1252.decode_without_bom_handling(cell).0.trim().to_owned()).collect()
        });
        let columns = if self.header.is_empty() { cells.len() } else { self.header.len() };
        while cells.len() > columns && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        let width_problem = || (cells.len() != columns).then(|| width_problem(cells.len(), columns));
        Line { number, problem: encoding_problem.or_else(width_problem), cells }
    }

    fn encoding_problem(&self) -> (&'static str, String) {
        let name = self.encoding.name();
        let problem = format!(
            "is not {name}: save the file as UTF-8, or name its encoding with --encoding, such as windows-1252 (as which \
             it is shown here)"
        );
        ("INVALID_ENCODING", problem)
    }
}

fn width_problem(cells: usize, columns: usize) -> (&'static str, String) {
    (
        "WRONG_COLUMNS",
        format!("has {cells} columns where the header has {columns}: is a quote missing, or a delimiter?"),
    )
}

fn decode(encoding: &'static Encoding, cell: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(cell).map(|text| text.trim().to_owned())
}

fn by_name(label: &str) -> Result<&'static Encoding> {
    let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) else {
        bail!("there is no encoding `{label}`: use one such as utf-8 or windows-1252");
    };
    if !encoding.is_ascii_compatible() {
        bail!("{} cannot be read: save the file as UTF-8", encoding.name());
    }
    Ok(encoding)
}

fn delimiter_of(text: &str) -> Result<u8> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[one]) if DELIMITERS.contains(&one) => Ok(one),
        _ => bail!("`{text}` delimits no columns: use `,`, `;`, `|` or tab"),
    }
}

fn check_sample(sample: &[u8]) -> Result<()> {
    if sample.is_empty() {
        bail!("is empty: a header line is needed");
    }
    if sample.starts_with(b"\xff\xfe") || sample.starts_with(b"\xfe\xff") {
        bail!("is UTF-16: save it as \"CSV UTF-8\"");
    }
    if sample.starts_with(b"PK\x03\x04") {
        bail!("is a workbook or an archive: save it as \"CSV UTF-8\"");
    }
    if sample.contains(&0) {
        bail!("is no text: save it as \"CSV UTF-8\"");
    }
    Ok(())
}

/// The delimiter that Excel wrote into a first line of its own (`sep=;`), and the bytes of this line.
fn spreadsheet_hint(sample: &[u8]) -> (Option<u8>, usize) {
    let end = sample.iter().position(|&byte| byte == b'\n').map_or(sample.len(), |end| end + 1);
    match sample[..end].trim_ascii_end().strip_prefix(b"sep=") {
        Some(&[delimiter]) if DELIMITERS.contains(&delimiter) => (Some(delimiter), end),
        _ => (None, 0),
    }
}

/// The delimiter that makes the most columns of the header.
fn sniff(sample: &[u8]) -> u8 {
    let columns = |delimiter: u8| {
        let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(sample);
        let mut record = ByteRecord::new();
        if reader.read_byte_record(&mut record).unwrap_or(false) { record.len() } else { 0 }
    };
    // Of equals the first: `max_by_key` takes the last.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| columns(delimiter)).unwrap_or(b',')
}

/// A file with one `\n` at the end of each line, whatever ends its lines, so that they can be counted; and with no more
/// bytes than `left` at once, so that an open quote does not take all of the memory.
struct Lines {
    file: BufReader<File>,
    left: Arc<AtomicUsize>,
    last: u8,
}

impl Lines {
    fn new(file: File, left: Arc<AtomicUsize>) -> Self {
        Self { file: BufReader::with_capacity(SAMPLE, file), left, last: b'\n' }
    }
}

impl Read for Lines {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let available = self.file.fill_buf()?;
            if available.is_empty() {
                return Ok(self.end_last_line(out));
            }
            let (mut read, mut written) = (0, 0);
            while read < available.len() && written < out.len() {
                let byte = available[read];
                read += 1;
                if !(byte == b'\n' && self.last == b'\r') {
                    out[written] = if byte == b'\r' { b'\n' } else { byte };
                    written += 1;
                }
                self.last = byte;
            }
            self.file.consume(read);
            if written > 0 {
                let left = self.left.load(Ordering::Relaxed).checked_sub(written);
                let left =
                    left.ok_or_else(|| io::Error::other("a line is longer than 1 MiB: is a quote not closed?"))?;
                self.left.store(left, Ordering::Relaxed);
                return Ok(written);
            }
        }
    }
}

impl Lines {
    fn end_last_line(&mut self, out: &mut [u8]) -> usize {
        if matches!(self.last, b'\n' | b'\r') || out.is_empty() {
            return 0;
        }
        self.last = b'\n';
        out[0] = b'\n';
        1
    }
}

#[cfg(test)]
mod tests;
