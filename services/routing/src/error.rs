//! What can go wrong in routing, besides what can go wrong everywhere.

use leadflow_platform::Error;

use crate::domain::{
    assignment::State,
    configuration::{Kind, Patch, Problem},
};

/// The assignment can no longer be accepted.
pub(crate) fn not_offered(state: State) -> Error {
    let message = format!("the assignment is {}: only an offered one can be accepted", word(state));
    Error::precondition("ASSIGNMENT_NOT_OFFERED", message)
}

/// The assignment can no longer be rejected.
pub(crate) fn ended(state: State) -> Error {
    let message = format!("the assignment is {}: only an offered or accepted one can be rejected", word(state));
    Error::precondition("ASSIGNMENT_ENDED", message)
}

fn word(state: State) -> &'static str {
    match state {
        State::Offered => "offered",
        State::Accepted => "accepted",
        State::Rejected => "rejected",
        State::Expired => "expired",
        State::Withdrawn => "withdrawn",
        State::Completed => "completed",
    }
}

/// The configuration would not make sense. Each problem is named by its place in the request, and by its name where
/// the request does not hold the resource; these come last.
pub(crate) fn configuration(mut problems: Vec<Problem>, patch: &Patch) -> Error {
    problems.sort_by_key(|problem| place(problem, patch).1.is_none());
    problems
        .into_iter()
        .map(|problem| Error::field(problem.reason, field(&problem, patch), problem.text))
        .reduce(Error::and)
        .unwrap_or_else(|| Error::internal("a configuration was refused without a problem"))
}

/// The list of the request that the problem belongs to, and the place there.
fn place(problem: &Problem, patch: &Patch) -> (&'static str, Option<usize>) {
    fn find<T>(resources: &[(String, T)], name: &str) -> Option<usize> {
        resources.iter().position(|(known, _)| known == name)
    }
    match problem.kind {
        Kind::Territory => ("territories", find(&patch.territories, &problem.name)),
        Kind::Rep => ("reps", find(&patch.reps, &problem.name)),
        Kind::Pool => ("pools", find(&patch.pools, &problem.name)),
    }
}

fn field(problem: &Problem, patch: &Patch) -> String {
    let (list, place) = place(problem, patch);
    let resource = match place {
        Some(index) => format!("{list}[{index}]"),
        None => format!("{list}[{:?}]", problem.name),
    };
    if problem.part.is_empty() { resource } else { format!("{resource}.{}", problem.part) }
}

/// The stored configuration was valid for another version of the program. That may heal by itself (a roll-back), and
/// nothing may be set aside meanwhile.
pub(crate) fn unusable_configuration(version: i32, problems: &[Problem]) -> Error {
    let first = problems.first().map(|problem| format!("{} {}: {}", problem.name, problem.part, problem.text));
    Error::unavailable(format!(
        "version {version} of the routing configuration can no longer be used: {}",
        first.unwrap_or_default()
    ))
}
