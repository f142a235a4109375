use leadflow_platform::{Error, Result, clock::to_proto, ids};
use leadflow_proto::routing::v1 as pb;

use super::text;
use crate::{
    app::{AssignmentFilter, NamedHandOver},
    domain::{
        assignment::{Assignment, RejectReason, State},
        hand_over,
    },
};

pub(crate) fn assignment(assignment: &Assignment) -> pb::Assignment {
    let state = match assignment.state {
        State::Offered => pb::AssignmentState::Offered,
        State::Accepted => pb::AssignmentState::Accepted,
        State::Rejected => pb::AssignmentState::Rejected,
        State::Expired => pb::AssignmentState::Expired,
        State::Withdrawn => pb::AssignmentState::Withdrawn,
        State::Completed => pb::AssignmentState::Completed,
    };
    pb::Assignment {
        assignment_id: assignment.assignment_id.to_string(),
        lead_id: assignment.lead_id.to_string(),
        hand_over: assignment.hand_over,
        account_id: assignment.account_id.to_string(),
        account_name: assignment.account_name.clone(),
        product_category: assignment.product_category.clone(),
        rep: assignment.rep.clone(),
        territory: assignment.territory.clone().unwrap_or_default(),
        pool: assignment.pool.clone().unwrap_or_default(),
        state: state.into(),
        offer_time: Some(to_proto(assignment.offer_time)),
        decide_time: assignment.decide_time.map(to_proto),
        reason: assignment.reason.clone(),
        note: assignment.note.clone(),
        principal: assignment.principal.clone(),
        etag: assignment.revision.to_string(),
    }
}

pub(crate) fn assignment_filter(request: &pb::ListAssignmentsRequest) -> Result<AssignmentFilter> {
    let state = match pb::AssignmentState::try_from(request.state) {
        Ok(pb::AssignmentState::Unspecified) => None,
        Ok(pb::AssignmentState::Offered) => Some(State::Offered),
        Ok(pb::AssignmentState::Accepted) => Some(State::Accepted),
        Ok(pb::AssignmentState::Rejected) => Some(State::Rejected),
        Ok(pb::AssignmentState::Expired) => Some(State::Expired),
        Ok(pb::AssignmentState::Withdrawn) => Some(State::Withdrawn),
        Ok(pb::AssignmentState::Completed) => Some(State::Completed),
        Err(_) => return Err(Error::invalid("state", "is no state of an assignment")),
    };
    let lead_id = ids::parse_optional("lead_id", &request.lead_id)?;
    Ok(AssignmentFilter { rep: text("rep", &request.rep)?, state, lead_id })
}

/// Why a lead is given back, with a note where the reason alone says nothing.
pub(crate) fn rejection(request: &pb::RejectAssignmentRequest) -> Result<(RejectReason, String)> {
    let note = text("note", request.note.trim())?;
    let reason = RejectReason::ALL.into_iter().find(|reason| reason.as_str() == request.reason).ok_or_else(|| {
        let known = RejectReason::ALL.map(RejectReason::as_str).join(", ");
        Error::invalid("reason", format!("must be one of {known}"))
    })?;
    if reason == RejectReason::Other && note.is_empty() {
        return Err(Error::invalid("note", "is required with the reason `other`: say why in words"));
    }
    Ok((reason, note))
}

pub(crate) fn hand_over(named: &NamedHandOver) -> pb::HandOver {
    let NamedHandOver { hand_over, account_name, product_category } = named;
    let state = match hand_over.state {
        hand_over::State::Held => pb::hand_over::State::Held,
        hand_over::State::Assigned => pb::hand_over::State::Assigned,
        hand_over::State::Rejected => pb::hand_over::State::Rejected,
        hand_over::State::Closed => pb::hand_over::State::Closed,
    };
    pb::HandOver {
        lead_id: hand_over.lead_id.to_string(),
        hand_over: hand_over.hand_over,
        state: state.into(),
        assignment_id: hand_over.assignment_id.map(|id| id.to_string()).unwrap_or_default(),
        reason: hand_over.reason.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
        deadline: hand_over.deadline_time.map(to_proto),
        create_time: Some(to_proto(hand_over.create_time)),
        account_name: account_name.clone(),
        product_category: product_category.clone(),
    }
}

pub(crate) fn hand_over_state(state: i32) -> Result<Option<hand_over::State>> {
    match pb::hand_over::State::try_from(state) {
        Ok(pb::hand_over::State::Unspecified) => Ok(None),
        Ok(pb::hand_over::State::Held) => Ok(Some(hand_over::State::Held)),
        Ok(pb::hand_over::State::Assigned) => Ok(Some(hand_over::State::Assigned)),
        Ok(pb::hand_over::State::Rejected) => Ok(Some(hand_over::State::Rejected)),
        Ok(pb::hand_over::State::Closed) => Ok(Some(hand_over::State::Closed)),
        Err(_) => Err(Error::invalid("state", "is no state of a hand-over")),
    }
}
