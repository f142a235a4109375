//! Who is who. Pure: what a claim says and what is known in, whose identity it is out.

mod apart;
pub mod claim;
pub mod consent;
pub mod country;
pub mod erasure;
pub mod footing;
pub mod import;
pub mod joined;
pub mod matched;
pub mod matching;
pub mod merge;
pub mod normal;
pub mod profile;
pub mod resolve;
pub mod review;
pub mod site_map;
pub mod suppression;
mod visitor;
pub mod who;

pub use claim::Claim;
pub use joined::Joined;
pub use resolve::{Directory, Resolved};
pub use who::{Account, Contact, Key, Relation, Site};
