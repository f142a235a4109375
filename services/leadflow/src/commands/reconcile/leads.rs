//! Leads against hand-overs, and hand-overs against assignments.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use jiff::Timestamp;
use leadflow_proto::{routing::v1 as routing, scoring::v1 as scoring};

use super::{Report, pager::Pager};
use crate::{
    client::{Clients, all},
    output::{moment, word},
};

use routing::hand_over::State;

pub(super) async fn compare(clients: &Clients, deadline: Timestamp, now: Timestamp, report: &mut Report) -> Result<()> {
    let live = live_assignments(clients, report).await?;
    let mut hand_overs = hand_overs(clients);
    let mut leads = leads(clients);
    let mut next = hand_overs.next().await?;
    while let Some(lead) = leads.next().await? {
        report.count(format!("leads: {}", word(lead.status().as_str_name(), "LEAD_STATUS_")));
        let mut own = BTreeMap::new();
        while let Some(hand_over) = next.take_if(|it| it.lead_id <= lead.lead_id) {
            if hand_over.lead_id < lead.lead_id {
                report.unexplained("handed over, but no lead in scoring", &hand_over.lead_id);
            } else {
                check_hand_over(&hand_over, &live, now, report);
                own.insert(hand_over.hand_over, hand_over);
            }
            next = hand_overs.next().await?;
        }
        check_lead(&lead, &own, &live, deadline, report);
    }
    while let Some(hand_over) = next {
        report.unexplained("handed over, but no lead in scoring", &hand_over.lead_id);
        next = hand_overs.next().await?;
    }
    Ok(())
}

/// How many live assignments each lead has.
async fn live_assignments(clients: &Clients, report: &mut Report) -> Result<HashMap<String, u32>> {
    let mut client = clients.routing.clone();
    let page = async |page_size, page_token| {
        let request = routing::ListAssignmentsRequest { page_size, page_token, ..Default::default() };
        let answer = client.list_assignments(request).await?.into_inner();
        Ok((answer.assignments, answer.next_page_token))
    };
    let (assignments, _) = all(0, page).await?;
    let mut live: HashMap<String, u32> = HashMap::new();
    for assignment in assignments {
        report.count(format!("assignments: {}", word(assignment.state().as_str_name(), "ASSIGNMENT_STATE_")));
        if matches!(assignment.state(), routing::AssignmentState::Offered | routing::AssignmentState::Accepted) {
            *live.entry(assignment.lead_id).or_default() += 1;
        }
    }
    for (lead, _) in live.iter().filter(|(_, count)| **count > 1) {
        report.unexplained("more than one live assignment", lead);
    }
    Ok(live)
}

fn check_hand_over(one: &routing::HandOver, live: &HashMap<String, u32>, now: Timestamp, report: &mut Report) {
    report.count(format!("hand-overs: {}", word(one.state().as_str_name(), "STATE_")));
    match one.state() {
        State::Assigned if !live.contains_key(&one.lead_id) => {
            report.unexplained("assigned, but without a live assignment", &one.lead_id);
        }
        State::Held if moment(one.deadline.as_ref()).is_some_and(|deadline| deadline < now) => {
            report.count("hand-overs held beyond their deadline: see `leadflow holds`");
        }
        _ => {}
    }
}

fn check_lead(
    lead: &scoring::Lead,
    hand_overs: &BTreeMap<i32, routing::HandOver>,
    live: &HashMap<String, u32>,
    deadline: Timestamp,
    report: &mut Report,
) {
    let since = moment(lead.ready_time.as_ref());
    let state = hand_overs.get(&lead.hand_over).map(routing::HandOver::state);
    let id = lead.lead_id.as_str();
    match (lead.status(), state) {
        (scoring::LeadStatus::HandedOver, None) => {
            report.missing("sales-ready, but not in routing", id, since, deadline)
        }
        (scoring::LeadStatus::HandedOver, Some(_)) => {
            report.missing("routed, but scoring does not know it", id, since, deadline);
        }
        (scoring::LeadStatus::Held, Some(State::Held)) => {}
        (scoring::LeadStatus::Offered | scoring::LeadStatus::Accepted, Some(State::Assigned))
            if live.contains_key(id) => {}
        (scoring::LeadStatus::Closed, Some(State::Assigned | State::Held)) => {
            let since = moment(lead.close_time.as_ref());
            report.missing("closed, but routing goes on", id, since, deadline);
        }
        (scoring::LeadStatus::Closed | scoring::LeadStatus::Incubating, _) => {}
        _ => report.missing("scoring and routing disagree", id, since, deadline),
    }
}

fn hand_overs(clients: &Clients) -> Pager<routing::HandOver> {
    let client = clients.routing.clone();
    Pager::of(move |page_token| {
        let mut client = client.clone();
        Box::pin(async move {
            let request = routing::ListHandOversRequest { page_size: 1000, page_token, ..Default::default() };
            let answer = client.list_hand_overs(request).await?.into_inner();
            Ok((answer.hand_overs, answer.next_page_token))
        })
    })
}

fn leads(clients: &Clients) -> Pager<scoring::Lead> {
    let client = clients.scoring.clone();
    Pager::of(move |page_token| {
        let mut client = client.clone();
        Box::pin(async move {
            let request = scoring::ListLeadsRequest {
                page_size: 1000,
                page_token,
                show_closed: true,
                order: scoring::list_leads_request::Order::LeadId.into(),
                ..Default::default()
            };
            let answer = client.list_leads(request).await?.into_inner();
            Ok((answer.leads, answer.next_page_token))
        })
    })
}
