//! What was sent, and what was answered: the client's side of the truth.

use std::{
    io::Write as _,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use serde::Serialize;

use crate::{
    activity::{Activity, Door},
    buyers::Planned,
};

/// What a sender knows of an activity in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Nobody has ever answered: it may be there, or not.
    #[default]
    Indeterminate,
    /// It was refused for good.
    Rejected,
    /// At least one copy was acknowledged.
    Acked,
}

/// What one copy was answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is kept: in the ledger under this id, or in the quarantine.
    Kept(Option<String>),
    /// It will never be: why.
    Refused(String),
    /// No answer, or one that says to try again.
    Nothing,
}

/// One distinct activity.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sent {
    source: &'static str,
    source_event_id: String,
    door: Door,
    sends: usize,
    outcome: Outcome,
    activity_id: Option<String>,
    poison: bool,
    activity: Activity,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sent: usize,
    pub(crate) acked: usize,
    pub(crate) rejected: usize,
    pub(crate) indeterminate: usize,
}

/// All that was sent.
#[derive(Debug, Default)]
pub(crate) struct Book {
    lines: Mutex<Vec<Sent>>,
    surprises: Mutex<Vec<String>>,
}

impl Book {
    /// Notes what is going to be sent, and returns where.
    pub(crate) fn open(&self, planned: &Planned) -> usize {
        let mut lines = self.lines();
        lines.push(Sent {
            source: planned.door.source(),
            source_event_id: planned.source_event_id.clone(),
            door: planned.door,
            sends: planned.copies.len(),
            outcome: Outcome::default(),
            activity_id: None,
            poison: planned.poison.is_some(),
            activity: planned.activity.clone(),
        });
        lines.len() - 1
    }

    /// Notes what a copy was answered. An acknowledgement stands, whatever else comes.
    pub(crate) fn answered(&self, index: usize, answer: Answer) {
        let mut lines = self.lines();
        let Some(line) = lines.get_mut(index) else { return };
        match answer {
            Answer::Kept(activity_id) => {
                let differs = line.activity_id.is_some() && activity_id.is_some() && line.activity_id != activity_id;
                if differs || (line.poison && activity_id.is_some()) {
                    let what = if differs { "two ids for" } else { "an activity of poison" };
                    self.surprise(format!("{what} {} {}", line.source, line.source_event_id));
                }
                line.outcome = Outcome::Acked;
                line.activity_id = line.activity_id.take().or(activity_id);
            }
            Answer::Refused(why) => {
                if !line.poison {
                    self.surprise(format!("{} {} was refused: {why}", line.source, line.source_event_id));
                }
                if line.outcome == Outcome::Indeterminate {
                    line.outcome = Outcome::Rejected;
                }
            }
            Answer::Nothing => {}
        }
    }

    /// What a sender saw that should never be: each is an unexplained finding.
    pub(crate) fn surprises(&self) -> Vec<String> {
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn totals(&self) -> Totals {
        let lines = self.lines();
        let count = |outcome| lines.iter().filter(|line| line.outcome == outcome).count();
        Totals {
            sent: lines.len(),
            acked: count(Outcome::Acked),
            rejected: count(Outcome::Rejected),
            indeterminate: count(Outcome::Indeterminate),
        }
    }

    /// Writes one line for each, as the oracle reads them.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for line in self.lines().iter() {
            serde_json::to_writer(&mut file, line)?;
            file.write_all(b"\n")?;
        }
        Ok(file.flush()?)
    }

    fn surprise(&self, what: String) {
        eprintln!("SURPRISE: {what}");
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buyers::Buyers;

    #[test]
    fn an_acknowledgement_stands_and_a_second_id_is_a_surprise() {
        let (book, mut buyers) = (Book::default(), Buyers::new(1));
        let mut healthy = || std::iter::from_fn(|| Some(buyers.next(0))).find(|one| one.poison.is_none());
        let (first, second) = (book.open(&healthy().unwrap()), book.open(&healthy().unwrap()));
        book.answered(first, Answer::Nothing);
        book.answered(first, Answer::Kept(Some("a".into())));
        book.answered(first, Answer::Nothing);
        assert_eq!(book.totals(), Totals { sent: 2, acked: 1, rejected: 0, indeterminate: 1 });
        assert!(book.surprises().is_empty());
        book.answered(first, Answer::Kept(Some("b".into())));
        book.answered(second, Answer::Refused("INVALID_EMAIL".into()));
        assert_eq!(book.surprises().len(), 2, "{:?}", book.surprises());
    }
}
