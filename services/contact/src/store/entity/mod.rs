//! The tables, one file each.

pub(super) mod account;
pub(super) mod account_key;
pub(super) mod contact;
pub(super) mod contact_phone;
pub(super) mod identity;
pub(super) mod merge;
pub(super) mod site_map_fact;
