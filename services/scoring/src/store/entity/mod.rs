//! The tables, one file each.

pub(super) mod account;
pub(super) mod account_revision;
pub(super) mod adjustment;
pub(super) mod contact_merge;
pub(super) mod contact_revision;
pub(super) mod evidence;
pub(super) mod hand_over;
pub(super) mod lead;
pub(super) mod lead_side;
pub(super) mod product_category;
pub(super) mod scoring_model;
