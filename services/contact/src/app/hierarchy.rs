//! Who belongs to whom: a tree, however many change it at once.

use std::collections::BTreeSet;

use leadflow_platform::{Error, Result, db::Tx, error::Code};

use super::{App, joined};
use crate::{domain::Account, error};

/// Accounts above one another at the most: far more than any group of companies has.
const MAX_LEVELS: usize = 32;

impl App {
    /// Makes sure that the account's parents are there and do not belong to it. The hierarchy is locked. `field` is where
    /// the parent stands in the request.
    pub(super) async fn check_parents(&self, tx: &Tx, account: &Account, field: &str) -> Result<()> {
        let mut seen = BTreeSet::from([account.account_id]);
        let mut above = account.parent_account_id;
        while let Some(parent) = above {
            let found = joined::get::<Account>(&**tx, parent).await;
            let found = found.map_err(|error| match error.code() {
                Code::NotFound => error::unknown_parent(field, parent),
                _ => error,
            })?;
            // What was merged is one: a parent that leads to the account itself is the account itself.
            let parent = found.survivor.account_id;
            if parent == account.account_id {
                return Err(error::hierarchy_cycle(field));
            }
            if !seen.insert(parent) {
                // A circle of others: the one of them that was changed with this one is told.
                return Ok(());
            }
            if seen.len() > MAX_LEVELS {
                return Err(error::hierarchy_too_deep(field, MAX_LEVELS));
            }
            above = found.shown().parent_account_id;
        }
        Ok(())
    }
}

/// Leads go up to a parent, and to nobody else. `field` is where that stands in the request.
pub(super) fn check_roll_up(account: &Account, field: &str) -> Result<()> {
    if account.roll_up && account.parent_account_id.is_none() {
        return Err(Error::invalid(field, "is for an account that has a parent: say which, or leave it out"));
    }
    Ok(())
}
