//! Between the contract and the domain.

mod assignment;
mod configuration;
mod event;
mod trace;

pub(crate) use assignment::{assignment, assignment_filter, hand_over, hand_over_state, rejection};
pub(crate) use configuration::{change, patch, pool_status, rep, territory};
pub(crate) use event::{assignment_event, held_event, news};
pub(crate) use trace::trace;

use leadflow_platform::{Error, Result};

/// The longest text that people write, in bytes.
const MAX_TEXT: usize = 4096;

/// A text in `field` that can be stored: no NUL, which PostgreSQL refuses, and not too long.
fn text(field: &str, text: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "contains a NUL character: take it out"));
    }
    if text.len() > MAX_TEXT {
        return Err(Error::invalid(field, format!("is longer than {MAX_TEXT} bytes")));
    }
    Ok(text.to_owned())
}

/// The first error takes the others in.
fn collect<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut failure) = (Vec::new(), None::<Error>);
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                failure = Some(match failure {
                    Some(first) => first.and(error),
                    None => error,
                });
            }
        }
    }
    failure.map_or(Ok(values), Err)
}
