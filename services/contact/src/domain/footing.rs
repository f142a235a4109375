//! What an answer rests on: as long as that stays as it was, so does the answer.

use uuid::Uuid;

use super::{Claim, Directory, Key, Resolved};

/// A contact and its account, as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Footing {
    /// The contact.
    pub contact_id: Uuid,
    /// Its revision.
    pub contact_revision: i64,
    /// The account where it is.
    pub account_id: Uuid,
    /// That one's revision.
    pub account_revision: i64,
}

impl Directory {
    /// What the answer to a recognised claim rests on, where that is one contact and its account and nothing else: each
    /// key of the claim leads to one of the two, and none of them was merged, or was anywhere else before. A key is never
    /// taken from either without another revision of it.
    pub fn footing(&self, claim: &Claim, resolved: &Resolved) -> Option<Footing> {
        let contact = self.contacts.get(&resolved.contact_id?)?;
        let account = self.accounts.get(&resolved.account_id?)?;
        let stays = contact.merged_into.is_none() && account.merged_into.is_none();
        let is_here = contact.account_id == Some(account.account_id) && contact.left_account_ids.is_empty();
        let leads_here = |key: &Key| match key {
            // What it says of a phone is in the contact itself.
            Key::Phone(_) => true,
            Key::Domain(_) | Key::Name(..) => self.account_of.get(key) == Some(&account.account_id),
            _ => self.contact_of.get(key) == Some(&contact.contact_id),
        };
        let footing = Footing {
            contact_id: contact.contact_id,
            contact_revision: contact.revision,
            account_id: account.account_id,
            account_revision: account.revision,
        };
        (stays && is_here && claim.contact_id.is_none() && claim.keys().iter().all(leads_here)).then_some(footing)
    }
}
