//! The words of `leadflow import`.

use std::path::PathBuf;

use clap::Args;

use crate::import::field::{Field, Kind};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The CSV file, with a header line.
    pub(crate) file: PathBuf,
    /// The registered source that the lines come from.
    #[arg(long)]
    pub(crate) source: String,
    /// What the lines are (default: scans, or as the mapping says).
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// A mapping that was saved before: its name, or its file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) mapping: Option<String>,
    /// What a column means; may be given several times. `COLUMN=ignore` leaves one out.
    #[arg(long = "map", value_name = "COLUMN=FIELD", value_parser = column_and_field)]
    pub(crate) map: Vec<(String, Field)>,
    /// Save what the columns mean and how the file is written, under this name or in this file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) save_mapping: Option<String>,
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
    /// `,` `;` `|` or tab (default: what the header is written with).
    #[arg(long)]
    pub(crate) delimiter: Option<String>,
    /// The encoding, such as windows-1252 (default: utf-8).
    #[arg(long)]
    pub(crate) encoding: Option<String>,
    /// Send nothing: say what the columns mean, what cannot be read, and what the first lines would become.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Lines that are sent together.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) batch: u16,
    /// Where lines go that are refused (default: beside the file, as NAME.errors.csv).
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
}

pub(super) fn column_and_field(text: &str) -> Result<(String, Field), String> {
    let (column, field) = text.rsplit_once('=').ok_or("write COLUMN=FIELD, such as 'Work email=email'")?;
    Ok((column.trim().to_owned(), field.trim().parse()?))
}
