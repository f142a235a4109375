//! What the words of the command line do.

mod apply;
mod assignments;
mod consent;
mod consent_link;
mod explain;
mod export;
mod import;
mod leads;
mod lists;
mod match_file;
mod merge;
mod mutations;
mod observe;
mod privacy;
mod profile;
mod quarantine;
mod reconcile;
mod roles;
mod sample;
mod site_map;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use leadflow_platform::vars::Vars;

use crate::{
    cli::{Cli, Command},
    client::Clients,
};

/// Carries out one command.
pub(crate) async fn run(cli: Cli, vars: Vars) -> Result<ExitCode> {
    let Cli { global, command } = cli;
    match command {
        Command::Up(up) => return roles::up(global, up, vars).await,
        Command::Serve { role } => return roles::serve(&role, &vars).await,
        Command::Migrate { role } => return roles::migrate(&role, &vars).await,
        Command::Match(args) => return match_file::run(global.output, &args),
        _ => {}
    }
    let clients = Clients::new(&global, &vars)?;
    let format = global.output;
    match command {
        Command::Apply(apply) => return apply::run(&clients, &apply).await,
        Command::Import(args) => return import::run_command(&clients, format, *args, &vars).await,
        Command::Export(export) => return export::run(&clients, export).await,
        Command::Leads(leads) => leads::list(&clients, format, leads).await?,
        Command::Lead { lead } => leads::show(&clients, format, lead).await?,
        Command::Explain(explain) => explain::run(&clients, format, explain).await?,
        Command::ExplainAssignment { id } => assignments::explain(&clients, format, id).await?,
        Command::Assignments(assignments) => assignments::list(&clients, format, assignments).await?,
        Command::Accept { assignment } => mutations::accept(&clients, format, assignment).await?,
        Command::Reject(reject) => mutations::reject(&clients, format, reject).await?,
        Command::Adjust(adjust) => mutations::adjust(&clients, format, adjust).await?,
        Command::Close(close) => mutations::close(&clients, format, close).await?,
        Command::Activities(activities) => lists::activities(&clients, format, activities).await?,
        Command::Quarantine(quarantine) => return quarantine::run(&clients, format, quarantine).await,
        Command::Consent(consent) => consent::run(&clients, format, consent).await?,
        Command::MayContact(args) => return consent::may_contact(&clients, format, args).await,
        Command::Erase(args) => privacy::erase(&clients, format, args).await?,
        Command::LiftSuppression(args) => privacy::lift(&clients, format, args).await?,
        Command::Erasures(args) => privacy::erasures(&clients, format, args).await?,
        Command::VerifyMobile(args) => mutations::verify_mobile(&clients, format, args).await?,
        Command::Accounts(accounts) => lists::accounts(&clients, format, accounts).await?,
        Command::Merge(args) => merge::run(&clients, format, args).await?,
        Command::Unmerge(args) => merge::undo(&clients, format, args).await?,
        Command::Merges(args) => merge::list(&clients, format, args).await?,
        Command::Observe(args) => observe::run(&clients, format, args).await?,
        Command::Profile(command) => return profile::run(&clients, format, command).await,
        Command::SiteMap(command) => site_map::run(&clients, format, command).await?,
        Command::Holds => lists::holds(&clients, format).await?,
        Command::Pools => lists::pools(&clients, format).await?,
        Command::Reconcile(reconcile) => return reconcile::run(&clients, format, &reconcile).await,
        Command::Sample { folder, data_dir } => {
            sample::run(&clients, sample::Sample { folder: &folder, data_dir: &data_dir, vars: &vars }).await?;
        }
        Command::Up(_) | Command::Serve { .. } | Command::Migrate { .. } | Command::Match(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The number of an enum value that somebody wrote in lower case without its prefix.
fn enum_value<E>(field: &str, prefix: &str, word: Option<&str>, from: impl Fn(&str) -> Option<E>) -> Result<i32>
where
    E: Into<i32>,
{
    let Some(word) = word else { return Ok(0) };
    let name = format!("{prefix}{}", word.to_uppercase());
    from(&name).map(Into::into).with_context(|| format!("--{field}: there is no `{word}`; see --help"))
}

/// A moment that somebody wrote.
fn time(field: &str, text: Option<&str>) -> Result<Option<prost_types::Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let time: jiff::Timestamp =
        text.parse().with_context(|| format!("--{field}: `{text}` is no moment such as 2026-11-24T10:00:00Z"))?;
    Ok(Some(leadflow_platform::clock::to_proto(time)))
}
