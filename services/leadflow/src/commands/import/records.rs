//! `leadflow import accounts` and `contacts`: the lines of a CSV file become accounts or contacts, or change those that
//! are known, with the same outcome however often the file is imported.

mod batch;
mod report;

use std::{collections::BTreeMap, fs::File, path::Path, process::ExitCode};

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use leadflow_platform::vars::Vars;
use leadflow_proto::contact::v1 as pb;
use serde::{Deserialize, Serialize};

use super::send::{INTERRUPTED, how_to_go_on, persistently, progress_bar};
use crate::{
    cli::{Format, RecordImport},
    client::Clients,
    commands::{mutations::request_id, roles::termination},
    import::{
        failures::Failures,
        mapping::Saved,
        progress::{Progress, State},
        records::{
            field::{Word, columns},
            order::Rows,
            outcome::{Outcomes, Summary},
            remark::Remarks,
            row::Reading,
        },
        table::Table,
    },
};
use batch::Messages;

pub(crate) use crate::import::records::field::Kind;

/// What is written down of an import: what became of its lines, and what looked wrong.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Tally {
    #[serde(flatten)]
    summary: Summary,
    remarks: Remarks,
}

/// All that the meaning of a file depends on. An import that was interrupted goes on only with the same.
#[derive(Serialize)]
struct Meaning<'a> {
    service: &'a str,
    source: &'a str,
    kind: Kind,
    columns: &'a [Word],
    values: Vec<(Word, Vec<(&'a String, &'a String)>)>,
    delimiter: &'a Option<String>,
    encoding: &'a Option<String>,
}

pub(crate) async fn run(
    clients: &Clients,
    format: Format,
    kind: Kind,
    args: RecordImport,
    vars: &Vars,
) -> Result<ExitCode> {
    let saved = args.sending.mapping.as_deref().map_or_else(|| Ok(Saved::default()), |name| Saved::read(name, vars))?;
    let args = RecordImport { csv: args.csv.with_saved(&saved), ..args };
    let open = || args.csv.open();
    let table = open()?;
    let columns = columns(&table.header, &saved, &args.csv.map, kind)?;
    let profile = declared(clients, kind).await?;
    let reading = Reading { kind, header: table.header.clone(), columns, values: saved.values, profile };
    if format == Format::Table {
        report::print_columns(&args.csv.file, &reading);
    }
    if let Some(name) = &args.sending.save_mapping {
        let path = to_save(&args, &reading)?.write(name, vars)?;
        eprintln!("The mapping is saved: {}", path.display());
    }
    let mut rows = Rows::new(open, &reading)?;
    if args.sending.dry_run {
        return rehearse(clients, format, &args, &mut rows, &reading).await;
    }
    send(clients, format, &args, &mut rows, table.delimiter, &reading).await
}

