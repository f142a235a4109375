//! Contact, through its public ways: gRPC on a served port, events from a private NATS server, and the pure domain.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod accounts;
mod configuration;
mod consents;
mod contacts;
mod employers;
mod erasure;
mod events;
mod hierarchy;
mod imports;
mod joined;
mod labelled;
mod lists;
mod locks;
mod match_reviews;
mod matching;
mod merges;
mod mobiles;
mod named;
mod profiles;
mod properties;
mod refusals;
mod remembered;
mod replicas;
mod resolution;
mod roll_up;
mod site_map;
mod support;
