//! The words of `leadflow erase`, `leadflow erasures` and `leadflow export`.

use clap::{Args, Subcommand};

use super::Limit;

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The contact's id.
    pub(crate) contact: String,
    /// Why, in words that name nobody.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Erasures {
    /// Only those that are not complete.
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) limit: Limit,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// All that is held of a person, with what they have done, as JSON.
    Contact {
        /// The contact's id.
        contact: String,
    },
}
