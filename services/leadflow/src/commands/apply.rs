//! `leadflow apply`: the configuration be as the files say.

use std::process::ExitCode;

use anyhow::Result;
use leadflow_proto::{
    activity::v1 as activity,
    common::v1::{Change, change::Action},
    contact::v1 as contact,
    routing::v1 as routing,
    scoring::v1 as scoring,
};
use similar::TextDiff;

use crate::{cli::Apply, client::Clients, manifest::Manifest};

pub(crate) async fn run(clients: &Clients, apply: &Apply) -> Result<ExitCode> {
    let manifest = Manifest::read(&apply.files)?;
    let changes = send(clients, manifest, apply.dry_run).await?;
    let changed = changes.iter().any(|change| change.action() != Action::Unchanged);
    for change in &changes {
        if apply.dry_run {
            print_difference(change);
        } else {
            println!("{:<9} {}/{}", word(change.action()), change.kind, change.name);
        }
    }
    if apply.dry_run && !changed {
        println!("Nothing would change.");
    }
    Ok(if apply.dry_run && changed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Sends all to the services that own it. What intake accepts is known behind it first.
pub(crate) async fn send(clients: &Clients, manifest: Manifest, validate_only: bool) -> Result<Vec<Change>> {
    let Clients { mut scoring, mut routing, mut contact, mut activity, .. } = clients.clone();
    let mut changes = Vec::new();
    let answer = scoring
        .apply_configuration(scoring::ApplyConfigurationRequest {
            product_categories: manifest.categories.clone(),
            scoring_model: manifest.model,
            validate_only,
        })
        .await?;
    changes.extend(answer.into_inner().changes);
    let answer = routing
        .apply_configuration(routing::ApplyConfigurationRequest {
            territories: manifest.territories,
            reps: manifest.reps,
            pools: manifest.pools,
            validate_only,
        })
        .await?;
    changes.extend(answer.into_inner().changes);
    let mut batches: Vec<_> = manifest.accounts.chunks(1000).map(<[_]>::to_vec).collect();
    if batches.is_empty() && !manifest.profile_fields.is_empty() {
        batches.push(Vec::new());
    }
    for (number, accounts) in batches.into_iter().enumerate() {
        // With each: what is only validated is not declared when the next one comes.
        let profile_fields = manifest.profile_fields.clone();
        let request = contact::ApplyConfigurationRequest { accounts, validate_only, profile_fields };
        let of_contact = contact.apply_configuration(request).await?.into_inner().changes.into_iter();
        changes.extend(of_contact.filter(|change| number == 0 || change.kind != "ProfileField"));
    }
    let answer = activity
        .apply_configuration(activity::ApplyConfigurationRequest {
            sources: manifest.sources,
            product_categories: manifest.categories,
            validate_only,
        })
        .await?;
    // The categories were reported by scoring already.
    let of_intake = answer.into_inner().changes.into_iter();
    changes.extend(of_intake.filter(|change| change.kind != "ProductCategory"));
    Ok(changes)
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unchanged | Action::Unspecified => "unchanged",
    }
}

fn print_difference(change: &Change) {
    if change.action() == Action::Unchanged {
        return;
    }
    let (before, after) = (with_end(&change.before), with_end(&change.after));
    let name = format!("{}/{}", change.kind, change.name);
    let diff = TextDiff::from_lines(&before, &after);
    print!("{}", diff.unified_diff().context_radius(2).header(&format!("live/{name}"), &format!("new/{name}")));
}

fn with_end(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}
