//! What is asked: leads, evidence, models. Nothing changes here.

use leadflow_platform::{Result, db::Tx, page::Page};
use uuid::Uuid;

use super::{App, NamedLead};
use crate::{
    domain::lead::Lead,
    store::{
        accounts,
        evidence::{self, Evidence},
        joined,
        leads::{self, Filter, Key},
        models::{self, Version},
    },
};

impl App {
    /// One lead.
    pub(crate) async fn lead(&self, lead_id: Uuid) -> Result<NamedLead> {
        let read = move |tx: Tx| async move {
            let lead = leads::get(&*tx, lead_id).await?;
            Ok(named(&tx, vec![lead]).await?.remove(0))
        };
        self.database.read(read).await
    }

    /// A page of leads, with the accounts as they are at that moment: between two looks they may be merged or taken apart.
    pub(crate) async fn leads(&self, filter: &Filter, page: &Page<Key>) -> Result<(Vec<NamedLead>, String)> {
        let (mut filter, after, limit) = (filter.clone(), page.after().copied(), page.limit());
        let read = move |tx: Tx| async move {
            with_joined(&tx, &mut filter.accounts).await?;
            let rows = leads::list(&*tx, &filter, after.as_ref(), limit).await?;
            named(&tx, rows).await
        };
        let rows = self.database.read(read).await?;
        let key =
            |NamedLead { lead, .. }: &NamedLead| Key { score_milli: lead.state.score_milli, lead_id: lead.lead_id };
        Ok(page.finish(rows, key))
    }

    /// A page of evidence.
    pub(crate) async fn evidence(
        &self,
        filter: &evidence::Filter,
        page: &Page<Uuid>,
    ) -> Result<(Vec<Evidence>, String)> {
        let (mut filter, after, limit) = (filter.clone(), page.after().copied(), page.limit());
        let read = move |tx: Tx| async move {
            with_joined(&tx, &mut filter.accounts).await?;
            evidence::list(&*tx, &filter, after, limit).await
        };
        let rows = self.database.read(read).await?;
        Ok(page.finish(rows, |row| row.activity.activity_id))
    }

    /// A page of the versions of the model.
    pub(crate) async fn versions(&self, page: &Page<i32>) -> Result<(Vec<Version>, String)> {
        let rows = models::list(self.database.reader(), page.after().copied(), page.limit()).await?;
        Ok(page.finish(rows, |version| version.number))
    }

    /// Refreshes the gauges.
    pub(crate) async fn measure(&self) -> Result<()> {
        for (band, count) in leads::open_by_band(self.database.reader()).await? {
            self.metrics.open(band, count);
        }
        let minute_ago = self.now() - 60_000;
        self.metrics.overdue(accounts::overdue(self.database.reader(), minute_ago).await?);
        Ok(())
    }
}

/// Adds all accounts that are one with those that a filter names.
async fn with_joined(tx: &Tx, accounts: &mut Option<Vec<Uuid>>) -> Result<()> {
    if let Some(named) = accounts {
        *named = joined::with_joined(&**tx, named).await?;
    }
    Ok(())
}

async fn named(tx: &Tx, leads: Vec<Lead>) -> Result<Vec<NamedLead>> {
    let ids: Vec<_> = leads.iter().map(|lead| lead.account_id).collect();
    let accounts = accounts::by_ids(&**tx, &ids).await?;
    Ok(leads.into_iter().map(|lead| NamedLead::of(lead, &accounts)).collect())
}
