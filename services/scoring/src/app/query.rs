//! What is asked: leads, evidence, models. Nothing changes here.

use leadflow_platform::{Result, page::Page};
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
        let lead = leads::get(self.database.reader(), lead_id).await?;
        Ok(self.named(vec![lead]).await?.remove(0))
    }

    /// A page of leads.
    pub(crate) async fn leads(&self, filter: &Filter, page: &Page<Key>) -> Result<(Vec<NamedLead>, String)> {
        let mut filter = filter.clone();
        self.with_joined(&mut filter.accounts).await?;
        let rows = leads::list(self.database.reader(), &filter, page.after(), page.limit()).await?;
        let (rows, next) = page.finish(rows, |lead| Key { score_milli: lead.state.score_milli, lead_id: lead.lead_id });
        Ok((self.named(rows).await?, next))
    }

    async fn named(&self, leads: Vec<Lead>) -> Result<Vec<NamedLead>> {
        let ids: Vec<_> = leads.iter().map(|lead| lead.account_id).collect();
        let accounts = accounts::by_ids(self.database.reader(), &ids).await?;
        Ok(leads.into_iter().map(|lead| NamedLead::of(lead, &accounts)).collect())
    }

    /// Adds all accounts that are one with those that a filter names.
    async fn with_joined(&self, accounts: &mut Option<Vec<Uuid>>) -> Result<()> {
        if let Some(named) = accounts {
            *named = joined::with_joined(self.database.reader(), named).await?;
        }
        Ok(())
    }

    /// A page of evidence.
    pub(crate) async fn evidence(
        &self,
        filter: &evidence::Filter,
        page: &Page<Uuid>,
    ) -> Result<(Vec<Evidence>, String)> {
        let mut filter = filter.clone();
        self.with_joined(&mut filter.accounts).await?;
        let rows = evidence::list(self.database.reader(), &filter, page.after().copied(), page.limit()).await?;
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
