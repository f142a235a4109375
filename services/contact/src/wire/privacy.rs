use leadflow_proto::contact::v1 as pb;
use prost::Message as _;
use uuid::Uuid;

use super::{account::account, consent, contact::contact, review::review, site_map::fact, time};
use crate::{
    app::privacy::Held,
    domain::{
        Key,
        erasure::{Erasure, Person, Step},
    },
};

pub(crate) fn erasure(erasure: Erasure) -> pb::Erasure {
    let step = |step: Step| pb::ErasureStep {
        service: step.service,
        complete_time: step.complete_time.map(time),
        deleted: step.deleted,
    };
    pb::Erasure {
        erasure_id: erasure.erasure_id.to_string(),
        contact_ids: erasure.contact_ids.iter().map(Uuid::to_string).collect(),
        reason: erasure.reason,
        principal: erasure.principal,
        create_time: Some(time(erasure.create_time)),
        complete_time: erasure.complete_time.map(time),
        steps: erasure.steps.into_iter().map(step).collect(),
        lift: erasure.lift.map(|lift| pb::Lift {
            time: Some(time(lift.time)),
            principal: lift.principal,
            reason: lift.reason,
        }),
    }
}

/// The event that says who is to be erased, by ids only, encoded.
pub(crate) fn contact_erased(erasure: &Erasure) -> Vec<u8> {
    let contact_ids = erasure.contact_ids.iter().map(Uuid::to_string).collect();
    pb::ContactErased { erasure_id: erasure.erasure_id.to_string(), contact_ids }.encode_to_vec()
}

pub(crate) fn erased_person(person: Person) -> pb::GetErasedPersonResponse {
    let external_id = |(source, value)| pb::ExternalId { source, value };
    let name = |(given_name, family_name)| pb::PersonName { given_name, family_name };
    pb::GetErasedPersonResponse {
        emails: person.emails.into_iter().collect(),
        phones: person.phones.into_iter().collect(),
        external_ids: person.external_ids.into_iter().map(external_id).collect(),
        anonymous_ids: person.anonymous_ids.into_iter().collect(),
        names: person.names.into_iter().map(name).collect(),
        account_ids: person.account_ids.iter().map(Uuid::to_string).collect(),
    }
}

/// All that is held of a person.
pub(crate) fn held(held: Held) -> pb::ExportContactResponse {
    let identity = |(contact_id, key): &(Uuid, Key)| {
        let (kind, source, value) = match key {
            Key::Email(value) => ("email", String::new(), value),
            Key::Mobile(value) => ("mobile", String::new(), value),
            Key::ExternalId(source, value) => ("external_id", source.clone(), value),
            Key::AnonymousId(value) => ("anonymous_id", String::new(), value),
            Key::Phone(value) => ("phone", String::new(), value),
            Key::Domain(_) | Key::Name(..) | Key::Reference(_) | Key::Description(_) => return None,
        };
        let (contact_id, kind) = (contact_id.to_string(), kind.to_owned());
        Some(pb::ExportedIdentity { contact_id, kind, source, value: value.clone() })
    };
    pb::ExportContactResponse {
        contacts: held.contacts.iter().map(contact).collect(),
        accounts: held.accounts.iter().map(account).collect(),
        identities: held.identities.iter().filter_map(identity).collect(),
        consents: held.consents.iter().map(consent).collect(),
        facts: held.facts.into_iter().map(fact).collect(),
        match_reviews: held.reviews.iter().map(review).collect(),
    }
}
