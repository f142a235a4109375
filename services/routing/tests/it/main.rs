//! Routing, through its public ways: events over a private NATS server, and gRPC on a served port.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod answers;
mod capacity;
mod closing;
mod configuration;
mod events;
mod lists;
mod replicas;
mod support;
mod territories;
mod traces;
