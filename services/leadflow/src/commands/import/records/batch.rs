//! Lines that go together.

use anyhow::Result;
use leadflow_proto::contact::v1::{self as pb, import_result::Outcome as Word};
use tonic_types::RpcStatusExt as _;

use crate::import::{
    failures::Failure,
    records::{
        field::Kind,
        order::Rows,
        outcome::{Outcome, Summary},
        remark::{Noticed, Remarks},
        row::{Problem, Reading},
    },
    table::{Line, Table},
};

/// What is sent of a batch.
#[derive(Debug)]
pub(super) enum Messages {
    Accounts(Vec<pb::AccountLine>),
    Contacts(Vec<pb::ContactLine>),
}

impl Messages {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Accounts(lines) => lines.len(),
            Self::Contacts(lines) => lines.len(),
        }
    }

    /// Adds the message of a line, and returns what looks wrong in it.
    fn add(&mut self, reading: &Reading, line: &Line) -> Result<Vec<Noticed>, Vec<Problem>> {
        match self {
            Self::Accounts(lines) => {
                let (message, noticed) = reading.account(line)?;
                lines.push(message);
                Ok(noticed)
            }
            Self::Contacts(lines) => {
                let (message, noticed) = reading.contact(line)?;
                lines.push(message);
                Ok(noticed)
            }
        }
    }
}

/// Lines that go together.
pub(super) struct Batch {
    /// All that were read.
    pub(super) lines: u64,
    pub(super) messages: Messages,
    /// The line of each message, with what looks wrong in it.
    sent: Vec<(Line, Vec<Noticed>)>,
    /// What was not sent.
    invalid: Vec<Failure>,
}

/// The next lines, up to `most`; none at the end.
///
/// # Errors
/// When the file cannot be read on.
pub(super) fn read<O: Fn() -> Result<Table>>(rows: &mut Rows<O>, reading: &Reading, most: usize) -> Result<Batch> {
    let messages = match reading.kind {
        Kind::Accounts => Messages::Accounts(Vec::new()),
        Kind::Contacts => Messages::Contacts(Vec::new()),
    };
    let mut batch = Batch { lines: 0, messages, sent: Vec::new(), invalid: Vec::new() };
    while batch.lines < most as u64
        && let Some((line, is_circle)) = rows.next()?
    {
        batch.lines += 1;
        let failure = |reason: &str, field: String, message: String| Failure {
            line: line.number,
            reason: reason.to_owned(),
            field,
            message,
            cells: line.cells.clone(),
            ..Failure::default()
        };
        if let Some((reason, message)) = &line.problem {
            batch.invalid.push(failure(reason, String::new(), message.clone()));
        } else if is_circle {
            let message = "makes a circle: an account never belongs to itself".to_owned();
            batch.invalid.push(failure("HIERARCHY_CYCLE", reading.column("parent"), message));
        } else {
            match batch.messages.add(reading, &line) {
                Ok(noticed) => batch.sent.push((line, noticed)),
                Err(problems) => {
                    let columns: Vec<_> = problems.iter().map(|it| reading.column(it.word.0)).collect();
                    let messages =
                        columns.iter().zip(&problems).map(|(column, it)| format!("{column}: {}", it.message));
                    let message = messages.collect::<Vec<_>>().join("; ");
                    batch.invalid.push(failure("INVALID_FIELD", columns.join(", "), message));
                }
            }
        }
    }
    Ok(batch)
}

impl Batch {
    /// Counts what became of the lines, and returns it line by line, with those that failed.
    pub(super) fn settle(
        self,
        results: &[pb::ImportResult],
        reading: &Reading,
        summary: &mut Summary,
        remarks: &mut Remarks,
    ) -> (Vec<Outcome>, Vec<Failure>) {
        summary.lines += self.lines;
        summary.invalid += self.invalid.len() as u64;
        let mut outcomes: Vec<_> = self.invalid.iter().map(|failure| failed("invalid", failure)).collect();
        let mut failures = self.invalid;
        for ((line, noticed), result) in self.sent.into_iter().zip(results) {
            let (word, count) = match result.outcome() {
                Word::Created => ("created", &mut summary.created),
                Word::Updated => ("updated", &mut summary.updated),
                Word::Unchanged => ("unchanged", &mut summary.unchanged),
                Word::Rejected | Word::Unspecified => ("rejected", &mut summary.rejected),
            };
            *count += 1;
            if word == "rejected" {
                let failure = refused(result, line, reading);
                outcomes.push(failed(word, &failure));
                failures.push(failure);
                continue;
            }
            let said = |(word, text, what, _): &Noticed| format!("{}: `{text}` {what}", reading.column(word.0));
            let message = noticed.iter().map(said).collect::<Vec<_>>().join("; ");
            outcomes.push(Outcome { line: line.number, word, id: result.id.clone(), message, ..Outcome::default() });
            noticed.into_iter().for_each(|it| remarks.add(line.number, it));
        }
        outcomes.sort_by_key(|outcome| outcome.line);
        failures.sort_by_key(|failure| failure.line);
        (outcomes, failures)
    }
}

fn failed(word: &'static str, failure: &Failure) -> Outcome {
    Outcome {
        line: failure.line,
        word,
        id: String::new(),
        reason: failure.reason.clone(),
        field: failure.field.clone(),
        message: failure.message.clone(),
    }
}

/// A line that the service has refused, in the words of the file.
fn refused(result: &pb::ImportResult, line: Line, reading: &Reading) -> Failure {
    let error = result.error.clone().unwrap_or_default();
    let details = error.get_error_details();
    let violations = details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or_default();
    let told: Vec<_> = violations.iter().map(|it| (reading.column(&it.field), it.description.clone())).collect();
    let messages = told.iter().map(|(column, text)| format!("{column}: {text}")).collect::<Vec<_>>().join("; ");
    Failure {
        line: line.number,
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        field: told.into_iter().map(|(column, _)| column).collect::<Vec<_>>().join(", "),
        message: if messages.is_empty() { error.message } else { messages },
        cells: line.cells,
        ..Failure::default()
    }
}
