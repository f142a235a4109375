//! The tables, as sea-orm sees them.

pub(super) mod assignment;
pub(super) mod configuration;
pub(super) mod hand_over;
pub(super) mod lead;
pub(super) mod pool_balance;
