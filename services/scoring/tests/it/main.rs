//! Scoring, tested through its public ways in.

mod arithmetic;
mod histories;
mod oracle;
