//! The sample company's badge scans: a CSV file in the data folder, imported as any other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::line::ActivityLine;
use crate::{
    cli::{CsvFile, Import, Sending},
    import::field::Field,
};

/// The columns, each named by what it means.
const COLUMNS: [&str; 13] = [
    "event_id",
    "occur_time",
    "activity_type",
    "product_category",
    "object_id",
    "email",
    "external_id",
    "company",
    "country",
    "given_name",
    "family_name",
    "job_title",
    "notes",
];
/// And the one attribute that a badge reader knows.
const MINUTES: &str = "attribute.minutes";

/// Writes the scans as a badge reader would export them, and says how to import them.
pub(super) fn export(data_dir: &Path, lines: &[&ActivityLine], anchor: Timestamp) -> Result<Option<Import>> {
    let Some(source) = lines.first().map(|line| line.source.clone()) else { return Ok(None) };
    let path: PathBuf = data_dir.join("badge-scans.csv");
    let mut file = csv::Writer::from_path(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_record(COLUMNS.iter().copied().chain([MINUTES]))?;
    for line in lines {
        let cell = |column: &&str| match *column {
            "event_id" => Ok(line.source_event_id.clone()),
            "occur_time" => Ok(line.occur_time(anchor)?.to_string()),
            "activity_type" => Ok(line.activity_type.clone()),
            "product_category" => Ok(line.product_category.clone()),
            "object_id" => Ok(line.object_id.clone()),
            "notes" => Ok(line.notes.clone()),
            name => Ok(line.says(name)),
        };
        let minutes = line.attributes.get("minutes").map(ToString::to_string).unwrap_or_default();
        let cells = COLUMNS.iter().map(cell).chain([Ok(minutes)]).collect::<Result<Vec<_>>>()?;
        file.write_record(cells)?;
    }
    file.flush()?;
    let meaning = |name: &str| Some((name.to_owned(), name.parse::<Field>().ok()?));
    Ok(Some(Import {
        csv: CsvFile {
            file: path,
            map: COLUMNS.iter().copied().chain([MINUTES]).filter_map(meaning).collect(),
            delimiter: None,
            encoding: None,
        },
        sending: Sending { mapping: None, save_mapping: None, dry_run: false, batch: 500, errors: None },
        source,
        kind: None,
        activity_type: None,
        category: None,
        time_zone: None,
        time_format: None,
    }))
}
