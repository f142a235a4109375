//! What routing compares with scoring, and scoring with routing. The numbers of a fact are those that scoring has too: see
//! `store::digest` there.

use leadflow_platform::digest::Facts;
use sea_orm::{
    EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Query},
};

use super::entity::{assignment, hand_over, lead};

/// The leads that were handed over, with the newest revision that has come, and the number of the hand-over that is open (0:
/// none).
pub(crate) fn leads() -> Facts {
    let open = "COALESCE((SELECT MAX(hand_overs.hand_over) FROM hand_overs \
                WHERE hand_overs.lead_id = leads.lead_id AND hand_overs.state IN ('held', 'assigned')), 0)";
    let leads = lead::Entity::find()
        .select_only()
        .columns([lead::Column::LeadId, lead::Column::Revision])
        .column_as(Expr::cust(open), "open_hand_over")
        .filter(Expr::cust("EXISTS (SELECT 1 FROM hand_overs WHERE hand_overs.lead_id = leads.lead_id)"));
    Facts::new(leads.into_query(), lead::Column::LeadId)
}

/// The latest hand-over of each open lead, and how it stands (1 held, 2 offered, 3 accepted, 4 over).
pub(crate) fn assignments() -> Facts {
    let latest = "hand_overs.lead_id = leads.lead_id AND hand_overs.hand_over = \
                  (SELECT MAX(latest.hand_over) FROM hand_overs AS latest WHERE latest.lead_id = leads.lead_id)";
    let state = "CAST(CASE WHEN hand_overs.state = 'held' THEN 1 WHEN hand_overs.state <> 'assigned' THEN 4 \
                 WHEN assignments.state = 'accepted' THEN 3 ELSE 2 END AS bigint)";
    let query = Query::select()
        .column((lead::Entity, lead::Column::LeadId))
        .column((hand_over::Entity, hand_over::Column::HandOver))
        .expr(Expr::cust(state))
        .from(lead::Entity)
        .inner_join(hand_over::Entity, Expr::cust(latest))
        .left_join(assignment::Entity, Expr::cust("assignments.assignment_id = hand_overs.assignment_id"))
        .and_where(Expr::col((lead::Entity, lead::Column::CloseReason)).is_null())
        .to_owned();
    Facts::new(query, lead::Column::LeadId)
}
