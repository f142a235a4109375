//! The declared fields of profiles, and the values as they are kept.

use leadflow_platform::{
    Error, Result,
    db::{Tx, insert_all},
};
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryOrder as _, Set, sea_query::OnConflict};
use serde_json::Value as Json;

use super::{
    entity::profile_field::{ActiveModel, Column, Entity},
    from_json,
};
use crate::domain::profile::{Field, Subject, Values};

/// The lock under which fields are declared.
const LOCK: i64 = 71_010_002;

/// Waits until nobody else declares fields.
pub(crate) async fn lock(tx: &Tx) -> Result<()> {
    tx.lock(LOCK).await
}

/// All of them, those of accounts first.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Field>> {
    let rows = Entity::find().order_by_asc(Column::Subject).order_by_asc(Column::Name).all(connection).await?;
    let field = |row: super::entity::profile_field::Model| {
        let subject = Subject::from_word(&row.subject);
        let subject = subject.ok_or_else(|| Error::internal(format!("a profile of `{}`", row.subject)))?;
        Ok(Field { subject, name: row.name, kind: from_json(row.kind)?, description: row.description })
    };
    rows.into_iter().map(field).collect()
}

/// Writes fields, new or changed.
pub(crate) async fn save(tx: &Tx, fields: &[Field]) -> Result<()> {
    let row = |field: &Field| {
        Ok(ActiveModel {
            subject: Set(field.subject.as_str().to_owned()),
            name: Set(field.name.clone()),
            kind: Set(json(&field.kind)?),
            description: Set(field.description.clone()),
        })
    };
    let changed = OnConflict::columns([Column::Subject, Column::Name])
        .update_columns([Column::Kind, Column::Description])
        .to_owned();
    insert_all(tx, fields.iter().map(row).collect::<Result<_>>()?, Some(changed)).await
}

/// Values for a row.
pub(super) fn json(value: &impl serde::Serialize) -> Result<Json> {
    serde_json::to_value(value).map_err(|cause| Error::internal("a profile without JSON").because(cause))
}

/// Values of a row. A database may keep a number without its decimals: it is the same number.
pub(super) fn values(json: Json) -> Result<Values> {
    let mut values: Values = from_json(json)?;
    for value in values.values_mut() {
        if let Some(number) = value.as_f64().and_then(serde_json::Number::from_f64) {
            *value = Json::Number(number);
        }
    }
    Ok(values)
}
