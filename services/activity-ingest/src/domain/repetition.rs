//! Activities without an id of their own are told apart by their content.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::digest::Digest;

/// How long an identical content from the same source is a repetition of the first.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Only what was recorded after this moment can be repeated now. The window begins with the first and is not drawn
/// out by repetitions.
pub(crate) fn window_begin(now: Timestamp) -> Timestamp {
    now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN)
}

/// For each new activity, in order, the one that it repeats: of those `known` from the window, or earlier in the row.
pub(crate) fn firsts<'a>(
    known: &HashMap<Digest, Uuid>,
    new: impl IntoIterator<Item = (Uuid, &'a Digest)>,
) -> Vec<Option<Uuid>> {
    let mut seen = HashMap::new();
    new.into_iter()
        .map(|(activity_id, digest)| {
            known.get(digest).or_else(|| seen.get(digest)).copied().or_else(|| {
                seen.insert(*digest, activity_id);
                None
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_content_stands_and_the_others_repeat_it() {
        let id = Uuid::from_u128;
        let known = HashMap::from([([7; 32], id(70))]);
        let new = [(id(1), &[1; 32]), (id(2), &[7; 32]), (id(3), &[1; 32]), (id(4), &[4; 32])];
        assert_eq!(firsts(&known, new), [None, Some(id(70)), Some(id(1)), None]);
    }
}
