//! The rows of the tables.

pub(super) mod activity;
pub(super) mod announced_statement;
pub(super) mod erased_activity;
pub(super) mod erased_total;
pub(super) mod pending_confirmation;
pub(super) mod product_category;
pub(super) mod quarantined_activity;
pub(super) mod source;
