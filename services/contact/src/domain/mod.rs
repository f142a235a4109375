//! Who is who. Pure: what a claim says and what is known in, whose identity it is out.

pub mod country;
pub mod import;
pub mod joined;
pub mod merge;
pub mod normal;
pub mod resolve;
pub mod site_map;
pub mod who;

pub use joined::Joined;
pub use resolve::{Claim, Directory, Resolved};
pub use who::{Account, Contact, Key, Relation, Site};
