use leadflow_platform::{Result, ids, value};
use leadflow_proto::contact::v1 as pb;
use prost::Message as _;

use super::{
    account::mask_paths,
    country,
    profile::{change_profile, profile_values},
    short, time,
};
use crate::{
    domain::{Contact, Joined, normal},
    error,
};

/// The declared fields, in a mask.
const PROFILE_FIELDS: &str = "profile.fields";

pub(crate) fn contact(contact: &Contact) -> pb::Contact {
    pb::Contact {
        contact_id: contact.contact_id.to_string(),
        account_id: contact.account_id.map(|id| id.to_string()).unwrap_or_default(),
        left_account_ids: contact.left_account_ids.iter().map(ToString::to_string).collect(),
        given_name: contact.given_name.clone(),
        family_name: contact.family_name.clone(),
        job_title: contact.job_title.clone(),
        emails: contact.emails.clone(),
        phones: contact.phones.clone(),
        verified_mobiles: contact.mobiles.clone(),
        street: contact.street.clone(),
        city: contact.city.clone(),
        postal_code: contact.postal_code.clone(),
        region: contact.region.clone(),
        profile: Some(profile(contact)),
        revision: contact.revision,
        etag: contact.revision.to_string(),
        create_time: Some(time(contact.create_time)),
        update_time: Some(time(contact.update_time)),
        merged_contact_ids: Vec::new(),
    }
}

/// A contact with all that were merged into it, as it is shown.
pub(crate) fn joined_contact(joined: &Joined<Contact>) -> pb::Contact {
    pb::Contact {
        etag: joined.etag(),
        merged_contact_ids: joined.merged.iter().map(|side| side.contact_id.to_string()).collect(),
        ..contact(&joined.shown())
    }
}

fn profile(contact: &Contact) -> pb::ContactProfile {
    pb::ContactProfile {
        role: contact.role.clone(),
        function: contact.function.clone(),
        seniority: contact.seniority.clone(),
        stage: contact.stage.clone(),
        country: contact.country.clone(),
        fields: value::map_to_proto(&contact.profile),
    }
}

/// The event that says how the contact is now, without anything that names the person, encoded.
pub(crate) fn contact_changed(changed: &Contact) -> Vec<u8> {
    pb::ContactChanged {
        contact_id: changed.contact_id.to_string(),
        account_id: changed.account_id.map(|id| id.to_string()).unwrap_or_default(),
        profile: Some(profile(changed)),
        revision: changed.revision,
        update_time: Some(time(changed.update_time)),
        merged_into_contact_id: changed.merged_into.map(|id| id.to_string()).unwrap_or_default(),
    }
    .encode_to_vec()
}

/// A mobile in E.164, as somebody has written it.
pub(crate) fn mobile(request: &pb::VerifyMobileRequest) -> Result<String> {
    let country = country("country", &request.country)?;
    let phone =
        normal::phone(&short("phone", &request.phone)?, &country).ok_or_else(|| error::invalid_phone("phone"))?;
    if normal::is_mobile(&phone) { Ok(phone) } else { Err(error::no_mobile("phone")) }
}

/// Takes the fields that the mask names over from what was said. Identities are not changed by hand, and the account only
/// where the mask names it: who leaves it out of a whole contact does not say that somebody has left.
pub(crate) fn contact_change(
    mask: Option<&prost_types::FieldMask>,
    said: &pb::Contact,
) -> Result<impl FnOnce(&mut Contact) + Send + 'static> {
    const FIELDS: [&str; 14] = [
        "given_name",
        "family_name",
        "job_title",
        "street",
        "city",
        "postal_code",
        "region",
        "profile.role",
        "profile.function",
        "profile.seniority",
        "profile.stage",
        "profile.country",
        "account_id",
        PROFILE_FIELDS,
    ];
    let paths = mask_paths(mask, &FIELDS, PROFILE_FIELDS)?;
    let moves = mask.is_some_and(|mask| mask.paths.iter().any(|path| path == "account_id"));
    let account_id = moves.then(|| ids::parse("contact.account_id", &said.account_id)).transpose()?;
    let says = said.profile.clone().unwrap_or_default();
    let text = |field: &str, value: &str| short(&format!("contact.{field}"), value);
    let values = [
        text("given_name", &said.given_name)?,
        text("family_name", &said.family_name)?,
        text("job_title", &said.job_title)?,
        text("street", &said.street)?,
        text("city", &said.city)?,
        text("postal_code", &said.postal_code)?,
        text("region", &said.region)?,
        text("profile.role", &says.role)?,
        text("profile.function", &says.function)?,
        text("profile.seniority", &says.seniority)?,
        text("profile.stage", &says.stage)?,
        country("contact.profile.country", &says.country)?,
    ];
    let declared = profile_values("contact.profile.fields", &says.fields)?;
    Ok(move |contact: &mut Contact| {
        let fields = [
            &mut contact.given_name,
            &mut contact.family_name,
            &mut contact.job_title,
            &mut contact.street,
            &mut contact.city,
            &mut contact.postal_code,
            &mut contact.region,
            &mut contact.role,
            &mut contact.function,
            &mut contact.seniority,
            &mut contact.stage,
            &mut contact.country,
        ];
        for ((name, field), value) in FIELDS.iter().zip(fields).zip(values) {
            if paths.iter().any(|path| path == name) {
                *field = value;
            }
        }
        change_profile(&mut contact.profile, &paths, PROFILE_FIELDS, &declared);
        contact.account_id = account_id.or(contact.account_id);
    })
}
