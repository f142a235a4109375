//! Whom a claim means that no strong identity leads to: by how well it agrees with what is known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    claim::Claim,
    matching::{
        Block, Candidate, Choice, Details, Line, MAX_BLOCK, Own, Profile, Subject, Verdict, blocks, choose,
        is_elsewhere,
    },
    resolve::Directory,
    who::{Account, Contact},
};

/// How many are compared with one claim: those that share the most blocks with it.
const MAX_CANDIDATES: usize = 30;

/// What is known for matching, and what a batch adds to it.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Who is in a block.
    pub blocks: HashMap<Block, BTreeSet<Uuid>>,
    /// What is known of those who may be meant.
    pub profiles: HashMap<Uuid, Profile>,
    /// What is the own of those of whom a file has said it.
    pub own: HashMap<Uuid, Own>,
    /// Blocks that lead to somebody who is new or changed.
    pub new_blocks: BTreeMap<Uuid, Vec<Block>>,
    /// Matches that a person has to look at, or may want to.
    pub found: Vec<Found>,
}

/// A match that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its id.
    pub review_id: Uuid,
    /// Whether the two are accounts, and not contacts.
    pub accounts: bool,
    /// Who was known.
    pub known_id: Uuid,
    /// Who was made because a person has to decide; none where the two were joined.
    pub other_id: Option<Uuid>,
    /// The sum of the lines, in bits.
    pub weight: f64,
    /// Why.
    pub lines: Vec<Line>,
}

impl Matching {
    /// Those who share the most blocks with what is said. A block that is too full says nothing.
    pub fn candidates(&self, subject: Subject, said: &Profile) -> Vec<Uuid> {
        let mut shared: HashMap<Uuid, usize> = HashMap::new();
        let told = blocks(subject, said).into_iter().filter_map(|block| self.blocks.get(&block));
        for id in told.filter(|block| block.len() <= MAX_BLOCK).flatten() {
            *shared.entry(*id).or_default() += 1;
        }
        let mut ids: Vec<_> = shared.into_iter().collect();
        ids.sort_by(|(one, shares), (other, as_many)| as_many.cmp(shares).then(one.cmp(other)));
        ids.into_iter().take(MAX_CANDIDATES).map(|(id, _)| id).collect()
    }

    /// Who is meant, or may be. `differs` tells whether a strong identity keeps a candidate apart.
    pub fn choose(&self, subject: Subject, said: &Profile, differs: impl Fn(Uuid) -> bool) -> Option<Choice> {
        let candidates = self.candidates(subject, said).into_iter().filter_map(|id| {
            let profile = self.profiles.get(&id)?;
            Some(Candidate { id, profile, differs: differs(id) })
        });
        choose(subject, said, candidates)
    }

    /// All who are meant, or may be, by one of these.
    pub fn meant(&self, subject: Subject, said: &[Profile]) -> impl Iterator<Item = Uuid> {
        said.iter().filter_map(move |said| self.choose(subject, said, |_| false)).map(|choice| choice.id)
    }

    /// Keeps what is somebody's own. Returns whether some of it is news.
    pub(super) fn keep_own(&mut self, id: Uuid, said: &Own) -> bool {
        !said.is_empty() && self.own.entry(id).or_default().fill(said)
    }

    /// Lets the blocks of somebody who is new or changed lead to them.
    fn learn(&mut self, subject: Subject, id: Uuid, profile: Profile) {
        let blocks = blocks(subject, &profile);
        for block in &blocks {
            let members = self.blocks.entry(*block).or_default();
            // One more than counts shows that it is too full.
            if members.len() <= MAX_BLOCK {
                members.insert(id);
            }
        }
        self.profiles.insert(id, profile);
        self.new_blocks.insert(id, blocks);
    }
}

impl Claim {
    /// What it says, for comparison.
    pub fn profile(&self) -> Profile {
        Profile::from(Details {
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            company: self.company.clone(),
            emails: self.email.iter().cloned().collect(),
            phones: self.phone.iter().cloned().collect(),
            domains: self.domain.iter().cloned().collect(),
            street: self.street.clone(),
            city: self.city.clone(),
            postal_code: self.postal_code.clone(),
            region: self.region.clone(),
            country: self.country.clone(),
            own: self.own.clone(),
        })
    }

    /// The same of the person it names; none when it names nobody.
    pub fn person_profile(&self) -> Option<Profile> {
        let named = !self.given_name.is_empty() || !self.family_name.is_empty();
        named.then(|| self.profile()).filter(Profile::names_a_person)
    }

    /// The same of the organisation that is to be found by its name; none when it says none, or the domain tells.
    pub fn organisation_profile(&self) -> Option<Profile> {
        (self.domain.is_none() && !self.company.is_empty()).then(|| {
            let is_person = !self.given_name.is_empty() || !self.family_name.is_empty();
            let phones = self.phone.iter().filter(|_| !is_person && self.email.is_none()).cloned().collect();
            let details =
                Details { given_name: String::new(), family_name: String::new(), ..self.profile().details().clone() };
            Profile::from(Details { phones, ..details })
        })
    }
}

