//! `leadflow export accounts` and `contacts`: a CSV file with the words of an import, which changes nothing when it is
//! imported again.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use csv::Writer;
use leadflow_proto::contact::v1 as pb;
use prost_types::value::Kind;

use crate::{
    cli::{Export, ExportTo},
    client::Clients,
    import::records::field::Word,
    output::word,
};

const ACCOUNTS: [&str; 14] = [
    "account_id",
    "reference",
    "name",
    "domains",
    "country",
    "region",
    "postal_code",
    "industry",
    "employees",
    "revenue",
    "relation",
    "owner_rep",
    "parent",
    "roll_up",
];
/// With the first of several addresses and phones, as an import has one.
const CONTACTS: [&str; 11] = [
    "email",
    "phone",
    "given_name",
    "family_name",
    "job_title",
    "role",
    "function",
    "seniority",
    "stage",
    "country",
    "account",
];

pub(crate) async fn run(clients: &Clients, export: Export) -> Result<ExitCode> {
    match export {
        Export::Contact { contact } => super::privacy::export(clients, contact).await?,
        Export::Accounts(to) => accounts(clients, writer(&to)?).await?,
        Export::Contacts(to) => contacts(clients, writer(&to)?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn writer(to: &ExportTo) -> Result<Writer<Box<dyn Write>>> {
    let create = |path: &Path| std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()));
    let out: Box<dyn Write> = match &to.file {
        Some(path) => Box::new(create(path)?),
        None => Box::new(io::stdout()),
    };
    Ok(Writer::from_writer(out))
}

async fn accounts(clients: &Clients, mut out: Writer<Box<dyn Write>>) -> Result<()> {
    let declared = declared(clients, pb::ProfileSubject::Account).await?;
    out.write_record(ACCOUNTS.map(str::to_owned).into_iter().chain(heads(&declared)))?;
    let names = references(clients).await?;
    let mut client = clients.contact.clone();
    let mut page_token = String::new();
    loop {
        let request = pb::ListAccountsRequest { page_size: 1000, page_token, ..Default::default() };
        let page = client.list_accounts(request).await?.into_inner();
        for one in &page.accounts {
            let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
            let relation = word(one.relation().as_str_name(), "RELATION_");
            let parent = names.get(&one.parent_account_id).unwrap_or(&one.parent_account_id);
            let domains = one.domains.join(" ");
            let own = [
                &one.account_id,
                &one.reference,
                &one.name,
                &domains,
                &one.country,
                &one.region,
                &one.postal_code,
                &one.industry,
                &number(one.employees),
                &number(one.revenue),
                &relation,
                &one.owner_rep,
                parent,
                &one.roll_up().to_string(),
            ];
            out.write_record(own.into_iter().cloned().chain(values(&declared, &one.profile)))?;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(out.flush()?);
        }
    }
}

async fn contacts(clients: &Clients, mut out: Writer<Box<dyn Write>>) -> Result<()> {
    let declared = declared(clients, pb::ProfileSubject::Contact).await?;
    out.write_record(CONTACTS.map(str::to_owned).into_iter().chain(heads(&declared)))?;
    let names = references(clients).await?;
    let mut client = clients.contact.clone();
    let mut page_token = String::new();
    loop {
        let request = pb::ListContactsRequest { page_size: 1000, page_token, ..Default::default() };
        let page = client.list_contacts(request).await?.into_inner();
        for one in &page.contacts {
            let profile = one.profile.clone().unwrap_or_default();
            let first = |all: &[String]| all.first().cloned().unwrap_or_default();
            let account = names.get(&one.account_id).unwrap_or(&one.account_id);
            let own = [
                &first(&one.emails),
                &first(&one.phones),
                &one.given_name,
                &one.family_name,
                &one.job_title,
                &profile.role,
                &profile.function,
                &profile.seniority,
                &profile.stage,
                &profile.country,
                account,
            ];
            out.write_record(own.into_iter().cloned().chain(values(&declared, &profile.fields)))?;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(out.flush()?);
        }
    }
}

/// The names of the declared fields of a profile.
async fn declared(clients: &Clients, subject: pb::ProfileSubject) -> Result<Vec<String>> {
    let answer = clients.contact.clone().list_profile_fields(pb::ListProfileFieldsRequest::default()).await?;
    let own = answer.into_inner().profile_fields.into_iter().filter(|field| field.subject() == subject);
    Ok(own.map(|field| field.name).collect())
}

fn heads(declared: &[String]) -> impl Iterator<Item = String> {
    declared.iter().map(|name| Word::of_profile(name).to_string())
}

fn values(declared: &[String], known: &HashMap<String, prost_types::Value>) -> impl Iterator<Item = String> {
    declared.iter().map(|name| match known.get(name).and_then(|value| value.kind.clone()) {
        Some(Kind::StringValue(text)) => text,
        Some(Kind::NumberValue(number)) => number.to_string(),
        Some(Kind::BoolValue(flag)) => flag.to_string(),
        _ => String::new(),
    })
}

/// The references of the accounts that have one, by id: people know them better than ids.
async fn references(clients: &Clients) -> Result<HashMap<String, String>> {
    let mut client = clients.contact.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListAccountsRequest { page_size, page_token, ..Default::default() };
        let answer = client.list_accounts(request).await?.into_inner();
        let named = answer.accounts.into_iter().filter(|one| !one.reference.is_empty());
        Ok((named.map(|one| (one.account_id, one.reference)).collect(), answer.next_page_token))
    };
    Ok(crate::client::all(0, page).await?.0.into_iter().collect())
}
