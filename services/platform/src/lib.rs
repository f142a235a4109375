#![doc = include_str!("../README.md")]

pub mod admin;
pub mod audit;
pub mod auth;
pub mod bus;
pub mod clock;
pub mod condition;
pub mod config;
pub mod db;
pub mod digest;
pub mod error;
pub mod ids;
pub mod lifecycle;
pub mod mailbox;
pub mod metrics;
pub mod outbox;
pub mod page;
pub mod plant;
pub mod quarantine;
pub mod rpc;
pub mod secret;
pub mod service;
pub mod tombstones;
pub mod trace;
pub mod value;
pub mod vars;

pub use error::{Error, Result};
