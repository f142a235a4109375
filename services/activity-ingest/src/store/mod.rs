//! The tables, and the queries that return domain types.

use leadflow_platform::db::platform_and;
use sea_orm_migration::prelude::*;

pub(crate) mod activities;
pub(crate) mod announced;
pub(crate) mod catalogue;
pub(crate) mod confirmations;
mod entities;
pub(crate) mod erasure;
mod migrations;
pub(crate) mod pending;
pub(crate) mod quarantine;
pub(crate) mod reattribution;
pub(crate) mod statements;

/// All migrations of this service, in their order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        platform_and(vec![
            Box::new(migrations::ledger::Ledger),
            Box::new(migrations::quarantine::Quarantine),
            Box::new(migrations::traceparent::Traceparent),
            Box::new(migrations::webhook::Webhook),
            Box::new(migrations::reattribution::Reattribution),
            Box::new(migrations::statements::Statements),
            Box::new(migrations::erasures::Erasures),
            Box::new(migrations::verified_mobiles::VerifiedMobiles),
            Box::new(migrations::confirmations::Confirmations),
            Box::new(migrations::narrow_indexes::NarrowIndexes),
        ])
    }
}

/// Cuts the rows of a statement into chunks of 512, 256, 128, … Each length is a statement of its own, which every
/// connection prepares and remembers: these are ten, and not one for each length that a batch may have.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1].into_iter().find(|length| *length <= rows.len())?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_hold_all_rows_in_their_order(count in 0..3000_usize) {
            let rows: Vec<_> = (0..count).collect();
            let chunks: Vec<_> = super::chunks(&rows).collect();
            prop_assert!(chunks.iter().all(|chunk| chunk.len().is_power_of_two() && chunk.len() <= 512));
            prop_assert_eq!(chunks.concat(), rows);
        }
    }
}
