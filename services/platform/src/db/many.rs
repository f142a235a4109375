//! Many rows in one statement, and many values in one question.
//!
//! PostgreSQL takes each column as one array: the statement is the same however many rows there are, so that it is
//! prepared once, and no value is looked at to plan it. SQLite knows no arrays, and takes the values one by one.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseBackend, EntityName as _, EntityTrait,
    FromQueryResult, Iterable as _, QueryFilter as _, QuerySelect as _, Statement, StatementBuilder, Value,
    sea_query::{
        ArrayType, CaseStatement, Expr, ExprTrait as _, Func, IntoIden as _, OnConflict, Query, ReturningClause,
        SelectStatement, TableRef, UpdateStatement, ValueTuple, extension::postgres::PgFunc,
    },
};
use uuid::Uuid;

use super::Tx;
use crate::error::{Error, Result};

/// Rows in one statement at the most. SQLite binds no more than 32,766 values.
const ROWS: usize = 1000;

/// So many rows that what is the same in all of them is so for a reason.
const MANY: usize = 64;

/// Inserts rows, all of which set the same columns.
///
/// # Errors
/// When the database refuses a row, and `conflict` does not say what becomes of it.
pub async fn insert_all<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>, conflict: Option<OnConflict>) -> Result<()> {
    insert_and_count(tx, rows, conflict).await.map(drop)
}

/// As [`insert_all`]; returns how many rows were written.
///
/// # Errors
/// As [`insert_all`].
pub async fn insert_new<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>, conflict: OnConflict) -> Result<u64> {
    insert_and_count(tx, rows, Some(conflict)).await
}

