//! What an activity has to be, pure and synchronous: data and the time in, decisions out.

pub(crate) mod activity;
pub(crate) mod call;
pub(crate) mod catalogue;
pub(crate) mod check;
pub(crate) mod configuration;
pub(crate) mod consent;
pub(crate) mod digest;
pub(crate) mod door;
pub(crate) mod erasure;
pub(crate) mod form;
pub(crate) mod limits;
pub(crate) mod link;
pub(crate) mod pending;
pub(crate) mod problems;
pub(crate) mod quarantine;
pub(crate) mod receipt;
pub(crate) mod repetition;
pub(crate) mod resolution;
pub(crate) mod sendgrid;
pub(crate) mod signature;
pub(crate) mod source;
pub(crate) mod urlencoded;
