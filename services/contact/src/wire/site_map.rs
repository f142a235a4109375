//! Site maps.

use leadflow_platform::{Error, Result, clock, ids};
use leadflow_proto::contact::v1 as pb;
use uuid::Uuid;

use super::{short, time};
use crate::{
    app::site_map::{Shown, SiteMap},
    domain::site_map::{Cause, Fact, Gap, Player, Role, State, Subject, Topic},
};

/// Bytes of a fact in words.
const MAX_CONTENT: usize = 2000;
/// How far the clock of a sender may be ahead, in milliseconds.
const MAX_AHEAD: i64 = 5 * 60 * 1000;
const YEAR_2000: i64 = 946_684_800_000;

const ROLES: [(Role, pb::BuyingRole); 5] = [
    (Role::DecisionMaker, pb::BuyingRole::DecisionMaker),
    (Role::Champion, pb::BuyingRole::Champion),
    (Role::Influencer, pb::BuyingRole::Influencer),
    (Role::User, pb::BuyingRole::User),
    (Role::Gatekeeper, pb::BuyingRole::Gatekeeper),
];

fn role(role: Role) -> pb::BuyingRole {
    ROLES.iter().find(|(known, _)| *known == role).map_or(pb::BuyingRole::Unspecified, |(_, word)| *word)
}

fn kind(subject: &Subject) -> pb::FactKind {
    match subject {
        Subject::Player(..) => pb::FactKind::Player,
        Subject::Budget(_) => pb::FactKind::Budget,
        Subject::BuyingProcess => pb::FactKind::BuyingProcess,
        Subject::Requirement => pb::FactKind::Requirement,
        Subject::Incumbent => pb::FactKind::Incumbent,
        Subject::Note => pb::FactKind::Note,
    }
}

/// Whether a list of facts of this kind shows this one.
pub(crate) fn shows(wanted: pb::FactKind) -> impl Fn(&Subject) -> bool {
    move |subject| wanted == pb::FactKind::Unspecified || kind(subject) == wanted
}

/// What somebody says of an account, recorded now.
pub(crate) fn fact_from(said: &pb::Fact, fact_id: Uuid, principal: &str, now: i64) -> Result<Fact> {
    let content = words("fact.content", &said.content)?;
    if !(1..=100).contains(&said.confidence) {
        return Err(Error::invalid("fact.confidence", "must be between 1 and 100, in percent"));
    }
    let source = short("fact.source", &said.source)?;
    if source.is_empty() {
        return Err(Error::invalid(
            "fact.source",
            "is required: say where it comes from, such as call, visit or website",
        ));
    }
    if !said.product_category.is_empty() {
        ids::check_name("fact.product_category", &said.product_category)?;
    }
    Ok(Fact {
        fact_id,
        account_id: ids::parse("fact.account_id", &said.account_id)?,
        subject: subject_from(said, &content)?,
        content,
        product_category: said.product_category.clone(),
        confidence: said.confidence,
        source,
        said_by_contact_id: ids::parse_optional("fact.said_by_contact_id", &said.said_by_contact_id)?,
        said_by: short("fact.said_by", &said.said_by)?,
        observe_time: observed(said.observe_time.as_ref(), now)?,
        principal: principal.to_owned(),
        create_time: now,
        retraction: None,
    })
}

fn subject_from(said: &pb::Fact, content: &str) -> Result<Subject> {
    let kind = said.kind();
    if kind == pb::FactKind::Unspecified {
        return Err(Error::invalid("fact.kind", "is required"));
    }
    let is_player = kind == pb::FactKind::Player;
    let of_players = [
        ("fact.role", said.role() != pb::BuyingRole::Unspecified),
        ("fact.contact_id", !said.contact_id.is_empty()),
        ("fact.player_name", !said.player_name.is_empty()),
        ("fact.job_title", !said.job_title.is_empty()),
    ];
    if let Some((field, _)) = of_players.into_iter().find(|(_, said)| *said && !is_player) {
        return Err(Error::invalid(field, "is of players only"));
    }
    if said.amount.is_some() && kind != pb::FactKind::Budget {
        return Err(Error::invalid("fact.amount", "is of budgets only"));
    }
    let says_nothing = content.is_empty() && said.amount.is_none();
    if says_nothing && !is_player {
        return Err(Error::invalid("fact.content", "is required"));
    }
    match kind {
        pb::FactKind::Player => player_from(said),
        pb::FactKind::Budget if said.amount.is_some_and(|amount| amount < 0) => {
            Err(Error::invalid("fact.amount", "must not be negative"))
        }
        pb::FactKind::Budget => Ok(Subject::Budget(said.amount)),
        pb::FactKind::BuyingProcess => Ok(Subject::BuyingProcess),
        pb::FactKind::Requirement => Ok(Subject::Requirement),
        pb::FactKind::Incumbent => Ok(Subject::Incumbent),
        // What is unspecified was refused above.
        pb::FactKind::Note | pb::FactKind::Unspecified => Ok(Subject::Note),
    }
}

