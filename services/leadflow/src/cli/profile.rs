//! The words of `leadflow profile`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Name the fields that no scoring rule, no territory and no page uses, and those that rules read and nobody declares.
    Lint(Lint),
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Files or folders of YAML, as for `apply` (default: the configuration that is applied).
    #[arg(long = "file", short, value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Show the used ones too, with who uses them.
    #[arg(long)]
    pub(crate) all: bool,
}
