use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt as _;
use leadflow_harness::{Nats, eventually};
use leadflow_proto::scoring::v1::{Lead, LeadEvent};
use prost::Message as _;

use super::activity::TestAccount;

/// What scoring has announced, each event once, in the order of its coming.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Told>>>);

/// The fact, the event, and what has brought it about.
type Told = (String, LeadEvent, String);

impl Heard {
    pub(crate) async fn listen(nats: &Nats) -> Self {
        let client = async_nats::connect(nats.url()).await.unwrap();
        let mut subscription = client.subscribe("leadflow.lead.v1.>").await.unwrap();
        client.flush().await.unwrap();
        let heard = Self::default();
        let all = heard.clone();
        tokio::spawn(async move {
            let mut seen = HashSet::new();
            while let Some(message) = subscription.next().await {
                let headers = message.headers.unwrap();
                if seen.insert(headers.get("ce-id").unwrap().to_string()) {
                    let origin = headers.get("traceparent").map(ToString::to_string).unwrap_or_default();
                    let fact = message.subject.rsplit('.').next().unwrap().to_owned();
                    let event = LeadEvent::decode(message.payload.as_ref()).unwrap();
                    all.0.lock().unwrap().push((fact, event, origin));
                }
            }
            drop(client);
        });
        heard
    }

    /// All events on the leads of an account, by revision of the lead.
    pub(crate) fn events(&self, account: &TestAccount) -> Vec<(String, LeadEvent)> {
        self.told(account).into_iter().map(|(fact, event, _)| (fact, event)).collect()
    }

    fn told(&self, account: &TestAccount) -> Vec<Told> {
        let all = self.0.lock().unwrap().clone();
        let lead = |event: &LeadEvent| event.lead.clone().unwrap();
        let mut told: Vec<_> =
            all.into_iter().filter(|(_, event, _)| lead(event).account_id == account.account_id.to_string()).collect();
        told.sort_by_key(|(_, event, _)| (lead(event).product_category, lead(event).round, lead(event).revision));
        told
    }

    /// What has brought about the last announcement of this fact on the account's lead in this category.
    pub(crate) fn origin(&self, account: &TestAccount, category: &str, fact: &str) -> Option<String> {
        let is_it = |(of, event, _): &Told| of == fact && event.lead.clone().unwrap().product_category == category;
        self.told(account).into_iter().rfind(is_it).map(|(.., origin)| origin)
    }

    /// The facts about the leads of an account, for example `["opened", "sales_ready"]`.
    pub(crate) fn facts(&self, account: &TestAccount) -> Vec<String> {
        self.events(account).into_iter().map(|(fact, _)| fact).collect()
    }

    /// The facts about the one lead of an account up to its revision, as soon as all of them were heard.
    pub(crate) async fn facts_until(&self, account: &TestAccount, lead: &Lead) -> Vec<String> {
        eventually!(some: Some(self.facts(account)).filter(|facts| facts.len() as i64 >= lead.revision))
    }

    /// The leads of an account as they were announced with this fact.
    pub(crate) fn announced(&self, fact: &str, account: &TestAccount) -> Vec<Lead> {
        let all = self.events(account).into_iter().filter(|(of, _)| of == fact);
        all.map(|(_, event)| event.lead.unwrap()).collect()
    }
}
