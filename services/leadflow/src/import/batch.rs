//! Lines that go together.

use std::collections::HashMap;

use anyhow::Result;
use leadflow_proto::activity::v1::Activity;
use prost::Message as _;

use super::{
    failures::Failure,
    progress::Summary,
    row::{Fingerprint, Reading, fingerprint},
    table::{Line, Table},
};

/// Bytes of the activities of one call; a service takes four MiB, and a line has one at the most.
const MAX_BYTES: usize = 2 << 20;

/// The ids that this file has brought so far, each with what came under it, and in which line.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<String, (Fingerprint, u64)>);

/// Lines that go together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) activities: Vec<Activity>,
    /// The line of each activity.
    pub(crate) lines: Vec<Line>,
    pub(crate) failures: Vec<Failure>,
    /// What is known before they are sent.
    pub(crate) summary: Summary,
}

/// The next lines, up to `most`; none at the end of the file.
///
/// # Errors
/// When the file cannot be read on.
pub(crate) fn read(table: &mut Table, reading: &Reading, seen: &mut Seen, most: usize) -> Result<Batch> {
    let mut batch = Batch::default();
    let mut bytes = 0;
    while batch.summary.lines < most as u64
        && bytes < MAX_BYTES
        && let Some(line) = table.next_line()?
    {
        batch.summary.lines += 1;
        match understand(&line, reading, seen) {
            Meaning::New(activity) => {
                bytes += activity.encoded_len();
                batch.summary.sent += 1;
                batch.activities.push(*activity);
                batch.lines.push(line);
            }
            Meaning::Repeated => batch.summary.repeated += 1,
            Meaning::Invalid(failure) => {
                batch.summary.invalid += 1;
                batch.failures.push(failure);
            }
        }
    }
    Ok(batch)
}

/// What a line means.
enum Meaning {
    New(Box<Activity>),
    /// What a line before has said.
    Repeated,
    Invalid(Failure),
}

fn understand(line: &Line, reading: &Reading, seen: &mut Seen) -> Meaning {
    let invalid = |reason: &str, field: String, message: String| {
        let (reason, cells) = (reason.to_owned(), line.cells.clone());
        Meaning::Invalid(Failure { line: line.number, reason, field, message, cells, ..Failure::default() })
    };
    if let Some((reason, message)) = &line.problem {
        return invalid(reason, String::new(), message.clone());
    }
    let texts = reading.texts(&line.cells);
    let id = reading.event_id(&texts);
    let content = fingerprint(texts.iter().map(|(field, text)| (field.to_string(), text.as_str())));
    match seen.0.get(&id) {
        Some((first, _)) if *first == content => return Meaning::Repeated,
        Some((_, number)) => {
            let message = format!(
                "is the same event as line {number} (`{id}`) and says something else: correct one, or map a column that \
                 tells them apart to event_id or object_id"
            );
            return invalid("DUPLICATE_EVENT_ID", String::new(), message);
        }
        None => {}
    }
    match reading.activity(&texts) {
        Ok(activity) => {
            seen.0.insert(id, (content, line.number));
            Meaning::New(Box::new(activity))
        }
        Err(problems) => {
            let reason = problems.first().map_or("", |problem| problem.reason);
            let columns: Vec<_> = problems.iter().map(|it| reading.column(&it.field.path())).collect();
            let messages: Vec<_> =
                columns.iter().zip(&problems).map(|(column, it)| format!("{column}: {}", it.message)).collect();
            invalid(reason, columns.join(", "), messages.join("; "))
        }
    }
}
