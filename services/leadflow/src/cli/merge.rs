//! The words of `leadflow merge`, `unmerge` and `merges`.

use clap::{Args, Subcommand};

use super::Limit;

#[derive(Debug, Subcommand)]
pub(crate) enum Merge {
    /// Merge an account into another.
    Accounts(Two),
    /// Merge a contact into another.
    Contacts(Two),
}

/// What is merged.
#[derive(Debug, Args)]
pub(crate) struct Two {
    /// Id of the one that stays.
    pub(crate) survivor: String,
    /// Id of the one that is merged into it.
    pub(crate) merged: String,
    /// Why, for those who look later.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Show what it would lead to, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Unmerge {
    /// The merge's id.
    pub(crate) merge: String,
    /// Why, for those who look later.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Merges {
    /// Only with this account or contact (id) on one of the sides.
    #[arg(long)]
    pub(crate) of: Option<String>,
    /// Only those that hold.
    #[arg(long)]
    pub(crate) active: bool,
    #[command(flatten)]
    pub(crate) limit: Limit,
}
