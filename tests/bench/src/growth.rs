//! What an activity costs when the tables have grown. A ledger of ten thousand activities is made by sending them; a larger
//! one by copying, inside each database, all that these have left there, each copy under ids of its own. So all tables
//! grow, and in the shape that the suite gives them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use leadflow_harness::fleet::ROLES;
use sea_orm::sqlx::{AssertSqlSafe, raw_sql};
use serde::Serialize;

use crate::{
    data::Generator,
    load::{Door, flood},
    usage::Cpu,
    world::{Store, World},
};

/// The ids of a copy begin with the moment of the original, so that they stand in the indexes where ids of that moment do.
const FUNCTIONS: &str = r"
CREATE FUNCTION copy_id(id uuid, copy bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (substr(id::text, 1, 15) || substr(mixed, 1, 3) || '-8' || substr(mixed, 4, 3) || '-' || substr(mixed, 7, 12))::uuid
    FROM md5(id::text || copy) AS mixed
$$;
-- `Works 7` of 1,000 accounts is `Works 2007` in the second copy; so are its domain and its people.
CREATE FUNCTION copy_name(name text, copy bigint, accounts bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(regexp_replace(name, '(works ?)[0-9]+', '\1' || (number::bigint + copy * accounts), 'gi'), name)
    FROM substring(name FROM '(?i)works ?([0-9]+)') AS number
$$;
";

/// Role, table, and the columns that differ from copy to copy.
type Copied = (&'static str, &'static str, &'static [(&'static str, Kind)]);

/// What is copied.
const TABLES: [Copied; 15] = {
    use Kind::{Id, Name, Number, Word};
    [
        ("contact", "accounts", &[("account_id", Id), ("name", Name), ("sort_name", Name)]),
        ("contact", "account_keys", &[("account_id", Id), ("value", Name)]),
        ("contact", "contacts", &[("contact_id", Id), ("account_id", Id), ("emails", Name)]),
        ("contact", "identities", &[("contact_id", Id), ("value", Name)]),
        ("contact", "match_keys", &[("block", Number), ("owner_id", Id)]),
        (
            "activity-ingest",
            "activities",
            &[
                ("activity_id", Id),
                ("contact_id", Id),
                ("account_id", Id),
                ("source_event_id", Word),
                ("payload", Name),
            ],
        ),
        ("scoring", "accounts", &[("account_id", Id), ("name", Name)]),
        ("scoring", "account_revisions", &[("account_id", Id), ("facts", Name)]),
        ("scoring", "contact_revisions", &[("contact_id", Id), ("account_id", Id)]),
        (
            "scoring",
            "evidence",
            &[("activity_id", Id), ("contact_id", Id), ("account_id", Id), ("source_event_id", Word)],
        ),
        ("scoring", "leads", &[("lead_id", Id), ("account_id", Id), ("assignment_id", Id)]),
        ("scoring", "hand_overs", &[("lead_id", Id)]),
        ("routing", "leads", &[("lead_id", Id), ("account", Name)]),
        ("routing", "hand_overs", &[("lead_id", Id), ("assignment_id", Id)]),
        (
            "routing",
            "assignments",
            &[("assignment_id", Id), ("lead_id", Id), ("account_id", Id), ("account_name", Name)],
        ),
    ]
};

#[derive(Clone, Copy)]
enum Kind {
    /// A UUID.
    Id,
    /// A text or a JSON that holds the number of an account.
    Name,
    /// A text of its own.
    Word,
    /// A number of its own.
    Number,
}

/// What an activity costs at a size.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Growth {
    /// Activities in the ledger before.
    pub(crate) ledger_rows: u64,
    /// What one more costs, in microseconds of CPU, all processes of the suite together.
    pub(crate) cpu_us: f64,
    /// What one more costs, in microseconds, when as many come as go through.
    pub(crate) us: f64,
    /// `cpu_us` in relation to that of the smallest ledger.
    pub(crate) cpu_ratio: f64,
    /// `us` in relation to that of the smallest ledger.
    pub(crate) ratio: f64,
}

/// Measures with `base` activities, and with so many copies of them.
///
/// # Errors
/// When something fails.
pub(crate) async fn growth(seed: u64, base: usize, copies: &[u64], now: jiff::Timestamp) -> Result<Vec<Growth>> {
    let mut sizes: Vec<Growth> = Vec::new();
    for &copies in copies {
        let world = World::start(Store::Postgres).await?;
        let accounts = base as u64 / 10;
        let mut generator = Generator::new(seed, accounts, now);
        flood(&world, Door::GrpcBatches, generator.take(base), base as u64).await?;
        multiply(&world, &ROLES, copies, accounts).await?;
        generator.spread(copies);
        let ledger_rows = base as u64 * copies;
        let more = 2 * base;
        let flood = flood(&world, Door::GrpcBatches, generator.take(more), ledger_rows + more as u64).await?;
        let (cpu_us, us) = (suite(&flood.cpu) * 100.0, flood.e2e_s * 1e6 / more as f64);
        let first = sizes.first().map_or((cpu_us, us), |first| (first.cpu_us, first.us));
        sizes.push(Growth { ledger_rows, cpu_us, us, cpu_ratio: cpu_us / first.0, ratio: us / first.1 });
    }
    Ok(sizes)
}

/// Seconds of all but the driver.
fn suite(cpu: &Cpu) -> f64 {
    cpu.iter().filter(|(name, _)| *name != "driver").map(|(_, seconds)| seconds).sum()
}

/// Makes each table of these roles so many times as long.
///
/// # Errors
/// When the database fails.
pub(crate) async fn multiply(world: &World, roles: &[&str], copies: u64, accounts: u64) -> Result<()> {
    let mut prepared = BTreeSet::new();
    for (role, table, changed) in TABLES.into_iter().filter(|(role, ..)| copies > 1 && roles.contains(role)) {
        let pool = world.database(role)?.get_postgres_connection_pool();
        if prepared.insert(role) {
            raw_sql(FUNCTIONS).execute(pool).await?;
        }
        let columns = columns(pool, table).await?;
        let values: Vec<_> = columns
            .iter()
            .map(|(column, of_type)| match changed.iter().find(|(name, _)| name == column) {
                None => column.clone(),
                Some((_, Kind::Id)) => format!("copy_id({column}, copy)"),
                Some((_, Kind::Name)) => format!("copy_name({column}::text, copy, {accounts})::{of_type}"),
                Some((_, Kind::Word)) => format!("{column} || '-' || copy"),
                Some((_, Kind::Number)) => format!("{column} # copy"),
            })
            .collect();
        let names: Vec<_> = columns.into_iter().map(|(column, _)| column).collect();
        let insert = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table}, generate_series(1, {}) AS copy; ANALYZE {table}",
            names.join(", "),
            values.join(", "),
            copies - 1
        );
        raw_sql(AssertSqlSafe(insert)).execute(pool).await.with_context(|| format!("copying {table} of {role}"))?;
    }
    // What the copying has left to be written does not belong to what is measured.
    raw_sql("CHECKPOINT").execute(world.database("contact")?.get_postgres_connection_pool()).await?;
    Ok(())
}

async fn columns(pool: &sea_orm::sqlx::PgPool, table: &str) -> Result<Vec<(String, String)>> {
    let query = "SELECT column_name::text, udt_name::text FROM information_schema.columns \
                 WHERE table_name = $1 AND table_schema = 'public' AND is_generated = 'NEVER' ORDER BY ordinal_position";
    Ok(sea_orm::sqlx::query_as(query).bind(table).fetch_all(pool).await?)
}
