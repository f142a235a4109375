//! What keeps two people apart: strong identities that differ. A machine never joins them; where a verified mobile says that
//! they are one all the same, a person is asked.

use uuid::Uuid;

use super::{
    claim::Claim,
    matching::{Choice, kept_apart},
    resolve::Directory,
    who::Key,
};

impl Directory {
    /// Whether the contact is known by nothing but cookies.
    pub(super) fn is_anonymous(&self, id: Uuid) -> bool {
        let keys = self.keys_of.get(&id);
        keys.is_some_and(|keys| keys.iter().all(|key| matches!(key, Key::AnonymousId(_))))
    }

    /// Whether the contact is known by another address or by other mobiles than the claim says, or by other ids of the same
    /// source only. Two strong, different identities are never merged by a machine.
    pub(super) fn differs(&self, id: Uuid, claim: &Claim) -> bool {
        let Some(keys) = self.keys_of.get(&id) else { return false };
        if self.is_anonymous(id) && self.contacts.get(&id).is_some_and(|visitor| visitor.merged_into.is_some()) {
            // The cookie is that of another person, whom only a person may take this one for.
            return claim.is_named();
        }
        let other_email = |said: &String| {
            keys.iter().any(|key| matches!(key, Key::Email(_))) && !keys.contains(&Key::Email(said.clone()))
        };
        let other_id = |(source, said): &(String, String)| {
            keys.iter().any(|key| matches!(key, Key::ExternalId(known, _) if known == source))
                && !keys.contains(&Key::ExternalId(source.clone(), said.clone()))
        };
        claim.email.as_ref().is_some_and(other_email)
            || self.has_another_mobile(id, claim)
            || claim.external_id.as_ref().is_some_and(other_id)
    }

    pub(super) fn has_another_mobile(&self, id: Uuid, claim: &Claim) -> bool {
        let Some((keys, said)) = self.keys_of.get(&id).zip(claim.mobile.clone()) else { return false };
        keys.iter().any(|key| matches!(key, Key::Mobile(_))) && !keys.contains(&Key::Mobile(said))
    }

    /// The question whether the contact behind a claim is also the one who has the verified mobile that it says, or the one
    /// with another mobile whom its id names; with the younger of the two. However often it is found, it is one question.
    pub(super) fn kept_apart(&self, contact: Uuid, claim: &Claim) -> Option<(Choice, Uuid)> {
        let mobile = claim.mobile.as_ref()?;
        let by_mobile = self.contact_of.get(&Key::Mobile(mobile.clone())).map(|id| (*id, "phone", mobile));
        let by_id = claim.external_id.as_ref().and_then(|(source, said)| {
            let id = *self.contact_of.get(&Key::ExternalId(source.clone(), said.clone()))?;
            self.has_another_mobile(id, claim).then_some((id, "external_id", said))
        });
        let another = |(id, ..): &(Uuid, &str, &String)| self.survivor(*id) != self.survivor(contact);
        let (other, field, value) = by_mobile.into_iter().chain(by_id).find(another)?;
        let choice = Choice { id: contact.min(other), comparison: kept_apart(field, value), repeats: false };
        Some((choice, contact.max(other)))
    }
}
