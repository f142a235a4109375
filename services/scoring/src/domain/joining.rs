//! What merging accounts and contacts does: which one counts for all, and which lead goes on where two have met. All of it
//! follows from how things stand, so that the order in which merges become known plays no part, and undoing one needs no
//! memory of how it was.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    history::{Facts, Profile},
    lead::{Lead, Status},
    round::{CloseReason, Round},
};

/// Which one each of these counts for, from what each was merged into. News may overtake each other and lead in a circle
/// for a while: then the oldest in it counts.
pub fn survivors(merged_into: &BTreeMap<Uuid, Option<Uuid>>) -> BTreeMap<Uuid, Uuid> {
    let climb = |from: Uuid| {
        let mut way = vec![from];
        while let Some(&Some(next)) = way.last().and_then(|at| merged_into.get(at)) {
            if let Some(circle) = way.iter().position(|&at| at == next) {
                return way[circle..].iter().copied().min().unwrap_or(from);
            }
            way.push(next);
        }
        *way.last().unwrap_or(&from)
    };
    merged_into.keys().map(|&id| (id, climb(id))).collect()
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
        known.for_each(|other| fill(&mut facts, &other.facts));
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
