//! `leadflow explain`: why a lead has its score, so that a person can add it up.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use leadflow_proto::{contact::v1 as contact, scoring::v1 as pb};
use serde_json::{Value as Json, json};

use super::{leads, time};
use crate::{
    cli::{Explain, Format},
    client::Clients,
    output::{self, fixed, json_text, json_time, points, short_time, word},
};

pub(crate) async fn run(clients: &Clients, format: Format, args: Explain) -> Result<()> {
    let mut scoring = clients.scoring.clone();
    let lead = scoring.get_lead(pb::GetLeadRequest { lead_id: args.lead.clone() }).await?.into_inner().lead;
    let lead = lead.context("the service answered without a lead")?;
    let explanation = match args.hand_over {
        Some(hand_over) => {
            let request = pb::GetHandOverRequest { lead_id: args.lead, hand_over };
            scoring.get_hand_over(request).await?.into_inner().explanation
        }
        None => {
            let request = pb::ExplainScoreRequest {
                lead_id: args.lead,
                at: time("at", args.at.as_deref())?,
                known_at: time("known-at", args.known_at.as_deref())?,
            };
            scoring.explain_score(request).await?.into_inner().explanation
        }
    };
    let explanation = explanation.context("the service answered without an explanation")?;
    if format == Format::Json {
        output::print_json(&to_json(&lead, &explanation));
        return Ok(());
    }
    let names = names(clients, &explanation).await;
    print!("{}", describe(&lead, &explanation, &names));
    Ok(())
}

/// The names behind the ids; somebody who may not see them sees the ids.
async fn names(clients: &Clients, explanation: &pb::Explanation) -> HashMap<String, String> {
    let ids: BTreeSet<_> = explanation.lines.iter().map(|line| line.contact_id.clone()).collect();
    let mut names = HashMap::new();
    for contact_id in ids.into_iter().filter(|id| !id.is_empty()) {
        let request = contact::GetContactRequest { contact_id: contact_id.clone() };
        if let Ok(answer) = clients.contact.clone().get_contact(request).await
            && let Some(person) = answer.into_inner().contact
        {
            names.insert(contact_id, leads::name(&person));
        }
    }
    names
}

fn to_json(lead: &pb::Lead, explanation: &pb::Explanation) -> Json {
    let milli = |milli: i64| milli as f64 / 1000.0;
    let limits = explanation.thresholds.unwrap_or_default();
    let validations = |seen: Option<pb::Validations>| {
        let seen = seen.unwrap_or_default();
        json!({ "contacts": seen.contacts, "channels": seen.channels, "activities": seen.activities })
    };
    json!({
        "lead": leads::to_json(lead),
        "at": json_time(explanation.at.as_ref()),
        "known_at": json_time(explanation.known_at.as_ref()),
        "model_version": explanation.model_version,
        "score": milli(explanation.score_milli),
        "band": word(explanation.band().as_str_name(), "BAND_"),
        "fast_track_rule": json_text(&explanation.fast_track_rule_id),
        "validations": validations(explanation.validations),
        "thresholds": {
            "hot": { "score": milli(limits.hot_score_milli), "validations": validations(limits.hot_validations) },
            "warm": { "score": milli(limits.warm_score_milli) },
        },
        "missing": explanation.missing,
        "next_check_time": json_time(explanation.next_check_time.as_ref()),
        "lines": explanation.lines.iter().map(|line| json!({
            "kind": word(line.kind().as_str_name(), "KIND_"),
            "group": line.group,
            "rule_id": json_text(&line.rule_id),
            "condition": json_text(&line.condition),
            "activity_id": json_text(&line.activity_id),
            "activity_type": json_text(&line.activity_type),
            "source": json_text(&line.source),
            "contact_id": json_text(&line.contact_id),
            "occur_time": json_time(line.occur_time.as_ref()),
            "points": milli(line.points_milli),
            "base_points": milli(line.base_points_milli),
            "share": f64::from(line.share_milli) / 1000.0,
            "decay": f64::from(line.decay_milli) / 1000.0,
            "reason": json_text(&line.reason),
            "principal": json_text(&line.principal),
        })).collect::<Vec<_>>(),
    })
}

