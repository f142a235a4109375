//! What routing may have missed of leads, announced again.

use std::collections::BTreeSet;

use async_trait::async_trait;
use leadflow_platform::{
    Result,
    db::Tx,
    digest::{Facts, Producer},
};
use uuid::Uuid;

use super::{App, outcome::Outcome};
use crate::{
    domain::lead::Status,
    store::{accounts, digest, leads},
};

/// All leads, open and closed.
#[derive(Clone, Debug)]
pub(crate) struct Leads(pub(crate) App);

#[async_trait]
impl Producer for Leads {
    fn kind(&self) -> &'static str {
        "leads"
    }

    fn facts(&self) -> Facts {
        digest::leads()
    }

    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()> {
        let accounts: BTreeSet<_> = leads::accounts_of(&**tx, &ids).await?.into_values().collect();
        let accounts: Vec<_> = accounts.into_iter().collect();
        let locked = accounts::lock(tx, &accounts).await?;
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let mut outcome = Outcome::default();
        for lead in leads::of_accounts(&**tx, &accounts).await? {
            if ids.contains(&lead.lead_id) {
                outcome.announce_again(fact(lead.state.status), lead);
            }
        }
        outcome.write(tx, &locked, self.0.clock.now()).await.map(drop)
    }
}

/// What to say of a lead whose last word did not arrive: the hand-over, while it is not over.
fn fact(status: Status) -> &'static str {
    match status {
        Status::Incubating => "changed",
        Status::HandedOver | Status::Held | Status::Offered | Status::Accepted => "sales_ready",
        Status::Closed => "closed",
    }
}
