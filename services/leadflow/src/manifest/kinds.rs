//! Each kind as it is written, and what it means in the contract.

use std::collections::BTreeMap;

use leadflow_proto::{activity::v1 as activity, contact::v1 as contact, routing::v1 as routing};
use serde::Deserialize;

use super::model;

/// The word that says what a document is; checked before.
type Kind = String;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    #[serde(rename = "kind")]
    _kind: Kind,
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    parent: String,
}

pub(super) fn category(it: Category) -> activity::ProductCategory {
    activity::ProductCategory { name: it.name, display_name: it.display_name, parent: it.parent }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    #[serde(rename = "kind")]
    _kind: Kind,
    name: String,
    #[serde(default)]
    display_name: String,
    default_activity_type: String,
    default_channel: Channel,
    #[serde(default)]
    default_product_category: String,
    consent: Option<Consent>,
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(default)]
    redirect_url: String,
    webhook: Option<Webhook>,
    #[serde(default)]
    verifies_mobile: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    provider: String,
    public_key: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Channel {
    Web,
    Email,
    Phone,
    Event,
    Meeting,
    Mail,
    Chat,
    Other,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    basis: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    channels: Vec<ConsentChannel>,
    confirmation: Option<Confirmation>,
}

/// `{}` for the usual time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    #[serde(default, deserialize_with = "span")]
    within: Option<prost_types::Duration>,
}

/// A time span that may be left out.
fn span<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<prost_types::Duration>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    model::span("within", &text).map(Some).map_err(|error| serde::de::Error::custom(format!("{error:#}")))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConsentChannel {
    Email,
    Phone,
    TextMessage,
    Mail,
    Chat,
}

fn consent(it: Consent) -> activity::Consent {
    let channel = |channel: ConsentChannel| match channel {
        ConsentChannel::Email => contact::ConsentChannel::Email,
        ConsentChannel::Phone => contact::ConsentChannel::Phone,
        ConsentChannel::TextMessage => contact::ConsentChannel::TextMessage,
        ConsentChannel::Mail => contact::ConsentChannel::Mail,
        ConsentChannel::Chat => contact::ConsentChannel::Chat,
    };
    let channels = it.channels.into_iter().map(|it| channel(it).into()).collect();
    let confirmation = it.confirmation.map(|it| activity::Confirmation { within: it.within });
    activity::Consent { basis: it.basis, purpose: it.purpose, field: it.field, channels, confirmation }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: FieldType,
    #[serde(default)]
    answer: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FieldType {
    String,
    Number,
    Bool,
}

pub(super) fn field(it: Field) -> activity::Field {
    let kind = match it.kind {
        FieldType::String => activity::FieldType::String,
        FieldType::Number => activity::FieldType::Number,
        FieldType::Bool => activity::FieldType::Bool,
    };
    activity::Field { name: it.name, r#type: kind.into(), answer: it.answer }
}

pub(super) fn source(it: Source) -> activity::Source {
    let channel = match it.default_channel {
        Channel::Web => activity::Channel::Web,
        Channel::Email => activity::Channel::Email,
        Channel::Phone => activity::Channel::Phone,
        Channel::Event => activity::Channel::Event,
        Channel::Meeting => activity::Channel::Meeting,
        Channel::Mail => activity::Channel::Mail,
        Channel::Chat => activity::Channel::Chat,
        Channel::Other => activity::Channel::Other,
    };
    activity::Source {
        name: it.name,
        display_name: it.display_name,
        default_activity_type: it.default_activity_type,
        default_channel: channel.into(),
        default_product_category: it.default_product_category,
        consent: it.consent.map(consent),
        fields: it.fields.into_iter().map(field).collect(),
        redirect_url: it.redirect_url,
        verifies_mobile: it.verifies_mobile,
        webhook: it.webhook.map(|it| activity::Webhook { provider: it.provider, public_key: it.public_key }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Territory {
    #[serde(rename = "kind")]
    _kind: Kind,
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    parent: String,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    pool: String,
}

pub(super) fn territory(it: Territory) -> routing::Territory {
    routing::Territory {
        name: it.name,
        display_name: it.display_name,
        parent: it.parent,
        priority: it.priority,
        condition: it.condition,
        pool: it.pool,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rep {
    #[serde(rename = "kind")]
    _kind: Kind,
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    email: String,
    role: RepRole,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    capacity: i32,
    #[serde(default)]
    time_zone: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RepRole {
    Field,
    Inside,
}

fn yes() -> bool {
    true
}

pub(super) fn rep(it: Rep) -> routing::Rep {
    let role = match it.role {
        RepRole::Field => routing::RepRole::Field,
        RepRole::Inside => routing::RepRole::Inside,
    };
    routing::Rep {
        name: it.name,
        display_name: it.display_name,
        email: it.email,
        role: role.into(),
        active: it.active,
        capacity: it.capacity,
        time_zone: it.time_zone,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pool {
    #[serde(rename = "kind")]
    _kind: Kind,
    name: String,
    #[serde(default)]
    display_name: String,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    rep: String,
    weight: i32,
}

pub(super) fn pool(it: Pool) -> routing::Pool {
    let members = it.members.into_iter().map(|it| routing::PoolMember { rep: it.rep, weight: it.weight });
    routing::Pool { name: it.name, display_name: it.display_name, members: members.collect() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    #[serde(rename = "kind")]
    _kind: Kind,
    reference: String,
    name: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    country: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    postal_code: String,
    #[serde(default)]
    industry: String,
    employees: Option<i64>,
    revenue: Option<i64>,
    #[serde(default)]
    relation: Relation,
    #[serde(default)]
    owner_rep: String,
    /// The reference of the account that it belongs to.
    #[serde(default)]
    parent: String,
    /// Whether what is done there counts for the leads of that one.
    #[serde(default)]
    roll_up: bool,
    #[serde(default)]
    sites: Vec<Site>,
    #[serde(default)]
    profile: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Site {
    name: String,
    street: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
}

fn site(it: Site) -> contact::Site {
    contact::Site {
        name: it.name,
        street: it.street,
        city: it.city,
        region: it.region,
        postal_code: it.postal_code,
        country: it.country,
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Relation {
    #[default]
    Prospect,
    Customer,
    FormerCustomer,
}

pub(super) fn account(it: Account) -> contact::Account {
    let relation = match it.relation {
        Relation::Prospect => contact::Relation::Prospect,
        Relation::Customer => contact::Relation::Customer,
        Relation::FormerCustomer => contact::Relation::FormerCustomer,
    };
    contact::Account {
        reference: it.reference,
        name: it.name,
        domains: it.domains,
        country: it.country,
        region: it.region,
        postal_code: it.postal_code,
        industry: it.industry,
        employees: it.employees,
        revenue: it.revenue,
        relation: relation.into(),
        owner_rep: it.owner_rep,
        parent_reference: it.parent,
        roll_up: Some(it.roll_up),
        profile: leadflow_platform::value::map_to_proto(&it.profile),
        sites: it.sites.into_iter().map(site).collect(),
        ..Default::default()
    }
}
