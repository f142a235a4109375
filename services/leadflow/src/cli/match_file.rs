//! The words of `leadflow match`.

use std::path::PathBuf;

use clap::Args;

use super::CsvFile;
use crate::import::field::Field;

#[derive(Debug, Args)]
pub(crate) struct Match {
    #[command(flatten)]
    pub(crate) csv: CsvFile<Field>,
    /// The country (two letters) of lines that name none.
    #[arg(long, default_value = "")]
    pub(crate) country: String,
    /// The column that says who is really behind a line: then the result is measured. `rec-7-org` and `rec-7-dup-0`
    /// are one.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) truth: Option<String>,
    /// A CSV file of pairs, with a header line: `--truth` is the column of an id, and the ids in its first two columns
    /// are of one.
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub(crate) pairs: Option<PathBuf>,
    /// Show only lines that are linked, to be reviewed, new or refused.
    #[arg(long, value_enum)]
    pub(crate) only: Option<Outcome>,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Outcome {
    /// Somebody new.
    New,
    /// Somebody who was there before.
    Linked,
    /// Somebody new who may be one who was there before.
    Review,
    /// Nobody, because something cannot be read.
    Refused,
}

impl Outcome {
    /// Its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Linked => "linked",
            Self::Review => "review",
            Self::Refused => "refused",
        }
    }
}
