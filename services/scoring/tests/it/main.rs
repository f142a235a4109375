//! Scoring, through its public ways: the arithmetic as a function, events over a private NATS server, and gRPC on a
//! served port.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod arithmetic;
mod changes;
mod configuration;
mod events;
mod evidence;
mod explain;
mod facts;
mod hand_overs;
mod histories;
mod joining;
mod lists;
mod memory;
mod merges;
mod opening;
mod oracle;
mod profiles;
mod reattribution;
mod replicas;
mod roll_up;
mod rounds;
mod sides;
mod support;
mod time;
mod traces;