/// The declared fields of the profile of accounts or of contacts.
async fn declared(clients: &Clients, kind: Kind) -> Result<BTreeMap<String, pb::ProfileFieldType>> {
    let subject = match kind {
        Kind::Accounts => pb::ProfileSubject::Account,
        Kind::Contacts => pb::ProfileSubject::Contact,
    };
    let answer = clients.contact.clone().list_profile_fields(pb::ListProfileFieldsRequest::default()).await?;
    let own = answer.into_inner().profile_fields.into_iter().filter(|field| field.subject() == subject);
    Ok(own.map(|field| (field.name.clone(), field.r#type())).collect())
}

fn to_save(args: &RecordImport, reading: &Reading) -> Result<Saved<Word>> {
    let mut columns = BTreeMap::new();
    for (head, word) in reading.header.iter().zip(&reading.columns) {
        if columns.insert(head.clone(), *word).is_some() {
            bail!("the file has several columns `{head}`: a mapping cannot tell them apart");
        }
    }
    let (values, delimiter, encoding) = (reading.values.clone(), args.csv.delimiter.clone(), args.csv.encoding.clone());
    Ok(Saved { columns, values, delimiter, encoding, ..Saved::default() })
}

/// Asks the service what would become of the lines. Each batch is asked by itself, as if the ones before had not been.
async fn rehearse<O: Fn() -> Result<Table>>(
    clients: &Clients,
    format: Format,
    args: &RecordImport,
    rows: &mut Rows<O>,
    reading: &Reading,
) -> Result<ExitCode> {
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    loop {
        let batch = batch::read(rows, reading, usize::from(args.sending.batch))?;
        if batch.lines == 0 {
            return report::rehearsed(format, args, &tally, &failed);
        }
        let results = call(clients, &batch.messages, args, true, &ProgressBar::hidden()).await?;
        let (_, refused) = batch.settle(&results, reading, &mut tally.summary, &mut tally.remarks);
        failed.extend(refused);
    }
}

async fn send<O: Fn() -> Result<Table>>(
    clients: &Clients,
    format: Format,
    args: &RecordImport,
    rows: &mut Rows<O>,
    delimiter: u8,
    reading: &Reading,
) -> Result<ExitCode> {
    // Two imports of one file would write the same files beside it.
    let lock = File::open(&args.csv.file)?;
    if lock.try_lock().is_err() {
        bail!("another import of {} is under way", args.csv.file.display());
    }
    let state = State::of(&args.csv.file, &meaning(clients, args, reading))?;
    let mut progress: Progress<Tally> = state.read();
    let beside =
        |name: &Option<std::path::PathBuf>, end| name.clone().unwrap_or_else(|| args.csv.file.with_extension(end));
    let mut failures =
        Failures::open(beside(&args.sending.errors, "errors.csv"), &reading.header, delimiter, progress.errors_bytes)?;
    let mut outcomes = Outcomes::open(beside(&args.results, "results.csv"), progress.outcomes_bytes)?;
    let resumed = progress.summary.summary.lines;
    let stop = termination()?;
    if resumed > 0 {
        eprintln!("Going on after the first {resumed} lines, which were sent before");
    }
    for _ in 0..resumed {
        if rows.next()?.is_none() {
            bail!("the file has become shorter while it was read");
        }
    }
    let (bar, bytes) = (progress_bar(&args.csv.file)?, length(&args.csv.file)?);
    while !stop.is_cancelled() {
        let batch = batch::read(rows, reading, usize::from(args.sending.batch))?;
        if batch.lines == 0 {
            bar.finish_and_clear();
            state.remove()?;
            return report::finish(format, args, &progress.summary, resumed, &failures, &outcomes);
        }
        let called = tokio::select! {
            results = call(clients, &batch.messages, args, false, &bar) => results,
            () = stop.cancelled() => break,
        };
        let results = called.inspect_err(|_| {
            bar.finish_and_clear();
            eprintln!("{}", how_to_go_on(progress.summary.summary.lines));
        })?;
        let Tally { summary, remarks } = &mut progress.summary;
        let (settled, refused) = batch.settle(&results, reading, summary, remarks);
        progress.errors_bytes = failures.add(&refused)?;
        progress.outcomes_bytes = outcomes.add(&settled)?;
        state.write(&progress)?;
        bar.set_position(rows.position(bytes));
        bar.set_message(format!("{} lines", progress.summary.summary.lines));
    }
    bar.finish_and_clear();
    eprintln!("{}", how_to_go_on(progress.summary.summary.lines));
    Ok(ExitCode::from(INTERRUPTED))
}

fn meaning<'a>(clients: &'a Clients, args: &'a RecordImport, reading: &'a Reading) -> Meaning<'a> {
    Meaning {
        service: &clients.contact_url,
        source: &args.source,
        kind: reading.kind,
        columns: &reading.columns,
        values: reading.values.iter().map(|(word, words)| (*word, words.iter().collect())).collect(),
        delimiter: &args.csv.delimiter,
        encoding: &args.csv.encoding,
    }
}

fn length(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file)?.len())
}

/// Sends a batch and returns what became of each line.
async fn call(
    clients: &Clients,
    messages: &Messages,
    args: &RecordImport,
    validate_only: bool,
    bar: &ProgressBar,
) -> Result<Vec<pb::ImportResult>> {
    // The same for each attempt: what was done before its answer was lost is answered as it was.
    let request_id = request_id();
    let results = match messages {
        Messages::Accounts(lines) => {
            let request = pb::ImportAccountsRequest { lines: lines.clone(), validate_only, request_id };
            let attempt = async || clients.imports.clone().import_accounts(request.clone()).await;
            persistently(bar, attempt).await?.into_inner().results
        }
        Messages::Contacts(lines) => {
            let (lines, source) = (lines.clone(), args.source.clone());
            let request = pb::ImportContactsRequest { lines, source, validate_only, request_id };
            let attempt = async || clients.imports.clone().import_contacts(request.clone()).await;
            persistently(bar, attempt).await?.into_inner().results
        }
    };
    if results.len() != messages.len() {
        bail!("the service answered {} of {} lines", results.len(), messages.len());
    }
    Ok(results)
}
