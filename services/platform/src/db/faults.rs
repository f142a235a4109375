//! Which errors of a database pass by themselves, and which come back with the same work.

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, error::DatabaseError, sqlite::SqliteError},
};

/// Whether the same work may succeed later without anybody changing it: the database was away, busy, full, or gave up
/// one of two transactions that were in each other's way.
pub(crate) fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => match &**cause {
            sqlx::Error::Database(cause) => answer_is_transient(&**cause),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => true,
            _ => false,
        },
        _ => false,
    }
}

/// What the database itself has answered: <https://www.postgresql.org/docs/current/errcodes-appendix.html>,
/// <https://www.sqlite.org/rescode.html>.
fn answer_is_transient(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL, SCHEMA; the lowest byte of what
        // may be an extended code.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5..=10 | 13..=15 | 17));
    }
    // The connection, a rollback (deadlock, serialisation), resources, an object in use, the operator, the system; and
    // a server that only reads, because another one has taken over.
    ["08", "40", "53", "55", "57", "58", "25006"].iter().any(|class| code.starts_with(class))
}
