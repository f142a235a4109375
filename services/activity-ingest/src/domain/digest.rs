//! The fingerprint of what an activity says, by which a repetition is told from a conflict.

use leadflow_platform::{Error, Result};
use sha2::{Digest as _, Sha256};

use crate::domain::activity::Draft;

/// SHA-256 of a content.
pub(crate) type Digest = [u8; 32];

/// SHA-256 over the content as it came: all that the sender said, the source included, without the id of the event.
///
/// Defaults of the source are not part of it, so that a repetition stays one when they are changed in between; nor is
/// the moment of acceptance, which stands in for a missing `occur_time`.
///
/// # Errors
/// `INTERNAL` when the content has no JSON, which no content that came through a door lacks.
pub(crate) fn content_digest(draft: &Draft) -> Result<Digest> {
    // In the order of the struct and, inside the maps, of the keys: one content has one text.
    let text = serde_json::to_vec(draft).map_err(|cause| Error::internal("a content without JSON").because(cause))?;
    Ok(Sha256::digest(text).into())
}

/// The key of the lock under which repetitions of a content are looked for.
pub(crate) fn lock_key(digest: &Digest) -> i64 {
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::activity::Values;

    fn of_attributes(attributes: Values) -> Digest {
        content_digest(&Draft { attributes, ..Draft::default() }).unwrap()
    }

    proptest! {
        #[test]
        fn the_order_in_which_values_came_does_not_matter(
            pairs in proptest::collection::btree_map("[a-z]{1,8}", -1e9..1e9_f64, 0..20),
        ) {
            let forwards = pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let backwards = pairs.iter().rev().map(|(key, value)| (key.clone(), json!(value))).collect();
            prop_assert_eq!(of_attributes(forwards), of_attributes(backwards));
        }

        #[test]
        fn another_content_has_another_digest(a in ".{0,20}", b in ".{0,20}") {
            let digest = |notes: &str, object_id: &str| {
                content_digest(&Draft { notes: notes.into(), object_id: object_id.into(), ..Draft::default() }).unwrap()
            };
            prop_assert_eq!(digest(&a, &b) == digest(&b, &a), a == b);
        }
    }

    #[test]
    fn the_id_of_the_event_is_no_content() {
        let digest = |id: &str| content_digest(&Draft { source_event_id: id.into(), ..Draft::default() }).unwrap();
        assert_eq!(digest("1"), digest("2"));
    }
}
