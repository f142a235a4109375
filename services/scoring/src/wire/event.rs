//! The events that come in and go out.

use std::collections::HashMap;

use jiff::Timestamp;
use leadflow_platform::{Error, Result, clock, ids, trace::Origin, value};
use leadflow_proto::{
    activity::v1::{ActivityRecorded, Channel},
    contact::v1::{Account as PbAccount, AccountChanged, ContactChanged, Relation},
    routing::v1::{AssignmentEvent, AssignmentState, HandOverHeld},
    scoring::v1::LeadEvent,
};
use prost::Message as _;
use serde_json::Value as Json;

use crate::{
    app::{
        NamedLead,
        intake::{Recorded, Revision},
    },
    domain::{
        Activity, Profile,
        history::{DECLARED, Facts},
        joining::Pointer,
        lead::{AssignmentNews, Step},
    },
    store::accounts::Account,
};

/// An activity that the ledger announces.
pub(crate) fn recorded(event: ActivityRecorded, origin: Origin) -> Result<Recorded> {
    let none_if_empty = |text: String| (!text.is_empty()).then(|| text.into());
    let time = |field, time: Option<&prost_types::Timestamp>| {
        let time = time.ok_or_else(|| Error::invalid(field, "is missing"))?;
        clock::from_proto(field, time).map(Timestamp::as_millisecond)
    };
    Ok(Recorded {
        origin,
        account_id: ids::parse_optional("account_id", &event.account_id)?,
        account_revision: event.account_revision,
        attribution: event.attribution,
        activity: Activity {
            activity_id: ids::parse("activity_id", &event.activity_id)?,
            channel: channel(event.channel()).into(),
            occur_time: time("occur_time", event.occur_time.as_ref())?,
            record_time: time("record_time", event.record_time.as_ref())?,
            contact_id: ids::parse_optional("contact_id", &event.contact_id)?,
            attributes: value::map_from_proto("attributes", &event.attributes)?.into(),
            answers: value::map_from_proto("answers", &event.answers)?.into(),
            source: event.source.into(),
            source_event_id: event.source_event_id.into(),
            activity_type: event.activity_type.into(),
            product_category: none_if_empty(event.product_category),
            object_id: none_if_empty(event.object_id),
            reclassify_time: None,
            account_id: ids::parse_optional("account_id", &event.account_id)?,
        },
    })
}

fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Web => "web",
        Channel::Email => "email",
        Channel::Phone => "phone",
        Channel::Event => "event",
        Channel::Meeting => "meeting",
        Channel::Mail => "mail",
        Channel::Chat => "chat",
        Channel::Other | Channel::Unspecified => "other",
    }
}

/// An account that the contact service announces.
pub(crate) fn account_revision(event: AccountChanged, origin: Origin) -> Result<Revision> {
    let account = event.account.ok_or_else(|| Error::invalid("account", "is missing"))?;
    let parent = ids::parse_optional("account.parent_account_id", &account.parent_account_id)?;
    let relation = match account.relation() {
        Relation::Unspecified => "",
        Relation::Prospect => "prospect",
        Relation::Customer => "customer",
        Relation::FormerCustomer => "former_customer",
    };
    let mut facts = texts([
        ("name", account.name.as_str()),
        ("country", &account.country),
        ("region", &account.region),
        ("postal_code", &account.postal_code),
        ("industry", &account.industry),
        ("relation", relation),
        ("owner_rep", &account.owner_rep),
    ]);
    facts.extend(declared("account.profile", &account.profile)?);
    for (name, number) in [("employees", account.employees), ("revenue", account.revenue)] {
        if let Some(number) = number {
            facts.insert(name.to_owned(), Json::from(number));
        }
    }
    Ok(Revision {
        origin,
        id: ids::parse("account.account_id", &account.account_id)?,
        account_id: None,
        pointer: Pointer {
            merged_into: ids::parse_optional("account.merged_into_account_id", &account.merged_into_account_id)?,
            rolls_up_to: parent.filter(|_| account.roll_up()),
        },
        profile: profile(account.revision, account.update_time.as_ref(), facts)?,
        name: account.name,
    })
}

/// A contact that the contact service announces.
pub(crate) fn contact_revision(event: ContactChanged, origin: Origin) -> Result<Revision> {
    let said = event.profile.unwrap_or_default();
    let mut facts = texts([
        ("role", said.role.as_str()),
        ("function", &said.function),
        ("seniority", &said.seniority),
        ("stage", &said.stage),
        ("country", &said.country),
    ]);
    facts.extend(declared("profile.fields", &said.fields)?);
    Ok(Revision {
        origin,
        id: ids::parse("contact_id", &event.contact_id)?,
        account_id: ids::parse_optional("account_id", &event.account_id)?,
        pointer: Pointer {
            merged_into: ids::parse_optional("merged_into_contact_id", &event.merged_into_contact_id)?,
            rolls_up_to: None,
        },
        name: String::new(),
        profile: profile(event.revision, event.update_time.as_ref(), facts)?,
    })
}

