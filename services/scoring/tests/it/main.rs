//! Scoring, tested through its public ways in.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod arithmetic;
mod histories;
mod oracle;
