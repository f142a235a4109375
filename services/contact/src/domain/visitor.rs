//! Visitors, who are known by nothing but a cookie, and turn out to be somebody.

use uuid::Uuid;

use super::{claim::Claim, resolve::Directory, who::Key};

impl Directory {
    /// Whoever was known by nothing but a cookie, and is now seen with the identity of somebody who is known, is that one.
    ///
    /// That is told each time that they are seen so, and not only the first time: nobody may have known then where the
    /// person is, and an answer may be lost.
    pub(super) fn recognise_visitor(&mut self, person: Uuid, claim: &Claim, now: i64) -> Option<Uuid> {
        let visitor = *self.contact_of.get(&Key::AnonymousId(claim.anonymous_id.clone()?))?;
        let is_named = claim.is_named();
        if !is_named || visitor == person || !self.is_anonymous(visitor) {
            return None;
        }
        let survivor = self.survivor(person);
        if self.survivor(visitor) == survivor {
            return Some(visitor);
        }
        let at = self.contacts.get(&person).and_then(|person| person.account_id);
        let contact = self.contacts.get_mut(&visitor).filter(|it| it.merged_into.is_none() && it.phones.is_empty())?;
        (contact.merged_into, contact.update_time) = (Some(person), now);
        self.changed_contacts.insert(visitor);
        self.survivors.insert(visitor, survivor);
        self.visitors.insert(visitor, person);
        if let Some(at) = at {
            self.accounts_of_merged.insert(visitor, at);
        }
        Some(visitor)
    }
}