fn player_from(said: &pb::Fact) -> Result<Subject> {
    let role = ROLES.iter().find(|(_, word)| *word == said.role()).map(|(role, _)| *role);
    let role = role.ok_or_else(|| Error::invalid("fact.role", "is required of a player"))?;
    let contact = ids::parse_optional("fact.contact_id", &said.contact_id)?;
    let name = short("fact.player_name", &said.player_name)?;
    let job_title = short("fact.job_title", &said.job_title)?;
    match contact {
        Some(_) if !name.is_empty() || !job_title.is_empty() => Err(Error::invalid(
            "fact.player_name",
            "is of a player who is no contact yet: leave it out beside contact_id",
        )),
        Some(contact) => Ok(Subject::Player(role, Player::Contact(contact))),
        None if name.is_empty() && job_title.is_empty() => Err(Error::invalid(
            "fact.contact_id",
            "is required, or player_name or job_title of somebody who is no contact yet",
        )),
        None => Ok(Subject::Player(role, Player::Named { name, job_title })),
    }
}

fn observed(said: Option<&prost_types::Timestamp>, now: i64) -> Result<i64> {
    let Some(said) = said else { return Ok(now) };
    let field = "fact.observe_time";
    let millis = clock::from_proto(field, said)?.as_millisecond();
    if !(YEAR_2000..=now + MAX_AHEAD).contains(&millis) {
        return Err(Error::invalid(field, "must not be ahead, nor before the year 2000"));
    }
    Ok(millis)
}

/// Why something is done, in words.
pub(crate) fn reason_from(field: &str, text: &str) -> Result<String> {
    let reason = words(field, text)?;
    if reason.is_empty() { Err(Error::invalid(field, "is required: say why")) } else { Ok(reason) }
}

/// A text of several lines.
fn words(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.len() > MAX_CONTENT {
        return Err(Error::invalid(field, format!("is longer than {MAX_CONTENT} bytes")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Error::invalid(field, "contains control characters"));
    }
    Ok(text.to_owned())
}

pub(crate) fn fact(shown: Shown) -> pb::Fact {
    let Shown { fact, state, player_name } = shown;
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let mut message = pb::Fact {
        fact_id: fact.fact_id.to_string(),
        account_id: fact.account_id.to_string(),
        kind: kind(&fact.subject).into(),
        product_category: fact.product_category.clone(),
        content: fact.content.clone(),
        confidence: fact.confidence,
        source: fact.source.clone(),
        said_by_contact_id: id(fact.said_by_contact_id),
        said_by: fact.said_by.clone(),
        observe_time: Some(time(fact.observe_time)),
        principal: fact.principal.clone(),
        create_time: Some(time(fact.create_time)),
        stale_time: fact.stale_time().map(time),
        state: match state {
            State::Current => pb::FactState::Current,
            State::Superseded => pb::FactState::Superseded,
            State::Retracted => pb::FactState::Retracted,
        }
        .into(),
        ..pb::Fact::default()
    };
    match fact.subject {
        Subject::Player(part, player) => {
            message.role = role(part).into();
            match player {
                Player::Contact(id) => (message.contact_id, message.player_name) = (id.to_string(), player_name),
                Player::Named { name, job_title } => (message.player_name, message.job_title) = (name, job_title),
            }
        }
        Subject::Budget(amount) => message.amount = amount,
        Subject::BuyingProcess | Subject::Requirement | Subject::Incumbent | Subject::Note => {}
    }
    if let Some(retraction) = fact.retraction {
        message.retract_reason = retraction.reason;
        message.retract_principal = retraction.principal;
        message.retract_time = Some(time(retraction.time));
    }
    message
}

pub(crate) fn site_map(account_id: Uuid, product_category: String, map: SiteMap) -> pb::SiteMap {
    pb::SiteMap {
        account_id: account_id.to_string(),
        product_category,
        facts: map.facts.into_iter().map(fact).collect(),
        gaps: map.gaps.iter().map(gap).collect(),
    }
}

fn gap(gap: &Gap) -> pb::Gap {
    let (kind, part) = match gap.topic {
        Topic::Player(part) => (pb::FactKind::Player, role(part)),
        Topic::Budget => (pb::FactKind::Budget, pb::BuyingRole::Unspecified),
        Topic::Requirement => (pb::FactKind::Requirement, pb::BuyingRole::Unspecified),
        Topic::BuyingProcess => (pb::FactKind::BuyingProcess, pb::BuyingRole::Unspecified),
        Topic::Incumbent => (pb::FactKind::Incumbent, pb::BuyingRole::Unspecified),
    };
    let cause = match gap.cause {
        Cause::Missing => pb::gap::Cause::Missing,
        Cause::Stale => pb::gap::Cause::Stale,
        Cause::Doubtful => pb::gap::Cause::Doubtful,
    };
    pb::Gap {
        kind: kind.into(),
        role: part.into(),
        cause: cause.into(),
        value_milli: i32::try_from(gap.value_milli).unwrap_or(i32::MAX),
        question: gap.topic.question().to_owned(),
        fact_id: gap.fact_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}
