use leadflow_platform::{Error, Result, ids};
use leadflow_proto::contact::v1::{self as pb, preview_merge_response};
use prost::Message as _;

use super::{short, time};
use crate::{
    app::merge::{Merging, Preview},
    domain::{
        joined::Conflict,
        merge::{Kind, Merge},
    },
    store::merges::Filter,
};

/// What is to be merged.
pub(crate) fn merge_kind(kind: pb::MergeKind) -> Result<Kind> {
    optional_kind(kind).ok_or_else(|| Error::invalid("kind", "is required: ACCOUNT or CONTACT"))
}

fn optional_kind(kind: pb::MergeKind) -> Option<Kind> {
    match kind {
        pb::MergeKind::Unspecified => None,
        pb::MergeKind::Account => Some(Kind::Account),
        pb::MergeKind::Contact => Some(Kind::Contact),
    }
}

/// A person's words on a merge.
pub(crate) fn note(text: &str) -> Result<String> {
    short("note", text)
}

pub(crate) fn merging(request: &pb::MergeRequest) -> Result<Merging> {
    Ok(Merging {
        survivor_id: ids::parse("survivor_id", &request.survivor_id)?,
        merged_id: ids::parse("merged_id", &request.merged_id)?,
        survivor_etag: request.survivor_etag.clone(),
        merged_etag: request.merged_etag.clone(),
        note: note(&request.note)?,
    })
}

pub(crate) fn merge_filter(request: &pb::ListMergesRequest) -> Result<Filter> {
    Ok(Filter {
        kind: optional_kind(request.kind()),
        resource_id: ids::parse_optional("resource_id", &request.resource_id)?,
        active: request.active,
    })
}

/// What a merge would lead to.
pub(crate) fn preview<T>(
    preview: Preview<T>,
    result: impl FnOnce(Preview<T>) -> preview_merge_response::Result,
) -> pb::PreviewMergeResponse {
    let conflict = |Conflict { field, kept, hidden }: &Conflict| pb::MergeConflict {
        field: field.clone(),
        kept: kept.clone(),
        hidden: hidden.clone(),
    };
    pb::PreviewMergeResponse {
        conflicts: preview.conflicts.iter().map(conflict).collect(),
        survivor_etag: preview.survivor_etag.clone(),
        merged_etag: preview.merged_etag.clone(),
        result: Some(result(preview)),
    }
}

pub(crate) fn merge(merge: &Merge) -> pb::Merge {
    let kind = match merge.kind {
        Kind::Account => pb::MergeKind::Account,
        Kind::Contact => pb::MergeKind::Contact,
    };
    let undo = merge.undo.as_ref();
    pb::Merge {
        merge_id: merge.merge_id.to_string(),
        kind: kind.into(),
        survivor_id: merge.survivor_id.to_string(),
        merged_id: merge.merged_id.to_string(),
        note: merge.note.clone(),
        merge_time: Some(time(merge.merge_time)),
        merge_principal: merge.merge_principal.clone(),
        undo_time: undo.map(|undo| time(undo.time)),
        undo_principal: undo.map(|undo| undo.principal.clone()).unwrap_or_default(),
        undo_note: undo.map(|undo| undo.note.clone()).unwrap_or_default(),
    }
}

/// The event of a merge, or of its end, encoded. The words stay here: they may name somebody.
pub(crate) fn merge_event(of: &Merge) -> Vec<u8> {
    let merge = pb::Merge { note: String::new(), undo_note: String::new(), ..merge(of) };
    pb::MergeEvent { merge: Some(merge) }.encode_to_vec()
}
