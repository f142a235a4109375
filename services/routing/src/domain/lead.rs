//! A lead as routing sees it: what a decision looks at, and what conditions may refer to.

use leadflow_platform::condition::{FieldType, Record, Schema, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Routing's copy of a lead, at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Its id.
    pub lead_id: Uuid,
    /// Grows with each change; an older one never replaces a newer one.
    pub revision: i64,
    /// Whose lead it is.
    pub account: Account,
    /// What the interest is in.
    pub product_category: String,
    /// In thousandths of a point.
    pub score_milli: i64,
    /// 1 for the first lead of this account and category.
    pub round: i32,
    /// The number of the next or current hand-over.
    pub hand_over: i32,
    /// Why it was closed; none while it is open.
    pub closed: Option<CloseReason>,
    /// As the event told it: the lead that goes on for it, when it was closed as merged.
    pub merged_into: Option<Uuid>,
}

/// The account as the lead's event told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub account_id: Uuid,
    /// Its name; may be unknown, as all that follows.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The sales region or state.
    pub region: String,
    /// The postal code.
    pub postal_code: String,
    /// The industry.
    pub industry: String,
    /// Number of employees.
    pub employees: Option<i64>,
    /// Yearly revenue.
    pub revenue: Option<i64>,
    /// How it stands to the company.
    pub relation: Option<Relation>,
    /// The rep who owns the named account; empty: nobody.
    pub owner_rep: String,
    /// The account's own revision.
    pub revision: i64,
}

/// How an account stands to the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Has not bought yet.
    Prospect,
    /// Buys.
    Customer,
    /// Has bought.
    FormerCustomer,
}

/// Why a lead was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The outcome was an order.
    Won,
    /// The outcome was none.
    Lost,
    /// It was no lead.
    Disqualified,
    /// It was joined with another one.
    Merged,
    /// Nothing happened for long.
    Lapsed,
}

impl CloseReason {
    /// Whether the rep's work came to its end, and was not merely cut short.
    pub fn is_outcome(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// What the conditions of territories may refer to.
pub fn schema() -> Schema {
    use FieldType::{Number, String};
    Schema::new()
        .variable(
            "account",
            [
                ("name", String),
                ("country", String),
                ("region", String),
                ("postal_code", String),
                ("industry", String),
                ("employees", Number),
                ("revenue", Number),
                ("relation", String),
                ("owner_rep", String),
            ],
        )
        .variable("lead", [("product_category", String), ("score", Number), ("round", Number)])
}

impl Account {
    /// The values of `account` in a condition. What is unknown is absent.
    pub fn facts(&self) -> Record {
        let relation = self.relation.map_or("", |relation| match relation {
            Relation::Prospect => "prospect",
            Relation::Customer => "customer",
            Relation::FormerCustomer => "former_customer",
        });
        let texts = [
            ("name", self.name.as_str()),
            ("country", &self.country),
            ("region", &self.region),
            ("postal_code", &self.postal_code),
            ("industry", &self.industry),
            ("relation", relation),
            ("owner_rep", &self.owner_rep),
        ];
        let texts = texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name, Value::String(text.to_owned())));
        let numbers = [("employees", self.employees), ("revenue", self.revenue)]
            .into_iter()
            .filter_map(|(name, number)| Some((name, Value::Number(number? as f64))));
        texts.chain(numbers).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Lead {
    /// The values of `lead` in a condition; the score in points.
    pub fn facts(&self) -> Record {
        Record::from([
            ("product_category".to_owned(), Value::String(self.product_category.clone())),
            ("score".to_owned(), Value::Number(self.score_milli as f64 / 1000.0)),
            ("round".to_owned(), Value::Number(self.round.into())),
        ])
    }
}
