//! CSV files: what a line means, without sending it. Activities here, accounts and contacts in `records`.
//!
//! `table` reads lines, `mapping` says which column is which `field`, `row` makes an activity of a line, and `batch` takes
//! several together. `failures` and `progress` are the two files that an import leaves beside its own: the lines that were refused, and how far it
//! has come.

pub(crate) mod batch;
mod country;
pub(crate) mod failures;
pub(crate) mod field;
mod guess;
pub(crate) mod mapping;
pub(crate) mod progress;
pub(crate) mod records;
pub(crate) mod row;
pub(crate) mod table;
pub(crate) mod value;
