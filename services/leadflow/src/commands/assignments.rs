//! `leadflow assignments` and `leadflow explain-assignment`.

use anyhow::{Context as _, Result};
use leadflow_proto::routing::v1 as pb;
use serde_json::{Value as Json, json};

use super::enum_value;
use crate::{
    cli::{Assignments, Format},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, points, short_time, word},
};

pub(crate) async fn list(clients: &Clients, format: Format, args: Assignments) -> Result<()> {
    let state = args.state.as_deref();
    let request = pb::ListAssignmentsRequest {
        rep: args.rep.unwrap_or_default(),
        state: enum_value("state", "ASSIGNMENT_STATE_", state, pb::AssignmentState::from_str_name)?,
        ..Default::default()
    };
    let mut routing = clients.routing.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListAssignmentsRequest { page_size, page_token, ..request.clone() };
        let answer = routing.list_assignments(request).await?.into_inner();
        Ok((answer.assignments, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["offered", "state", "rep", "account", "category", "territory", "assignment", "lead"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                short_time(one.offer_time.as_ref()),
                word(one.state().as_str_name(), "ASSIGNMENT_STATE_"),
                one.rep.clone(),
                one.account_name.clone(),
                one.product_category.clone(),
                if one.territory.is_empty() { "(named account)".to_owned() } else { one.territory.clone() },
                one.assignment_id.clone(),
                one.lead_id.clone(),
            ]);
        }
        rows.print("There are no such assignments. A lead is assigned when it is sales-ready: see `leadflow leads`.");
    });
    Ok(())
}

pub(crate) fn to_json(one: &pb::Assignment) -> Json {
    json!({
        "assignment_id": one.assignment_id,
        "lead_id": one.lead_id,
        "hand_over": one.hand_over,
        "account_id": one.account_id,
        "account_name": one.account_name,
        "product_category": one.product_category,
        "rep": one.rep,
        "territory": json_text(&one.territory),
        "pool": json_text(&one.pool),
        "state": word(one.state().as_str_name(), "ASSIGNMENT_STATE_"),
        "offer_time": json_time(one.offer_time.as_ref()),
        "decide_time": json_time(one.decide_time.as_ref()),
        "reason": json_text(&one.reason),
        "note": json_text(&one.note),
        "principal": json_text(&one.principal),
        "etag": one.etag,
    })
}

pub(crate) async fn explain(clients: &Clients, format: Format, id: String) -> Result<()> {
    let mut routing = clients.routing.clone();
    // Ids of leads and assignments look alike: it is the one or the other.
    let by_lead = pb::ExplainAssignmentRequest { lead_id: id.clone(), ..Default::default() };
    let answer = match routing.explain_assignment(by_lead).await {
        Err(status) if status.code() == tonic::Code::NotFound => {
            let by_assignment = pb::ExplainAssignmentRequest { assignment_id: id, ..Default::default() };
            routing.explain_assignment(by_assignment).await?
        }
        other => other?,
    };
    let answer = answer.into_inner();
    let trace = answer.trace.context("the service answered without a trace")?;
    if format == Format::Json {
        output::print_json(&trace_json(&trace, answer.assignment.as_ref()));
    } else {
        print!("{}", describe(&trace, answer.assignment.as_ref()));
    }
    Ok(())
}

fn trace_json(trace: &pb::DecisionTrace, assignment: Option<&pb::Assignment>) -> Json {
    let account = trace.account.clone().unwrap_or_default();
    json!({
        "lead_id": trace.lead_id,
        "hand_over": trace.hand_over,
        "decide_time": json_time(trace.decide_time.as_ref()),
        "configuration_version": trace.configuration_version,
        "account": super::lists::account_json(&account),
        "product_category": trace.product_category,
        "score": trace.score_milli as f64 / 1000.0,
        "owner": trace.owner.as_ref().map(candidate_json),
        "territories": trace.territories.iter().map(|step| json!({
            "territory": step.territory,
            "condition": json_text(&step.condition),
            "matched": step.matched,
            "error": json_text(&step.error),
        })).collect::<Vec<_>>(),
        "pool": json_text(&trace.pool),
        "candidates": trace.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
        "chosen_rep": json_text(&trace.chosen_rep),
        "reason": trace.reason,
        "assignment": assignment.map(to_json),
    })
}

fn candidate_json(one: &pb::Candidate) -> Json {
    json!({
        "rep": one.rep,
        "eligible": one.eligible,
        "exclusion": json_text(&one.exclusion),
        "weight": one.weight,
        "share": one.share,
        "balance_before": one.balance_before,
        "balance_after": one.balance_after,
        "live_assignments": one.live_assignments,
    })
}

/// The decision as a person would want to read it.
fn describe(trace: &pb::DecisionTrace, assignment: Option<&pb::Assignment>) -> String {
    let account = trace.account.clone().unwrap_or_default();
    let mut lines = Vec::new();
    let outcome = if trace.chosen_rep.is_empty() { "held".to_owned() } else { format!("to {}", trace.chosen_rep) };
    lines.push(format!("{} · {} → {outcome}", account.name, trace.product_category));
    let decided = short_time(trace.decide_time.as_ref());
    let version = trace.configuration_version;
    let score = points(trace.score_milli);
    lines.push(format!(
        "  decided {decided} with {score} points, hand-over {}, configuration {version}",
        trace.hand_over
    ));
    if let Some(assignment) = assignment {
        let state = word(assignment.state().as_str_name(), "ASSIGNMENT_STATE_");
        let why = [&*assignment.reason, &assignment.note].join(" ");
        let why = why.trim();
        lines.push(if why.is_empty() { format!("  now {state}") } else { format!("  now {state}: {why}") });
    }
    lines.push(String::new());
    match &trace.owner {
        None => lines.push("1. Named owner: the account has none.".to_owned()),
        Some(owner) if owner.eligible => lines.push(format!("1. Named owner: {} has the account.", owner.rep)),
        Some(owner) => lines.push(format!("1. Named owner: {}, but {}.", owner.rep, owner.exclusion.replace('_', " "))),
    }
    if !trace.territories.is_empty() {
        lines.push("2. Territories, from the root:".to_owned());
    }
    for step in &trace.territories {
        let mark = if step.matched { "✓" } else { "✗" };
        let condition = if step.condition.is_empty() { "everything else" } else { &step.condition };
        let error = if step.error.is_empty() { String::new() } else { format!("  (failed: {})", step.error) };
        lines.push(format!("   {mark} {:<22} {condition}{error}", step.territory));
    }
    if !trace.pool.is_empty() {
        lines.push(format!("3. Pool {}:", trace.pool));
    }
    for one in &trace.candidates {
        let mark = if one.rep == trace.chosen_rep { "→" } else { " " };
        let tail = if one.eligible {
            let share = one.share * 100.0;
            format!("share {share:>5.1} %   owed {:+.2} → {:+.2}", one.balance_before, one.balance_after)
        } else {
            format!("not eligible: {}", one.exclusion.replace('_', " "))
        };
        lines
            .push(format!("   {mark} {:<22} weight {:<3} {} live   {tail}", one.rep, one.weight, one.live_assignments));
    }
    lines.push(String::new());
    lines.push(trace.reason.clone());
    lines.join("\n") + "\n"
}
