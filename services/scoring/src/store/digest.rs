//! What scoring compares with those that it hears from, and what those that hear from it compare.
//!
//! The numbers of a fact are those that the other side has too: see `store::digest` of routing, and `facts` of contact
//! and activity-ingest.

use leadflow_platform::digest::Facts;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, sea_query::Expr,
};

use super::entity::{account, contact_revision, evidence, lead};

/// The activities that have come.
pub(crate) fn activities() -> Facts {
    let evidence = evidence::Entity::find().select_only().column(evidence::Column::ActivityId);
    Facts::new(evidence.into_query(), evidence::Column::ActivityId)
}

/// Those of them that the ledger has moved to another account, with how often.
pub(crate) fn reattributions() -> Facts {
    let moved = evidence::Entity::find()
        .select_only()
        .columns([evidence::Column::ActivityId, evidence::Column::Attribution])
        .filter(Expr::cust("attribution > 0"));
    Facts::new(moved.into_query(), evidence::Column::ActivityId)
}

/// The accounts that have come, or that activities have named, in the newest revision that has come.
pub(crate) fn accounts() -> Facts {
    let accounts =
        account::Entity::find().select_only().columns([account::Column::AccountId, account::Column::Revision]);
    Facts::new(accounts.into_query(), account::Column::AccountId)
}

/// The contacts that have come, in the newest revision that has.
pub(crate) fn contacts() -> Facts {
    let contacts = contact_revision::Entity::find()
        .select_only()
        .column(contact_revision::Column::ContactId)
        .column_as(contact_revision::Column::Revision.max(), "revision")
        .group_by(contact_revision::Column::ContactId);
    Facts::new(contacts.into_query(), contact_revision::Column::ContactId)
}

/// The leads that were handed over, with their revision and the number of the hand-over that is not over (0: none). Without
/// the number, a lost `sales_ready` would not be seen when a later `changed` has come.
pub(crate) fn leads() -> Facts {
    let open = "CASE WHEN status IN ('handed_over', 'held', 'offered', 'accepted') THEN hand_over ELSE 0 END";
    let leads = lead::Entity::find()
        .select_only()
        .columns([lead::Column::LeadId, lead::Column::Revision])
        .column_as(Expr::cust(open), "open_hand_over")
        .filter(Expr::cust("EXISTS (SELECT 1 FROM hand_overs WHERE hand_overs.lead_id = leads.lead_id)"));
    Facts::new(leads.into_query(), lead::Column::LeadId)
}

/// The open leads of which routing has told anything: of which hand-over, and how that one stood (1 held, 2 offered,
/// 3 accepted, 4 over).
pub(crate) fn assignments() -> Facts {
    let number = "CASE WHEN status IN ('held', 'offered', 'accepted') THEN hand_over ELSE hand_over - 1 END";
    let state =
        "CAST(CASE status WHEN 'held' THEN 1 WHEN 'offered' THEN 2 WHEN 'accepted' THEN 3 ELSE 4 END AS bigint)";
    let told = lead::Entity::find()
        .select_only()
        .column(lead::Column::LeadId)
        .column_as(Expr::cust(number), "told_hand_over")
        .column_as(Expr::cust(state), "told_state")
        .filter(lead::Column::CloseTime.is_null())
        .filter(Expr::cust("(hand_over > 1 OR status IN ('held', 'offered', 'accepted'))"));
    Facts::new(told.into_query(), lead::Column::LeadId)
}