/// The score as a person would want to read it.
pub(crate) fn describe(lead: &pb::Lead, explanation: &pb::Explanation, names: &HashMap<String, String>) -> String {
    let mut out = Vec::new();
    let band = word(explanation.band().as_str_name(), "BAND_");
    let score = points(explanation.score_milli);
    out.push(format!("{} · {} · {band} · {score} points", lead.account_name, lead.product_category));
    let at = short_time(explanation.at.as_ref());
    let version = explanation.model_version;
    out.push(format!("as of {at} UTC, model version {version}, round {}, {}", lead.round, leads::status(lead)));
    for group in ["engagement", "fit", "qualification", "adjustments"] {
        let lines: Vec<_> = explanation.lines.iter().filter(|line| line.group == group).collect();
        if lines.is_empty() {
            continue;
        }
        let sum: i64 = lines.iter().map(|line| line.points_milli).sum();
        out.push(format!("\n{:<76}{:>12}", capitalised(group), fixed(sum)));
        out.extend(
            lines
                .into_iter()
                .map(|line| format!("  {:<62}{:>12}", describe_line(line, names), fixed(line.points_milli))),
        );
    }
    out.push(format!("\n{:<76}{:>12}", "Score", fixed(explanation.score_milli)));
    out.push(String::new());
    out.extend(describe_band(explanation));
    out.join("\n") + "\n"
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn describe_line(line: &pb::ScoreLine, names: &HashMap<String, String>) -> String {
    let factor = |milli: i32| format!("{}", f64::from(milli) / 1000.0);
    match line.kind() {
        pb::score_line::Kind::Activity => {
            let when = short_time(line.occur_time.as_ref());
            let who = names.get(&line.contact_id).map_or("", String::as_str);
            let mut terms = points(line.base_points_milli);
            for milli in [line.share_milli, line.decay_milli] {
                if milli != 1000 {
                    terms = format!("{terms} × {}", factor(milli));
                }
            }
            let sum = if terms.contains('×') { format!("  = {terms}") } else { String::new() };
            format!("{when}  {:<22} {who:<20}{sum}", line.rule_id)
        }
        pb::score_line::Kind::Cap if line.rule_id.is_empty() => format!("cap of {}", line.group),
        pb::score_line::Kind::Cap => format!("cap of the rule {}", line.rule_id),
        pb::score_line::Kind::Limit => line.reason.clone(),
        pb::score_line::Kind::Adjustment => format!("{} (by {})", line.reason, line.principal),
        _ => format!("{:<24} {}", line.rule_id, line.condition),
    }
}

fn describe_band(explanation: &pb::Explanation) -> Vec<String> {
    let limits = explanation.thresholds.unwrap_or_default();
    let (seen, needed) = (explanation.validations.unwrap_or_default(), limits.hot_validations.unwrap_or_default());
    let mark = |holds: bool| if holds { "✓" } else { "✗" };
    let mut out = vec![
        format!("Hot from {} points and", points(limits.hot_score_milli)),
        format!("  {} {} of {} contacts", mark(seen.contacts >= needed.contacts), seen.contacts, needed.contacts),
        format!("  {} {} of {} channels", mark(seen.channels >= needed.channels), seen.channels, needed.channels),
        format!(
            "  {} {} of {} activities",
            mark(seen.activities >= needed.activities),
            seen.activities,
            needed.activities
        ),
        format!("Warm from {} points", points(limits.warm_score_milli)),
    ];
    if !explanation.fast_track_rule_id.is_empty() {
        out.push(format!("Fast track: the rule {} makes it hot at once", explanation.fast_track_rule_id));
    }
    out.extend(explanation.missing.iter().map(|missing| format!("→ {missing}")));
    if explanation.next_check_time.is_some() {
        let when = short_time(explanation.next_check_time.as_ref());
        out.push(format!("If nothing happens, the band is looked at again at {when} UTC"));
    }
    out
}

/// The two strongest reasons in a few words.
pub(crate) fn headline(explanation: &pb::Explanation) -> String {
    let mut by_rule: HashMap<&str, (i64, usize)> = HashMap::new();
    for line in explanation.lines.iter().filter(|line| !line.rule_id.is_empty() && line.points_milli > 0) {
        let sum = by_rule.entry(&line.rule_id).or_default();
        *sum = (sum.0 + line.points_milli, sum.1 + 1);
    }
    let mut reasons: Vec<_> = by_rule.into_iter().collect();
    reasons.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    let say = |(rule, (sum, count)): (&str, (i64, usize))| {
        let times = if count > 1 { format!(" ×{count}") } else { String::new() };
        format!("{rule}{times} {}", sum / 1000)
    };
    let words: Vec<_> = reasons.into_iter().take(3).map(say).collect();
    if explanation.fast_track_rule_id.is_empty() {
        words.join(", ")
    } else {
        format!("fast track by {}; {}", explanation.fast_track_rule_id, words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_are_shown_add_up_to_the_score() {
        let line = |kind: pb::score_line::Kind, group: &str, rule: &str, milli| pb::ScoreLine {
            kind: kind.into(),
            group: group.into(),
            rule_id: rule.into(),
            points_milli: milli,
            base_points_milli: 20_000,
            share_milli: 1000,
            decay_milli: 500,
            ..Default::default()
        };
        let explanation = pb::Explanation {
            score_milli: 13_000,
            lines: vec![
                line(pb::score_line::Kind::Activity, "engagement", "form", 10_000),
                line(pb::score_line::Kind::Cap, "engagement", "", -2_000),
                line(pb::score_line::Kind::Fit, "fit", "pharma", 5_000),
            ],
            ..Default::default()
        };
        let text = describe(&pb::Lead::default(), &explanation, &HashMap::new());
        assert!(text.contains("20 × 0.5"), "{text}");
        assert!(text.contains("cap of engagement"), "{text}");
        let totals: Vec<_> = text.lines().filter(|line| line.starts_with(['E', 'F', 'S'])).collect();
        assert!(
            totals[0].ends_with("8.000") && totals[1].ends_with("5.000") && totals[2].ends_with("13.000"),
            "{text}"
        );
        assert_eq!(headline(&explanation), "form 10, pharma 5");
    }
}
