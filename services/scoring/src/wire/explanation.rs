use leadflow_proto::scoring::v1 as pb;

use super::{
    lead::{band, validations},
    text, time,
};
use crate::{
    app::explain::{ExplainedLine, Explanation},
    domain::{Validations, model::Thresholds, score::LineKind},
};

pub(crate) fn explanation(explanation: &Explanation) -> pb::Explanation {
    let score = &explanation.score;
    pb::Explanation {
        lead_id: explanation.lead_id.to_string(),
        at: Some(time(explanation.at)),
        known_at: Some(time(explanation.known_at)),
        model_version: explanation.model_version,
        score_milli: score.milli,
        band: band(score.band).into(),
        lines: explanation.lines.iter().map(line).collect(),
        validations: Some(validations(score.validations)),
        thresholds: Some(thresholds(&explanation.thresholds)),
        fast_track_rule_id: score.fast_track.clone().unwrap_or_default(),
        missing: explanation.missing.clone(),
        next_check_time: explanation.next_check_time.map(time),
    }
}

fn line(explained: &ExplainedLine) -> pb::ScoreLine {
    let line = &explained.line;
    let activity = explained.activity.as_ref();
    pb::ScoreLine {
        kind: kind(line.kind).into(),
        group: line.group.clone(),
        rule_id: line.rule.clone().unwrap_or_default(),
        condition: explained.condition.clone(),
        activity_id: text(line.activity_id),
        activity_type: activity.map(|activity| activity.activity_type.to_string()).unwrap_or_default(),
        source: activity.map(|activity| activity.source.to_string()).unwrap_or_default(),
        contact_id: text(activity.and_then(|activity| activity.contact_id)),
        occur_time: activity.map(|activity| time(activity.occur_time)),
        points_milli: line.milli,
        base_points_milli: line.base_milli,
        share_milli: line.share_milli,
        decay_milli: line.decay_milli,
        reason: explained.reason.clone(),
        principal: explained.principal.clone(),
    }
}

fn kind(kind: LineKind) -> pb::score_line::Kind {
    match kind {
        LineKind::Activity => pb::score_line::Kind::Activity,
        LineKind::Fit => pb::score_line::Kind::Fit,
        LineKind::Qualification => pb::score_line::Kind::Qualification,
        LineKind::Adjustment => pb::score_line::Kind::Adjustment,
        LineKind::Cap => pb::score_line::Kind::Cap,
        LineKind::Limit => pb::score_line::Kind::Limit,
    }
}

pub(super) fn thresholds(thresholds: &Thresholds) -> pb::Thresholds {
    let hot = thresholds.hot;
    pb::Thresholds {
        hot_score_milli: hot.score_milli,
        hot_validations: Some(validations(Validations {
            contacts: hot.contacts,
            channels: hot.channels,
            activities: hot.activities,
        })),
        warm_score_milli: thresholds.warm.score_milli,
    }
}
