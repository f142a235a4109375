//! Who changed what: every mutation leaves a row with its principal, and a repeated `request_id` gets the first answer.

use std::future::Future;

use jiff::Timestamp;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, QueryFilter as _, Set,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{
    auth::Principal,
    db::{Database, Tx},
    error::{Error, Result},
    ids,
};

/// One change that somebody made.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mutations")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mutation_id: Uuid,
    /// Unix milliseconds.
    pub create_time: i64,
    /// Who.
    pub principal: String,
    /// Through which method.
    pub method: String,
    /// What was changed: an id, or a word for the whole.
    pub resource: String,
    /// The caller's id of the request.
    pub request_id: Option<Uuid>,
    /// Of the request, to tell a repetition from a misused id.
    pub request_digest: Option<Vec<u8>>,
    /// The answer, for a repetition.
    pub answer: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A mutation that somebody asks for.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Who asks.
    pub principal: Principal,
    /// Through which method, for example `CloseLead`.
    pub method: &'static str,
    /// What is to be changed.
    pub resource: String,
    /// The caller's id of the request.
    pub request_id: Option<Uuid>,
    /// Of the request.
    digest: Vec<u8>,
    /// When.
    pub time: Timestamp,
}

impl Mutation {
    /// A mutation without a request id.
    pub fn new(principal: Principal, method: &'static str, resource: impl Into<String>, time: Timestamp) -> Self {
        Self { principal, method, resource: resource.into(), request_id: None, digest: Vec::new(), time }
    }

    /// The mutation with the request id that its `request` carries; an empty one is none.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it is no UUID.
    pub fn with_request(mut self, request_id: &str, request: &impl prost::Message) -> Result<Self> {
        self.request_id = ids::parse_optional("request_id", request_id)?;
        self.digest = Sha256::digest(request.encode_to_vec()).to_vec();
        Ok(self)
    }
}

/// Runs `work` in a transaction and records the mutation with it. A repeated request gets the answer of the first.
///
/// # Errors
/// What `work` returns; `REQUEST_ID_REUSED` when the id belongs to another request.
pub async fn mutate<T, F, Fut>(database: &Database, mutation: Mutation, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    F: FnOnce(Tx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T>> + Send,
{
    database
        .write(move |tx| async move {
            if let Some(request_id) = mutation.request_id {
                // Two simultaneous calls with one id must not both do the work.
                tx.lock((request_id.as_u128() & 0x7fff_ffff_ffff_ffff) as i64).await?;
                if let Some(answer) = replay(&*tx, &mutation, request_id).await? {
                    return Ok(answer);
                }
            }
            let answer = work(tx.clone()).await?;
            let recorded = mutation.request_id.map(|_| to_json(&answer)).transpose()?;
            record(&tx, mutation, recorded).await?;
            Ok(answer)
        })
        .await
}

/// What a repeated request was answered the first time, for work that comes before the transaction in which [`mutate`] records
/// it.
///
/// # Errors
/// When the database fails; `REQUEST_ID_REUSED` when the id belongs to another request.
pub async fn answered<T: DeserializeOwned>(database: &Database, mutation: &Mutation) -> Result<Option<T>> {
    let Some(request_id) = mutation.request_id else { return Ok(None) };
    replay(database.reader(), mutation, request_id).await
}

/// Forgets what calls about these ids were answered, and so that they can be asked again: who made them and when stays.
/// Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &Tx, ids: &[Uuid]) -> Result<u64> {
    let mut about = Condition::any();
    for id in ids {
        let text = id.to_string();
        let in_answer = Expr::cust("CAST(answer AS text)").like(format!("%{text}%"));
        about = about.add(Column::Resource.eq(text)).add(in_answer);
    }
    let forgotten = Entity::update_many()
        .col_expr(Column::Answer, Expr::value(Option::<Json>::None))
        .col_expr(Column::RequestId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::RequestDigest, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::Answer.is_not_null())
        .filter(about)
        .exec(&**tx)
        .await?;
    Ok(forgotten.rows_affected)
}

async fn replay<T: DeserializeOwned>(
    connection: &impl ConnectionTrait,
    mutation: &Mutation,
    request_id: Uuid,
) -> Result<Option<T>> {
    let first = Entity::find()
        .filter(Column::Principal.eq(mutation.principal.as_str()))
        .filter(Column::Method.eq(mutation.method))
        .filter(Column::RequestId.eq(request_id))
        .one(connection)
        .await?;
    let Some(first) = first else { return Ok(None) };
    if first.request_digest.as_ref() != Some(&mutation.digest) {
        return Err(Error::field("REQUEST_ID_REUSED", "request_id", "was used for another request: make a new one"));
    }
    let answer = first.answer.unwrap_or(serde_json::Value::Null);
    serde_json::from_value(answer).map(Some).map_err(|cause| Error::internal("a recorded answer").because(cause))
}

fn to_json(answer: &impl Serialize) -> Result<Json> {
    serde_json::to_value(answer).map_err(|cause| Error::internal("an answer without JSON").because(cause))
}

async fn record(tx: &Tx, mutation: Mutation, answer: Option<Json>) -> Result<()> {
    ActiveModel {
        mutation_id: Set(ids::new()),
        create_time: Set(mutation.time.as_millisecond()),
        principal: Set(mutation.principal.as_str().to_owned()),
        method: Set(mutation.method.to_owned()),
        resource: Set(mutation.resource),
        request_id: Set(mutation.request_id),
        request_digest: Set(mutation.request_id.map(|_| mutation.digest)),
        answer: Set(answer),
    }
    .insert(&**tx)
    .await?;
    Ok(())
}
