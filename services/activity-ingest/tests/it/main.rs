//! The service through its doors: gRPC and forms in, events out, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod configuration;
mod confirmations;
mod decisions;
mod digests;
mod doors;
mod forms;
mod group_commit;
mod identification;
mod intake;
mod intake_messages;
mod links;
mod lists;
mod observations;
mod privacy;
mod quarantine;
mod recognition;
mod repetitions;
mod stitching;
mod support;
mod traces;
mod validation;
mod verification;
mod webhooks;
