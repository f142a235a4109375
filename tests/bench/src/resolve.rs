//! What it costs to find out who somebody is when many are known. Contact's tables are made as long as is wanted, by copying;
//! then it is asked, with nothing else going on, for people whom it knows and for people at companies that it does not know.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use leadflow_platform::{auth::Credentials, rpc::channel};
use leadflow_proto::contact::v1::{
    Identity, IdentityClaim, ResolveIdentitiesRequest, contact_service_client::ContactServiceClient,
};
use sea_orm::{ConnectionTrait as _, Statement};
use serde::Serialize;

use crate::{
    data::{Generator, SOURCE, identity},
    growth::multiply,
    load::{Door, flood},
    world::{Store, World},
};

/// How many are asked for, of each kind.
const CLAIMS: u64 = 5000;
/// Claims in one call.
const BATCH: usize = 100;

/// What a claim costs at a size.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Resolve {
    /// People whom contact knows before.
    pub(crate) contacts: u64,
    /// Organisations.
    pub(crate) accounts: u64,
    /// What somebody costs who is known, in microseconds.
    pub(crate) known_us: f64,
    /// The same of somebody at a company that nobody has heard of.
    pub(crate) new_us: f64,
    /// `known_us` in relation to that of the smallest size.
    pub(crate) known_ratio: f64,
    /// `new_us` in relation to that of the smallest size.
    pub(crate) new_ratio: f64,
}

/// Measures with what `base` activities leave in contact, and with so many copies of it.
///
/// # Errors
/// When something fails.
pub(crate) async fn resolve(seed: u64, base: usize, copies: &[u64], now: jiff::Timestamp) -> Result<Vec<Resolve>> {
    let mut sizes: Vec<Resolve> = Vec::new();
    for &copies in copies {
        let world = World::start(Store::Postgres).await?;
        let each = base as u64 / 10;
        flood(&world, Door::GrpcBatches, Generator::new(seed, each, now).take(base), base as u64).await?;
        multiply(&world, &["contact"], copies, each).await?;
        let contacts = world.count("contact", "SELECT count(*) FROM contacts").await?;
        let accounts = world.count("contact", "SELECT count(*) FROM accounts").await?;
        let known_us = ask(&world, known(&world).await?).await?;
        let new_us = ask(&world, (0..CLAIMS).map(|number| identity(each * copies + number, 0)).collect()).await?;
        let first = sizes.first().map_or((known_us, new_us), |first| (first.known_us, first.new_us));
        let (known_ratio, new_ratio) = (known_us / first.0, new_us / first.1);
        sizes.push(Resolve { contacts, accounts, known_us, new_us, known_ratio, new_ratio });
    }
    Ok(sizes)
}

/// Some of those who are known, as their activities say them.
async fn known(world: &World) -> Result<Vec<Identity>> {
    let database = world.database("contact")?;
    let query = format!("SELECT value FROM identities WHERE kind = 'email' ORDER BY md5(value) LIMIT {CLAIMS}");
    let rows = database.query_all_raw(Statement::from_string(database.get_database_backend(), query)).await?;
    let told = |email: String| {
        let (person, account) = email.strip_prefix("person")?.strip_suffix(".example")?.split_once("@works")?;
        Some(identity(account.parse().ok()?, person.parse().ok()?))
    };
    rows.into_iter().map(|row| told(row.try_get_by_index(0)?).context("an address of another kind")).collect()
}

/// Asks for all of these, one call after the other, and returns the microseconds for each.
async fn ask(world: &World, people: Vec<Identity>) -> Result<f64> {
    let mut client =
        ContactServiceClient::new(channel(&world.address("LEADFLOW_CONTACT_URL")?, Credentials::Name("bench".into()))?);
    let begin = Instant::now();
    for people in people.chunks(BATCH) {
        let claim = |identity: &Identity| IdentityClaim {
            identity: Some(identity.clone()),
            source: SOURCE.into(),
            ..Default::default()
        };
        let request = ResolveIdentitiesRequest { claims: people.iter().map(claim).collect(), known_only: false };
        let results = client.resolve_identities(request).await?.into_inner().results;
        ensure!(results.iter().all(|result| !result.contact_id.is_empty()), "somebody was not resolved");
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / people.len() as f64)
}
