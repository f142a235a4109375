//! The tables that hold a person. Whoever adds one adds it here: a test compares this list with the schema.

use leadflow_platform::{Result, db::Tx};
use sea_orm::{
    ConnectionTrait as _,
    sea_query::{Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

/// Each with the column that says whom, in the order in which its rows go.
pub const TABLES: [(&str, &str); 9] = [
    ("consents", "contact_id"),
    ("contact_phones", "contact_id"),
    ("identities", "contact_id"),
    ("match_keys", "owner_id"),
    // Their lines hold what was said and known of both.
    ("match_reviews", "known_id"),
    ("match_reviews", "other_id"),
    // Of merges the notes may name somebody.
    ("merges", "survivor_id"),
    ("merges", "merged_id"),
    ("contacts", "contact_id"),
];

/// Deletes all rows of these persons, and says how many there were.
pub(crate) async fn delete(tx: &Tx, contact_ids: &[Uuid]) -> Result<u64> {
    let mut deleted = 0;
    for (table, column) in TABLES {
        let rows = Query::delete()
            .from_table(table)
            .and_where(Expr::col(column).is_in(contact_ids.iter().copied()))
            .to_owned();
        deleted += tx.execute(&rows).await?.rows_affected();
    }
    Ok(deleted)
}
