use leadflow_platform::{Error, Result, clock::from_millis};
use sea_orm::entity::prelude::*;

use crate::domain::{
    door::Door,
    quarantine::{Content, Problem, Quarantined, Resolution, State},
};

/// Something that could not be recorded.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantined_activities")]
pub(crate) struct Model {
    /// UUIDv7; the activity's own for what was set aside in the ledger.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) quarantine_id: Uuid,
    /// None: it is in the ledger, and was set aside there.
    pub(crate) door: Option<String>,
    /// As the sender named it; it may be unknown.
    pub(crate) source: String,
    /// When it came first. Unix milliseconds.
    pub(crate) record_time: i64,
    /// When it came last. Unix milliseconds.
    pub(crate) last_receive_time: i64,
    pub(crate) receive_count: i64,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// The fields at fault, each with what is wrong: `[["identity.email", "is no address"]]`.
    pub(crate) fields: Json,
    /// The activity as it was sent or corrected: a message of the contract.
    pub(crate) activity: Option<Vec<u8>>,
    /// What came and is no activity.
    pub(crate) raw: Option<Vec<u8>>,
    /// How long it was before it was cut.
    pub(crate) content_size: i64,
    /// SHA-256 of the content as it came.
    pub(crate) content_digest: Option<Vec<u8>>,
    /// Who sent it.
    pub(crate) principal: String,
    /// `open`, `replayed` or `discarded`.
    pub(crate) state: String,
    pub(crate) revision: i64,
    /// The activity that it is, or has become.
    pub(crate) activity_id: Option<Uuid>,
    pub(crate) resolve_principal: Option<String>,
    /// Unix milliseconds.
    pub(crate) resolve_time: Option<i64>,
    pub(crate) resolve_note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Quarantined {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let unknown = |word: &str| Error::internal(format!("something quarantined with the unknown word `{word}`"));
        let door = |word: &String| Door::from_word(word).ok_or_else(|| unknown(word));
        let resolution = |(principal, time)| Resolution {
            principal,
            time: from_millis(time),
            note: row.resolve_note.clone().unwrap_or_default(),
        };
        Ok(Self {
            door: row.door.as_ref().map(door).transpose()?,
            state: State::from_word(&row.state).ok_or_else(|| unknown(&row.state))?,
            problem: Problem {
                reason: row.reason,
                message: row.message,
                fields: serde_json::from_value(row.fields)
                    .map_err(|cause| Error::internal("fields that cannot be read").because(cause))?,
            },
            content: row.activity.map(Content::Activity).or(row.raw.map(Content::Raw)),
            resolution: row.resolve_principal.zip(row.resolve_time).map(resolution),
            quarantine_id: row.quarantine_id,
            source: row.source,
            record_time: from_millis(row.record_time),
            last_receive_time: from_millis(row.last_receive_time),
            receive_count: row.receive_count,
            content_size: row.content_size,
            principal: row.principal,
            revision: row.revision,
            activity_id: row.activity_id,
        })
    }
}
