//! One transaction of the ledger.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use leadflow_platform::{Error, Result, db::Tx, ids, tombstones};
use uuid::Uuid;

use super::{Group, Written};
use crate::{
    app::{Recorded, announce},
    domain::{activity::Entry, digest::lock_key, repetition, resolution::Party},
    store::{
        activities::{self, NewActivity},
        quarantine,
    },
};

/// Writes what the groups bring and says of each, group by group, what became of it. Of whom it is not known who did it
/// is claimed until `lease_end`, if there is one, for whoever is handed it.
pub(crate) async fn write(
    tx: &Tx,
    groups: &[Arc<Group>],
    now: Timestamp,
    lease_end: Option<Timestamp>,
) -> Result<Vec<Written>> {
    // First the quarantine, as a replay does: two that take the same rows in another order deadlock.
    let kept: Vec<_> = groups.iter().flat_map(|it| it.kept.iter().map(|kept| (kept, it.principal.as_str()))).collect();
    let mut places = quarantine::keep(tx, &kept, now).await?.into_iter();
    let mut written = record(tx, groups, now, lease_end).await?;
    for (written, group) in written.iter_mut().zip(groups) {
        written.kept = places.by_ref().take(group.kept.len()).collect();
    }
    Ok(written)
}

/// Writes the entries that are new, and announces those of which it is known who did them.
async fn record(tx: &Tx, groups: &[Arc<Group>], now: Timestamp, lease_end: Option<Timestamp>) -> Result<Vec<Written>> {
    let known = groups.iter().flat_map(|group| &group.entries).filter_map(|entry| entry.recognised.as_ref());
    let people: Vec<_> = known.filter_map(|recognised| recognised.party.contact_id).collect();
    let gone = tombstones::among(tx, &people).await?;
    let activities: Vec<Vec<_>> = groups.iter().map(|group| group.activities(&gone, now)).collect();
    let all: Vec<_> = activities.iter().flatten().collect();
    let mut repeated = repeated_contents(tx, &all, now).await?;
    let fresh: Vec<_> = all.into_iter().filter(|activity| !repeated.contains_key(&activity.activity_id)).collect();
    repeated.extend(insert(tx, &fresh, lease_end).await?);
    let (mut identified, mut at) = (Vec::with_capacity(fresh.len()), BTreeMap::new());
    let mut written = Vec::with_capacity(groups.len());
    for group in &activities {
        let mut of_group = Written::default();
        for activity in group {
            let recorded = repeated.get(&activity.activity_id).copied();
            of_group.recorded.push(recorded.unwrap_or_else(|| activity.recorded()));
            match (recorded, activity.party) {
                (Some(_), _) => {}
                (None, Some(party)) => {
                    let visitors = activity.entry.recognised.iter().flat_map(|known| &known.visitors);
                    announce::note_account(&mut at, &party, visitors.copied());
                    identified.push((activity.in_ledger(), party));
                }
                (None, None) => of_group.pending.push(activity.in_ledger()),
            }
        }
        written.push(of_group);
    }
    // As the identifier does with those whom it finds out.
    announce::identified(tx, &identified, &at, now).await?;
    Ok(written)
}

impl Group {
    /// Of somebody who was erased meanwhile it has to be found out again who it was.
    fn activities<'a>(&'a self, gone: &BTreeSet<Uuid>, now: Timestamp) -> Vec<NewActivity<'a>> {
        let is_there = |party: &Party| party.contact_id.is_none_or(|id| !gone.contains(&id));
        let new = |entry: &'a Entry| {
            let party = entry.recognised.as_ref().map(|known| known.party).filter(is_there);
            NewActivity::new(ids::new(), entry, party, &self.principal, self.origin, now)
        };
        self.entries.iter().map(new).collect()
    }
}

impl NewActivity<'_> {
    fn recorded(&self) -> Recorded {
        Recorded { activity_id: self.activity_id, duplicate: false, derived: self.is_derived(), conflicting: false }
    }
}

/// Of the activities without an id of their own, those that repeat a content of the last ten minutes.
async fn repeated_contents(tx: &Tx, all: &[&NewActivity<'_>], now: Timestamp) -> Result<HashMap<Uuid, Recorded>> {
    let derived: Vec<_> = all.iter().filter(|activity| activity.is_derived()).collect();
    if derived.is_empty() {
        return Ok(HashMap::new());
    }
    // Another replica may be writing the same content: no constraint of the table would notice.
    tx.lock_all(derived.iter().map(|activity| lock_key(&activity.entry.digest)).collect()).await?;
    let contents: Vec<_> =
        derived.iter().map(|activity| (activity.entry.source.clone(), activity.entry.digest)).collect();
    let known = activities::find_derived(tx, &contents, repetition::window_begin(now)).await?;
    let firsts =
        repetition::firsts(&known, derived.iter().map(|activity| (activity.activity_id, &activity.entry.digest)));
    Ok(derived
        .iter()
        .zip(firsts)
        .filter_map(|(activity, first)| {
            let repeats = |activity_id| Recorded { activity_id, duplicate: true, derived: true, conflicting: false };
            first.map(|first| (activity.activity_id, repeats(first)))
        })
        .collect())
}

/// Inserts activities. Returns those whose id of the event was there before.
async fn insert(tx: &Tx, fresh: &[&NewActivity<'_>], lease_end: Option<Timestamp>) -> Result<HashMap<Uuid, Recorded>> {
    let inserted: HashSet<_> = activities::insert(tx, fresh, lease_end).await?.into_iter().collect();
    let came_again: Vec<_> = fresh.iter().filter(|activity| !inserted.contains(&activity.activity_id)).collect();
    let keys: Vec<_> = came_again.iter().map(|activity| activity.key()).collect();
    let firsts = activities::find_firsts(tx, &keys).await?;
    came_again
        .into_iter()
        .zip(keys)
        .map(|(activity, key)| {
            let first = firsts.get(&key).ok_or_else(|| Error::unavailable("the first activity has just gone"))?;
            let recorded = Recorded {
                activity_id: first.activity_id,
                duplicate: true,
                derived: false,
                conflicting: first.digest != activity.entry.digest,
            };
            Ok((activity.activity_id, recorded))
        })
        .collect()
}
