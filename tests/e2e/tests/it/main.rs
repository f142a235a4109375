//! The whole suite, from a door to the assigned rep.

mod architecture;
mod crash;
mod doors;
mod month;
mod support;
