//! The producer's side: digests of what it has announced, and announcing it again.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use leadflow_proto::common::v1::{
    self as pb,
    digest_service_server::{DigestService, DigestServiceServer},
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Buckets, Digest, END_OF_TIME, Facts, MILLISECOND, Span};
use crate::{
    audit::{Mutation, mutate},
    auth::Principal,
    clock::Clock,
    db::{Database, Tx},
    error::{Error, Result},
    outbox,
    rpc::MAX_ANSWER,
};

/// Facts that one transaction announces.
const BATCH: usize = 500;

/// What a service announces of one kind.
#[async_trait]
pub trait Producer: Send + Sync {
    /// The name of the kind in the contract, for example `accounts`.
    fn kind(&self) -> &'static str;

    /// What was announced.
    fn facts(&self) -> Facts;

    /// The time (Unix milliseconds of ids) before which nothing is added any more; 0 for facts that change as long as they
    /// live.
    ///
    /// # Errors
    /// When the database fails.
    async fn settled_millis(&self) -> Result<u64> {
        Ok(0)
    }

    /// Announces these again, as they are now. Consumers ignore what they know, and what is older than what they know.
    ///
    /// # Errors
    /// When the database fails.
    async fn announce_again(&self, tx: &Tx, ids: Vec<Uuid>) -> Result<()>;
}

/// The gRPC service of a role that produces events.
pub type Server = DigestServiceServer<Service>;

/// Serves the digests of these.
pub(crate) fn server(database: Database, clock: Clock, producers: Vec<Arc<dyn Producer>>) -> Server {
    DigestServiceServer::new(Service { database, clock, producers }).max_encoding_message_size(MAX_ANSWER)
}

/// What a role's consumers may ask.
pub struct Service {
    database: Database,
    clock: Clock,
    producers: Vec<Arc<dyn Producer>>,
}

impl Service {
    fn producer(&self, kind: &str) -> Result<Arc<dyn Producer>> {
        let found = self.producers.iter().find(|producer| producer.kind() == kind);
        found.cloned().ok_or_else(|| Error::invalid("kind", format!("`{kind}` is nothing that this role announces")))
    }

    async fn digests(&self, request: &pb::GetDigestsRequest) -> Result<pb::GetDigestsResponse> {
        let producer = self.producer(&request.kind)?;
        let span = Span { begin: request.begin_millis, end: request.end_millis };
        let width = request.width_millis;
        if width == 0 {
            return Err(Error::invalid("width_millis", "must not be zero"));
        }
        if span.begin >= span.end || span.end > END_OF_TIME {
            return Err(Error::invalid("end_millis", "must be after begin_millis, and no more than an id can tell"));
        }
        // Before the facts: what settles meanwhile counts next time.
        let settled = producer.settled_millis().await?;
        let (buckets, end) = producer.facts().page(self.database.reader(), span, width).await?;
        outbox::drained(&self.database).await?;
        Ok(pb::GetDigestsResponse {
            digests: buckets.into_iter().map(to_message).collect(),
            end_millis: end,
            settled_millis: settled,
        })
    }

    async fn announce(&self, principal: Principal, request: pb::AnnounceAgainRequest) -> Result<u64> {
        let producer = self.producer(&request.kind)?;
        let asked = request.digests.iter().map(from_message).collect::<Result<Buckets>>()?;
        let (Some(first), Some(last)) = (asked.keys().next(), asked.keys().next_back()) else { return Ok(0) };
        let span = Span { begin: *first, end: last + MILLISECOND };
        let mut found: BTreeMap<u64, (Digest, Vec<Uuid>)> = BTreeMap::new();
        let take = |fact: &super::Fact| {
            if asked.contains_key(&fact.millis()) {
                let (digest, ids) = found.entry(fact.millis()).or_default();
                digest.add(fact);
                ids.push(fact.id);
            }
            false
        };
        producer.facts().each(self.database.reader(), span, take).await?;
        found.retain(|millis, (digest, _)| asked.get(millis) == Some(digest));
        let ids: Vec<Uuid> = found.into_values().flat_map(|(_, ids)| ids).collect();
        for batch in ids.chunks(BATCH) {
            let (producer, batch) = (producer.clone(), batch.to_vec());
            let mutation = Mutation::new(principal.clone(), "AnnounceAgain", producer.kind(), self.clock.now());
            mutate(&self.database, mutation, |tx| async move { producer.announce_again(&tx, batch).await }).await?;
        }
        Ok(ids.len() as u64)
    }
}

#[async_trait]
impl DigestService for Service {
    async fn get_digests(
        &self,
        request: Request<pb::GetDigestsRequest>,
    ) -> Result<Response<pb::GetDigestsResponse>, Status> {
        Ok(Response::new(self.digests(request.get_ref()).await?))
    }

    async fn announce_again(
        &self,
        request: Request<pb::AnnounceAgainRequest>,
    ) -> Result<Response<pb::AnnounceAgainResponse>, Status> {
        let principal = Principal::of(&request)?;
        let announced = self.announce(principal, request.into_inner()).await?;
        Ok(Response::new(pb::AnnounceAgainResponse { announced }))
    }
}

pub(super) fn to_message((begin_millis, digest): (u64, Digest)) -> pb::Digest {
    pb::Digest { begin_millis, count: digest.count, xor: digest.xor.to_be_bytes().to_vec() }
}

pub(super) fn from_message(message: &pb::Digest) -> Result<(u64, Digest)> {
    let xor = message.xor.as_slice().try_into().map_err(|_| Error::invalid("digests.xor", "must be 16 bytes long"))?;
    if message.begin_millis >= END_OF_TIME {
        return Err(Error::invalid("digests.begin_millis", "is later than an id can tell"));
    }
    Ok((message.begin_millis, Digest { count: message.count, xor: u128::from_be_bytes(xor) }))
}
