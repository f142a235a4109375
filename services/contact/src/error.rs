//! What can go wrong in contact, besides what can go wrong everywhere.

use leadflow_platform::{Error, error::Code};
use uuid::Uuid;

use crate::domain::{import::Unclear, profile::Refusal};

/// Nothing tells who it was.
pub(crate) fn missing_identity() -> Error {
    Error::field(
        "MISSING_IDENTITY",
        "identity",
        "names nobody: give at least one of email, phone, external_id, anonymous_id, domain and company, or a name with \
         a postal address",
    )
}

/// The address is none.
pub(crate) fn invalid_email() -> Error {
    Error::field("INVALID_EMAIL", "identity.email", "is no email address")
}

/// The number is none, and there is nothing else.
pub(crate) fn invalid_phone(field: &str) -> Error {
    Error::field("INVALID_PHONE", field, "is no phone number: write it with its country code, such as +49 …")
}

/// The number is none that one person carries.
pub(crate) fn no_mobile(field: &str) -> Error {
    Error::field("NO_MOBILE", field, "is no mobile: a fixed line may be anybody's who is there")
}

/// The mobile was verified to be another contact's.
pub(crate) fn mobile_taken(field: &str, owner: Uuid) -> Error {
    let problem = format!(
        "is that of the contact `{owner}`: if the two are one person, merge them; if it has changed hands, withdraw it \
         there first"
    );
    Error::new(Code::AlreadyExists, "MOBILE_TAKEN", format!("{field} {problem}")).and(Error::invalid(field, problem))
}

/// The domain belongs to another account.
pub(crate) fn domain_taken(domain: &str, owner: &str) -> Error {
    let problem = format!(
        "contain `{domain}`, which belongs to the account `{owner}`: if the two are one organisation, merge them"
    );
    Error::new(Code::AlreadyExists, "DOMAIN_TAKEN", format!("domains {problem}"))
        .and(Error::invalid("domains", problem))
}

/// The reference belongs to another account.
pub(crate) fn reference_taken(reference: &str) -> Error {
    let problem = format!("`{reference}` belongs to another account");
    Error::new(Code::AlreadyExists, "REFERENCE_TAKEN", format!("reference {problem}"))
        .and(Error::invalid("reference", problem))
}

/// There is no such parent.
pub(crate) fn unknown_parent(field: &str, parent: impl std::fmt::Display) -> Error {
    Error::field("UNKNOWN_PARENT", field, format!("`{parent}` is no account: create it first, or leave the parent out"))
}

/// The parent belongs to the account itself.
pub(crate) fn hierarchy_cycle(field: &str) -> Error {
    Error::field("HIERARCHY_CYCLE", field, "makes a circle: an account never belongs to itself")
}

/// More levels than a group of companies has.
pub(crate) fn hierarchy_too_deep(field: &str, limit: usize) -> Error {
    Error::field("HIERARCHY_TOO_DEEP", field, format!("has more than {limit} levels, the most that accounts may have"))
}

/// A profile says what nobody has declared, or says it in another way.
pub(crate) fn of_profile(field: &str, refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Undeclared(declared) if declared.is_empty() => {
            Error::field("UNDECLARED_FIELD", field, "is not declared: apply a ProfileField of this name first")
        }
        Refusal::Undeclared(declared) => {
            let problem = format!("is not declared: declared are {}", declared.join(", "));
            Error::field("UNDECLARED_FIELD", field, problem)
        }
        Refusal::Wrong(expected) => Error::field("WRONG_TYPE", field, format!("must be {expected}")),
    }
}

/// A field was declared with another type before.
pub(crate) fn other_type(field: &str, known: &str) -> Error {
    let problem = format!("was declared as {known}: a type stays for good, declare another field");
    Error::field("OTHER_TYPE", field, problem)
}

/// It cannot be told which account a line is about.
pub(crate) fn unclear_account(field: &str, unclear: &Unclear) -> Error {
    match unclear {
        Unclear::Unknown => unknown_account_in(format!("{field}.account_id"), "there is none of this id"),
        Unclear::OtherReference(other) => {
            let problem = format!("belong to the account with the reference `{other}`");
            Error::field("DOMAIN_TAKEN", format!("{field}.domains"), problem)
        }
        Unclear::Several => {
            let problem = "may be one of several accounts: say its reference, one of its domains, or its country";
            Error::field("AMBIGUOUS_ACCOUNT", field, problem)
        }
    }
}

