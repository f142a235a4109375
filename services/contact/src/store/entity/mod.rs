//! The tables, one file each.

pub(super) mod account;
pub(super) mod account_key;
pub(super) mod consent;
pub(super) mod contact;
pub(super) mod contact_phone;
pub(super) mod erasure;
pub(super) mod erasure_step;
pub(super) mod identity;
pub(super) mod match_key;
pub(super) mod match_review;
pub(super) mod merge;
pub(super) mod profile_field;
pub(super) mod site_map_fact;
pub(super) mod suppression;
