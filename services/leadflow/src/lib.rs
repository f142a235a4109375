#![doc = include_str!("../README.md")]

pub mod embedded_nats;
pub mod suite;
