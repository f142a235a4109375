use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt as _;
use leadflow_harness::Nats;
use leadflow_proto::routing::v1::{Assignment, AssignmentEvent, HandOver, HandOverHeld};
use prost::Message as _;

use super::lead::TestLead;

/// Subjects, bodies, and what has brought them about.
type Messages = Vec<(String, Vec<u8>, String)>;

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
                let headers = message.headers.unwrap();
                if seen.insert(headers.get("ce-id").unwrap().to_string()) {
                    let origin = headers.get("traceparent").map(ToString::to_string).unwrap_or_default();
                    all.0.lock().unwrap().push((message.subject.to_string(), message.payload.to_vec(), origin));
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
            .map(|(subject, body, _)| (subject.rsplit('.').next().unwrap().to_owned(), body))
            .filter(|(fact, _)| fact != "held")
            .map(|(fact, body)| (fact, AssignmentEvent::decode(body.as_slice()).unwrap().assignment.unwrap()))
            .collect()
    }

    /// What has brought the announcement of this fact about a lead about.
    pub(crate) fn origin(&self, lead: &TestLead, fact: &str) -> Option<String> {
        let (all, lead_id) = (self.0.lock().unwrap().clone(), lead.lead_id.to_string());
        let mut of_fact = all.into_iter().filter(|(subject, ..)| subject.ends_with(&format!(".{fact}")));
        let is_of_lead = |body: &[u8]| match fact {
            "held" => HandOverHeld::decode(body).unwrap().hand_over.unwrap().lead_id == lead_id,
            _ => AssignmentEvent::decode(body).unwrap().assignment.unwrap().lead_id == lead_id,
        };
        of_fact.find(|(_, body, _)| is_of_lead(body)).map(|(.., origin)| origin)
    }

    /// All events of held hand-overs of a lead.
    pub(crate) fn held(&self, lead: &TestLead) -> Vec<HandOver> {
        let all = self.0.lock().unwrap().clone();
        all.into_iter()
            .filter(|(subject, ..)| subject.ends_with(".held"))
            .map(|(_, body, _)| HandOverHeld::decode(body.as_slice()).unwrap().hand_over.unwrap())
            .filter(|held| held.lead_id == lead.lead_id.to_string())
            .collect()
    }
}