impl Contact {
    /// What is known, for comparison; the account tells where the person works.
    pub fn profile(&self, account: Option<&Account>) -> Profile {
        let at = account.map(Account::profile).unwrap_or_default();
        let at = at.details();
        Profile::from(Details {
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            company: at.company.clone(),
            emails: self.emails.clone(),
            phones: self.phones.clone(),
            domains: at.domains.clone(),
            street: self.street.clone(),
            city: self.city.clone(),
            postal_code: self.postal_code.clone(),
            region: self.region.clone(),
            country: self.country.clone(),
            own: Own::default(),
        })
    }
}

impl Account {
    /// What is known, for comparison. A name that is only the domain is none.
    pub fn profile(&self) -> Profile {
        let unnamed = self.domains.contains(&self.name);
        Profile::from(Details {
            company: if unnamed { String::new() } else { self.name.clone() },
            phones: self.phones.clone(),
            domains: self.domains.clone(),
            street: self.street.clone(),
            city: self.city.clone(),
            postal_code: self.postal_code.clone(),
            region: self.region.clone(),
            country: self.country.clone(),
            ..Details::default()
        })
    }
}

impl Directory {
    /// The person who is meant, or may be, by name and all else; nobody who is not at hand, for only who is stays until what
    /// is found is written.
    pub(super) fn match_person(&self, claim: &Claim) -> Option<Choice> {
        let said = claim.person_profile()?;
        let choice = self.matching.choose(Subject::Person, &said, |id| self.differs(id, claim));
        choice.filter(|choice| self.contacts.contains_key(&choice.id))
    }

    /// The organisation that is meant, or may be, by name and place; the same holds of it.
    pub(super) fn match_organisation(&self, claim: &Claim) -> Option<Choice> {
        let said = claim.organisation_profile()?;
        let choice = self.matching.choose(Subject::Organisation, &said, |_| false);
        choice.filter(|choice| self.accounts.contains_key(&choice.id))
    }

    /// Whether the account, which has that name, is known to be at another place than the claim says.
    pub(super) fn is_elsewhere(&self, id: Uuid, claim: &Claim) -> bool {
        let told = !claim.city.is_empty() || !claim.street.is_empty();
        told && self.accounts.get(&id).is_some_and(|known| is_elsewhere(&claim.profile(), &known.profile()))
    }

    /// Keeps the match, for a person to decide where somebody was made, and to be looked at where it was joined.
    pub(super) fn keep(&mut self, choice: Choice, accounts: bool, other_id: Option<Uuid>, review_id: Uuid) -> Uuid {
        let Choice { id, comparison, .. } = choice;
        let (weight, lines) = (comparison.weight, comparison.lines);
        self.matching.found.push(Found { review_id, accounts, known_id: id, other_id, weight, lines });
        review_id
    }

    /// Lets what has become known of a contact lead to it.
    pub(super) fn learn_contact(&mut self, id: Uuid) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let account = contact.account_id.and_then(|id| self.accounts.get(&id));
        let profile = contact.profile(account);
        let profile = match self.matching.own.get(&id) {
            Some(own) => profile.owning(own),
            None => profile,
        };
        self.matching.learn(Subject::Person, id, profile);
    }

    /// Lets what has become known of an account lead to it.
    pub(super) fn learn_account(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get(&id) else { return };
        let profile = account.profile();
        self.matching.learn(Subject::Organisation, id, profile);
    }
}

/// Whether the choice is sure.
pub(super) fn is_sure(choice: &Choice) -> bool {
    choice.verdict() == Verdict::Link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_about_one_who_was_erased_since_they_were_found() {
        let araminta = |email: &str| Claim {
            email: Some(email.into()),
            domain: Some("kestrel.example".into()),
            given_name: "Araminta".into(),
            family_name: "Halbersteen".into(),
            company: "Kestrel Optics".into(),
            ..Claim::default()
        };
        let mut ids = (1..).map(Uuid::from_u128);
        let mut new_id = || ids.next().unwrap_or_default();
        let mut directory = Directory::default();
        let known = directory.resolve(&araminta("ah@kestrel.example"), 0, &mut new_id);
        let mut erased = directory.clone();
        let other = directory.resolve(&araminta("araminta.h@kestrel.example"), 0, &mut new_id);
        assert!(other.contact_created && other.contact_review.is_some());

        // What was found is still there, and the locks did not return it.
        erased.contacts.remove(&known.contact_id.unwrap_or_default());
        let other = erased.resolve(&araminta("araminta.h@kestrel.example"), 0, &mut new_id);
        assert!(other.contact_created && other.contact_review.is_none());
        assert!(erased.matching.found.is_empty());
    }
}
