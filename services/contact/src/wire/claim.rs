use leadflow_platform::{Result, ids};
use leadflow_proto::contact::v1 as pb;
use uuid::Uuid;

use super::{country, short};
use crate::{
    app::resolve::Answer,
    domain::{Claim, matching::Own, normal},
    error,
};

/// A claim in normal form.
pub(crate) fn claim(claim: &pb::IdentityClaim) -> Result<Claim> {
    if let Some(contact_id) = ids::parse_optional("contact_id", &claim.contact_id)? {
        return Ok(Claim { contact_id: Some(contact_id), ..Claim::default() });
    }
    owning(claim, Own::default())
}

/// The same, with what is the person's own.
pub(crate) fn owning(claim: &pb::IdentityClaim, own: Own) -> Result<Claim> {
    let said = claim.identity.clone().unwrap_or_default();
    let text = |field: &str, value: &str| short(&format!("identity.{field}"), value);
    let source = short("source", &claim.source)?;
    let some = |value: String| (!value.is_empty()).then_some(value);
    let country = country("identity.country", &said.country)?;
    let email = match said.email.trim() {
        "" => None,
        written => Some(normal::email(written).ok_or_else(error::invalid_email)?),
    };
    let told = normal::corporate_domain(&said.domain);
    let domain = email.as_deref().and_then(normal::corporate_domain).or(told);
    // The address of a role leads to its organisation; whoever writes from there is known by something else, or not.
    let email = email.filter(|email| !normal::is_role_address(email));
    let phone = normal::phone(&said.phone, &country);
    let read = Claim {
        contact_id: None,
        domain,
        external_id: some(text("external_id", &said.external_id)?).map(|id| (source, id)),
        anonymous_id: some(text("anonymous_id", &said.anonymous_id)?),
        // A fixed line is shared, whoever has answered it.
        mobile: phone.clone().filter(|phone| said.phone_verified && normal::is_mobile(phone)),
        phone,
        company: text("company", &said.company)?,
        region: text("region", &said.region)?,
        postal_code: text("postal_code", &said.postal_code)?,
        city: text("city", &said.city)?,
        street: text("street", &said.street)?,
        given_name: text("given_name", &said.given_name)?,
        family_name: text("family_name", &said.family_name)?,
        job_title: text("job_title", &said.job_title)?,
        email,
        country,
        own,
    };
    if !read.keys().is_empty() {
        return Ok(read);
    }
    // Nothing is left that leads to anybody: say of what was written why.
    match (said.phone.trim(), said.domain.trim()) {
        ("", "") => Err(error::missing_identity()),
        ("", _) => Ok(read),
        _ => Err(error::invalid_phone("identity.phone")),
    }
}

pub(crate) fn resolved(result: Result<Option<Answer>>) -> pb::ResolvedIdentity {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    match result {
        Ok(None) => pb::ResolvedIdentity { unknown: true, ..Default::default() },
        Ok(Some(Answer { suppressed: true, .. })) => pb::ResolvedIdentity { suppressed: true, ..Default::default() },
        Ok(Some(Answer { resolved, contact_id, account_id, account_revision, .. })) => pb::ResolvedIdentity {
            contact_id: text(contact_id),
            account_id: text(account_id),
            origin_contact_id: text(resolved.contact_id),
            origin_account_id: text(resolved.account_id),
            recognised_contact_ids: resolved.recognised.iter().map(ToString::to_string).collect(),
            contact_created: resolved.contact_created,
            account_created: resolved.account_created,
            account_revision,
            contact_review_id: text(resolved.contact_review),
            account_review_id: text(resolved.account_review),
            ..Default::default()
        },
        Err(error) => pb::ResolvedIdentity { error: Some(error.to_item_status()), ..Default::default() },
    }
}
