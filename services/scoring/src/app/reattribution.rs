//! Activities that the ledger has moved to another account: what a visitor did before it was known where they are.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use leadflow_platform::{Result, db::Tx};
use uuid::Uuid;

use super::{
    App,
    intake::{Recorded, leave_out_erased, sides},
    memory::Remembered,
    origins::Origins,
    rescore::Cause,
};
use crate::{
    domain::Activity,
    store::{accounts, evidence},
};

impl App {
    /// Moves activities, and scores the accounts again that they were at and are at.
    pub(crate) async fn reattribute(&self, moved: Vec<Recorded>) -> Result<()> {
        self.score(move |app, tx| async move { app.reattribute_in(&tx, moved).await }).await
    }

    async fn reattribute_in(&self, tx: &Tx, mut moved: Vec<Recorded>) -> Result<Vec<Remembered>> {
        leave_out_erased(tx, &mut moved).await?;
        let moved = newest(moved);
        let ids: Vec<_> = moved.keys().copied().collect();
        let before = evidence::whereabouts(tx, &ids).await?;
        let mut wanted: BTreeMap<Uuid, i64> =
            before.values().filter_map(|(account, _)| Some(((*account)?, 0))).collect();
        for one in moved.values() {
            if let Some(account) = one.account_id {
                let revision = wanted.entry(account).or_default();
                *revision = one.account_revision.max(*revision);
            }
        }
        let locked = accounts::lock_wanted(tx, wanted).await?;
        // Only what another replica has not moved meanwhile.
        let before = evidence::whereabouts(tx, &ids).await?;
        let (mut news, mut origins, mut fresh) =
            (HashMap::<Uuid, Vec<Arc<Activity>>>::new(), Origins::default(), Vec::new());
        for (id, one) in moved {
            let known = before.get(&id);
            if known.is_some_and(|(_, attribution)| *attribution >= one.attribution) {
                continue;
            }
            let (row, origin) = one.into_evidence(&self.memory);
            if let Some(account) = row.account_id {
                sides(&locked, account).for_each(|side| origins.activity(side, &row.activity, origin));
                news.entry(account).or_default().push(row.activity.clone());
            }
            match known {
                Some(_) => evidence::move_to(tx, &row).await?,
                None => fresh.push(row),
            }
        }
        evidence::add(tx, &fresh).await?;
        let outcome = self.rescore(tx, &locked, news, Cause::News(origins)).await?;
        outcome.write(tx, &locked, self.clock.now()).await
    }
}

/// Of each activity where it was moved last, in the order of their ids.
fn newest(moved: Vec<Recorded>) -> BTreeMap<Uuid, Recorded> {
    let mut newest = BTreeMap::<Uuid, Recorded>::new();
    for one in moved {
        let id = one.activity.activity_id;
        if newest.get(&id).is_none_or(|other| other.attribution < one.attribution) {
            newest.insert(id, one);
        }
    }
    newest
}
