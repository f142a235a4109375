//! `leadflow observe`: a colleague's tip about an account or a person.

use anyhow::{Context as _, Result};
use leadflow_proto::{activity::v1 as activity, contact::v1 as contact};
use serde_json::json;

use super::{mutations::request_id, time};
use crate::{
    cli::{Format, Observe},
    client::Clients,
    output,
};

pub(crate) async fn run(clients: &Clients, format: Format, args: Observe) -> Result<()> {
    let identity = match (args.account, args.contact) {
        (Some(account_id), _) => of_account(clients, account_id).await?,
        (_, Some(contact_id)) => of_contact(clients, contact_id).await?,
        (None, None) => contact::Identity {
            email: args.email.unwrap_or_default(),
            company: args.company.unwrap_or_default(),
            country: args.country,
            ..Default::default()
        },
    };
    let request = activity::RecordObservationRequest {
        source: args.source,
        identity: Some(identity),
        notes: args.notes,
        product_category: args.category,
        occur_time: time("occurred", args.occurred.as_deref())?,
        request_id: request_id(),
    };
    let answer = clients.observations.clone().record_observation(request).await?.into_inner();
    match format {
        Format::Json => output::print_json(&json!({ "activity_id": answer.activity_id })),
        Format::Table => println!("recorded: {}", answer.activity_id),
    }
    Ok(())
}

/// What leads to the account: its domain, or its name where it has none.
async fn of_account(clients: &Clients, account_id: String) -> Result<contact::Identity> {
    let answer = clients.contact.clone().get_account(contact::GetAccountRequest { account_id }).await?.into_inner();
    let account = answer.account.context("the service answered without an account")?;
    let domain = account.domains.first().cloned().unwrap_or_default();
    Ok(contact::Identity { domain, company: account.name, country: account.country, ..Default::default() })
}

async fn of_contact(clients: &Clients, contact_id: String) -> Result<contact::Identity> {
    let answer = clients.contact.clone().get_contact(contact::GetContactRequest { contact_id }).await?.into_inner();
    let person = answer.contact.context("the service answered without a contact")?;
    let first = |all: &[String]| all.first().cloned().unwrap_or_default();
    let (email, phone) = (first(&person.emails), first(&person.phones));
    if email.is_empty() && phone.is_empty() {
        anyhow::bail!("--contact: neither an email nor a phone is known of this person: name the account");
    }
    Ok(contact::Identity { email, phone, ..Default::default() })
}
