//! How well it was found out who is who, counted in pairs of lines.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
};

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};

use super::{Matched, Outcome};
use crate::import::table::Table;

/// Who is really behind an id, where a file of pairs says it: the id of one of those that are one.
#[derive(Default)]
pub(super) struct Truth(HashMap<String, String>);

impl Truth {
    /// Reads a file of pairs.
    pub(super) fn read(pairs: &Path) -> Result<Self> {
        let mut table = Table::open(pairs, None, None)?;
        let mut truth = Self::default();
        while let Some(line) = table.next_line()? {
            let [one, other, ..] = &line.cells[..] else {
                bail!("{}, line {}: a pair needs two columns", pairs.display(), line.number)
            };
            let (one, other) = (truth.of(one), truth.of(other));
            if one != other {
                truth.0.insert(other, one);
            }
        }
        Ok(truth)
    }

    /// Who is behind a cell. Generated sets write `rec-7-org` and `rec-7-dup-0` for one.
    pub(super) fn of(&self, cell: &str) -> String {
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
        let copy = || cell.rsplit_once("-dup-").filter(|(_, number)| is_number(number)).map(|(one, _)| one);
        let mut id = cell.strip_suffix("-org").or_else(copy).unwrap_or(cell);
        while let Some(same) = self.0.get(id) {
            id = same;
        }
        id.to_owned()
    }
}

/// Figures over pairs of lines.
pub(super) struct Measured {
    /// Of the pairs that were linked, how many are one.
    precision: f64,
    /// Of the pairs that are one, how many were linked.
    recall: f64,
    /// Harmonic mean of both over what was linked and what a person is asked about.
    f1: f64,
    /// Share of the lines that a person is asked about.
    reviewed: f64,
}

type Pairs = HashSet<(usize, usize)>;

pub(super) fn measure(all: &[Matched]) -> Measured {
    let linked = pairs(all.iter().map(|one| one.group.map(|group| group.to_string())));
    let really = pairs(all.iter().map(|one| Some(one.truth.clone()).filter(|truth| !truth.is_empty())));
    let mut members: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate() {
        members.entry(one.group.unwrap_or_default()).or_default().push(at);
    }
    // Whoever says that two are one joins all lines of the one with all lines of the other.
    let sides = all.iter().filter_map(|one| Some((members.get(&one.group?)?, members.get(&one.may_be?)?)));
    let asked = sides.flat_map(|(made, known)| {
        made.iter().flat_map(move |&at| known.iter().map(move |&other| (other.min(at), other.max(at))))
    });
    let found: Pairs = linked.iter().copied().chain(asked).collect();
    let right = |pairs: &Pairs| pairs.intersection(&really).count() as f64;
    // Of nothing, all is right.
    let share = |part: f64, whole: usize| if whole == 0 { 1.0 } else { part / whole as f64 };
    Measured {
        precision: share(right(&linked), linked.len()),
        recall: share(right(&linked), really.len()),
        f1: share(2.0 * right(&found), found.len() + really.len()),
        reviewed: all.iter().filter(|one| one.outcome == Outcome::Review).count() as f64 / all.len().max(1) as f64,
    }
}

/// The pairs of those that are in one group.
fn pairs(groups: impl Iterator<Item = Option<String>>) -> Pairs {
    let mut members: HashMap<String, Vec<usize>> = HashMap::new();
    let mut pairs = Pairs::new();
    for (at, group) in groups.enumerate() {
        let Some(group) = group else { continue };
        let others = members.entry(group).or_default();
        pairs.extend(others.iter().map(|&other| (other, at)));
        others.push(at);
    }
    pairs
}

impl Measured {
    pub(super) fn to_json(&self) -> Json {
        json!({ "precision": self.precision, "recall": self.recall, "f1": self.f1, "reviewed": self.reviewed })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Linked: precision {:.4}, recall {:.4}. Links and reviews together: F1 {:.4}, with {:.2} % of the lines in review.",
            self.precision,
            self.recall,
            self.f1,
            self.reviewed * 100.0
        )
    }
}