/// The declared fields of a profile.
fn declared(field: &str, values: &HashMap<String, prost_types::Value>) -> Result<Facts> {
    let values = value::map_from_proto(field, values)?;
    Ok(values.into_iter().map(|(name, value)| (format!("{DECLARED}{name}"), value)).collect())
}

fn texts<'a>(facts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Facts {
    let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| (name.to_owned(), Json::from(value))).collect()
}

fn profile(revision: i64, time: Option<&prost_types::Timestamp>, facts: Facts) -> Result<Profile> {
    let time = time.ok_or_else(|| Error::invalid("update_time", "is missing"))?;
    let record_time = clock::from_proto("update_time", time)?.as_millisecond();
    Ok(Profile { revision, record_time, facts: facts.into() })
}

/// What routing says of an assignment; nothing for a step that does not move the lead.
pub(crate) fn assignment_news(event: AssignmentEvent) -> Result<Option<AssignmentNews>> {
    let assignment = event.assignment.ok_or_else(|| Error::invalid("assignment", "is missing"))?;
    let step = match assignment.state() {
        AssignmentState::Offered => Step::Offered,
        AssignmentState::Accepted => Step::Accepted,
        AssignmentState::Rejected | AssignmentState::Expired => Step::Rejected(assignment.reason.clone()),
        // The lead was closed here before routing withdrew or completed the assignment.
        AssignmentState::Withdrawn | AssignmentState::Completed | AssignmentState::Unspecified => return Ok(None),
    };
    let time = assignment.decide_time.as_ref().or(assignment.offer_time.as_ref()).or(event.event_time.as_ref());
    Ok(Some(AssignmentNews {
        lead_id: ids::parse("assignment.lead_id", &assignment.lead_id)?,
        hand_over: assignment.hand_over,
        assignment_id: ids::parse_optional("assignment.assignment_id", &assignment.assignment_id)?,
        rep: assignment.rep,
        step,
        time: time.map(|time| clock::from_proto("event_time", time)).transpose()?.map_or(0, Timestamp::as_millisecond),
    }))
}

/// What routing says of a hand-over for which nobody is eligible.
pub(crate) fn held_news(event: HandOverHeld) -> Result<AssignmentNews> {
    let hand_over = event.hand_over.ok_or_else(|| Error::invalid("hand_over", "is missing"))?;
    let time = event.event_time.as_ref();
    Ok(AssignmentNews {
        lead_id: ids::parse("hand_over.lead_id", &hand_over.lead_id)?,
        hand_over: hand_over.hand_over,
        assignment_id: None,
        rep: String::new(),
        step: Step::Held(hand_over.reason),
        time: time.map(|time| clock::from_proto("event_time", time)).transpose()?.map_or(0, Timestamp::as_millisecond),
    })
}

/// The lead as it is now, with its account, encoded.
pub(crate) fn lead_event(
    named: &NamedLead,
    account: Option<&Account>,
    profile: Option<&Profile>,
    now: Timestamp,
    record_time: Option<Timestamp>,
) -> Vec<u8> {
    let account = account.map(|account| account_to(account, profile));
    let record_time = record_time.map(clock::to_proto);
    LeadEvent { lead: Some(super::lead(named)), account, event_time: Some(clock::to_proto(now)), record_time }
        .encode_to_vec()
}

fn account_to(account: &Account, profile: Option<&Profile>) -> PbAccount {
    let empty = Facts::new();
    let facts = profile.map_or(&empty, |profile| &*profile.facts);
    let text = |name: &str| facts.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let relation = match text("relation").as_str() {
        "prospect" => Relation::Prospect,
        "customer" => Relation::Customer,
        "former_customer" => Relation::FormerCustomer,
        _ => Relation::Unspecified,
    };
    PbAccount {
        account_id: account.account_id.to_string(),
        name: account.name.clone(),
        country: text("country"),
        region: text("region"),
        postal_code: text("postal_code"),
        industry: text("industry"),
        employees: facts.get("employees").and_then(Json::as_i64),
        revenue: facts.get("revenue").and_then(Json::as_i64),
        relation: relation.into(),
        owner_rep: text("owner_rep"),
        revision: account.revision,
        update_time: profile.map(|profile| super::time(profile.record_time)),
        ..Default::default()
    }
}
