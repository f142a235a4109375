use std::collections::HashMap;

use leadflow_platform::{
    clock::{from_millis, to_proto},
    ids,
};
use leadflow_proto::activity::v1::{ActivityRecorded, Channel};
use prost_types::value::Kind;
use uuid::Uuid;

/// A buyer organisation with some people.
#[derive(Clone, Debug)]
pub(crate) struct TestAccount {
    pub(crate) account_id: Uuid,
    pub(crate) country: &'static str,
    pub(crate) revision: i64,
    pub(crate) people: [Uuid; 4],
}

impl TestAccount {
    /// One that brings no points by itself.
    pub(crate) fn new() -> Self {
        Self { account_id: ids::new(), country: "FR", revision: 1, people: std::array::from_fn(|_| ids::new()) }
    }

    pub(crate) fn contact(&self, number: usize) -> Uuid {
        self.people[number]
    }

    /// What the person `number` does at `time`, in `hplc`.
    pub(crate) fn does(&self, activity_type: &str, number: usize, time: i64) -> TestActivity {
        let id = ids::new();
        TestActivity(ActivityRecorded {
            activity_id: id.to_string(),
            source: "website-form".to_owned(),
            source_event_id: id.to_string(),
            activity_type: activity_type.to_owned(),
            channel: Channel::Web.into(),
            product_category: "hplc".to_owned(),
            contact_id: self.people[number].to_string(),
            account_id: self.account_id.to_string(),
            account_revision: 1,
            ..Default::default()
        })
        .at(time)
    }

    /// Three forms of two people: 60 points, hot.
    pub(crate) fn gets_hot(&self, time: i64) -> Vec<TestActivity> {
        (0..3).map(|place| self.does("form_submitted", place % 2, time - 3 + place as i64)).collect()
    }
}

/// An activity as activity-ingest would announce it.
#[derive(Clone, Debug)]
pub(crate) struct TestActivity(pub(crate) ActivityRecorded);

impl TestActivity {
    pub(crate) fn id(&self) -> &str {
        &self.0.activity_id
    }

    /// Happened and accepted then.
    pub(crate) fn at(self, time: i64) -> Self {
        let mut all = self.recorded_at(time);
        all.0.occur_time.clone_from(&all.0.record_time);
        all
    }

    /// Accepted then; it happened before.
    pub(crate) fn recorded_at(mut self, time: i64) -> Self {
        self.0.record_time = Some(to_proto(from_millis(time)));
        self
    }

    /// An empty text: in none.
    pub(crate) fn in_category(mut self, category: &str) -> Self {
        category.clone_into(&mut self.0.product_category);
        self
    }

    pub(crate) fn through(mut self, channel: Channel) -> Self {
        self.0.channel = channel.into();
        self
    }

    pub(crate) fn of_nobody(mut self) -> Self {
        self.0.contact_id.clear();
        self
    }

    pub(crate) fn of_no_account(mut self) -> Self {
        self.0.account_id.clear();
        self
    }

    /// As the ledger announces it when it has moved it to this account.
    pub(crate) fn moved_to(mut self, account: &TestAccount) -> Self {
        self.0.account_id = account.account_id.to_string();
        self.0.attribution += 1;
        self
    }

    pub(crate) fn on(mut self, object: &str) -> Self {
        object.clone_into(&mut self.0.object_id);
        self
    }

    pub(crate) fn resolved_with(mut self, revision: i64) -> Self {
        self.0.account_revision = revision;
        self
    }

    pub(crate) fn with_seats(mut self, seats: f64) -> Self {
        self.0.attributes = number("seats", seats);
        self
    }

    pub(crate) fn with_budget(mut self, budget: f64) -> Self {
        self.0.answers = number("budget", budget);
        self
    }
}

fn number(name: &str, number: f64) -> HashMap<String, prost_types::Value> {
    HashMap::from([(name.to_owned(), prost_types::Value { kind: Some(Kind::NumberValue(number)) })])
}
