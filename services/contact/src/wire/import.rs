//! The lines of an import.

use leadflow_platform::{Error, Result, ids};
use leadflow_proto::contact::v1 as pb;

use super::{account_from, claim, country, profile::profile_values, short};
use crate::{
    app::import::Outcome,
    domain::{
        Claim, Contact,
        import::{AccountLine, ContactLine},
        normal,
    },
    error,
};

/// An account as a line says it.
pub(crate) fn account_line(line: pb::AccountLine) -> Result<AccountLine> {
    let mut said = line.account.unwrap_or_default();
    let account_id = ids::parse_optional("account.account_id", &std::mem::take(&mut said.account_id))?;
    if !said.parent_account_id.is_empty() || !said.parent_reference.is_empty() {
        return Err(Error::invalid("account.parent_account_id", "is not for imports: give `parent` of the line"));
    }
    let (relation, roll_up) = (said.relation() != pb::Relation::Unspecified, said.roll_up);
    // A name that is not to be changed need not be said.
    let nameless = said.name.trim().is_empty();
    if nameless {
        if account_id.is_none() && said.reference.is_empty() && said.domains.is_empty() {
            return Err(Error::invalid("account.name", "is required where neither id, reference nor domain is there"));
        }
        "-".clone_into(&mut said.name);
    }
    let mut account = account_from("account", said)?;
    if nameless {
        account.name.clear();
    }
    let relation = relation.then_some(account.relation);
    Ok(AccountLine { account_id, account, relation, roll_up, parent: short("parent", &line.parent)? })
}

/// A person as a line says it, whose external ids are of `source`.
pub(crate) fn contact_line(source: &str, line: pb::ContactLine) -> Result<(Claim, ContactLine)> {
    let identity = line.identity.unwrap_or_default();
    let says = line.profile.unwrap_or_default();
    let home = country("identity.country", &identity.country)?;
    if !identity.phone.trim().is_empty() && normal::phone(&identity.phone, &home).is_none() {
        return Err(error::invalid_phone("identity.phone"));
    }
    if identity.phone_verified {
        return Err(Error::invalid(
            "identity.phone_verified",
            "is not for imports: VerifyMobile says so of one contact",
        ));
    }
    let text = |field: &str, value: &str| short(field, value);
    let said = Contact {
        given_name: text("identity.given_name", &identity.given_name)?,
        family_name: text("identity.family_name", &identity.family_name)?,
        job_title: text("identity.job_title", &identity.job_title)?,
        role: text("profile.role", &says.role)?,
        function: text("profile.function", &says.function)?,
        seniority: text("profile.seniority", &says.seniority)?,
        stage: text("profile.stage", &says.stage)?,
        country: country("profile.country", &says.country)?,
        profile: profile_values("profile.fields", &says.fields)?,
        ..Contact::default()
    };
    let claim =
        claim(&pb::IdentityClaim { identity: Some(identity), source: source.to_owned(), ..Default::default() })?;
    let is_person =
        claim.email.is_some() || claim.external_id.is_some() || claim.anonymous_id.is_some() || claim.phone.is_some();
    if !is_person {
        return Err(error::missing_person());
    }
    Ok((claim, ContactLine { said, account: short("account", &line.account)? }))
}

pub(crate) fn import_result(outcome: Outcome) -> pb::ImportResult {
    use pb::import_result::Outcome as Word;
    let (outcome, id, error) = match outcome {
        Outcome::Created(id) => (Word::Created, id.to_string(), None),
        Outcome::Updated(id) => (Word::Updated, id.to_string(), None),
        Outcome::Unchanged(id) => (Word::Unchanged, id.to_string(), None),
        Outcome::Rejected(status) => {
            (Word::Rejected, String::new(), Some(prost::Message::decode(&status[..]).unwrap_or_default()))
        }
    };
    pb::ImportResult { outcome: outcome.into(), id, error }
}
