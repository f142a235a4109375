//! `leadflow merge`, `unmerge` and `merges`.

use anyhow::{Context as _, Result};
use leadflow_proto::contact::v1::{self as contact, preview_merge_response::Result as Shown};
use serde_json::{Value as Json, json};

use super::mutations::request_id;
use crate::{
    cli::{Format, Merge, Merges, Two, Unmerge},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time, word},
};

pub(crate) async fn run(clients: &Clients, format: Format, command: Merge) -> Result<()> {
    let (kind, two) = match command {
        Merge::Accounts(two) => (contact::MergeKind::Account, two),
        Merge::Contacts(two) => (contact::MergeKind::Contact, two),
    };
    let Two { survivor: survivor_id, merged: merged_id, note, dry_run } = two;
    let request = contact::PreviewMergeRequest {
        kind: kind.into(),
        survivor_id: survivor_id.clone(),
        merged_id: merged_id.clone(),
    };
    let preview = clients.merges.clone().preview_merge(request).await?.into_inner();
    if dry_run {
        show_preview(format, preview);
        return Ok(());
    }
    // What was just looked at, or nothing.
    let request = contact::MergeRequest {
        kind: kind.into(),
        survivor_id,
        merged_id,
        survivor_etag: preview.survivor_etag.clone(),
        merged_etag: preview.merged_etag.clone(),
        note,
        request_id: request_id(),
    };
    let merge = clients.merges.clone().merge(request).await?.into_inner().merge;
    let merge = merge.context("the service answered without a merge")?;
    if format == Format::Json {
        output::print_json(&to_json(&merge));
        return Ok(());
    }
    show_preview(format, preview);
    println!("Merged. To take it back: leadflow unmerge {}", merge.merge_id);
    Ok(())
}

fn show_preview(format: Format, preview: contact::PreviewMergeResponse) {
    let (name, keys) = match preview.result {
        Some(Shown::Account(account)) => (account.name, account.domains),
        Some(Shown::Contact(contact)) => (format!("{} {}", contact.given_name, contact.family_name), contact.emails),
        None => Default::default(),
    };
    if format == Format::Json {
        let conflict =
            |one: &contact::MergeConflict| json!({"field": one.field, "kept": one.kept, "hidden": one.hidden});
        let conflicts: Vec<_> = preview.conflicts.iter().map(conflict).collect();
        output::print_json(&json!({"name": name.trim(), "keys": keys, "conflicts": conflicts}));
        return;
    }
    println!("{} · {}", name.trim(), keys.join(", "));
    let mut rows = Rows::new(["field", "kept", "hidden"].map(|head| Column(head, false)));
    for contact::MergeConflict { field, kept, hidden } in preview.conflicts {
        rows.push([field, kept, hidden]);
    }
    rows.print("The two say nothing different.");
}

pub(crate) async fn undo(clients: &Clients, format: Format, args: Unmerge) -> Result<()> {
    let request = contact::UndoMergeRequest { merge_id: args.merge, note: args.note, request_id: request_id() };
    let merge = clients.merges.clone().undo_merge(request).await?.into_inner().merge;
    let merge = merge.context("the service answered without a merge")?;
    if format == Format::Json {
        output::print_json(&to_json(&merge));
    } else {
        println!("Undone: {} is itself again.", merge.merged_id);
    }
    Ok(())
}

pub(crate) async fn list(clients: &Clients, format: Format, args: Merges) -> Result<()> {
    let resource_id = args.of.unwrap_or_default();
    let mut client = clients.merges.clone();
    let page = async |page_size, page_token| {
        let request = contact::ListMergesRequest {
            page_size,
            page_token,
            kind: 0,
            resource_id: resource_id.clone(),
            active: args.active,
        };
        let answer = client.list_merges(request).await?.into_inner();
        Ok((answer.merges, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["merged", "by", "kind", "survivor", "merged into it", "undone", "merge"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                short_time(one.merge_time.as_ref()),
                one.merge_principal.clone(),
                word(one.kind().as_str_name(), "MERGE_KIND_"),
                one.survivor_id.clone(),
                one.merged_id.clone(),
                short_time(one.undo_time.as_ref()),
                one.merge_id.clone(),
            ]);
        }
        rows.print("Nothing was merged.");
    });
    Ok(())
}

fn to_json(merge: &contact::Merge) -> Json {
    json!({
        "merge_id": merge.merge_id,
        "kind": word(merge.kind().as_str_name(), "MERGE_KIND_"),
        "survivor_id": merge.survivor_id,
        "merged_id": merge.merged_id,
        "note": json_text(&merge.note),
        "merge_time": json_time(merge.merge_time.as_ref()),
        "merge_principal": merge.merge_principal,
        "undo_time": json_time(merge.undo_time.as_ref()),
        "undo_principal": json_text(&merge.undo_principal),
        "undo_note": json_text(&merge.undo_note),
    })
}
