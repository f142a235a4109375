//! Between the contract and the domain.

mod account;
mod claim;
mod consent;
mod contact;
mod import;
mod merge;
mod privacy;
mod profile;
mod review;
mod site_map;

pub(crate) use account::{
    account, account_change, account_changed, account_filter, account_from, change, joined_account, named_from,
};
pub(crate) use claim::{claim, owning, resolved};
pub(crate) use consent::{consent, consent_from, consent_recorded, permission, question};
pub(crate) use contact::{contact, contact_change, contact_changed, joined_contact, mobile};
pub(crate) use import::{account_line, contact_line, import_result};
pub(crate) use merge::{merge, merge_event, merge_filter, merge_kind, merging, note, preview};
pub(crate) use privacy::{contact_erased, erased_person, erasure, held};
pub(crate) use profile::{profile_field, profile_fields_from};
pub(crate) use review::{decision, review, review_filter, review_with_sides};
pub(crate) use site_map::{fact, fact_from, reason_from, shows, site_map};

use leadflow_platform::{Error, Result, clock};

fn time(millis: i64) -> prost_types::Timestamp {
    clock::to_proto(clock::from_millis(millis))
}

/// A text that is not longer than a line.
pub(crate) fn short(field: &str, text: &str) -> Result<String> {
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

/// Why somebody does something that cannot be undone.
pub(crate) fn reason(field: &str, text: &str) -> Result<String> {
    let reason = short(field, text)?;
    if reason.is_empty() {
        return Err(Error::invalid(field, "is required: say why, in words that name nobody"));
    }
    Ok(reason)
}

fn country(field: &str, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    crate::domain::country::country(text).ok_or_else(|| {
        Error::field("INVALID_COUNTRY", field, format!("`{text}` is no country: use two letters, such as DE"))
    })
}
