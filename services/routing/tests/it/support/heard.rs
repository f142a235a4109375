use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt as _;
use leadflow_harness::Nats;
use leadflow_proto::routing::v1::{Assignment, AssignmentEvent, HandOver, HandOverHeld};
use prost::Message as _;

use super::lead::TestLead;

/// Subjects and bodies.
type Messages = Vec<(String, Vec<u8>)>;

/// What routing has announced, each event once, in the order of its coming.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Messages>>);

impl Heard {
    pub(crate) async fn listen(nats: &Nats) -> Self {
        let client = async_nats::connect(nats.url()).await.unwrap();
        let mut subscription = client.subscribe("leadflow.assignment.v1.>").await.unwrap();
        client.flush().await.unwrap();
        let heard = Self::default();
        let all = heard.clone();
        tokio::spawn(async move {
            let mut seen = HashSet::new();
            while let Some(message) = subscription.next().await {
                let id = message.headers.as_ref().and_then(|headers| headers.get("ce-id")).unwrap().to_string();
                if seen.insert(id) {
                    all.0.lock().unwrap().push((message.subject.to_string(), message.payload.to_vec()));
                }
            }
            drop(client);
        });
        heard
    }

    /// The facts about the assignments of a lead, for example `["offered", "rejected"]`.
    pub(crate) fn facts(&self, lead: &TestLead) -> Vec<String> {
        let facts = self.assignments().into_iter().filter(|(_, one)| one.lead_id == lead.lead_id.to_string());
        facts.map(|(fact, _)| fact).collect()
    }

    /// All events of assignments, with their fact.
    pub(crate) fn assignments(&self) -> Vec<(String, Assignment)> {
        let all = self.0.lock().unwrap().clone();
        all.into_iter()
            .map(|(subject, body)| (subject.rsplit('.').next().unwrap().to_owned(), body))
            .filter(|(fact, _)| fact != "held")
            .map(|(fact, body)| (fact, AssignmentEvent::decode(body.as_slice()).unwrap().assignment.unwrap()))
            .collect()
    }

    /// All events of held hand-overs of a lead.
    pub(crate) fn held(&self, lead: &TestLead) -> Vec<HandOver> {
        let all = self.0.lock().unwrap().clone();
        all.into_iter()
            .filter(|(subject, _)| subject.ends_with(".held"))
            .map(|(_, body)| HandOverHeld::decode(body.as_slice()).unwrap().hand_over.unwrap())
            .filter(|held| held.lead_id == lead.lead_id.to_string())
            .collect()
    }
}
