//! What was merged, shown as one. Each side keeps its own row and its own keys; what is shown is put together from all of
//! them, so that undoing a merge is nothing but taking them apart again.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    profile::{self, Values},
    who::{Account, Contact},
};

/// The one that stays, and those that were merged into it, in the order in which they fill its gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined<T> {
    /// What it says stands.
    pub survivor: T,
    /// What they say fills in what it does not say.
    pub merged: Vec<T>,
}

/// One of those that may be merged.
pub trait Side: Clone {
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its own revision.
    fn revision(&self) -> i64;
    /// What it was merged into.
    fn merged_into(&self) -> Option<Uuid>;
    /// Fills in what it does not say from what `other` says.
    fn fill_from(&mut self, other: &Self);
    /// Takes over where `wanted` says something else than is `shown`; of one that is not the `survivor` only what is to be
    /// said no more.
    fn take_over(&mut self, shown: &Self, wanted: &Self, survivor: bool);
    /// What it says, by the names of the contract; for people to compare.
    fn said(&self) -> Vec<(Cow<'static, str>, String)>;
}

/// A field of which two sides say something different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its name.
    pub field: String,
    /// What is shown.
    pub kept: String,
    /// What is not.
    pub hidden: String,
}

impl<T: Side> Joined<T> {
    /// Puts together what `ids` name, the survivor first. None without the survivor.
    pub fn of(ids: &[Uuid], mut get: impl FnMut(Uuid) -> Option<T>) -> Option<Self> {
        let (&first, rest) = ids.split_first()?;
        Some(Self { survivor: get(first)?, merged: rest.iter().filter_map(|&id| get(id)).collect() })
    }

    /// As it is shown.
    pub fn shown(&self) -> T {
        let mut shown = self.survivor.clone();
        self.merged.iter().for_each(|side| shown.fill_from(side));
        shown
    }

    /// All of them, the survivor first.
    pub fn sides(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.survivor).chain(&self.merged)
    }

    /// What changes with any of the sides: their revisions.
    pub fn etag(&self) -> String {
        self.sides().map(|side| side.revision().to_string()).collect::<Vec<_>>().join("-")
    }

    /// The same with what was joined with `other` merged into it.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.merged.extend(other.sides().cloned());
        all
    }

    /// Where its sides say something else than those of `other`, which would be merged into it.
    pub fn conflicts(&self, other: &Self) -> Vec<Conflict> {
        let mut others: BTreeMap<_, _> = other.shown().said().into_iter().collect();
        let differ = |(field, kept): (Cow<'static, str>, String)| {
            let hidden = others.remove(&field)?;
            let both = !kept.is_empty() && !hidden.is_empty() && kept != hidden;
            both.then_some(Conflict { field: field.into_owned(), kept, hidden })
        };
        self.shown().said().into_iter().filter_map(differ).collect()
    }

    /// The sides that change for `wanted` to be shown. The survivor takes on what is new; what is taken away is taken away
    /// from each that says it.
    pub fn spread(&self, wanted: &T) -> Vec<T>
    where
        T: PartialEq,
    {
        self.saying(wanted).changed_since(self)
    }

    /// The same with the sides changed so that `wanted` is shown.
    #[must_use]
    pub fn saying(&self, wanted: &T) -> Self {
        let mut changed = self.clone();
        // Once more: where the country was changed, a region that another side has filled in is filled in no more.
        for _ in 0..2 {
            let shown = changed.shown();
            changed.survivor.take_over(&shown, wanted, true);
            changed.merged.iter_mut().for_each(|side| side.take_over(&shown, wanted, false));
        }
        changed
    }

    /// The sides that are others than they were.
    pub fn changed_since(&self, before: &Self) -> Vec<T>
    where
        T: PartialEq,
    {
        let pairs = self.sides().zip(before.sides());
        pairs.filter(|(after, before)| after != before).map(|(after, _)| after.clone()).collect()
    }
}

impl Joined<Contact> {
    /// The same at another account, and no more at those that are `left`: all sides, since it is one person who moves. The
    /// ids of the account and of all that is one with it are `home`.
    #[must_use]
    pub fn moved(&self, to: Uuid, home: &BTreeSet<Uuid>, left: &BTreeSet<Uuid>) -> Self {
        let mut all = self.clone();
        all.survivor.account_id = Some(to);
        // Who is nowhere by themselves is where the survivor is.
        all.merged.iter_mut().filter(|side| side.account_id.is_some()).for_each(|side| side.account_id = Some(to));
        for side in std::iter::once(&mut all.survivor).chain(&mut all.merged) {
            side.left_account_ids.extend(left);
            side.left_account_ids.retain(|id| !home.contains(id));
        }
        all
    }
}

