//! How the tables came to be. What was released is never changed; changes come as new files.

pub(super) mod confirmations;
pub(super) mod consents;
pub(super) mod employers;
pub(super) mod erasures;
pub(super) mod hierarchy;
pub(super) mod lifts;
pub(super) mod matching;
pub(super) mod merged_accounts;
pub(super) mod merges;
pub(super) mod mobiles;
pub(super) mod profile_fields;
pub(super) mod roll_up;
pub(super) mod site_map;
