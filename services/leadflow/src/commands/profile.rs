//! `leadflow profile lint`: only fields that somebody uses are worth asking for.

use std::process::ExitCode;

use anyhow::Result;
use leadflow_proto::{activity::v1 as activity, routing::v1 as routing, scoring::v1 as scoring};
use serde_json::json;

use crate::{
    cli::{Format, Lint, Profile},
    client::{Clients, all},
    manifest::Manifest,
    output::{self, Column, Rows},
    profile::{Configuration, Field, fields},
};

/// The exit code is 1 when a field that the company declares is of no use. What the contract has and nobody uses is named
/// too, and is no fault.
pub(crate) async fn run(clients: &Clients, format: Format, command: Profile) -> Result<ExitCode> {
    let Profile::Lint(lint) = command;
    let configuration = if lint.files.is_empty() { applied(clients).await? } else { written(&lint)? };
    let fields = fields(&configuration)?;
    let is_idle = |field: &Field| field.used_by.is_empty();
    let shown: Vec<_> = fields.iter().filter(|(_, field)| lint.all || is_idle(field)).collect();
    let kind = |field: &Field| if field.is_static() { "static" } else { "activity" };
    let to_json = |(name, field): &(&String, &Field)| {
        json!({
            "field": name,
            "profile": kind(field),
            "declared_by": field.declared_by,
            "used_by": field.used_by,
        })
    };
    output::list(format, shown.iter().map(to_json).collect(), false, || {
        let heads = ["field", "profile", "declared by", "used by"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        let joined = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        for (name, field) in &shown {
            let by = if field.is_static() { "the contract".to_owned() } else { joined(&field.declared_by) };
            let used = if is_idle(field) { "nothing".to_owned() } else { joined(&field.used_by) };
            rows.push([(*name).clone(), kind(field).to_owned(), by, used]);
        }
        rows.print("Every field has its purpose.");
    });
    let idle = fields.values().any(|field| is_idle(field) && !field.is_static());
    Ok(if idle { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn written(lint: &Lint) -> Result<Configuration> {
    let manifest = Manifest::read(&lint.files)?;
    Ok(Configuration { model: manifest.model, sources: manifest.sources, territories: manifest.territories })
}

async fn applied(clients: &Clients) -> Result<Configuration> {
    let Clients { mut scoring, mut activity, mut routing, .. } = clients.clone();
    // The latest comes first.
    let models = scoring.list_scoring_models(scoring::ListScoringModelsRequest { page_size: 1, ..Default::default() });
    let model = models.await?.into_inner().scoring_models.into_iter().next();
    let page = async |page_size, page_token| {
        let answer = activity.list_sources(activity::ListSourcesRequest { page_size, page_token }).await?.into_inner();
        Ok((answer.sources, answer.next_page_token))
    };
    let (sources, _) = all(0, page).await?;
    let page = async |page_size, page_token| {
        let request = routing::ListTerritoriesRequest { page_size, page_token };
        let answer = routing.list_territories(request).await?.into_inner();
        Ok((answer.territories, answer.next_page_token))
    };
    let (territories, _) = all(0, page).await?;
    Ok(Configuration { model, sources, territories })
}
