use leadflow_platform::{Error, Result, clock::from_proto, ids};
use leadflow_proto::scoring::v1 as pb;

use super::{text, time};
use crate::{
    app::{NamedLead, change::NewAdjustment},
    domain::{Band, Disposition, Validations, lead::Status, model::MAX_MILLI, round::CloseReason},
    store::{evidence, leads::Filter},
};

pub(crate) fn lead(named: &NamedLead) -> pb::Lead {
    let lead = &named.lead;
    let state = &lead.state;
    pb::Lead {
        lead_id: lead.lead_id.to_string(),
        account_id: lead.account_id.to_string(),
        account_name: named.account_name.clone(),
        product_category: lead.product_category.clone(),
        round: lead.round,
        band: band(state.band).into(),
        score_milli: state.score_milli,
        score_time: (state.score_time > 0).then(|| time(state.score_time)),
        next_check_time: lead.next_check_time.map(time),
        validations: Some(validations(state.validations)),
        activities: state.activities,
        status: status(state.status).into(),
        hand_over: state.hand_over,
        ready_time: lead.ready_time.map(time),
        assignment_id: text(lead.assignment_id),
        assigned_rep: lead.assigned_rep.clone(),
        status_reason: lead.status_reason.clone(),
        close_reason: lead.closed.map_or(pb::CloseReason::Unspecified, |(_, reason)| close_reason_to(reason)).into(),
        open_time: Some(time(lead.open_time)),
        close_time: lead.closed.map(|(closed, _)| time(closed)),
        merged_into_lead_id: text(lead.merged_into),
        model_version: state.model_version,
        revision: lead.revision,
        etag: lead.revision.to_string(),
    }
}

pub(super) fn band(band: Band) -> pb::Band {
    match band {
        Band::Cold => pb::Band::Cold,
        Band::Warm => pb::Band::Warm,
        Band::Hot => pb::Band::Hot,
    }
}

pub(super) fn validations(validations: Validations) -> pb::Validations {
    pb::Validations {
        contacts: validations.contacts,
        channels: validations.channels,
        activities: validations.activities,
    }
}

fn status(status: Status) -> pb::LeadStatus {
    match status {
        Status::Incubating => pb::LeadStatus::Incubating,
        Status::HandedOver => pb::LeadStatus::HandedOver,
        Status::Held => pb::LeadStatus::Held,
        Status::Offered => pb::LeadStatus::Offered,
        Status::Accepted => pb::LeadStatus::Accepted,
        Status::Closed => pb::LeadStatus::Closed,
    }
}

fn close_reason_to(reason: CloseReason) -> pb::CloseReason {
    match reason {
        CloseReason::Won => pb::CloseReason::Won,
        CloseReason::Lost => pb::CloseReason::Lost,
        CloseReason::Disqualified => pb::CloseReason::Disqualified,
        CloseReason::Merged => pb::CloseReason::Merged,
        CloseReason::Lapsed => pb::CloseReason::Lapsed,
    }
}

/// The reason that a person may close a lead with.
pub(crate) fn close_reason(reason: pb::CloseReason) -> Result<CloseReason> {
    match reason {
        pb::CloseReason::Won => Ok(CloseReason::Won),
        pb::CloseReason::Lost => Ok(CloseReason::Lost),
        pb::CloseReason::Disqualified => Ok(CloseReason::Disqualified),
        pb::CloseReason::Unspecified => Err(Error::invalid("reason", "is required: WON, LOST or DISQUALIFIED")),
        pb::CloseReason::Merged | pb::CloseReason::Lapsed => {
            Err(Error::invalid("reason", "is set by the service only: use WON, LOST or DISQUALIFIED"))
        }
    }
}

/// The longest reason or note, in bytes.
const MAX_REASON: usize = 500;

/// A person's words on what was done.
pub(crate) fn reason_text(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    match text.len() {
        0 => Err(Error::invalid(field, "is required: say why, for those who read it later")),
        length if length > MAX_REASON => Err(Error::invalid(field, format!("is longer than {MAX_REASON} bytes"))),
        _ => super::storable(field, text),
    }
}

