//! The tables that every service has: outbox, mutations, quarantined events, tombstones.

use sea_orm::ActiveModelTrait as _;
use sea_orm_migration::prelude::*;
use uuid::Uuid;

use crate::{
    clock::from_millis,
    outbox::{self, batch::Waiting},
};

/// The migrations of a service: those of these tables, then its own.
pub fn platform_and(own: Vec<Box<dyn MigrationTrait>>) -> Vec<Box<dyn MigrationTrait>> {
    let platform: [Box<dyn MigrationTrait>; 5] = [
        Box::new(PlatformTables),
        Box::new(Traceparent),
        Box::new(Tombstones),
        Box::new(QuarantinedHeaders),
        Box::new(OutboxBatches),
    ];
    platform.into_iter().chain(own).collect()
}

struct PlatformTables;

impl MigrationName for PlatformTables {
    fn name(&self) -> &'static str {
        "m20261124_000000_platform"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PlatformTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(outbox_messages()).await?;
        manager
            .create_table(
                Table::create()
                    .table("mutations")
                    .col(ColumnDef::new("mutation_id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("create_time").big_integer().not_null())
                    .col(ColumnDef::new("principal").text().not_null())
                    .col(ColumnDef::new("method").text().not_null())
                    .col(ColumnDef::new("resource").text().not_null())
                    .col(ColumnDef::new("request_id").uuid())
                    .col(ColumnDef::new("request_digest").binary())
                    .col(ColumnDef::new("answer").json_binary())
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("uq_mutations_request")
                    .table("mutations")
                    .col("principal")
                    .col("method")
                    .col("request_id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("quarantined_events")
                    .col(ColumnDef::new("event_id").text().not_null())
                    .col(ColumnDef::new("consumer").text().not_null())
                    .col(ColumnDef::new("subject").text().not_null())
                    .col(ColumnDef::new("reason").text().not_null())
                    .col(ColumnDef::new("message").text().not_null())
                    .col(ColumnDef::new("payload").binary().not_null())
                    .col(ColumnDef::new("create_time").big_integer().not_null())
                    .primary_key(Index::create().col("consumer").col("event_id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["quarantined_events", "mutations", "outbox_messages"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The outbox with a row for each message, as it was first.
fn outbox_messages() -> TableCreateStatement {
    Table::create()
        .table("outbox_messages")
        .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("event_id").uuid().not_null())
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("event_time").big_integer().not_null())
        .col(ColumnDef::new("payload").binary().not_null())
        .to_owned()
}

/// What is gone for good.
struct Tombstones;

impl MigrationName for Tombstones {
    fn name(&self) -> &'static str {
        "m20261126_000000_tombstones"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tombstones {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "CREATE TABLE tombstones (id uuid NOT NULL PRIMARY KEY, create_time bigint NOT NULL)").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tombstones").to_owned()).await
    }
}

/// What stood before the body of an event that was set aside: with it, it can be handled as it came.
struct QuarantinedHeaders;

impl MigrationName for QuarantinedHeaders {
    fn name(&self) -> &'static str {
        "m20261126_000001_quarantined_headers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for QuarantinedHeaders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE quarantined_events ADD COLUMN headers jsonb").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE quarantined_events DROP COLUMN headers").await
    }
}

/// What has brought an event about, kept with it until it is published.
struct Traceparent;

impl MigrationName for Traceparent {
    fn name(&self) -> &'static str {
        "m20261125_000000_traceparent"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Traceparent {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE outbox_messages ADD COLUMN traceparent text").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE outbox_messages DROP COLUMN traceparent").await
    }
}

/// Few rows for many messages of the outbox, instead of one for each. What waits is taken along.
struct OutboxBatches;

impl MigrationName for OutboxBatches {
    fn name(&self) -> &'static str {
        "m20261127_000000_outbox_batches"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OutboxBatches {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("outbox_batches")
                    .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
                    .col(ColumnDef::new("event_time").big_integer().not_null())
                    .col(ColumnDef::new("messages").big_integer().not_null())
                    .col(ColumnDef::new("content").binary().not_null())
                    .to_owned(),
            )
            .await?;
        let connection = manager.get_connection();
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            // It is gone in a moment: not worth compressing.
            run_script(manager, "ALTER TABLE outbox_batches ALTER COLUMN content SET STORAGE EXTERNAL").await?;
        }
        let waiting = Query::select()
            .columns(["event_id", "subject", "payload", "traceparent", "event_time"])
            .from("outbox_messages")
            .order_by("id", Order::Asc)
            .to_owned();
        for row in connection.query_all(&waiting).await? {
            let event_id: Uuid = row.try_get_by_index(0)?;
            let message = Waiting {
                event_id: event_id.into_bytes().to_vec(),
                subject: row.try_get_by_index(1)?,
                payload: row.try_get_by_index(2)?,
                traceparent: row.try_get_by_index(3)?,
            };
            for row in outbox::batch::rows(vec![message], from_millis(row.try_get_by_index(4)?)) {
                row.insert(connection).await?;
            }
        }
        manager.drop_table(Table::drop().table("outbox_messages").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let waits = Query::select().column("id").from("outbox_batches").limit(1).to_owned();
        if manager.get_connection().query_one(&waits).await?.is_some() {
            return Err(DbErr::Custom("events wait in the outbox: let them be published first".to_owned()));
        }
        manager.drop_table(Table::drop().table("outbox_batches").to_owned()).await?;
        manager.create_table(outbox_messages().col(ColumnDef::new("traceparent").text()).to_owned()).await
    }
}

/// Runs a script of statements that is written for PostgreSQL, with the names of types that SQLite knows where it is
/// run there. Statements end with `;` at the end of a line.
///
/// # Errors
/// When the database refuses a statement.
pub async fn run_script(manager: &SchemaManager<'_>, script: &str) -> Result<(), DbErr> {
    let mut script = script.to_owned();
    if manager.get_database_backend() == sea_orm::DatabaseBackend::Sqlite {
        for (postgres, sqlite) in [
            (" uuid", " blob"),
            (" bytea", " blob"),
            (" jsonb", " text"),
            (" double precision", " real"),
            (" COLLATE \"C\"", ""),
        ] {
            script = script.replace(postgres, sqlite);
        }
    }
    for statement in script.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
