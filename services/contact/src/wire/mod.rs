//! Between the contract and the domain.

mod account;
mod claim;
mod contact;
mod import;
mod merge;
mod site_map;

pub(crate) use account::{
    account, account_change, account_changed, account_filter, account_from, change, joined_account, named_from,
};
pub(crate) use claim::{claim, resolved};
pub(crate) use contact::{contact_change, contact_changed, joined_contact};
pub(crate) use import::{account_line, contact_line, import_result};
pub(crate) use merge::{merge, merge_event, merge_filter, merge_kind, merging, note, preview};
pub(crate) use site_map::{fact, fact_from, reason_from, shows, site_map};

use leadflow_platform::{Error, Result, clock};

fn time(millis: i64) -> prost_types::Timestamp {
    clock::to_proto(clock::from_millis(millis))
}

/// A text that is not longer than a line.
fn short(field: &str, text: &str) -> Result<String> {
    const LIMIT: usize = 320;
    let text = text.trim();
    if text.len() > LIMIT {
        return Err(Error::invalid(field, format!("is longer than {LIMIT} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "contains control characters"));
    }
    Ok(text.to_owned())
}

fn country(field: &str, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    crate::domain::country::country(text).ok_or_else(|| {
        Error::field("INVALID_COUNTRY", field, format!("`{text}` is no country: use two letters, such as DE"))
    })
}
