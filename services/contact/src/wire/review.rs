use leadflow_platform::{Error, Result, ids};
use leadflow_proto::contact::v1 as pb;

use super::time;
use crate::{
    app::reviews::Sides,
    domain::{
        matching::Line,
        merge::Kind,
        review::{Decision, Review, State},
    },
    store::reviews::Filter,
};

pub(crate) fn review(review: &Review) -> pb::MatchReview {
    let subject = match review.kind() {
        Kind::Contact => pb::MatchSubject::Contact,
        Kind::Account => pb::MatchSubject::Account,
    };
    let state = match review.state {
        State::Open => pb::MatchReviewState::Open,
        State::Linked => pb::MatchReviewState::Linked,
        State::Distinct => pb::MatchReviewState::Distinct,
        State::Automatic => pb::MatchReviewState::Automatic,
    };
    pb::MatchReview {
        review_id: review.found.review_id.to_string(),
        subject: subject.into(),
        state: state.into(),
        known_id: review.found.known_id.to_string(),
        other_id: review.found.other_id.map(|id| id.to_string()).unwrap_or_default(),
        weight: review.found.weight,
        lines: review.found.lines.iter().map(line).collect(),
        create_time: Some(time(review.create_time)),
        decide_time: review.decide_time.map(time),
        decide_principal: review.principal.clone(),
        note: review.note.clone(),
    }
}

fn line(line: &Line) -> pb::MatchLine {
    pb::MatchLine {
        field: line.field.clone(),
        agreement: line.agreement.as_str().to_owned(),
        weight: line.weight,
        said: line.left.clone(),
        known: line.right.clone(),
    }
}

pub(crate) fn review_with_sides(sides: &Sides) -> pb::GetMatchReviewResponse {
    pb::GetMatchReviewResponse {
        match_review: Some(review(&sides.review)),
        contacts: sides.contacts.iter().map(super::contact).collect(),
        accounts: sides.accounts.iter().map(super::account).collect(),
    }
}

pub(crate) fn review_filter(request: &pb::ListMatchReviewsRequest) -> Result<Filter> {
    use pb::{MatchReviewState as Asked, MatchSubject as Subject};
    Ok(Filter {
        state: match Asked::try_from(request.state) {
            Ok(Asked::Unspecified) => None,
            Ok(Asked::Open) => Some(State::Open),
            Ok(Asked::Linked) => Some(State::Linked),
            Ok(Asked::Distinct) => Some(State::Distinct),
            Ok(Asked::Automatic) => Some(State::Automatic),
            Err(_) => return Err(Error::invalid("state", "is no state of a match review")),
        },
        kind: match Subject::try_from(request.subject) {
            Ok(Subject::Unspecified) => None,
            Ok(Subject::Contact) => Some(Kind::Contact),
            Ok(Subject::Account) => Some(Kind::Account),
            Err(_) => return Err(Error::invalid("subject", "is neither contact nor account")),
        },
        about: ids::parse_optional("about_id", &request.about_id)?,
    })
}

pub(crate) fn decision(request: &pb::DecideMatchReviewRequest) -> Result<Decision> {
    match request.decision() {
        pb::MatchDecision::Link => Ok(Decision::Link),
        pb::MatchDecision::Distinct => Ok(Decision::Distinct),
        pb::MatchDecision::Unspecified => Err(Error::invalid("decision", "is required: link or distinct")),
    }
}
