//! What merging accounts and contacts does, and rolling accounts up to their parents: which one counts for all, and which
//! lead goes on where two have met. All of it follows from how things stand, so that the order in which that becomes known
//! plays no part, and undoing it needs no memory of how it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    history::{Facts, Profile},
    lead::{Lead, Status},
    round::{CloseReason, Round},
};

/// Whom an account or a contact counts for, as contact says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    /// The one that it was merged into: the two are one, in all.
    pub merged_into: Option<Uuid>,
    /// The account that its leads go up to: the two stay two, each with its own facts, and have their leads together.
    pub rolls_up_to: Option<Uuid>,
}

impl Pointer {
    /// What was merged into another rolls up as that one does.
    fn next(self) -> Option<Uuid> {
        self.merged_into.or(self.rolls_up_to)
    }

    /// All that it names.
    pub fn named(self) -> impl Iterator<Item = Uuid> {
        [self.merged_into, self.rolls_up_to].into_iter().flatten()
    }
}

/// Which one each of these counts for. News may overtake each other and lead in a circle for a while: then the oldest in
/// it counts, of those that were not merged. For good there is one only where an account was merged into one that rolls up
/// to it; that one is it then.
pub fn survivors(pointers: &BTreeMap<Uuid, Pointer>) -> BTreeMap<Uuid, Uuid> {
    let pointer = |id: &Uuid| pointers.get(id).copied().unwrap_or_default();
    let climb = |from: Uuid| {
        let mut way = vec![from];
        while let Some(next) = way.last().and_then(|at| pointer(at).next()) {
            if let Some(circle) = way.iter().position(|&at| at == next) {
                let circle = way[circle..].iter().copied();
                return circle.min_by_key(|id| (pointer(id).merged_into.is_some(), *id)).unwrap_or(from);
            }
            way.push(next);
        }
        *way.last().unwrap_or(&from)
    };
    pointers.keys().map(|&id| (id, climb(id))).collect()
}

/// Of accounts that count as one, the survivor first, those whose facts are the survivor's: itself and what was merged
/// into it. Whoever rolls up to it has facts of its own, which say nothing of it.
pub fn with_its_facts(sides: &[Uuid], pointer: impl Fn(Uuid) -> Pointer) -> Vec<Uuid> {
    let merges = |&side: &Uuid| (side, Pointer { rolls_up_to: None, ..pointer(side) });
    let one = survivors(&sides.iter().map(merges).collect());
    let survivor = sides.first().and_then(|first| one.get(first));
    sides.iter().copied().filter(|side| one.get(side) == survivor).collect()
}

/// The profile of what was merged: at each moment what the first one says stands, and the others fill in what it does not
/// say. The revisions are counted anew.
pub fn joined_profiles(sides: Vec<Vec<Profile>>, fill: impl Fn(&mut Facts, &Facts)) -> Vec<Profile> {
    if sides.len() == 1 {
        return sides.into_iter().next().unwrap_or_default();
    }
    let times: BTreeSet<i64> = sides.iter().flatten().map(|profile| profile.record_time).collect();
    let at = |record_time: i64| {
        let mut known = sides.iter().filter_map(|side| Profile::known(side, record_time));
        let mut facts = known.next().map(|first| first.facts.clone()).unwrap_or_default();
        known.for_each(|other| fill(Arc::make_mut(&mut facts), &other.facts));
        facts
    };
    let joined = times.into_iter().zip(1..);
    joined.map(|(record_time, revision)| Profile { revision, record_time, facts: at(record_time) }).collect()
}