impl Side for Account {
    fn id(&self) -> Uuid {
        self.account_id
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn merged_into(&self) -> Option<Uuid> {
        self.merged_into
    }

    fn fill_from(&mut self, other: &Self) {
        // A region of one country does not go with another country.
        if agree(&self.country, &other.country) {
            fill(&mut self.country, &other.country);
            fill(&mut self.region, &other.region);
            fill(&mut self.postal_code, &other.postal_code);
            fill(&mut self.city, &other.city);
            fill(&mut self.street, &other.street);
        }
        // What is one does not belong to itself. A parent is filled in; that leads go up to it, the survivor has to say.
        let own = [self.account_id, other.account_id];
        let beyond = |parent: Option<Uuid>| parent.filter(|id| !own.contains(id));
        self.roll_up &= beyond(self.parent_account_id).is_some();
        self.parent_account_id = beyond(self.parent_account_id).or(beyond(other.parent_account_id));
        if self.sites.is_empty() {
            self.sites.clone_from(&other.sites);
        }
        profile::fill(&mut self.profile, &other.profile);
        fill(&mut self.industry, &other.industry);
        fill(&mut self.owner_rep, &other.owner_rep);
        self.reference = self.reference.take().or_else(|| other.reference.clone());
        self.employees = self.employees.or(other.employees);
        self.revenue = self.revenue.or(other.revenue);
        self.relation = self.relation.max(other.relation);
        self.domains.extend(other.domains.iter().cloned());
        self.domains.sort();
        let phones = other.phones.iter().filter(|phone| !self.phones.contains(phone)).cloned().collect::<Vec<_>>();
        self.phones.extend(phones);
        self.create_time = self.create_time.min(other.create_time);
        self.update_time = self.update_time.max(other.update_time);
    }

    fn take_over(&mut self, shown: &Self, wanted: &Self, survivor: bool) {
        take(&mut self.reference, &shown.reference, &wanted.reference, survivor);
        // No side is without a name, and only the survivor's is shown.
        if survivor {
            self.name.clone_from(&wanted.name);
        }
        take(&mut self.country, &shown.country, &wanted.country, survivor);
        take(&mut self.region, &shown.region, &wanted.region, survivor);
        take(&mut self.postal_code, &shown.postal_code, &wanted.postal_code, survivor);
        take(&mut self.city, &shown.city, &wanted.city, survivor);
        take(&mut self.street, &shown.street, &wanted.street, survivor);
        take(&mut self.industry, &shown.industry, &wanted.industry, survivor);
        take(&mut self.owner_rep, &shown.owner_rep, &wanted.owner_rep, survivor);
        take_place(self, shown, wanted, survivor);
        take(&mut self.sites, &shown.sites, &wanted.sites, survivor);
        profile::take(&mut self.profile, &shown.profile, &wanted.profile, survivor);
        take(&mut self.employees, &shown.employees, &wanted.employees, survivor);
        take(&mut self.revenue, &shown.revenue, &wanted.revenue, survivor);
        // The closest relation of all is shown: each must be no closer.
        if shown.relation != wanted.relation {
            self.relation = wanted.relation;
        }
        self.domains.retain(|domain| wanted.domains.contains(domain));
        if survivor {
            self.domains.extend(wanted.domains.iter().filter(|domain| !shown.domains.contains(domain)).cloned());
            self.domains.sort();
        }
    }

    fn said(&self) -> Vec<(Cow<'static, str>, String)> {
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let own = [
            ("reference", self.reference.clone().unwrap_or_default()),
            ("name", self.name.clone()),
            ("country", self.country.clone()),
            ("region", self.region.clone()),
            ("postal_code", self.postal_code.clone()),
            ("city", self.city.clone()),
            ("street", self.street.clone()),
            ("industry", self.industry.clone()),
            ("employees", number(self.employees)),
            ("revenue", number(self.revenue)),
            ("owner_rep", self.owner_rep.clone()),
            ("parent_account_id", self.parent_account_id.map(|id| id.to_string()).unwrap_or_default()),
            ("roll_up", self.parent_account_id.map(|_| self.roll_up.to_string()).unwrap_or_default()),
        ];
        said(own, "profile", &self.profile)
    }
}

impl Side for Contact {
    fn id(&self) -> Uuid {
        self.contact_id
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn merged_into(&self) -> Option<Uuid> {
        self.merged_into
    }

    fn fill_from(&mut self, other: &Self) {
        // A given name does not go with the family name of somebody who writes it another way.
        if agree(&self.family_name, &other.family_name) && agree(&self.given_name, &other.given_name) {
            fill(&mut self.given_name, &other.given_name);
            fill(&mut self.family_name, &other.family_name);
        }
        fill(&mut self.job_title, &other.job_title);
        fill(&mut self.role, &other.role);
        fill(&mut self.function, &other.function);
        fill(&mut self.seniority, &other.seniority);
        fill(&mut self.stage, &other.stage);
        fill(&mut self.country, &other.country);
        profile::fill(&mut self.profile, &other.profile);
        // An address is filled in as a whole: half of one and half of another is none.
        if self.street.is_empty() && self.city.is_empty() && self.postal_code.is_empty() && self.region.is_empty() {
            self.street.clone_from(&other.street);
            self.city.clone_from(&other.city);
            self.postal_code.clone_from(&other.postal_code);
            self.region.clone_from(&other.region);
        }
        self.account_id = self.account_id.or(other.account_id);
        self.left_account_ids.extend(&other.left_account_ids);
        self.emails.extend(other.emails.iter().cloned());
        self.mobiles.extend(other.mobiles.iter().cloned());
        let phones = other.phones.iter().filter(|phone| !self.phones.contains(phone)).cloned().collect::<Vec<_>>();
        self.phones.extend(phones);
        self.create_time = self.create_time.min(other.create_time);
        self.update_time = self.update_time.max(other.update_time);
    }

    fn take_over(&mut self, shown: &Self, wanted: &Self, survivor: bool) {
        take(&mut self.account_id, &shown.account_id, &wanted.account_id, survivor);
        take(&mut self.given_name, &shown.given_name, &wanted.given_name, survivor);
        take(&mut self.family_name, &shown.family_name, &wanted.family_name, survivor);
        take(&mut self.job_title, &shown.job_title, &wanted.job_title, survivor);
        take(&mut self.role, &shown.role, &wanted.role, survivor);
        take(&mut self.function, &shown.function, &wanted.function, survivor);
        take(&mut self.seniority, &shown.seniority, &wanted.seniority, survivor);
        take(&mut self.stage, &shown.stage, &wanted.stage, survivor);
        take(&mut self.country, &shown.country, &wanted.country, survivor);
        profile::take(&mut self.profile, &shown.profile, &wanted.profile, survivor);
        take(&mut self.street, &shown.street, &wanted.street, survivor);
        take(&mut self.city, &shown.city, &wanted.city, survivor);
        take(&mut self.postal_code, &shown.postal_code, &wanted.postal_code, survivor);
        take(&mut self.region, &shown.region, &wanted.region, survivor);
    }

    fn said(&self) -> Vec<(Cow<'static, str>, String)> {
        let own = [
            ("account_id", self.account_id.map(|id| id.to_string()).unwrap_or_default()),
            ("given_name", self.given_name.clone()),
            ("family_name", self.family_name.clone()),
            ("job_title", self.job_title.clone()),
            ("profile.role", self.role.clone()),
            ("profile.function", self.function.clone()),
            ("profile.seniority", self.seniority.clone()),
            ("profile.stage", self.stage.clone()),
            ("profile.country", self.country.clone()),
            ("street", self.street.clone()),
            ("city", self.city.clone()),
            ("postal_code", self.postal_code.clone()),
            ("region", self.region.clone()),
        ];
        said(own, "profile.fields", &self.profile)
    }
}

/// What is said by the names of the contract, the declared fields last.
fn said<const N: usize>(
    own: [(&'static str, String); N],
    under: &str,
    declared: &Values,
) -> Vec<(Cow<'static, str>, String)> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let declared = declared.iter().map(|(name, value)| (format!("{under}.{name}").into(), text(value)));
    own.into_iter().map(|(name, text)| (name.into(), text)).chain(declared).collect()
}

/// Whether two texts say the same, as far as they say anything.
fn agree(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one.to_lowercase() == other.to_lowercase()
}

fn fill(known: &mut String, said: &str) {
    if known.is_empty() {
        said.clone_into(known);
    }
}

/// The parent and whether leads go up to it: one does not go without the other.
fn take_place(own: &mut Account, shown: &Account, wanted: &Account, survivor: bool) {
    let place = |of: &Account| (of.parent_account_id, of.roll_up);
    if place(shown) != place(wanted) && (survivor || wanted.parent_account_id.is_none()) {
        (own.parent_account_id, own.roll_up) = place(wanted);
    }
}

fn take<T: Clone + Default + PartialEq>(own: &mut T, shown: &T, wanted: &T, survivor: bool) {
    if shown != wanted && (survivor || *wanted == T::default()) {
        own.clone_from(wanted);
    }
}
