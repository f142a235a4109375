//! How a comparison came out, line by line.

use serde::{Deserialize, Serialize};

/// What one field says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The field, by its name in the contract; `limit` for what the fields together do not allow.
    pub field: String,
    /// How far the two agree.
    pub agreement: Agreement,
    /// In bits; negative where it speaks against.
    pub weight: f64,
    /// As one description has it.
    pub left: String,
    /// As the other has it.
    pub right: String,
}

/// How far two values agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The same but for case, accents and signs.
    Same,
    /// But for a slip.
    Near,
    /// Another form of the same name.
    Nickname,
    /// One is the first letter of the other.
    Initial,
    /// One is a part of the other.
    Part,
    /// Given and family name changed places.
    Swapped,
    /// Several slips apart, which is as likely chance.
    Far,
    /// Another one.
    Different,
    /// The field may not weigh what it would by itself.
    Limit,
}

impl Agreement {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Near => "near",
            Self::Nickname => "nickname",
            Self::Initial => "initial",
            Self::Part => "part",
            Self::Swapped => "swapped",
            Self::Far => "far",
            Self::Different => "different",
            Self::Limit => "limit",
        }
    }
}

impl Line {
    pub(super) fn new(field: &str, (agreement, weight): (Agreement, f64), left: &str, right: &str) -> Self {
        Self { field: field.to_owned(), agreement, weight, left: left.to_owned(), right: right.to_owned() }
    }
}

/// What a weight leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Two.
    Distinct,
    /// A person has to look.
    Review,
    /// One.
    Link,
}

/// From which weight on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// One.
    pub link: f64,
    /// A person has to look.
    pub review: f64,
}

impl Thresholds {
    /// What a weight leads to.
    pub fn verdict(&self, weight: f64) -> Verdict {
        if weight >= self.link {
            Verdict::Link
        } else if weight >= self.review {
            Verdict::Review
        } else {
            Verdict::Distinct
        }
    }
}

/// Two descriptions side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The sum of the lines, in bits.
    pub weight: f64,
    /// Why.
    pub lines: Vec<Line>,
    thresholds: Thresholds,
}

impl Comparison {
    pub(super) fn new(lines: Vec<Line>, thresholds: Thresholds) -> Self {
        // Zero first: an empty sum of floats is -0.
        Self { weight: lines.iter().fold(0.0, |sum, line| sum + line.weight), lines, thresholds }
    }

    /// What it leads to.
    pub fn verdict(&self) -> Verdict {
        self.thresholds.verdict(self.weight)
    }

    /// The comparison that leads to no more than this, with the line that says why.
    #[must_use]
    pub fn at_most(mut self, verdict: Verdict, why: &str) -> Self {
        limit(&mut self.lines, verdict, &self.thresholds, why);
        Self::new(self.lines, self.thresholds)
    }

    /// The comparison that leads to a link, with the line that says why.
    #[must_use]
    pub(super) fn at_least_link(mut self, why: &str) -> Self {
        let missing = self.thresholds.link - self.weight;
        if missing > 0.0 {
            self.lines.push(Line::new("repetition", (Agreement::Same, missing), why, why));
        }
        Self::new(self.lines, self.thresholds)
    }
}

/// Adds a line that takes away what leads to more than `verdict`.
pub(super) fn limit(lines: &mut Vec<Line>, verdict: Verdict, thresholds: &Thresholds, why: &str) {
    /// Below a threshold, without a doubt.
    const BELOW: f64 = 0.5;
    let weight: f64 = lines.iter().map(|line| line.weight).sum();
    let most = match verdict {
        Verdict::Link => return,
        Verdict::Review => thresholds.link - BELOW,
        Verdict::Distinct => thresholds.review - BELOW,
    };
    if weight > most {
        lines.push(Line::new("limit", (Agreement::Limit, most - weight), why, ""));
    }
}
