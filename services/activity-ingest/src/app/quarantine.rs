//! What could not be recorded: looked at, corrected, replayed, discarded.

use leadflow_platform::{Error, Result, page::Page};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{activity::Activity, quarantine::Quarantined},
    store::{self, quarantine::Filter},
};

impl App {
    /// A page of what is kept, without what came, and the token of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn quarantined(&self, filter: &Filter, page: &Page<Uuid>) -> Result<(Vec<Quarantined>, String)> {
        let after = page.after().copied();
        let rows = store::quarantine::list(self.database.reader(), filter, after, page.limit()).await?;
        Ok(page.finish(rows, |it| it.quarantine_id))
    }

    /// One of them with what came; and its activity, where that is in the ledger.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub(crate) async fn quarantined_one(&self, quarantine_id: Uuid) -> Result<(Quarantined, Option<Activity>)> {
        let found = store::quarantine::get(self.database.reader(), quarantine_id).await?;
        let found = found.ok_or_else(|| Error::not_found("quarantined activity", quarantine_id))?;
        let activity = match found.door {
            None => store::activities::get(self.database.reader(), quarantine_id).await?,
            Some(_) => None,
        };
        Ok((found, activity))
    }
}
