//! `leadflow site-map`: how accounts buy.

use anyhow::{Context as _, Result};
use leadflow_proto::contact::v1 as pb;
use serde_json::{Value as Json, json};

use super::{enum_value, mutations::request_id, time};
use crate::{
    cli::{AddFact, Format, SiteMap},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, moment, points, short_time, word},
};

pub(crate) async fn run(clients: &Clients, format: Format, command: SiteMap) -> Result<()> {
    match command {
        SiteMap::Show { account, category } => show(clients, format, account, category.unwrap_or_default()).await,
        SiteMap::Add(add) => {
            let request = pb::RecordFactRequest { fact: Some(to_fact(*add)?), request_id: request_id() };
            let answer = clients.site_maps.clone().record_fact(request).await?.into_inner();
            print_one(format, answer.fact)
        }
        SiteMap::Retract { fact, reason } => {
            let request = pb::RetractFactRequest { fact_id: fact, reason, request_id: request_id() };
            let answer = clients.site_maps.clone().retract_fact(request).await?.into_inner();
            print_one(format, answer.fact)
        }
        SiteMap::Facts { account, kind, limit } => {
            let kind = enum_value("kind", "FACT_KIND_", kind.as_deref(), pb::FactKind::from_str_name)?;
            let mut client = clients.site_maps.clone();
            let page = async |page_size, page_token| {
                let account_id = account.clone();
                let request = pb::ListFactsRequest { account_id, page_size, page_token, kind };
                let answer = client.list_facts(request).await?.into_inner();
                Ok((answer.facts, answer.next_page_token))
            };
            let (found, more) = all(limit.limit, page).await?;
            output::list(format, found.iter().map(to_json).collect(), more, || print_facts(&found));
            Ok(())
        }
    }
}

fn to_fact(add: AddFact) -> Result<pb::Fact> {
    Ok(pb::Fact {
        account_id: add.account,
        kind: enum_value("kind", "FACT_KIND_", Some(&add.kind), pb::FactKind::from_str_name)?,
        product_category: add.category,
        content: add.content,
        role: enum_value("role", "BUYING_ROLE_", add.role.as_deref(), pb::BuyingRole::from_str_name)?,
        contact_id: add.contact,
        player_name: add.player,
        job_title: add.job_title,
        amount: add.amount,
        confidence: add.confidence,
        source: add.source,
        said_by_contact_id: add.said_by_contact,
        said_by: add.said_by,
        observe_time: time("observed", add.observed.as_deref())?,
        ..pb::Fact::default()
    })
}

async fn show(clients: &Clients, format: Format, account_id: String, product_category: String) -> Result<()> {
    let request = pb::GetSiteMapRequest { account_id, product_category };
    let answer = clients.site_maps.clone().get_site_map(request).await?.into_inner();
    let map = answer.site_map.context("the service answered without a site map")?;
    if format == Format::Json {
        output::print_json(&json!({
            "account_id": map.account_id,
            "product_category": json_text(&map.product_category),
            "facts": map.facts.iter().map(to_json).collect::<Vec<_>>(),
            "gaps": map.gaps.iter().map(gap_to_json).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    print_facts(&map.facts);
    println!("\nWorth asking next:");
    let mut rows = Rows::new([Column("value", true), Column("why", false), Column("question", false)]);
    for gap in &map.gaps {
        let cause = word(gap.cause().as_str_name(), "CAUSE_");
        rows.push([points(gap.value_milli.into()), cause, gap.question.clone()]);
    }
    rows.print("Nothing: all of it is known, and fresh.");
    Ok(())
}

fn print_one(format: Format, fact: Option<pb::Fact>) -> Result<()> {
    let fact = fact.context("the service answered without a fact")?;
    if format == Format::Json {
        output::print_json(&to_json(&fact));
    } else {
        println!("{}: {} ({})", word(fact.state().as_str_name(), "FACT_STATE_"), said(&fact), fact.fact_id);
    }
    Ok(())
}

fn print_facts(facts: &[pb::Fact]) {
    let heads = ["kind", "what", "category", "sure", "source", "observed", "ask again", "state", "fact"];
    let mut rows = Rows::new(heads.map(|head| Column(head, head == "sure")));
    for fact in facts {
        rows.push([
            word(fact.kind().as_str_name(), "FACT_KIND_"),
            said(fact),
            fact.product_category.clone(),
            format!("{} %", fact.confidence),
            fact.source.clone(),
            short_time(fact.observe_time.as_ref()),
            moment(fact.stale_time.as_ref()).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
            word(fact.state().as_str_name(), "FACT_STATE_"),
            fact.fact_id.clone(),
        ]);
    }
    rows.print("Nothing is known yet. Add a fact with `leadflow site-map add`.");
}

/// A fact in one line.
fn said(fact: &pb::Fact) -> String {
    let who = [&fact.player_name, &fact.job_title].into_iter().filter(|text| !text.is_empty());
    let who = who.cloned().collect::<Vec<_>>().join(", ");
    let role = word(fact.role().as_str_name(), "BUYING_ROLE_");
    let amount = fact.amount.map(|amount| amount.to_string()).unwrap_or_default();
    let parts = [role, if who.is_empty() { fact.contact_id.clone() } else { who }, amount, fact.content.clone()];
    parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ")
}

fn to_json(fact: &pb::Fact) -> Json {
    json!({
        "fact_id": fact.fact_id,
        "account_id": fact.account_id,
        "kind": word(fact.kind().as_str_name(), "FACT_KIND_"),
        "product_category": json_text(&fact.product_category),
        "content": json_text(&fact.content),
        "role": json_text(&word(fact.role().as_str_name(), "BUYING_ROLE_")),
        "contact_id": json_text(&fact.contact_id),
        "player_name": json_text(&fact.player_name),
        "job_title": json_text(&fact.job_title),
        "amount": fact.amount,
        "confidence": fact.confidence,
        "source": fact.source,
        "said_by_contact_id": json_text(&fact.said_by_contact_id),
        "said_by": json_text(&fact.said_by),
        "observe_time": json_time(fact.observe_time.as_ref()),
        "stale_time": json_time(fact.stale_time.as_ref()),
        "state": word(fact.state().as_str_name(), "FACT_STATE_"),
        "principal": fact.principal,
        "create_time": json_time(fact.create_time.as_ref()),
        "retract_reason": json_text(&fact.retract_reason),
        "retract_principal": json_text(&fact.retract_principal),
        "retract_time": json_time(fact.retract_time.as_ref()),
    })
}

fn gap_to_json(gap: &pb::Gap) -> Json {
    json!({
        "kind": word(gap.kind().as_str_name(), "FACT_KIND_"),
        "role": json_text(&word(gap.role().as_str_name(), "BUYING_ROLE_")),
        "cause": word(gap.cause().as_str_name(), "CAUSE_"),
        "value": f64::from(gap.value_milli) / 1000.0,
        "question": gap.question,
        "fact_id": json_text(&gap.fact_id),
    })
}
