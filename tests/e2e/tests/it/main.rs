//! The whole suite, from a door to the assigned rep.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod architecture;
mod buyers;
mod consent_links;
mod consents;
mod crash;
mod doors;
mod email;
mod employers;
mod erasure;
mod examples;
mod imports;
mod lost;
mod merges;
mod month;
mod quarantine;
mod support;
mod traces;
