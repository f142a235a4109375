//! What can go wrong in contact, besides what can go wrong everywhere.

use leadflow_platform::{Error, error::Code};

/// Nothing tells who it was.
pub(crate) fn missing_identity() -> Error {
    Error::field(
        "MISSING_IDENTITY",
        "identity",
        "names nobody: give at least one of email, phone, external_id, anonymous_id, domain and company",
    )
}

/// The address is none.
pub(crate) fn invalid_email() -> Error {
    Error::field("INVALID_EMAIL", "identity.email", "is no email address")
}

/// The number is none, and there is nothing else.
pub(crate) fn invalid_phone() -> Error {
    Error::field("INVALID_PHONE", "identity.phone", "is no phone number: write it with its country code, such as +49 …")
}

/// The domain belongs to another account.
pub(crate) fn domain_taken(domain: &str, owner: &str) -> Error {
    let problem = format!("contain `{domain}`, which belongs to the account `{owner}`");
    Error::new(Code::AlreadyExists, "DOMAIN_TAKEN", format!("domains {problem}"))
        .and(Error::invalid("domains", problem))
}

/// The reference belongs to another account.
pub(crate) fn reference_taken(reference: &str) -> Error {
    let problem = format!("`{reference}` belongs to another account");
    Error::new(Code::AlreadyExists, "REFERENCE_TAKEN", format!("reference {problem}"))
        .and(Error::invalid("reference", problem))
}

/// More items than a call may have.
pub(crate) fn too_many(field: &str, limit: usize) -> Error {
    Error::field("TOO_MANY_ITEMS", field, format!("has more than {limit} entries, the most that one call takes"))
}
