//! A table to write to, with every kind of constraint.

use leadflow_platform::{
    db::{Database, Tx, platform_and},
    error::Result,
};
use sea_orm::{ConnectionTrait as _, Statement, Value};
use sea_orm_migration::prelude::*;

/// The tables of the platform, and notes.
pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![Box::new(Notes)])
    }
}

/// A release that does not know of notes yet.
pub(crate) struct OlderMigrator;

impl MigratorTrait for OlderMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(Vec::new())
    }
}

struct Notes;

impl MigrationName for Notes {
    fn name(&self) -> &'static str {
        "m20261124_000001_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Notes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("CREATE TABLE topics (topic text PRIMARY KEY)").await?;
        connection
            .execute_unprepared(
                "CREATE TABLE notes (
                    author bigint NOT NULL,
                    number bigint NOT NULL CHECK (number >= 0),
                    note text,
                    topic text REFERENCES topics (topic),
                    CONSTRAINT pk_notes PRIMARY KEY (author, number)
                )",
            )
            .await?;
        Ok(())
    }
}

/// Writes one note.
pub(crate) async fn write_note(tx: &Tx, author: i64, number: i64, note: &str) -> Result<()> {
    execute(
        tx,
        "INSERT INTO notes (author, number, note) VALUES ($1, $2, $3)",
        [author.into(), number.into(), note.into()],
    )
    .await
}

/// Runs one statement.
pub(crate) async fn execute<const N: usize>(tx: &Tx, sql: &str, values: [Value; N]) -> Result<()> {
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(())
}

/// The first number that the query returns.
pub(crate) async fn number(database: &Database, sql: &str) -> i64 {
    let row = database.reader().query_one_raw(Statement::from_string(database.backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// How many notes there are.
pub(crate) async fn count(database: &Database) -> i64 {
    number(database, "SELECT count(*) FROM notes").await
}
