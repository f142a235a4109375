//! Many rows in one statement, and many values in one question.
//!
//! PostgreSQL takes each column as one array: the statement is the same however many rows there are, so that it is
//! prepared once, and no value is looked at to plan it. SQLite knows no arrays, and takes the values one by one.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseBackend, EntityName as _, EntityTrait,
    FromQueryResult, Iterable as _, QueryResult, TryGetable, Value,
    sea_query::{
        ArrayType, CaseStatement, Expr, ExprTrait as _, Func, InsertStatement, IntoIden as _, OnConflict, Query,
        ReturningClause, SelectStatement, TableRef, ValueTuple, extension::postgres::PgFunc,
    },
};

use super::Tx;
use crate::error::{Error, Result};

/// Rows in one statement at the most. SQLite binds no more than 32,766 values.
const ROWS: usize = 1000;

/// Inserts rows, all of which set the same columns.
///
/// # Errors
/// When the database refuses a row, and `conflict` does not say what becomes of it.
pub async fn insert_all<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>, conflict: Option<OnConflict>) -> Result<()> {
    let backend = tx.get_database_backend();
    for rows in chunks(backend, rows) {
        tx.execute(&insert(backend, rows, conflict.clone())?).await?;
    }
    Ok(())
}

/// As [`insert_all`]; returns `column` of the rows that were written.
///
/// # Errors
/// As [`insert_all`].
pub async fn insert_new<A: ActiveModelTrait, T: TryGetable>(
    tx: &Tx,
    rows: Vec<A>,
    conflict: OnConflict,
    column: <A::Entity as EntityTrait>::Column,
) -> Result<Vec<T>> {
    let written = insert_and_ask(tx, rows, conflict, Query::returning().column(column)).await?;
    Ok(written.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?)
}

/// As [`insert_all`]; returns the rows that were written, as they are then.
///
/// # Errors
/// As [`insert_all`].
pub async fn insert_returning<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    conflict: OnConflict,
) -> Result<Vec<<A::Entity as EntityTrait>::Model>> {
    let written = insert_and_ask(tx, rows, conflict, Query::returning().all()).await?;
    let rows = written.iter().map(|row| FromQueryResult::from_query_result(row, ""));
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

async fn insert_and_ask<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    conflict: OnConflict,
    asked: ReturningClause,
) -> Result<Vec<QueryResult>> {
    let backend = tx.get_database_backend();
    let mut written = Vec::with_capacity(rows.len());
    for rows in chunks(backend, rows) {
        let mut insert = insert(backend, rows, Some(conflict.clone()))?;
        written.extend(tx.query_all(insert.returning(asked.clone())).await?);
    }
    Ok(written)
}

/// That `column` has one of these values.
pub fn is_any<C: ColumnTrait, V: Into<Value>>(
    connection: &impl ConnectionTrait,
    column: C,
    values: impl IntoIterator<Item = V>,
) -> Expr {
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    match (connection.get_database_backend(), values.first().map(Value::array_type)) {
        (DatabaseBackend::Postgres, Some(kind)) => {
            Expr::col(column.as_column_ref()).eq(PgFunc::any(Expr::value(Value::Array(kind, Some(Box::new(values))))))
        }
        _ => column.is_in(values),
    }
}

/// A table of at least one row for a query to read from; [`column_of`] names its columns.
pub fn table_of(backend: DatabaseBackend, rows: Vec<Vec<Value>>, name: &'static str) -> TableRef {
    match backend {
        DatabaseBackend::Postgres => TableRef::SubQuery(Box::new(select(rows)), name.into_iden()),
        _ => TableRef::ValuesList(rows.into_iter().map(ValueTuple::Many).collect(), name.into_iden()),
    }
}

/// A column, counted from one, of the table that [`table_of`] has made under this name.
pub fn column_of(name: &'static str, number: usize) -> Expr {
    Expr::col((name, format!("column{number}")))
}

