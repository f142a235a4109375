//! How the tables came to be. What was released is never changed; changes come as new files.

pub(super) mod merges;
pub(super) mod reattribution;
pub(super) mod roll_up;
pub(super) mod score_steps;
pub(super) mod sides;
pub(super) mod versions;
