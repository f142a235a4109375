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
pub(crate) struct Heard(Arc<Mutex<Vec<(String, LeadEvent)>>>);

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
                let id = message.headers.as_ref().and_then(|headers| headers.get("ce-id")).unwrap().to_string();
                if seen.insert(id) {
                    let fact = message.subject.rsplit('.').next().unwrap().to_owned();
                    let event = LeadEvent::decode(message.payload.as_ref()).unwrap();
                    all.0.lock().unwrap().push((fact, event));
                }
            }
            drop(client);
        });
        heard
    }

    /// All events on the leads of an account, by revision of the lead.
    pub(crate) fn events(&self, account: &TestAccount) -> Vec<(String, LeadEvent)> {
        let all = self.0.lock().unwrap().clone();
        let lead = |event: &LeadEvent| event.lead.clone().unwrap();
        let mut events: Vec<_> =
            all.into_iter().filter(|(_, event)| lead(event).account_id == account.account_id.to_string()).collect();
        events.sort_by_key(|(_, event)| (lead(event).product_category, lead(event).round, lead(event).revision));
        events
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
