//! Who gets a lead: plain data and `now` in, decisions out.

pub mod assignment;
pub mod configuration;
pub mod decision;
pub mod fair_share;
pub mod hand_over;
pub mod lead;
pub mod territory;