/// The lead and the points that a person gives or takes.
pub(crate) fn adjustment(request: &pb::AdjustScoreRequest) -> Result<(uuid::Uuid, NewAdjustment)> {
    if request.points_milli == 0 || !(-MAX_MILLI..=MAX_MILLI).contains(&request.points_milli) {
        return Err(Error::invalid("points_milli", "must not be zero, and at most a million points"));
    }
    let new = NewAdjustment {
        points_milli: request.points_milli,
        reason: reason_text("reason", &request.reason)?,
        expire_time: super::optional_time("expire_time", request.expire_time.as_ref())?,
    };
    Ok((ids::parse("lead_id", &request.lead_id)?, new))
}

pub(crate) fn lead_filter(request: &pb::ListLeadsRequest) -> Result<Filter> {
    let band = match request.band() {
        pb::Band::Unspecified => None,
        pb::Band::Cold => Some(Band::Cold),
        pb::Band::Warm => Some(Band::Warm),
        pb::Band::Hot => Some(Band::Hot),
    };
    let status = match request.status() {
        pb::LeadStatus::Unspecified => None,
        pb::LeadStatus::Incubating => Some(Status::Incubating),
        pb::LeadStatus::HandedOver => Some(Status::HandedOver),
        pb::LeadStatus::Held => Some(Status::Held),
        pb::LeadStatus::Offered => Some(Status::Offered),
        pb::LeadStatus::Accepted => Some(Status::Accepted),
        pb::LeadStatus::Closed => Some(Status::Closed),
    };
    Ok(Filter {
        band,
        status,
        product_category: super::storable("product_category", &request.product_category)?,
        accounts: ids::parse_optional("account_id", &request.account_id)?.map(|id| vec![id]),
        assigned_rep: super::storable("assigned_rep", &request.assigned_rep)?,
        show_closed: request.show_closed,
        by_id: request.order() == pb::list_leads_request::Order::LeadId,
    })
}

pub(crate) fn evidence_filter(request: &pb::ListEvidenceRequest) -> Result<evidence::Filter> {
    let disposition = match request.disposition() {
        pb::Disposition::Unspecified => None,
        pb::Disposition::Scored => Some(Disposition::Scored),
        pb::Disposition::NoAccount => Some(Disposition::NoAccount),
        pb::Disposition::NoOpenLead => Some(Disposition::NoOpenLead),
        pb::Disposition::NoRule => Some(Disposition::NoRule),
        pb::Disposition::Closed => Some(Disposition::Closed),
        pb::Disposition::Reclassified => Some(Disposition::Reclassified),
    };
    let before = request.record_time_before.as_ref();
    Ok(evidence::Filter {
        accounts: ids::parse_optional("account_id", &request.account_id)?.map(|id| vec![id]),
        disposition,
        record_time_before: before
            .map(|time| from_proto("record_time_before", time).map(jiff::Timestamp::as_millisecond))
            .transpose()?,
    })
}

pub(crate) fn evidence(evidence: &evidence::Evidence) -> pb::Evidence {
    let disposition = match evidence.disposition {
        Disposition::Scored => pb::Disposition::Scored,
        Disposition::NoAccount => pb::Disposition::NoAccount,
        Disposition::NoOpenLead => pb::Disposition::NoOpenLead,
        Disposition::NoRule => pb::Disposition::NoRule,
        Disposition::Closed => pb::Disposition::Closed,
        Disposition::Reclassified => pb::Disposition::Reclassified,
    };
    let activity = &evidence.activity;
    pb::Evidence {
        activity_id: activity.activity_id.to_string(),
        account_id: text(evidence.account_id),
        contact_id: text(activity.contact_id),
        product_category: activity.product_category.as_deref().unwrap_or_default().to_owned(),
        occur_time: Some(time(activity.occur_time)),
        record_time: Some(time(activity.record_time)),
        disposition: disposition.into(),
    }
}
