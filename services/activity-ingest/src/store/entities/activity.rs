use leadflow_platform::{Error, Result, clock::from_millis, trace::Origin};
use sea_orm::{Select, entity::prelude::*, sea_query::Expr};

use crate::domain::activity::{Activity, Channel, State};

/// One activity.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "activities")]
pub(crate) struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) activity_id: Uuid,
    pub(crate) source: String,
    /// The source's own, or `derived-` and a UUID.
    pub(crate) source_event_id: String,
    pub(crate) activity_type: String,
    pub(crate) channel: String,
    pub(crate) product_category: Option<String>,
    /// Unix milliseconds.
    pub(crate) occur_time: i64,
    /// Unix milliseconds.
    pub(crate) record_time: i64,
    pub(crate) object_id: Option<String>,
    /// Who it was and what was said.
    pub(crate) payload: Json,
    /// SHA-256 of the content as it came.
    pub(crate) content_digest: Vec<u8>,
    /// It came without an id of its own.
    pub(crate) derived: bool,
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) account_id: Option<Uuid>,
    /// When it was identified.
    pub(crate) account_revision: i64,
    /// `pending`, `identified` or `quarantined`.
    pub(crate) state: String,
    /// How often it could not be identified, by its own fault.
    pub(crate) attempts: i32,
    /// Not before; unset: at once. Unix milliseconds.
    pub(crate) next_attempt_time: Option<i64>,
    /// Why it was set aside.
    pub(crate) error_reason: Option<String>,
    pub(crate) error_message: Option<String>,
    /// Who sent it.
    pub(crate) principal: String,
    /// What has brought it into the ledger.
    pub(crate) traceparent: Option<String>,
    /// How often it was moved to another account.
    pub(crate) attribution: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// What waits to be identified. With the word in the text, so that the small index serves it.
    pub(in crate::store) fn find_pending() -> Select<Self> {
        Self::find_in_state(State::Pending)
    }

    /// What is in this state.
    pub(in crate::store) fn find_in_state(state: State) -> Select<Self> {
        sea_orm::QueryFilter::filter(Self::find(), Expr::cust(format!("state = '{}'", state.as_str())))
    }
}

impl TryFrom<Model> for Activity {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let unknown = |word: &str| Error::internal(format!("an activity with the unknown word `{word}`"));
        Ok(Self {
            channel: Channel::from_word(&row.channel).ok_or_else(|| unknown(&row.channel))?,
            state: State::from_word(&row.state).ok_or_else(|| unknown(&row.state))?,
            payload: serde_json::from_value(row.payload)
                .map_err(|cause| Error::internal("an activity that cannot be read").because(cause))?,
            activity_id: row.activity_id,
            source: row.source,
            source_event_id: row.source_event_id,
            activity_type: row.activity_type,
            product_category: row.product_category,
            occur_time: from_millis(row.occur_time),
            record_time: from_millis(row.record_time),
            object_id: row.object_id,
            contact_id: row.contact_id,
            account_id: row.account_id,
            account_revision: row.account_revision,
            attempts: row.attempts,
            principal: row.principal,
            origin: row.traceparent.as_deref().map(Origin::parse).unwrap_or_default(),
        })
    }
}
