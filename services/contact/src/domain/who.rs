//! Accounts, contacts, and the keys that lead to them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::profile::Values;

/// A buyer organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub account_id: Uuid,
    /// The company's own number or slug for it.
    pub reference: Option<String>,
    /// Its name; its domain while nobody has told the name.
    pub name: String,
    /// Registrable domains.
    pub domains: Vec<String>,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// As the company writes it.
    pub region: String,
    /// As written.
    pub postal_code: String,
    /// As written.
    pub city: String,
    /// Street and house number, as written.
    pub street: String,
    /// Its own numbers, E.164: those that were told without a person.
    pub phones: Vec<String>,
    /// As the company writes it.
    pub industry: String,
    /// Number of employees.
    pub employees: Option<i64>,
    /// Yearly, in whole units of the company's own currency.
    pub revenue: Option<i64>,
    /// How it stands to the company.
    pub relation: Relation,
    /// The rep who owns it by name.
    pub owner_rep: String,
    /// The account that it belongs to.
    #[serde(default)]
    pub parent_account_id: Option<Uuid>,
    /// Whether what is done at it counts for the parent's leads. Never without a parent.
    #[serde(default)]
    pub roll_up: bool,
    /// Where it works.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// The declared fields of its profile.
    #[serde(default)]
    pub profile: Values,
    /// Grows by one with each change.
    pub revision: i64,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// When this revision was recorded.
    pub update_time: i64,
    /// The account that it was merged into.
    pub merged_into: Option<Uuid>,
}

/// A place where an account works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// For example `Plant 2`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// As written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// As written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// As written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// As written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
}

/// How an account stands to the company; the later in the order, the closer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Has bought nothing yet.
    #[default]
    Prospect,
    /// Has bought.
    FormerCustomer,
    /// Buys.
    Customer,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub contact_id: Uuid,
    /// Where the person is.
    pub account_id: Option<Uuid>,
    /// Where the person is no more, as somebody has told. In the order of ids.
    #[serde(default)]
    pub left_account_ids: BTreeSet<Uuid>,
    /// As written.
    pub given_name: String,
    /// As written.
    pub family_name: String,
    /// As written.
    pub job_title: String,
    /// Lower case, the first is the primary one.
    pub emails: Vec<String>,
    /// E.164.
    pub phones: Vec<String>,
    /// Those of them that were verified to be this person's own mobiles.
    #[serde(default)]
    pub mobiles: Vec<String>,
    /// Street and house number, as written.
    pub street: String,
    /// As written.
    pub city: String,
    /// As written.
    pub postal_code: String,
    /// State or province, as written.
    pub region: String,
    /// The buying role.
    pub role: String,
    /// The field of work.
    pub function: String,
    /// For example `manager`.
    pub seniority: String,
    /// The person's own relationship stage.
    pub stage: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// The declared fields of the profile.
    #[serde(default)]
    pub profile: Values,
    /// Grows by one with each change.
    pub revision: i64,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// When this revision was recorded.
    pub update_time: i64,
    /// The contact that it was merged into.
    pub merged_into: Option<Uuid>,
}

/// What leads to a contact or an account, and to no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A person's address.
    Email(String),
    /// A mobile that was verified to be a person's own.
    Mobile(String),
    /// A person's id in a source.
    ExternalId(String, String),
    /// A cookie or device id.
    AnonymousId(String),
    /// A number; it may be shared and only helps.
    Phone(String),
    /// An organisation's registrable domain.
    Domain(String),
    /// An organisation's name key and country.
    Name(String, String),
    /// The company's own number or slug for an organisation.
    Reference(String),
    /// What is said of a person who is known by nothing else. It only keeps equal claims from being resolved at once.
    Description(String),
}

impl Key {
    /// Whether it is a telephone number, verified or not.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Mobile(_) | Self::Phone(_))
    }
}

impl Account {
    /// All that leads to it.
    pub fn keys(&self) -> Vec<Key> {
        let domains = self.domains.iter().cloned().map(Key::Domain);
        domains.chain(self.name_key()).chain(self.reference.clone().map(Key::Reference)).collect()
    }

    /// The key of its name.
    pub fn name_key(&self) -> Option<Key> {
        let key = super::normal::company_key(&self.name);
        (!key.is_empty()).then(|| Key::Name(key, self.country.clone()))
    }
}
