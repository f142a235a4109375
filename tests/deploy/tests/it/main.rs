//! What `deploy/` holds: valid, safe, and true of the binary.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod cluster;
mod image;
mod installation;
mod manifests;
mod monitoring;
mod rights;
mod tools;
