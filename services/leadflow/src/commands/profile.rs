//! `leadflow profile lint`: only fields that somebody uses are worth asking for.

use std::process::ExitCode;

use anyhow::Result;
use leadflow_proto::{
    activity::v1 as activity, contact::v1 as contact, routing::v1 as routing, scoring::v1 as scoring,
};
use serde_json::json;

use crate::{
    cli::{Format, Lint, Profile},
    client::{Clients, all},
    manifest::Manifest,
    output::{self, Column, Rows},
    profile::{Configuration, Field, fields, is_static},
};

/// The exit code is 1 when a field that the company declares is of no use, or the scoring model reads a static field that
/// nobody declares so. What the contract has and nobody uses is named too, and is no fault.
pub(crate) async fn run(clients: &Clients, format: Format, command: Profile) -> Result<ExitCode> {
    let Profile::Lint(lint) = command;
    let configuration = if lint.files.is_empty() { applied(clients).await? } else { written(&lint)? };
    let fields = fields(&configuration)?;
    let is_idle = |field: &Field| field.used_by.is_empty();
    let shown: Vec<_> = fields.iter().filter(|(_, field)| lint.all || is_idle(field) || field.is_wrong()).collect();
    let kind = |name: &str| if is_static(name) { "static" } else { "activity" };
    let to_json = |(name, field): &(&String, &Field)| {
        json!({
            "field": name,
            "profile": kind(name),
            "declared_by": field.declared_by,
            "used_by": field.used_by,
            "undeclared": field.is_undeclared,
        })
    };
    output::list(format, shown.iter().map(to_json).collect(), false, || {
        let heads = ["field", "profile", "declared by", "used by"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        let joined = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        for (name, field) in &shown {
            let by = match () {
                () if field.is_of_contract() => "the contract".to_owned(),
                () if field.is_undeclared => format!("{}, and no ProfileField so", joined(&field.declared_by)),
                () => joined(&field.declared_by),
            };
            let used = if is_idle(field) { "nothing".to_owned() } else { joined(&field.used_by) };
            rows.push([(*name).clone(), kind(name).to_owned(), by, used]);
        }
        rows.print("Every field has its purpose.");
    });
    Ok(if fields.values().any(Field::is_wrong) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn written(lint: &Lint) -> Result<Configuration> {
    Ok(Manifest::read(&lint.files)?.into())
}

async fn applied(clients: &Clients) -> Result<Configuration> {
    let Clients { mut scoring, mut activity, mut routing, mut contact, .. } = clients.clone();
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
    let declared = contact.list_profile_fields(contact::ListProfileFieldsRequest::default()).await?;
    let profile_fields = declared.into_inner().profile_fields;
    Ok(Configuration { model, sources, territories, profile_fields })
}
