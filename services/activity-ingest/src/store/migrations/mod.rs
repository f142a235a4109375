//! How the tables came to be. What was released is never changed; changes come as new files.

pub(super) mod confirmations;
pub(super) mod erasures;
pub(super) mod ledger;
pub(super) mod narrow_indexes;
pub(super) mod quarantine;
pub(super) mod reattribution;
pub(super) mod statements;
pub(super) mod traceparent;
pub(super) mod verified_mobiles;
pub(super) mod webhook;
