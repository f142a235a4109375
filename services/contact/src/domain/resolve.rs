//! Whose identity is it? Strong identities first; what is unknown is created; nothing is merged by a machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{
    claim::Claim,
    matched::{Matching, is_sure},
    matching::Choice,
    who::{Account, Contact, Key, Relation},
};

/// Who is behind a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The person; none when the claim names an organisation only.
    pub contact_id: Option<Uuid>,
    /// The organisation; none when it cannot be told.
    pub account_id: Option<Uuid>,
    /// Whether the person was unknown.
    pub contact_created: bool,
    /// Whether the organisation was unknown.
    pub account_created: bool,
    /// The visitor who turned out to be the person, each time that a claim names both.
    pub recognised: Option<Uuid>,
    /// The question whether the person who was made is one who was known.
    pub contact_review: Option<Uuid>,
    /// The question whether the organisation that was made is one that was known.
    pub account_review: Option<Uuid>,
}

/// Whom a claim is about.
#[derive(Clone, Copy)]
enum Person {
    Known(Uuid),
    Unknown,
    /// No person is named, or only by a phone that several have.
    Nobody,
}

/// What is known of those that a batch of claims may be about, and what the batch changes.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Which contact a key leads to. Phones are not here: they may be shared.
    pub contact_of: HashMap<Key, Uuid>,
    /// All keys that lead to a contact, not only those that were asked for; nothing for one that only has a phone.
    pub keys_of: HashMap<Uuid, BTreeSet<Key>>,
    /// Who has a phone.
    pub phones: HashMap<String, BTreeSet<Uuid>>,
    /// Which account a domain or a name leads to.
    pub account_of: HashMap<Key, Uuid>,
    /// By id.
    pub contacts: BTreeMap<Uuid, Contact>,
    /// By id.
    pub accounts: BTreeMap<Uuid, Account>,
    /// Contacts that are new or changed.
    pub changed_contacts: BTreeSet<Uuid>,
    /// Accounts that are new or changed.
    pub changed_accounts: BTreeSet<Uuid>,
    /// Keys that are new.
    pub new_keys: BTreeMap<Key, Uuid>,
    /// Where those lead that were merged into another. A claim is about the side that its key belongs to, so that the
    /// merge can be undone.
    pub survivors: HashMap<Uuid, Uuid>,
    /// Anonymous visitors who turned out to be somebody who is known.
    pub visitors: BTreeMap<Uuid, Uuid>,
    /// Where those are who were merged into somebody, and of whom nothing else says where they are.
    pub accounts_of_merged: HashMap<Uuid, Uuid>,
    /// For whom no key leads to.
    pub matching: Matching,
}

impl Directory {
    /// Finds who is behind the claim, creates who is unknown, and fills in what was not known of them.
    pub fn resolve(&mut self, claim: &Claim, now: i64, new_id: &mut impl FnMut() -> Uuid) -> Resolved {
        let mut resolved = Resolved::default();
        let (person, likely) = self.find_person(claim);
        let known = if let Person::Known(id) = person { self.contacts.get(&id) } else { None };
        let at = known.and_then(|contact| self.named(contact.contact_id).account_id);
        resolved.account_id = match at.filter(|_| known.is_some_and(|contact| self.has_left(contact, claim))) {
            // What is said of the old employer is not filled in at the new one.
            Some(at) => Some(at),
            None => self.resolve_account(claim, at, now, new_id, &mut resolved),
        };
        let contact = match person {
            Person::Nobody => return resolved,
            Person::Known(id) => id,
            Person::Unknown => {
                resolved.contact_created = true;
                let id = new_id();
                self.contacts.insert(id, Contact { contact_id: id, create_time: now, ..Contact::default() });
                id
            }
        };
        let asked = likely.as_ref().map(|choice| choice.id);
        if let Some(choice) = likely {
            let made = resolved.contact_created.then_some(contact);
            let review = self.keep(choice, false, made, new_id());
            resolved.contact_review = made.map(|_| review);
        }
        self.fill_contact(contact, resolved.account_id, claim, now);
        if let Some((choice, other)) = self.kept_apart(contact, claim).filter(|(choice, _)| asked != Some(choice.id)) {
            let review = self.keep(choice, false, Some(other), new_id());
            resolved.contact_review = resolved.contact_review.or(resolved.contact_created.then_some(review));
        }
        resolved.recognised = self.recognise_visitor(contact, claim, now);
        resolved.contact_id = Some(contact);
        resolved
    }

