//! Blocks, which lead to those who may be meant.
//!
//! A block holds one member more than counts at the most, so that a search costs the same however many are known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadflow_platform::{
    Result,
    db::{Tx, insert_all, is_any},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    CHUNK, accounts, contacts,
    entity::match_key::{ActiveModel, Column, Entity},
};
use crate::domain::{
    Contact,
    matched::Matching,
    matching::{Block, MAX_BLOCK, Profile, Subject, blocks},
};

/// Loads all who may be meant by people and organisations that no key leads to.
pub(crate) async fn load(
    connection: &impl ConnectionTrait,
    people: &[Profile],
    organisations: &[Profile],
) -> Result<Matching> {
    let of = |subject, said: &[Profile]| said.iter().flat_map(move |said| blocks(subject, said)).collect::<Vec<_>>();
    let mut told: BTreeSet<Block> = of(Subject::Person, people).into_iter().collect();
    told.extend(of(Subject::Organisation, organisations));
    let mut matching = Matching { blocks: members(connection, told).await?, ..Matching::default() };
    let candidates = |subject, said: &[Profile]| -> Vec<Uuid> {
        let ids: BTreeSet<_> = said.iter().flat_map(|said| matching.candidates(subject, said)).collect();
        ids.into_iter().collect()
    };
    let contacts = contacts::by_ids(connection, &candidates(Subject::Person, people)).await?;
    let mut wanted: BTreeSet<_> = candidates(Subject::Organisation, organisations).into_iter().collect();
    wanted.extend(contacts.values().filter_map(|contact| contact.account_id));
    let accounts = accounts::by_ids(connection, &wanted.into_iter().collect::<Vec<_>>()).await?;
    let known = contacts.values().map(|contact| {
        let account = contact.account_id.and_then(|id| accounts.get(&id));
        (contact.contact_id, contact.profile(account))
    });
    matching.profiles.extend(known);
    matching.profiles.extend(accounts.values().map(|account| (account.account_id, account.profile())));
    Ok(matching)
}

async fn members(
    connection: &impl ConnectionTrait,
    blocks: impl IntoIterator<Item = Block>,
) -> Result<HashMap<Block, BTreeSet<Uuid>>> {
    let mut found: HashMap<Block, BTreeSet<Uuid>> = HashMap::new();
    let blocks: Vec<_> = blocks.into_iter().collect();
    for chunk in blocks.chunks(CHUNK) {
        let rows =
            Entity::find().filter(is_any(connection, Column::Block, chunk.iter().copied())).all(connection).await?;
        for row in rows {
            found.entry(row.block).or_default().insert(row.owner_id);
        }
    }
    Ok(found)
}

/// Lets blocks lead to those who are new or changed, where there is room.
pub(crate) async fn save(tx: &Tx, new: &BTreeMap<Uuid, Vec<Block>>) -> Result<()> {
    let told: BTreeSet<_> = new.values().flatten().copied().collect();
    let mut sizes = sizes(&**tx, &told.into_iter().collect::<Vec<_>>()).await?;
    let mut rows = Vec::new();
    for (&owner_id, blocks) in new {
        for &block in blocks {
            let size = sizes.entry(block).or_default();
            if *size <= MAX_BLOCK {
                *size += 1;
                rows.push(ActiveModel { block: Set(block), owner_id: Set(owner_id) });
            }
        }
    }
    let there = OnConflict::columns([Column::Block, Column::OwnerId]).do_nothing().to_owned();
    insert_all(tx, rows, Some(there)).await
}

async fn sizes(connection: &impl ConnectionTrait, blocks: &[Block]) -> Result<HashMap<Block, usize>> {
    let mut found = HashMap::new();
    for chunk in blocks.chunks(CHUNK) {
        let rows: Vec<(Block, i64)> = Entity::find()
            .select_only()
            .column(Column::Block)
            .column_as(Column::OwnerId.count(), "size")
            .filter(is_any(connection, Column::Block, chunk.iter().copied()))
            .group_by(Column::Block)
            .into_tuple()
            .all(connection)
            .await?;
        found.extend(rows.into_iter().map(|(block, size)| (block, usize::try_from(size).unwrap_or(usize::MAX))));
    }
    Ok(found)
}

/// Lets only the blocks of what is known now lead to somebody.
pub(crate) async fn replace(tx: &Tx, subject: Subject, owner_id: Uuid, profile: &Profile) -> Result<()> {
    Entity::delete_many().filter(Column::OwnerId.eq(owner_id)).exec(&**tx).await?;
    save(tx, &BTreeMap::from([(owner_id, blocks(subject, profile))])).await
}

/// The same for a contact that was changed.
pub(crate) async fn relearn(tx: &Tx, contact: &Contact) -> Result<()> {
    let account = accounts::by_ids(&**tx, contact.account_id.as_slice()).await?;
    replace(tx, Subject::Person, contact.contact_id, &contact.profile(account.values().next())).await
}
