//! Whether two descriptions are of one person, or of one organisation.
//!
//! The method is that of Fellegi and Sunter ("A Theory for Record Linkage", 1969): each field that both descriptions
//! have adds the binary logarithm of how much likelier its agreement (or disagreement) is between descriptions of one
//! than between descriptions of two. A missing field says nothing. So the weight is in bits, and is always the sum of
//! the lines that explain it.
//!
//! Where fields depend on each other, a line says so: people of one household or one company share all but the given
//! name, so that no sum of the rest may outweigh another given name, but a number that is one's own; and a name alone never
//! tells who it is.

mod blocks;
mod choose;
mod company;
mod details;
mod line;
mod names;
mod organisations;
mod own;
mod people;
mod place;
mod street;
mod text;

pub use blocks::{Block, MAX_BLOCK, blocks};
pub use choose::{Candidate, Choice, choose};
pub use details::{Details, Profile, Subject};
pub use line::{Agreement, Comparison, Line, Thresholds, Verdict};
pub use organisations::is_elsewhere;
pub use own::Own;

/// Two whom one strong identity joins and another keeps apart: as near as two can be whom only a person may link.
pub fn kept_apart(field: &str, value: &str) -> Comparison {
    let thresholds = Subject::Person.thresholds();
    let lines = vec![Line::new(field, (Agreement::Same, thresholds.link), value, value)];
    Comparison::new(lines, thresholds).at_most(Verdict::Review, choose::DIFFERS)
}

/// Compares two descriptions of people, or of organisations.
pub fn compare(subject: Subject, left: &Profile, right: &Profile) -> Comparison {
    let lines = match subject {
        Subject::Person => people::compare(left, right),
        Subject::Organisation => organisations::compare(left, right),
    };
    Comparison::new(lines, subject.thresholds())
}
