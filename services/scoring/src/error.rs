//! What can go wrong in scoring, besides what can go wrong everywhere.

use leadflow_platform::{Error, clock::from_millis, error::Code};

/// The lead is closed.
pub(crate) fn lead_closed() -> Error {
    Error::precondition("LEAD_CLOSED", "the lead is closed: only an open one can be changed")
}

/// There was no model at that moment.
pub(crate) fn no_model_at(first: Option<i64>) -> Error {
    let message = match first {
        Some(first) => format!("no scoring model was published yet: the first one came at {}", from_millis(first)),
        None => "there is no scoring model: apply one with `leadflow apply`".to_owned(),
    };
    let error = Error::new(Code::FailedPrecondition, "NO_MODEL_AT", message);
    if first.is_some() { error.and(Error::invalid("at", "is before the first model")) } else { error }
}

/// The hand-over does not exist.
pub(crate) fn no_hand_over() -> Error {
    Error::new(Code::NotFound, "NOT_HANDED_OVER", "the lead has not been handed over under this number")
}

/// The category is not in the tree.
pub(crate) fn unknown_category(field: String, name: &str) -> Error {
    Error::field("UNKNOWN_PRODUCT_CATEGORY", field, format!("`{name}` is no product category: add it"))
}

/// The tree has a cycle.
pub(crate) fn category_cycle(chain: &[&str]) -> Error {
    Error::field("CATEGORY_CYCLE", "product_categories", format!("have a cycle: {}", chain.join(" → ")))
}