    /// The contact of this id and where it is; nobody when there is no such contact.
    pub fn named(&self, contact_id: Uuid) -> Resolved {
        let Some(contact) = self.contacts.get(&contact_id) else { return Resolved::default() };
        let account_id = contact.account_id.or(self.accounts_of_merged.get(&contact_id).copied());
        Resolved { contact_id: Some(contact_id), account_id, ..Resolved::default() }
    }

    /// The same for a claim that is about an organisation and nobody in it: its phone is that of the organisation.
    pub fn resolve_organisation(&mut self, claim: &Claim, now: i64, new_id: &mut impl FnMut() -> Uuid) -> Resolved {
        let mut resolved = Resolved::default();
        resolved.account_id = self.resolve_account(claim, None, now, new_id, &mut resolved);
        resolved
    }

    /// The one that an id leads to.
    pub fn survivor(&self, id: Uuid) -> Uuid {
        self.survivors.get(&id).copied().unwrap_or(id)
    }

    /// Who is behind a claim that tells nothing new; none when [`Directory::resolve`] would create somebody or change
    /// what is known.
    pub fn recognise(&self, claim: &Claim) -> Option<Resolved> {
        if claim.is_of_a_stranger(&self.contact_of) {
            return None;
        }
        let mut part = self.about(claim);
        let resolved = part.resolve(claim, 0, &mut Uuid::nil);
        let nothing_new =
            part.changed_contacts.is_empty() && part.changed_accounts.is_empty() && part.new_keys.is_empty();
        (nothing_new && part.matching.found.is_empty()).then_some(resolved)
    }

    /// The part that the keys of the claim lead to. Without phones and descriptions: whoever is told by these only is not
    /// recognised.
    fn about(&self, claim: &Claim) -> Self {
        let keys = claim.keys();
        let found = |map: &HashMap<Key, Uuid>| -> HashMap<Key, Uuid> {
            keys.iter().filter_map(|key| Some((key.clone(), *map.get(key)?))).collect()
        };
        let (contact_of, account_of) = (found(&self.contact_of), found(&self.account_of));
        let people: BTreeSet<Uuid> = contact_of.values().copied().collect();
        let known = |id: Uuid| Some((id, self.contacts.get(&id)?.clone()));
        let contacts: BTreeMap<_, _> = people.iter().copied().filter_map(known).collect();
        let of_merged = |id: &Uuid| Some((*id, *self.accounts_of_merged.get(id)?));
        let accounts_of_merged: HashMap<_, _> = people.iter().filter_map(of_merged).collect();
        let at = contacts.values().filter_map(|contact| contact.account_id);
        let at = at.chain(accounts_of_merged.values().copied());
        let known = |id: Uuid| Some((id, self.accounts.get(&id)?.clone()));
        let accounts: BTreeMap<_, _> = account_of.values().copied().chain(at).filter_map(known).collect();
        let keys_of = people.into_iter().filter_map(|id| Some((id, self.keys_of.get(&id)?.clone()))).collect();
        let merged = contacts.keys().chain(accounts.keys());
        let survivors = merged.filter_map(|id| Some((*id, *self.survivors.get(id)?))).collect();
        let part = Self { contact_of, keys_of, account_of, contacts, accounts, ..Self::default() };
        Self { survivors, accounts_of_merged, ..part }
    }

    fn resolve_account(
        &mut self,
        claim: &Claim,
        at: Option<Uuid>,
        now: i64,
        new_id: &mut impl FnMut() -> Uuid,
        resolved: &mut Resolved,
    ) -> Option<Uuid> {
        let (found, likely) = self.find_account(claim, at);
        let account =
            found.or_else(|| self.create_account(claim, now, new_id).inspect(|_| resolved.account_created = true))?;
        if let Some(choice) = likely {
            let made = resolved.account_created.then_some(account);
            let review = self.keep(choice, true, made, new_id());
            resolved.account_review = made.map(|_| review);
        }
        self.fill_account(account, claim, now);
        Some(account)
    }

    /// The person by the strongest key that is known, or by what else is said; with the match that was found, where it
    /// is news.
    fn find_person(&self, claim: &Claim) -> (Person, Option<Choice>) {
        let by_key = self.find_by_key(claim);
        if matches!(by_key, Person::Known(_)) {
            return (by_key, None);
        }
        let Some(choice) = self.match_person(claim) else {
            return (self.find_nameless(claim, by_key), None);
        };
        if is_sure(&choice) {
            (Person::Known(choice.id), Some(choice).filter(|choice| !choice.repeats))
        } else {
            (Person::Unknown, Some(choice))
        }
    }

