//! What is known of how accounts buy.

use leadflow_platform::{
    Error, Result,
    db::{Tx, is_any},
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set, sea_query::ExprTrait as _,
};
use uuid::Uuid;

use super::entity::site_map_fact::{Column, Entity, Model};
use crate::domain::site_map::{Fact, Player, Retraction, Role, Subject};

/// Facts of one account at the most, so that a site map fits in a head and in a message.
pub(crate) const MAX_FACTS: usize = 1000;

const ROLES: [(Role, &str); 5] = [
    (Role::DecisionMaker, "decision_maker"),
    (Role::Champion, "champion"),
    (Role::Influencer, "influencer"),
    (Role::User, "user"),
    (Role::Gatekeeper, "gatekeeper"),
];

/// The word of a subject in the database.
fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Player(..) => "player",
        Subject::Budget(_) => "budget",
        Subject::BuyingProcess => "buying_process",
        Subject::Requirement => "requirement",
        Subject::Incumbent => "incumbent",
        Subject::Note => "note",
    }
}

/// All facts of an account: those of it and of what was merged into it.
pub(crate) async fn of_account(connection: &impl ConnectionTrait, joined: &[Uuid]) -> Result<Vec<Fact>> {
    let rows = Entity::find().filter(Column::AccountId.is_in(joined.iter().copied())).order_by_asc(Column::FactId);
    rows.all(connection).await?.into_iter().map(to_fact).collect()
}

/// What is said of these contacts, or by them.
pub(crate) async fn about(connection: &impl ConnectionTrait, contacts: &[Uuid]) -> Result<Vec<Fact>> {
    let theirs = |column: Column| is_any(connection, column, contacts.iter().copied());
    let rows = Entity::find().filter(theirs(Column::ContactId).or(theirs(Column::SaidByContactId)));
    rows.order_by_asc(Column::FactId).all(connection).await?.into_iter().map(to_fact).collect()
}

/// One fact, locked.
pub(crate) async fn lock(tx: &Tx, fact_id: Uuid) -> Result<Fact> {
    let row = Entity::find_by_id(fact_id).lock_exclusive().one(&**tx).await?;
    to_fact(row.ok_or_else(|| Error::not_found("fact", fact_id))?)
}

/// Writes a new fact.
pub(crate) async fn insert(tx: &Tx, fact: &Fact) -> Result<()> {
    let (mut contact_id, mut player_name, mut job_title) = (None, String::new(), String::new());
    let (mut role, mut amount) = (None, None);
    match &fact.subject {
        Subject::Player(part, player) => {
            role = ROLES.iter().find(|(role, _)| role == part).map(|(_, word)| (*word).to_owned());
            match player {
                Player::Contact(id) => contact_id = Some(*id),
                Player::Named { name, job_title: title } => {
                    (player_name, job_title) = (name.clone(), title.clone());
                }
            }
        }
        Subject::Budget(said) => amount = *said,
        Subject::BuyingProcess | Subject::Requirement | Subject::Incumbent | Subject::Note => {}
    }
    let row = Model {
        fact_id: fact.fact_id,
        account_id: fact.account_id,
        kind: kind(&fact.subject).to_owned(),
        product_category: fact.product_category.clone(),
        content: fact.content.clone(),
        role,
        contact_id,
        player_name,
        job_title,
        amount,
        confidence: fact.confidence,
        source: fact.source.clone(),
        said_by_contact_id: fact.said_by_contact_id,
        said_by: fact.said_by.clone(),
        observe_time: fact.observe_time,
        principal: fact.principal.clone(),
        create_time: fact.create_time,
        retract_reason: None,
        retract_principal: None,
        retract_time: None,
    };
    row.into_active_model().insert(&**tx).await?;
    Ok(())
}

/// Writes down that a fact was taken back.
pub(crate) async fn retract(tx: &Tx, fact_id: Uuid, retraction: &Retraction) -> Result<()> {
    super::entity::site_map_fact::ActiveModel {
        fact_id: Set(fact_id),
        retract_reason: Set(Some(retraction.reason.clone())),
        retract_principal: Set(Some(retraction.principal.clone())),
        retract_time: Set(Some(retraction.time)),
        ..Default::default()
    }
    .update(&**tx)
    .await?;
    Ok(())
}

fn to_fact(row: Model) -> Result<Fact> {
    let subject = match row.kind.as_str() {
        "player" => {
            let role = ROLES.iter().find(|(_, word)| Some(*word) == row.role.as_deref());
            let (role, _) = role.ok_or_else(|| Error::internal("a player without a role in the database"))?;
            let named = Player::Named { name: row.player_name, job_title: row.job_title };
            Subject::Player(*role, row.contact_id.map_or(named, Player::Contact))
        }
        "budget" => Subject::Budget(row.amount),
        "buying_process" => Subject::BuyingProcess,
        "requirement" => Subject::Requirement,
        "incumbent" => Subject::Incumbent,
        "note" => Subject::Note,
        other => return Err(Error::internal(format!("the kind `{other}` in the database"))),
    };
    let retraction = row.retract_time.map(|time| Retraction {
        reason: row.retract_reason.unwrap_or_default(),
        principal: row.retract_principal.unwrap_or_default(),
        time,
    });
    Ok(Fact {
        fact_id: row.fact_id,
        account_id: row.account_id,
        subject,
        content: row.content,
        product_category: row.product_category,
        confidence: row.confidence,
        source: row.source,
        said_by_contact_id: row.said_by_contact_id,
        said_by: row.said_by,
        observe_time: row.observe_time,
        principal: row.principal,
        create_time: row.create_time,
        retraction,
    })
}
