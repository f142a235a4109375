//! Accounts and contacts from CSV files: what a line means, without sending it.
//!
//! `field` is what a column can mean, `row` makes a line of the contract of it, `order` lets parents go before those that
//! belong to them, `remark` notices what is probably misspelt, and `outcome` is the file with what became of each line.

pub(crate) mod field;
pub(crate) mod order;
pub(crate) mod outcome;
pub(crate) mod remark;
pub(crate) mod row;
