//! Ids: UUIDv7, so that they sort by the time they were made.

use uuid::Uuid;

use crate::error::{Error, Result};

/// A new id.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// The id in a message's `field`.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is missing or no UUID.
pub fn parse(field: &str, text: &str) -> Result<Uuid> {
    if text.is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    Uuid::parse_str(text).map_err(|_| Error::invalid(field, format!("`{text}` is no UUID")))
}

/// The id in a message's `field`, which may be empty.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is no UUID.
pub fn parse_optional(field: &str, text: &str) -> Result<Option<Uuid>> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// Checks a name that people give to a resource: lower case letters, digits and hyphens, a letter first, at most 63.
///
/// # Errors
/// `INVALID_ARGUMENT` that says so.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    let ok = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if ok {
        Ok(())
    } else {
        Err(Error::invalid(
            field,
            format!("`{name}` is no name: use lower case letters, digits and hyphens, a letter first, at most 63"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_with_hyphens() {
        for good in ["a", "website-form", "x1"] {
            check_name("name", good).unwrap();
        }
        for bad in ["", "-a", "a-", "Ä", "A", "1a", "a b", &"a".repeat(64)] {
            assert!(check_name("name", bad).is_err(), "{bad}");
        }
    }
}
