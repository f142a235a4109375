//! What activities mean. Pure: data and a moment in, a score and its consequences out. The arithmetic is written down in
//! the README of the crate, and a second time, in another language, in `tests/oracle`.

pub mod band;
pub mod category;
pub mod compiled;
pub mod conditions;
pub mod disposition;
pub mod evaluated;
pub mod history;
pub mod joining;
pub mod lead;
pub mod model;
pub mod prepared;
pub mod round;
mod rule_set;
pub mod schedule;
pub mod score;

pub use band::{Band, Validations};
pub use category::Categories;
pub use compiled::CompiledModel;
pub use disposition::Disposition;
pub use evaluated::{Evaluated, Own};
pub use history::{Activity, Adjustment, History, LeadScope, Profile};
pub use model::Model;
pub use prepared::Prepared;
pub use score::{Line, LineKind, Score};
