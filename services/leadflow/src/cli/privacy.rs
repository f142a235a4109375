//! The words of `leadflow erase` and `leadflow erasures`.

use clap::Args;

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