async fn insert_and_count<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>, conflict: Option<OnConflict>) -> Result<u64> {
    let backend = tx.get_database_backend();
    let mut written = 0;
    for rows in chunks(backend, rows) {
        written += tx.execute_raw(insert(backend, rows, conflict.clone(), None)?).await?.rows_affected();
    }
    Ok(written)
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
    let backend = tx.get_database_backend();
    let mut written = Vec::with_capacity(rows.len());
    for rows in chunks(backend, rows) {
        let asked = Some(Query::returning().all());
        for row in tx.query_all_raw(insert(backend, rows, Some(conflict.clone()), asked)?).await? {
            written.push(FromQueryResult::from_query_result(&row, "")?);
        }
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

/// Which of these keys there are rows of; `key` is their column.
///
/// # Errors
/// When the database fails.
pub async fn known<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    key: E::Column,
    keys: &[Uuid],
) -> Result<Vec<Uuid>> {
    let mut known = Vec::new();
    for keys in chunks(connection.get_database_backend(), keys.to_vec()) {
        let query = E::find().select_only().column(key).filter(is_any(connection, key, keys));
        known.extend(query.into_tuple::<Uuid>().all(connection).await?);
    }
    Ok(known)
}

/// Writes into rows that are there: the first value of each of `rows` is its `key`, and the others go into `columns`. `more`
/// says what else is to be written, and where; [`column_of`] `given` is what is given.
///
/// # Errors
/// When the database refuses it.
pub async fn update_all<C: ColumnTrait>(
    tx: &Tx,
    key: C,
    columns: &[C],
    rows: Vec<Vec<Value>>,
    more: impl Fn(&mut UpdateStatement),
) -> Result<()> {
    let backend = tx.get_database_backend();
    let given = |number| column_of("given", number);
    for rows in chunks(backend, rows) {
        let statement = from_rows(backend, rows, "given", |table| {
            let mut update = Query::update();
            update
                .table(key.entity_name())
                .from(table)
                .values(columns.iter().zip(2..).map(|(&column, number)| (column, given(number))))
                .and_where(Expr::col(key.as_column_ref()).eq(given(1)));
            more(&mut update);
            update
        });
        tx.execute_raw(statement).await?;
    }
    Ok(())
}

/// A statement that reads from a table of these rows, of which there is at least one, under this name; [`column_of`] names
/// its columns.
pub fn from_rows<S: StatementBuilder>(
    backend: DatabaseBackend,
    rows: Vec<Vec<Value>>,
    name: &'static str,
    build: impl FnOnce(TableRef) -> S,
) -> Statement {
    let mut arrays = Vec::new();
    let table = match backend {
        DatabaseBackend::Postgres => {
            // With a value in the place of a column it would be joined in another way, which may be to read a whole table.
            TableRef::SubQuery(Box::new(select(transposed(rows), &mut arrays, |_| false)), name.into_iden())
        }
        _ => TableRef::ValuesList(rows.into_iter().map(ValueTuple::Many).collect(), name.into_iden()),
    };
    filled(backend.build(&build(table)), arrays)
}

/// A column, counted from one, of the table that [`from_rows`] has made under this name.
pub fn column_of(name: &'static str, number: usize) -> Expr {
    Expr::col((name, format!("column{number}")))
}

fn insert<A: ActiveModelTrait>(
    backend: DatabaseBackend,
    mut rows: Vec<A>,
    conflict: Option<OnConflict>,
    asked: Option<ReturningClause>,
) -> Result<Statement> {
    let is_set = |column: &<A::Entity as EntityTrait>::Column| {
        rows.first().is_some_and(|row| !matches!(row.get(*column), ActiveValue::NotSet))
    };
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().filter(is_set).collect();
    let of_column = |column: &_| rows.iter_mut().map(|row| row.take(*column).into_value()).collect::<Option<Vec<_>>>();
    let values = columns.iter().map(of_column).collect::<Option<Vec<_>>>();
    let values = values.ok_or_else(|| Error::internal("the rows of an insert set different columns"))?;
    let mut insert = Query::insert();
    insert.into_table(A::Entity::default().table_ref()).columns(columns);
    let mut arrays = Vec::new();
    let written = match backend {
        DatabaseBackend::Postgres => insert.select_from(select(values, &mut arrays, is_one)).map(drop),
        _ => {
            transposed(values).into_iter().try_for_each(|row| insert.values(row.into_iter().map(Expr::value)).map(drop))
        }
    };
    written.map_err(|cause| Error::internal("an insert whose rows do not fit its columns").because(cause))?;
    if let Some(conflict) = conflict {
        insert.on_conflict(conflict);
    }
    if let Some(asked) = asked {
        insert.returning(asked);
    }
    Ok(filled(backend.build(&insert), arrays))
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

/// Selects rows from arrays, one for each column, which go to `arrays` and leave their places to be [`filled`]. Since no NULL
/// can be bound in an array, a second one says where the column has none. A column of which `is_one` says so is the first of
/// its values.
fn select(columns: Vec<Vec<Value>>, arrays: &mut Vec<Value>, is_one: impl Fn(&[Value]) -> bool) -> SelectStatement {
    let (mut unnested, mut selected) = (Query::select(), Query::select());
    let mut unnest = |array: Value, name: &str| {
        let place = Expr::value(array.as_null());
        arrays.push(array);
        unnested.expr_as(Func::cust("unnest").arg(place), name.to_owned());
    };
    for (index, values) in columns.into_iter().enumerate() {
        let (value, missing) = (format!("value{index}"), format!("missing{index}"));
        let is_missing: Vec<bool> = values.iter().map(|value| !value.is_some()).collect();
        // The first one says how many rows there are.
        let column = if index > 0 && is_one(&values) {
            Expr::value(values[0].clone())
        } else if is_missing.contains(&true) {
            unnest(is_missing.into(), &missing);
            unnest(array(values), &value);
            CaseStatement::new().case(Expr::col(missing), Expr::cust("NULL")).finally(Expr::col(value)).into()
        } else {
            unnest(array(values), &value);
            Expr::col(value)
        };
        selected.expr_as(column, format!("column{}", index + 1));
    }
    selected.from_subquery(unnested, "arrays");
    selected
}

/// Whether a column is bound as one value: it is none in all rows, or the same in many. In few rows it may be so by accident,
/// and each choice of columns is a statement of its own, which every connection prepares and remembers.
fn is_one(values: &[Value]) -> bool {
    let is_same = |value: &Value| *value == values[0];
    values.iter().all(|value| !value.is_some()) || values.len() >= MANY && values.iter().all(is_same)
}

/// The statement with these arrays in the places that were left for them. To build a statement clones all values in it, and
/// here they are many.
fn filled(mut statement: Statement, arrays: Vec<Value>) -> Statement {
    let values = statement.values.iter_mut().flat_map(|values| &mut values.0);
    let places = values.filter(|value| matches!(value, Value::Array(_, None)));
    places.zip(arrays).for_each(|(place, array)| *place = array);
    statement
}

fn transposed(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut columns: Vec<Vec<Value>> = Vec::new();
    columns.resize_with(rows.first().map_or(0, Vec::len), || Vec::with_capacity(rows.len()));
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
