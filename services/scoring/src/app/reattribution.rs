//! Activities that the ledger has moved to another account: what a visitor did before it was known where they are.

use std::collections::{BTreeMap, HashMap};

use leadflow_platform::{Result, db::Tx};
use uuid::Uuid;

use super::{
    App,
    intake::{Recorded, sides},
    origins::Origins,
    rescore::Cause,
};
use crate::{
    domain::{Activity, Disposition},
    store::{
        accounts,
        evidence::{self, Evidence},
    },
};

impl App {
    /// Moves activities, and scores the accounts again that they were at and are at.
    pub(crate) async fn reattribute(&self, moved: Vec<Recorded>) -> Result<()> {
        let app = self.clone();
        self.database.write(move |tx| async move { app.reattribute_in(&tx, moved).await }).await
    }

    async fn reattribute_in(&self, tx: &Tx, moved: Vec<Recorded>) -> Result<()> {
        let ids: Vec<_> = moved.iter().map(|one| one.activity.activity_id).collect();
        let before = evidence::whereabouts(tx, &ids).await?;
        let mut wanted: BTreeMap<Uuid, i64> =
            before.values().filter_map(|(account, _)| Some(((*account)?, 0))).collect();
        for one in &moved {
            if let Some(account) = one.account_id {
                let revision = wanted.entry(account).or_default();
                *revision = one.account_revision.max(*revision);
            }
        }
        let locked = accounts::lock_wanted(tx, wanted).await?;
        // Only what another replica has not moved meanwhile.
        let before = evidence::whereabouts(tx, &ids).await?;
        let (mut news, mut origins) = (HashMap::<Uuid, Vec<Activity>>::new(), Origins::default());
        for one in moved {
            let known = before.get(&one.activity.activity_id);
            if known.is_some_and(|(_, attribution)| *attribution >= one.attribution) {
                continue;
            }
            let row = Evidence {
                disposition: if one.account_id.is_some() { Disposition::NoOpenLead } else { Disposition::NoAccount },
                account_id: one.account_id,
                attribution: one.attribution,
                activity: one.activity,
            };
            match known {
                Some(_) => evidence::move_to(tx, &row).await?,
                None => drop(evidence::insert_new(tx, vec![row.clone()]).await?),
            }
            if let Some(account) = row.account_id {
                sides(&locked, account).for_each(|side| origins.activity(side, &row.activity, one.origin));
                news.entry(account).or_default().push(row.activity);
            }
        }
        let outcome = self.rescore(tx, &locked, news, Cause::News(origins)).await?;
        outcome.write(tx, &locked, self.clock.now()).await
    }
}
