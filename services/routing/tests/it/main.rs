//! Routing, through its public ways: events over a private NATS server, and gRPC on a served port.

mod answers;
mod capacity;
mod closing;
mod configuration;
mod events;
mod lists;
mod replicas;
mod support;
mod territories;
