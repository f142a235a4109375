//! Pages of a list (AIP-158): a token carries where the next page begins and which query it belongs to.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// Entries on a page when the caller does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Entries on a page at the most; more is cut to this.
pub const MAX_SIZE: u64 = 1000;

/// One page that was asked for. `K` is the key that the list is sorted by.
#[derive(Debug)]
pub struct Page<K> {
    size: u64,
    after: Option<K>,
    query: String,
}

impl<K: Serialize + DeserializeOwned> Page<K> {
    /// Reads `page_size` and `page_token`; `query` is all else that the request asks for.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a negative size, and for a token that is none or belongs to another query.
    pub fn parse(page_size: i32, page_token: &str, query: &impl Serialize) -> Result<Self> {
        let size = match u64::try_from(page_size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => return Err(Error::invalid("page_size", "must not be negative")),
        };
        let json = serde_json::to_vec(query).map_err(|cause| Error::internal("a query without JSON").because(cause))?;
        let query = URL_SAFE_NO_PAD.encode(&Sha256::digest(json)[..9]);
        if page_token.is_empty() {
            return Ok(Self { size, after: None, query });
        }
        let invalid = || Error::field("INVALID_PAGE_TOKEN", "page_token", "is no token of this list");
        let bytes = URL_SAFE_NO_PAD.decode(page_token).map_err(|_| invalid())?;
        let (of, after): (String, K) = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        if of != query {
            return Err(Error::field(
                "INVALID_PAGE_TOKEN",
                "page_token",
                "belongs to another query: keep the filters, or start without a token",
            ));
        }
        Ok(Self { size, after: Some(after), query })
    }

    /// The key after which the page begins.
    pub fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// How many rows to read: one more than the page shows, to know whether there is a next one.
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Cuts what was read to the page and makes the token of the next one (empty on the last page).
    pub fn finish<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, String) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows
            .last()
            .and_then(|last| serde_json::to_vec(&(&self.query, key(last))).ok())
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .unwrap_or_default();
        (rows, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all: Vec<u32> = (0..7).collect();
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let page = Page::<u32>::parse(3, &token, &"all").unwrap();
            let rows = all.iter().copied().filter(|n| page.after().is_none_or(|after| n > after));
            let (rows, next) = page.finish(rows.take(page.limit() as usize).collect(), |n| *n);
            seen.extend(rows);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_token_of_another_query_is_refused() {
        let page = Page::<u32>::parse(1, "", &"hot").unwrap();
        let (_, token) = page.finish(vec![1, 2], |n| *n);
        let error = Page::<u32>::parse(1, &token, &"warm").unwrap_err();
        assert_eq!((error.reason(), error.violations()[0].0.as_str()), ("INVALID_PAGE_TOKEN", "page_token"));
        assert!(Page::<u32>::parse(1, "garbage", &"hot").is_err());
    }

    #[test]
    fn a_page_is_never_larger_than_the_maximum() {
        assert_eq!(Page::<u32>::parse(i32::MAX, "", &()).unwrap().limit(), MAX_SIZE + 1);
        assert!(Page::<u32>::parse(-1, "", &()).is_err());
    }
}