    /// Somebody who is named and unknown: a caller who has told no name yet, or somebody new.
    fn find_nameless(&self, claim: &Claim, by_key: Person) -> Person {
        if claim.person_profile().is_none() {
            return by_key;
        }
        let caller = claim.phone.as_ref().map(|phone| self.find_caller(claim, phone));
        let nameless = |id: &Uuid| {
            self.contacts.get(id).is_some_and(|known| known.given_name.is_empty() && known.family_name.is_empty())
        };
        match caller {
            Some(Person::Known(id)) if nameless(&id) => Person::Known(id),
            _ => Person::Unknown,
        }
    }

    fn find_by_key(&self, claim: &Claim) -> Person {
        let mut by_mobile = None;
        for key in claim.person_keys() {
            if let Key::Phone(phone) = &key {
                // Whoever says a name may be somebody else at that phone.
                let named = claim.person_profile().is_some();
                return if named { Person::Unknown } else { self.find_caller(claim, phone) };
            }
            if let Some(&id) = self.contact_of.get(&key) {
                if matches!(key, Key::Email(_)) || !self.differs(id, claim) {
                    return Person::Known(id);
                }
                match (key, by_mobile) {
                    // It stays whose it is; what else is said may tell who else it was.
                    (Key::Mobile(_), _) => by_mobile = Some(id),
                    // Both are somebody's already, and nobody new would have anything: the stronger one decides.
                    (Key::ExternalId(..), Some(owner)) if claim.email.is_none() => return Person::Known(owner),
                    _ => return Person::Unknown,
                }
            }
        }
        if claim.person_keys().is_empty() { Person::Nobody } else { Person::Unknown }
    }

    /// A phone may be shared by many: it tells who it is only when nothing else is said, and never joins what another
    /// identity keeps apart.
    fn find_caller(&self, claim: &Claim, phone: &str) -> Person {
        let numbers_only = claim.person_keys().iter().all(Key::is_number);
        let Some(owners) = self.phones.get(phone).filter(|_| numbers_only) else {
            return Person::Unknown;
        };
        let only_has_phone = |id: &&Uuid| self.keys_of.get(id).is_none_or(BTreeSet::is_empty);
        let owner = if owners.len() == 1 { owners.first() } else { owners.iter().find(only_has_phone) };
        let nobody = if claim.mobile.is_some() { Person::Unknown } else { Person::Nobody };
        let owner = owner.filter(|&&id| !self.has_another_mobile(id, claim));
        owner.map_or(nobody, |&id| Person::Known(id))
    }

    /// A corporate domain names the organisation; otherwise the person's own one does, before a mere name. A domain
    /// that is unknown goes to an organisation that has none, and to no other.
    fn find_account(&self, claim: &Claim, at: Option<Uuid>) -> (Option<Uuid>, Option<Choice>) {
        let by_name = || self.account_of.get(&claim.name_key()?).copied();
        if let Some(domain) = claim.domain.clone() {
            let has_none = |id: &Uuid| self.accounts.get(id).is_some_and(|known| known.domains.is_empty());
            let known = self.account_of.get(&Key::Domain(domain)).copied();
            return (known.or_else(|| by_name().filter(has_none)).or_else(|| at.filter(has_none)), None);
        }
        let here = |id: &Uuid| !self.is_elsewhere(*id, claim);
        if let Some(id) = at.or_else(|| by_name().filter(here)) {
            return (Some(id), None);
        }
        match self.match_organisation(claim) {
            Some(choice) if is_sure(&choice) => (Some(choice.id), Some(choice).filter(|choice| !choice.repeats)),
            likely => (None, likely),
        }
    }

    /// Whether the organisation that the claim means is one that the person has left: an old address still leads to the
    /// person, and no more to the old employer.
    fn has_left(&self, contact: &Contact, claim: &Claim) -> bool {
        let owner = |key: Option<Key>| self.account_of.get(&key?);
        let meant = owner(claim.domain.clone().map(Key::Domain)).or_else(|| owner(claim.name_key()));
        meant.is_some_and(|&id| contact.left_account_ids.iter().any(|&left| self.survivor(left) == self.survivor(id)))
    }

