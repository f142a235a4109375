//! Which of those who may be meant is meant.

use uuid::Uuid;

use super::{
    compare,
    details::{Profile, Subject},
    line::{Comparison, Verdict},
};

/// Bits by which the best must be ahead of one whom it is not itself.
const AHEAD: f64 = 4.0;

/// Why only a person may link two.
pub(super) const DIFFERS: &str = "known by another strong identity";

/// Somebody who may be meant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Contact or account.
    pub id: Uuid,
    /// What is known.
    pub profile: &'a Profile,
    /// Whether a strong identity keeps the two apart, so that only a person may join them.
    pub differs: bool,
}

/// Who is meant, or may be, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Contact or account.
    pub id: Uuid,
    /// With what was said on the left, what is known on the right.
    pub comparison: Comparison,
    /// Whether all that is said was known before, word for word.
    pub repeats: bool,
}

impl Choice {
    /// What it leads to; never that they are two.
    pub fn verdict(&self) -> Verdict {
        self.comparison.verdict()
    }
}

/// The candidate that is meant for sure, or may be; none when all are others.
pub fn choose<'a>(
    subject: Subject,
    said: &Profile,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Option<Choice> {
    let mut found: Vec<(Comparison, Candidate<'a>)> = Vec::new();
    for candidate in candidates {
        let mut comparison = compare(subject, said, candidate.profile);
        if candidate.differs {
            comparison = comparison.at_most(Verdict::Review, DIFFERS);
        }
        if comparison.verdict() > Verdict::Distinct {
            found.push((comparison, candidate));
        }
    }
    // Word for word the same is a repetition, however little it says; and it has one effect.
    let repeats = |(_, candidate): &(Comparison, Candidate<'_>)| !candidate.differs && candidate.profile.covers(said);
    found.sort_by(|one, other| {
        repeats(other).cmp(&repeats(one)).then(other.0.weight.total_cmp(&one.0.weight)).then(one.1.id.cmp(&other.1.id))
    });
    let mut found = found.into_iter();
    let (best, first) = found.next()?;
    let rival = found.find(|(rival, candidate)| {
        rival.verdict() == Verdict::Link
            && best.weight - rival.weight < AHEAD
            && compare(subject, first.profile, candidate.profile).verdict() == Verdict::Distinct
    });
    let repeats = !first.differs && first.profile.covers(said);
    let comparison = match (repeats, rival) {
        (true, _) => best.at_least_link("said before, word for word"),
        (false, Some(_)) => best.at_most(Verdict::Review, "another is as likely"),
        (false, None) => best,
    };
    Some(Choice { id: first.id, comparison, repeats })
}
