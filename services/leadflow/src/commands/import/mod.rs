//! `leadflow import`: the lines of a CSV file become activities, each once, however often the file is imported.

mod dry_run;
pub(crate) mod records;
mod report;
mod send;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use leadflow_platform::vars::Vars;
use leadflow_proto::activity::v1::{ListSourcesRequest, Source};
use serde::Serialize;
use tonic::Code;

use crate::{
    cli::{Format, Import, ImportCommand, Records},
    client::{Clients, all},
    import::{
        field::{Field, Kind},
        mapping::{self, Saved, Values},
        row::Reading,
        value::Times,
    },
};

/// All that the meaning of a file depends on. An import that was interrupted goes on only with the same.
#[derive(Debug, Serialize)]
struct Meaning<'a> {
    service: &'a str,
    source: &'a str,
    kind: Kind,
    columns: &'a [Field],
    /// Pairs, because JSON has no other keys than texts.
    values: Vec<(&'a Field, Vec<(&'a String, &'a String)>)>,
    options: [&'a Option<String>; 6],
}

/// Imports what the words say.
pub(crate) async fn run_command(
    clients: &Clients,
    format: Format,
    args: ImportCommand,
    vars: &Vars,
) -> Result<ExitCode> {
    match args {
        ImportCommand::Records(Records::Accounts(args)) => {
            records::run(clients, format, records::Kind::Accounts, args, vars).await
        }
        ImportCommand::Records(Records::Contacts(args)) => {
            records::run(clients, format, records::Kind::Contacts, args, vars).await
        }
        ImportCommand::Activities(args) => run(clients, format, args, vars).await,
    }
}

pub(crate) async fn run(clients: &Clients, format: Format, args: Import, vars: &Vars) -> Result<ExitCode> {
    let saved = args.sending.mapping.as_deref().map_or_else(|| Ok(Saved::default()), |name| Saved::read(name, vars))?;
    let args = with_saved(args, &saved);
    let table = args.csv.open()?;
    let times = Times::new(args.time_zone.as_deref(), args.time_format.as_deref())?;
    let source = find_source(clients, &args).await?;
    let kind = args.kind.unwrap_or_default();
    let header = table.header.clone();
    let columns = mapping::columns(&header, &saved, &args.csv.map, kind, &source)?;
    let reading = Reading {
        source,
        kind,
        header,
        columns,
        values: saved.values,
        times,
        activity_type: args.activity_type.clone().unwrap_or_default(),
        product_category: args.category.clone().unwrap_or_default(),
    };
    if format == Format::Table {
        report::print_columns(&args.csv.file, table.delimiter, &reading);
    }
    if let Some(name) = &args.sending.save_mapping {
        let path = to_save(&args, &reading)?.write(name, vars)?;
        eprintln!("The mapping is saved: {}", path.display());
    }
    if args.sending.dry_run {
        return dry_run::run(format, table, &reading);
    }
    send::run(clients, format, &args, table, &reading).await
}

/// The arguments, and what the saved mapping says where they say nothing.
fn with_saved(args: Import, saved: &Saved) -> Import {
    Import {
        kind: args.kind.or(saved.kind),
        time_zone: args.time_zone.or(saved.time_zone.clone()),
        time_format: args.time_format.or(saved.time_format.clone()),
        csv: args.csv.with_saved(saved),
        ..args
    }
}

fn meaning<'a>(clients: &'a Clients, args: &'a Import, reading: &'a Reading) -> Meaning<'a> {
    Meaning {
        service: &clients.activity_url,
        source: &args.source,
        kind: reading.kind,
        columns: &reading.columns,
        values: reading.values.iter().map(|(field, words)| (field, words.iter().collect())).collect(),
        options: [
            &args.activity_type,
            &args.category,
            &args.time_zone,
            &args.time_format,
            &args.csv.delimiter,
            &args.csv.encoding,
        ],
    }
}

fn to_save(args: &Import, reading: &Reading) -> Result<Saved> {
    let mut columns = std::collections::BTreeMap::new();
    for (head, field) in reading.header.iter().zip(&reading.columns) {
        if columns.insert(head.clone(), field.clone()).is_some() {
            bail!("the file has several columns `{head}`: a mapping cannot tell them apart");
        }
    }
    Ok(Saved {
        kind: Some(reading.kind),
        columns,
        values: Values::clone(&reading.values),
        time_zone: args.time_zone.clone(),
        time_format: args.time_format.clone(),
        delimiter: args.csv.delimiter.clone(),
        encoding: args.csv.encoding.clone(),
    })
}

/// The source, with the types of its fields. A dry run goes on without it when nothing answers.
async fn find_source(clients: &Clients, args: &Import) -> Result<Source> {
    let mut client = clients.activity.clone();
    let page = async |page_size, page_token| {
        let answer = client.list_sources(ListSourcesRequest { page_size, page_token }).await?.into_inner();
        Ok((answer.sources, answer.next_page_token))
    };
    let sources = match all(0, page).await {
        Ok((sources, _)) => sources,
        Err(error) if args.sending.dry_run && is_unavailable(&error) => {
            eprintln!("Nothing answers: whether the source is there, and the types of its fields, are not checked.");
            return Ok(Source { name: args.source.clone(), ..Source::default() });
        }
        Err(error) => return Err(error),
    };
    let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
    let found = sources.into_iter().find(|source| source.name == args.source);
    found.with_context(|| {
        let there =
            if names.is_empty() { "there is none yet".to_owned() } else { format!("there are {}", names.join(", ")) };
        format!("--source: `{}` is not registered ({there}): apply a Source of this name first", args.source)
    })
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    error.downcast_ref::<tonic::Status>().is_some_and(|status| status.code() == Code::Unavailable)
}