    fn create_account(&mut self, claim: &Claim, now: i64, new_id: &mut impl FnMut() -> Uuid) -> Option<Uuid> {
        let name_key = claim.name_key();
        let name = match (&name_key, &claim.domain) {
            (Some(_), _) => claim.company.trim().to_owned(),
            (None, Some(domain)) => domain.clone(),
            (None, None) => return None,
        };
        let id = new_id();
        let account =
            Account { account_id: id, name, relation: Relation::Prospect, create_time: now, ..Account::default() };
        self.accounts.insert(id, account);
        if let Some(key) = name_key {
            self.claim_account_key(key, id);
        }
        self.changed_accounts.insert(id);
        Some(id)
    }

    fn claim_account_key(&mut self, key: Key, id: Uuid) -> bool {
        if self.account_of.contains_key(&key) {
            return false;
        }
        self.account_of.insert(key.clone(), id);
        self.new_keys.insert(key, id);
        true
    }

    fn fill_account(&mut self, id: Uuid, claim: &Claim, now: i64) {
        let domain = claim.domain.clone().filter(|domain| self.claim_account_key(Key::Domain(domain.clone()), id));
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let before = account.clone();
        account.domains.extend(domain);
        // Nobody has told the name yet; but what a person has given a reference keeps its name.
        let unnamed = account.reference.is_none() && account.domains.contains(&account.name);
        if unnamed && !claim.company.trim().is_empty() {
            account.name = claim.company.trim().to_owned();
        }
        fill(&mut account.country, &claim.country);
        fill(&mut account.region, &claim.region);
        fill(&mut account.postal_code, &claim.postal_code);
        fill(&mut account.city, &claim.city);
        fill(&mut account.street, &claim.street);
        let own = claim.organisation_profile().map(|said| said.details().phones.clone()).unwrap_or_default();
        let own: Vec<_> = own.into_iter().filter(|phone| !account.phones.contains(phone)).collect();
        account.phones.extend(own);
        let told = (&account.name, &account.country) != (&before.name, &before.country);
        let name_key = account.name_key().filter(|_| told && !account.domains.contains(&account.name));
        if *account != before || account.revision == 0 {
            account.update_time = now;
            self.changed_accounts.insert(id);
            self.learn_account(id);
        }
        if let Some(key) = name_key {
            self.claim_account_key(key, id);
        }
    }

    fn fill_contact(&mut self, id: Uuid, account: Option<Uuid>, claim: &Claim, now: i64) {
        for key in claim.person_keys() {
            if !matches!(key, Key::Phone(_)) && !self.contact_of.contains_key(&key) {
                self.contact_of.insert(key.clone(), id);
                self.keys_of.entry(id).or_default().insert(key.clone());
                self.new_keys.insert(key, id);
            }
        }
        let email = claim.email.clone().filter(|email| self.contact_of.get(&Key::Email(email.clone())) == Some(&id));
        let mobile = claim.mobile.clone().filter(|said| self.contact_of.get(&Key::Mobile(said.clone())) == Some(&id));
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let before = contact.clone();
        // Where somebody is who was merged is where the other one is, until a person says otherwise.
        if contact.merged_into.is_none() {
            contact.account_id = contact.account_id.or(account);
        }
        if let Some(email) = email.filter(|email| !contact.emails.contains(email)) {
            contact.emails.push(email);
        }
        if let Some(phone) = claim.phone.clone().filter(|phone| !contact.phones.contains(phone)) {
            self.phones.entry(phone.clone()).or_default().insert(id);
            contact.phones.push(phone);
        }
        if let Some(mobile) = mobile.filter(|mobile| !contact.mobiles.contains(mobile)) {
            contact.mobiles.push(mobile);
        }
        fill(&mut contact.given_name, &claim.given_name);
        fill(&mut contact.family_name, &claim.family_name);
        fill(&mut contact.job_title, &claim.job_title);
        fill(&mut contact.country, &claim.country);
        fill(&mut contact.street, &claim.street);
        fill(&mut contact.city, &claim.city);
        fill(&mut contact.postal_code, &claim.postal_code);
        fill(&mut contact.region, &claim.region);
        let owns_more = self.matching.keep_own(id, &claim.own);
        let is_news = *contact != before || contact.revision == 0;
        if is_news {
            contact.update_time = now;
            self.changed_contacts.insert(id);
        }
        if is_news || owns_more {
            self.learn_contact(id);
        }
    }
}

/// What is known stays; what was not known is filled in.
fn fill(known: &mut String, said: &str) {
    if known.is_empty() {
        said.trim().clone_into(known);
    }
}
