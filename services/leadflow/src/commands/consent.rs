//! What people have said about being contacted, and whether somebody may be.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use leadflow_proto::contact::v1 as pb;
use serde_json::{Value as Json, json};

use super::{consent_link, enum_value, mutations::request_id, time};
use crate::{
    cli::{About, Consent, Format, Grant, MayContact, Withdraw},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time, word},
};

pub(crate) async fn run(clients: &Clients, format: Format, command: Consent) -> Result<()> {
    match command {
        Consent::List { contact, limit } => list(clients, format, contact, limit.limit).await,
        Consent::Grant(Grant { about, purpose, basis }) => {
            let basis = enum_value("basis", "LAWFUL_BASIS_", Some(&basis), pb::LawfulBasis::from_str_name)?;
            let said = said(about, pb::ConsentState::Granted)?;
            record(clients, format, pb::Consent { purpose, basis, ..said }).await
        }
        Consent::Withdraw(Withdraw { about, purpose }) => {
            let said = said(about, pb::ConsentState::Withdrawn)?;
            record(clients, format, pb::Consent { purpose, ..said }).await
        }
        Consent::UnsubscribeLink(args) => consent_link::unsubscribe(clients, format, args).await,
        Consent::Pending { limit } => consent_link::pending(clients, format, limit.limit).await,
    }
}

fn said(about: About, state: pb::ConsentState) -> Result<pb::Consent> {
    Ok(pb::Consent {
        contact_id: about.contact,
        channels: about.channels.iter().map(|word| channel(word)).collect::<Result<_>>()?,
        state: state.into(),
        source: about.source,
        proof: about.proof,
        imported: about.imported,
        occur_time: time("at", about.at.as_deref())?,
        ..Default::default()
    })
}

pub(super) fn channel(word: &str) -> Result<i32> {
    enum_value("channel", "CONSENT_CHANNEL_", Some(word), pb::ConsentChannel::from_str_name)
}

async fn record(clients: &Clients, format: Format, consent: pb::Consent) -> Result<()> {
    let request = pb::RecordConsentRequest { consent: Some(consent), request_id: request_id() };
    let recorded = clients.consent.clone().record_consent(request).await?.into_inner().consent;
    let recorded = recorded.context("the service answered without a consent")?;
    if format == Format::Json {
        output::print_json(&to_json(&recorded));
    } else {
        println!("{}: {} for {}", state(&recorded), channels(&recorded), purpose(&recorded));
    }
    Ok(())
}

async fn list(clients: &Clients, format: Format, contact_id: String, limit: usize) -> Result<()> {
    let mut client = clients.consent.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListConsentsRequest { contact_id: contact_id.clone(), page_size, page_token };
        let answer = client.list_consents(request).await?.into_inner();
        Ok((answer.consents, answer.next_page_token))
    };
    let (found, more) = all(limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["said", "what", "channels", "purpose", "basis", "source", "proof"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                short_time(one.occur_time.as_ref()),
                state(one),
                channels(one),
                purpose(one),
                word(one.basis().as_str_name(), "LAWFUL_BASIS_"),
                if one.imported { format!("{} (imported)", one.source) } else { one.source.clone() },
                one.proof.clone(),
            ]);
        }
        rows.print("This person has said nothing, so nobody may contact them.");
    });
    Ok(())
}

/// The exit code is 1 when the answer is no, for scripts.
pub(crate) async fn may_contact(clients: &Clients, format: Format, args: MayContact) -> Result<ExitCode> {
    let question = pb::ContactQuestion {
        contact_id: args.contact,
        channel: channel(&args.channel)?,
        purpose: args.purpose,
        at_time: time("at", args.at.as_deref())?,
    };
    let request = pb::MayContactRequest { questions: vec![question] };
    let answer = clients.consent.clone().may_contact(request).await?.into_inner().permissions.pop();
    let answer = answer.context("the service answered without a permission")?;
    let reason = word(answer.reason().as_str_name(), "REASON_");
    let basis = word(answer.basis().as_str_name(), "LAWFUL_BASIS_");
    if format == Format::Json {
        output::print_json(&json!({
            "allowed": answer.allowed,
            "reason": reason,
            "basis": json_text(&basis),
            "consent_id": json_text(&answer.consent_id),
        }));
    } else if answer.allowed {
        println!("yes: {basis} (consent {})", answer.consent_id);
    } else {
        println!("no: {reason}");
    }
    Ok(if answer.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn state(one: &pb::Consent) -> String {
    word(one.state().as_str_name(), "CONSENT_STATE_")
}

fn channels(one: &pb::Consent) -> String {
    channel_words(one.channels()).join(", ")
}

pub(super) fn channel_words(channels: impl Iterator<Item = pb::ConsentChannel>) -> Vec<String> {
    channels.map(|channel| word(channel.as_str_name(), "CONSENT_CHANNEL_")).collect()
}

fn purpose(one: &pb::Consent) -> String {
    if one.purpose.is_empty() { "everything".to_owned() } else { one.purpose.clone() }
}

pub(super) fn to_json(one: &pb::Consent) -> Json {
    json!({
        "consent_id": one.consent_id,
        "contact_id": one.contact_id,
        "channels": channel_words(one.channels()),
        "purpose": json_text(&one.purpose),
        "state": state(one),
        "basis": json_text(&word(one.basis().as_str_name(), "LAWFUL_BASIS_")),
        "source": one.source,
        "proof": json_text(&one.proof),
        "imported": one.imported,
        "occur_time": json_time(one.occur_time.as_ref()),
        "record_time": json_time(one.record_time.as_ref()),
        "expire_time": json_time(one.expire_time.as_ref()),
        "principal": one.principal,
        "activity_id": json_text(&one.activity_id),
    })
}
