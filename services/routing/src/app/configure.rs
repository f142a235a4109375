//! Configuration as code: territories, reps and pools, all or nothing.

use leadflow_platform::{
    Result,
    audit::{Mutation, mutate},
};
use sea_orm::ConnectionTrait;

use super::App;
use crate::{
    domain::{
        configuration::{Change, Configuration, Patch},
        decision::Rules,
    },
    error,
    store::configurations,
};

/// One configuration at a time.
const CONFIGURATION_LOCK: i64 = 7104;

impl App {
    /// Makes the resources of the patch be as given, or only says what would change.
    pub(crate) async fn configure(&self, mutation: Mutation, patch: Patch, validate_only: bool) -> Result<Vec<Change>> {
        if validate_only {
            let (_, _, changes) = plan(self.database.reader(), patch).await?;
            return Ok(changes);
        }
        let (principal, now) = (mutation.principal.clone(), mutation.time);
        let changes = mutate(&self.database, mutation, move |tx| async move {
            tx.lock(CONFIGURATION_LOCK).await?;
            let (version, whole, changes) = plan(&*tx, patch).await?;
            if changes.iter().any(Change::is_real) {
                configurations::add(&tx, version, &whole, principal.as_str(), now).await?;
            }
            Ok(changes)
        })
        .await?;
        self.bell.notify_one();
        Ok(changes)
    }
}

/// The whole after the patch under its number, checked, and what changes.
async fn plan(connection: &impl ConnectionTrait, patch: Patch) -> Result<(i32, Configuration, Vec<Change>)> {
    let (version, before) = configurations::newest(connection).await?;
    let (whole, changes) = before.with(patch.clone());
    Rules::compile(version + 1, whole.clone()).map_err(|problems| error::configuration(problems, &patch))?;
    Ok((version + 1, whole, changes))
}
