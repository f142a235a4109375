//! The words of `leadflow export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// All accounts, as `leadflow import accounts` reads them.
    Accounts(ExportTo),
    /// All that is held of a person, with what they have done, as JSON.
    Contact {
        /// The contact's id.
        contact: String,
    },
    /// All contacts, as `leadflow import contacts` reads them.
    Contacts(ExportTo),
}

#[derive(Debug, Args)]
pub(crate) struct ExportTo {
    /// The CSV file (default: standard output).
    pub(crate) file: Option<PathBuf>,
}
