//! The platform on real servers: SQLite, PostgreSQL, NATS, gRPC and HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod admin;
mod audit;
mod auth;
mod bus;
mod consume;
mod db;
mod digest;
mod forget;
mod many;
mod outbox;
mod quarantine;
mod rpc;
mod support;
mod traces;
mod work;