/// It cannot be told which parent a line means.
pub(crate) fn unclear_parent(said: &str, unclear: &Unclear) -> Error {
    match unclear {
        Unclear::Several => {
            let problem = format!("`{said}` is the name of several accounts: say its reference or its id");
            Error::field("AMBIGUOUS_ACCOUNT", "parent", problem)
        }
        Unclear::Unknown | Unclear::OtherReference(_) => unknown_parent("parent", said),
    }
}

/// A line names an account that is not there.
pub(crate) fn unknown_account(said: &str) -> Error {
    unknown_account_in("account".to_owned(), &format!("`{said}` is neither the id nor the reference of an account"))
}

fn unknown_account_in(field: String, problem: &str) -> Error {
    Error::field("UNKNOWN_ACCOUNT", field, problem)
}

/// A line says nothing that a person could be known by.
pub(crate) fn missing_person() -> Error {
    Error::field(
        "MISSING_IDENTITY",
        "identity",
        "names no person: give an email, a phone, an external_id or an anonymous_id",
    )
}

/// Only a phone was said, and several people have it.
pub(crate) fn shared_phone() -> Error {
    Error::field(
        "AMBIGUOUS_CONTACT",
        "identity.phone",
        "is shared by several people: say an email or an external_id too",
    )
}

/// What was said leads to nobody who was erased and is not let in yet.
pub(crate) fn not_suppressed() -> Error {
    let problem = "names nobody who was erased, or one who was let in again";
    Error::new(Code::NotFound, "NOT_SUPPRESSED", format!("claim.identity {problem}"))
        .and(Error::invalid("claim.identity", problem))
}

/// The services are still at deleting somebody.
pub(crate) fn erasure_open(erasure_id: Uuid) -> Error {
    let message =
        format!("the erasure `{erasure_id}` is not complete: let the person in when all services have reported");
    Error::precondition("ERASURE_OPEN", message)
}

/// A line names somebody who was erased.
pub(crate) fn suppressed() -> Error {
    Error::field("SUPPRESSED", "identity", "names somebody who was erased, and who must not come back by an import")
}

/// A site map that is full.
pub(crate) fn too_many_facts(limit: usize) -> Error {
    Error::precondition(
        "TOO_MANY_FACTS",
        format!("the account has {limit} facts, which is the most that a site map holds"),
    )
}

/// More items than a call may have.
pub(crate) fn too_many(field: &str, limit: usize) -> Error {
    Error::field("TOO_MANY_ITEMS", field, format!("has more than {limit} entries, the most that one call takes"))
}

/// Both sides of a merge are the same.
pub(crate) fn same_side() -> Error {
    Error::field("SAME_SIDE", "merged_id", "is the survivor itself: a merge takes two")
}

/// One side of a merge was merged into another already.
pub(crate) fn already_merged(kind: &str, field: &str, id: Uuid, survivor: Uuid) -> Error {
    let problem = format!("`{id}` was merged into the {kind} `{survivor}`: merge that one, or undo the merge first");
    Error::precondition("ALREADY_MERGED", format!("{field} {problem}")).and(Error::invalid(field, problem))
}

/// One side of a merge was changed since it was looked at.
pub(crate) fn stale_side(kind: &str, field: &str) -> Error {
    let message = format!("the {kind} was changed since it was read: look at the merge again");
    Error::new(Code::Aborted, "STALE_ETAG", message).and(Error::invalid(field, "is out of date"))
}

/// The merge does not hold any more.
pub(crate) fn merge_undone() -> Error {
    let message = "the merge was undone before";
    Error::precondition("MERGE_UNDONE", message).and(Error::invalid("merge_id", "is that of a merge that was undone"))
}

/// The same error, and where there is no such contact, with its field.
pub(crate) fn of_contact(error: Error, contact_id: uuid::Uuid) -> Error {
    if error.code() != Code::NotFound {
        return error;
    }
    let there_is_none = "names no contact: it may have been erased before";
    Error::not_found("contact", contact_id).and(Error::invalid("contact_id", there_is_none))
}

/// A service that holds nothing of people.
pub(crate) fn no_reporting_service(name: &str) -> Error {
    Error::invalid("service", format!("`{name}` is none that reports erasures"))
}

/// A person has decided already, or nobody was asked.
pub(crate) fn review_decided(state: &str) -> Error {
    Error::precondition("REVIEW_DECIDED", format!("the match review is `{state}`: only an open one can be decided"))
}
