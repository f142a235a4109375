//! The words of `leadflow import`.

use std::{path::PathBuf, str::FromStr};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use crate::import::{
    field::{Field, Kind},
    mapping::Saved,
    records::field::Word,
    table::Table,
};

/// Activities, or with a word accounts and contacts.
#[derive(Debug)]
pub(crate) enum ImportCommand {
    Records(Records),
    Activities(Import),
}

// By hand, for clap takes an optional part that has parts of its own for one that is not there.
impl FromArgMatches for ImportCommand {
    fn from_arg_matches(matches: &ArgMatches) -> clap::error::Result<Self> {
        match matches.subcommand_name() {
            Some(_) => Records::from_arg_matches(matches).map(Self::Records),
            None => Import::from_arg_matches(matches).map(Self::Activities),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> clap::error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ImportCommand {
    fn augment_args(command: Command) -> Command {
        Records::augment_subcommands(Import::augment_args(command))
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// Create the accounts that the lines of a CSV file say, or change those that are known.
    Accounts(RecordImport),
    /// Create the contacts that the lines of a CSV file say, or change those that are known.
    Contacts(RecordImport),
}

#[derive(Debug, Args)]
pub(crate) struct RecordImport {
    #[command(flatten)]
    pub(crate) csv: CsvFile<Word>,
    #[command(flatten)]
    pub(crate) sending: Sending,
    /// The system that the external ids of contacts are of.
    #[arg(long, default_value = "import")]
    pub(crate) source: String,
    /// Where it is written what became of each line (default: beside the file, as NAME.results.csv).
    #[arg(long, value_name = "FILE")]
    pub(crate) results: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) csv: CsvFile<Field>,
    #[command(flatten)]
    pub(crate) sending: Sending,
    /// The registered source that the lines come from.
    #[arg(long)]
    pub(crate) source: String,
    /// What the lines are (default: scans, or as the mapping says).
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// What was done, for lines that do not say it (default: as the source says).
    #[arg(long = "type", value_name = "ACTIVITY_TYPE")]
    pub(crate) activity_type: Option<String>,
    /// The product category, for lines that do not say it.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// The time zone of moments without one, such as Europe/Berlin.
    #[arg(long)]
    pub(crate) time_zone: Option<String>,
    /// How moments are written, such as '%m/%d/%Y %I:%M %p' (default: RFC 3339, ISO 8601 or 24.11.2026 10:14).
    #[arg(long)]
    pub(crate) time_format: Option<String>,
}

/// A CSV file, what its columns mean, and how it is written.
#[derive(Debug, Args)]
pub(crate) struct CsvFile<F>
where
    F: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    /// The CSV file, with a header line.
    pub(crate) file: PathBuf,
    /// What a column means; may be given several times. `COLUMN=ignore` leaves one out.
    #[arg(long = "map", value_name = "COLUMN=FIELD", value_parser = column_and_field::<F>)]
    pub(crate) map: Vec<(String, F)>,
    /// `,` `;` `|` or tab (default: what the header is written with).
    #[arg(long)]
    pub(crate) delimiter: Option<String>,
    /// The encoding, such as windows-1252 (default: utf-8).
    #[arg(long)]
    pub(crate) encoding: Option<String>,
}

impl<F> CsvFile<F>
where
    F: FromStr<Err = String> + Clone + Ord + Send + Sync + 'static,
{
    /// The file from its first line on.
    pub(crate) fn open(&self) -> Result<Table> {
        Table::open(&self.file, self.delimiter.as_deref(), self.encoding.as_deref())
    }

    /// The same file, written as the saved mapping says where nothing else is said.
    pub(crate) fn with_saved(self, saved: &Saved<F>) -> Self {
        let (delimiter, encoding) = (saved.delimiter.clone(), saved.encoding.clone());
        Self { delimiter: self.delimiter.or(delimiter), encoding: self.encoding.or(encoding), ..self }
    }
}

/// How the lines of a file are sent, and what is kept of it.
#[derive(Debug, Args)]
pub(crate) struct Sending {
    /// A mapping that was saved before: its name, or its file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) mapping: Option<String>,
    /// Save what the columns mean and how the file is written, under this name or in this file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) save_mapping: Option<String>,
    /// Change nothing: say what the columns mean, what cannot be read, and what the lines would become.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Lines that are sent together.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) batch: u16,
    /// Where lines go that are refused (default: beside the file, as NAME.errors.csv).
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
}

fn column_and_field<F: FromStr<Err = String>>(text: &str) -> Result<(String, F), String> {
    let (column, field) = text.rsplit_once('=').ok_or("write COLUMN=FIELD, such as 'Work email=email'")?;
    Ok((column.trim().to_owned(), field.trim().parse()?))
}