/// Fills in what a contact's profile does not say.
pub fn fill_contact(facts: &mut Facts, other: &Facts) {
    for (name, value) in other {
        facts.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// Fills in what an account's profile does not say, as contact shows it: a region of one country does not go with another
/// country, and of the relations the closest counts.
pub fn fill_account(facts: &mut Facts, other: &Facts) {
    const PLACE: [&str; 3] = ["country", "region", "postal_code"];
    const RELATIONS: [&str; 3] = ["prospect", "former_customer", "customer"];
    let relation = |facts: &Facts| {
        let said = facts.get("relation").and_then(|relation| relation.as_str());
        RELATIONS.iter().position(|name| Some(*name) == said)
    };
    if relation(other) > relation(facts)
        && let Some(closer) = other.get("relation")
    {
        facts.insert("relation".to_owned(), closer.clone());
    }
    let elsewhere = facts.get("country").zip(other.get("country")).is_some_and(|(one, other)| one != other);
    for (name, value) in other.iter().filter(|(name, _)| !elsewhere || !PLACE.contains(&name.as_str())) {
        facts.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// Lets one lead of each category go on where accounts have become one, and those again that were joined with a lead of an
/// account that is another one by now. What was closed while the accounts were one stays closed. Returns which have
/// changed, in the order in which that is to be told.
///
/// The one that is furthest with its rep goes on (accepted before offered), of two the one that was handed over earlier;
/// of those that are with nobody the survivor's.
pub fn join(leads: &mut [Lead], survivor: Uuid, now: i64) -> Vec<usize> {
    let here: BTreeSet<Uuid> = leads.iter().map(|lead| lead.lead_id).collect();
    let mut changed = Vec::new();
    let is_ended = |lead: &Lead| {
        let ends = |other: &Lead| other.product_category == lead.product_category && other.ends(lead.account_id);
        leads.iter().any(|other| ends(other) && other.closed.map(|(time, _)| time) >= lead.closed.map(|(time, _)| time))
    };
    let is_apart = |lead: &Lead| lead.merged_into.is_some_and(|into| !here.contains(&into)) && !is_ended(lead);
    let apart: Vec<_> = leads.iter().enumerate().filter(|(_, lead)| is_apart(lead)).map(|(at, _)| at).collect();
    for at in apart {
        // What was opened meanwhile goes on: at no moment are two of one account open.
        let category = &leads[at].product_category;
        let open = leads.iter().find(|other| other.closed.is_none() && other.product_category == *category);
        match open.map(|open| open.lead_id) {
            Some(open) => leads[at].merged_into = Some(open),
            None => leads[at].reopen(),
        }
        changed.push(at);
    }
    let mut open: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, lead) in leads.iter().enumerate().filter(|(_, lead)| lead.closed.is_none()) {
        open.entry(lead.product_category.clone()).or_default().push(at);
    }
    for mut rivals in open.into_values().filter(|rivals| rivals.len() > 1) {
        rivals.sort_by_key(|&at| precedence(&leads[at], survivor));
        let into = leads[rivals[0]].lead_id;
        for &at in &rivals[1..] {
            leads[at].close_as_merged(into, now);
            changed.push(at);
        }
    }
    changed
}

/// The smaller, the sooner the lead is the one that goes on.
fn precedence(lead: &Lead, survivor: Uuid) -> (u8, i64, bool, i64, Uuid) {
    let with_the_rep = match lead.state.status {
        Status::Accepted => 0,
        Status::Offered => 1,
        Status::Held => 2,
        Status::HandedOver => 3,
        Status::Incubating | Status::Closed => 4,
    };
    let since = if with_the_rep < 4 { lead.ready_time.unwrap_or(i64::MAX) } else { i64::MAX };
    (with_the_rep, since, lead.account_id != survivor, lead.open_time, lead.lead_id)
}

/// The round that an activity of this account finds in a category: the open one, otherwise the last to be closed of those
/// that ended the account's activities. Who was disqualified waits under whatever name.
pub fn latest(leads: &[Lead], category: &str, account_id: Uuid) -> Option<Round> {
    let of_category = || leads.iter().filter(|lead| lead.product_category == category);
    let number = of_category().map(|lead| lead.round).max()?;
    let disqualified = |lead: &Lead| matches!(lead.closed, Some((_, CloseReason::Disqualified)));
    let closed =
        of_category().filter(|lead| lead.ends(account_id) || disqualified(lead)).filter_map(|lead| lead.closed);
    let is_open = of_category().any(|lead| lead.closed.is_none());
    Some(Round { number, closed: if is_open { None } else { Some(closed.max_by_key(|(time, _)| *time)?) } })
}

/// The number of the next round of an account's own.
pub fn next_round(leads: &[Lead], category: &str, account_id: Uuid) -> i32 {
    let own = leads.iter().filter(|lead| lead.product_category == category && lead.account_id == account_id);
    own.map(|lead| lead.round).max().unwrap_or(0) + 1
}

/// Until when the activities of an account belong to rounds before this lead: the last close of its category that has
/// ended them. `leads` are all of the accounts that are one.
pub fn previous_close(leads: &[Lead], lead: &Lead, account_id: Uuid) -> Option<i64> {
    let before = lead.closed.map_or(i64::MAX, |(time, _)| time);
    let others = leads.iter().filter(|other| {
        other.product_category == lead.product_category && other.lead_id != lead.lead_id && other.ends(account_id)
    });
    others.filter_map(|other| other.closed).map(|(time, _)| time).filter(|&time| time < before).max()
}

/// The leads that were joined with this one: what people gave or took there counts here.
pub fn joined_with(leads: &[Lead], lead_id: Uuid) -> Vec<Uuid> {
    let mut found = vec![lead_id];
    let mut next = 0;
    while let Some(&into) = found.get(next) {
        let merged = leads.iter().filter(|lead| is_merged(lead) && lead.merged_into == Some(into));
        let fresh: Vec<_> = merged.map(|lead| lead.lead_id).filter(|id| !found.contains(id)).collect();
        found.extend(fresh);
        next += 1;
    }
    found
}

/// Whether the lead was closed because another one goes on.
pub fn is_merged(lead: &Lead) -> bool {
    matches!(lead.closed, Some((_, CloseReason::Merged)))
}