fn insert<A: ActiveModelTrait>(
    backend: DatabaseBackend,
    mut rows: Vec<A>,
    conflict: Option<OnConflict>,
) -> Result<InsertStatement> {
    let is_set = |column: &<A::Entity as EntityTrait>::Column| {
        rows.first().is_some_and(|row| !matches!(row.get(*column), ActiveValue::NotSet))
    };
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().filter(is_set).collect();
    let values = |row: &mut A| columns.iter().map(|column| row.take(*column).into_value()).collect::<Option<Vec<_>>>();
    let rows = rows.iter_mut().map(values).collect::<Option<Vec<_>>>();
    let rows = rows.ok_or_else(|| Error::internal("the rows of an insert set different columns"))?;
    let mut insert = Query::insert();
    insert.into_table(A::Entity::default().table_ref()).columns(columns);
    let written = match backend {
        DatabaseBackend::Postgres => insert.select_from(select(rows)).map(drop),
        _ => rows.into_iter().try_for_each(|row| insert.values(row.into_iter().map(Expr::value)).map(drop)),
    };
    written.map_err(|cause| Error::internal("an insert whose rows do not fit its columns").because(cause))?;
    if let Some(conflict) = conflict {
        insert.on_conflict(conflict);
    }
    Ok(insert)
}

/// Cuts rows into what one statement takes. SQLite gets 512, 256, 128, … at a time: each length is a statement of its own,
/// which every connection prepares and remembers, and these are ten.
fn chunks<A>(backend: DatabaseBackend, rows: Vec<A>) -> impl Iterator<Item = Vec<A>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let length = match (backend, rows.len()) {
            (_, 0) => return None,
            (DatabaseBackend::Postgres, _) => ROWS,
            (_, left) => 1 << left.min(512).ilog2(),
        };
        Some(rows.by_ref().take(length).collect())
    })
}

/// Selects rows from arrays, one for each column. Since no NULL can be bound in an array, a second one says where the
/// column has none.
fn select(rows: Vec<Vec<Value>>) -> SelectStatement {
    let unnest = |array: Value| Func::cust("unnest").arg(Expr::value(array));
    let (mut arrays, mut columns) = (Query::select(), Query::select());
    for (index, values) in transposed(rows).into_iter().enumerate() {
        let (value, missing) = (format!("value{index}"), format!("missing{index}"));
        let mut column = Expr::col(value.clone());
        if values.iter().any(|value| !value.is_some()) {
            let is_missing: Vec<bool> = values.iter().map(|value| !value.is_some()).collect();
            arrays.expr_as(unnest(is_missing.into()), missing.clone());
            column = CaseStatement::new().case(Expr::col(missing), Expr::cust("NULL")).finally(column).into();
        }
        arrays.expr_as(unnest(array(values)), value);
        columns.expr_as(column, format!("column{}", index + 1));
    }
    columns.from_subquery(arrays, "arrays");
    columns
}

fn transposed(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut columns: Vec<Vec<Value>> = vec![Vec::with_capacity(rows.len()); rows.first().map_or(0, Vec::len)];
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns
}

/// Values of one type; in the place of NULL stands any.
fn array(values: Vec<Value>) -> Value {
    let kind = values.first().map_or(ArrayType::Bool, Value::array_type);
    let present = |value: Value| if value.is_some() { value } else { value.dummy_value() };
    Value::Array(kind, Some(Box::new(values.into_iter().map(present).collect())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn chunks_hold_all_rows_in_their_order(count in 0..3000_usize, postgres: bool) {
            let rows: Vec<_> = (0..count).collect();
            let backend = if postgres { DatabaseBackend::Postgres } else { DatabaseBackend::Sqlite };
            let chunks: Vec<_> = chunks(backend, rows.clone()).collect();
            let fits = |chunk: &Vec<usize>| chunk.len() <= 512 && chunk.len().is_power_of_two();
            prop_assert!(chunks.iter().all(|chunk| fits(chunk) || postgres && chunk.len() <= ROWS));
            prop_assert_eq!(chunks.concat(), rows);
        }
    }
}
