//! Whom claims have led to, kept from one time to the next: most people come again, and say the same of themselves.
//!
//! An answer is good for as long as the contact and the account that it rests on are as they were, which their revisions
//! say. So it needs no word from other replicas, and to lose it costs only reading.

use std::{collections::HashMap, sync::Arc};

use leadflow_proto::contact::v1::IdentityClaim;
use prost::Message as _;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::footing::Footing;

/// Claims that are remembered: some 8 MiB.
const CLAIMS: usize = 50_000;

/// What one process remembers. Nothing in it tells anybody's name or address.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    footings: Arc<Cache<Said, Footing>>,
    /// Other ones in each process, so that nobody can prepare two claims that read the same.
    salt: Uuid,
}

/// What a claim says, as a digest: as it is written, so that it need not be read to be known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Said([u8; 32]);

impl Default for Memory {
    fn default() -> Self {
        Self { footings: Arc::new(Cache::new(CLAIMS)), salt: Uuid::new_v4() }
    }
}

impl Memory {
    pub(super) fn said(&self, claim: &IdentityClaim) -> Said {
        Said(Sha256::new().chain_update(self.salt).chain_update(claim.encode_to_vec()).finalize().into())
    }

    /// What the answers to those of these rested on that were given before.
    pub(super) fn footings(&self, said: &[Said]) -> HashMap<Said, Footing> {
        said.iter().filter_map(|said| Some((*said, self.footings.get(said)?))).collect()
    }

    /// Remembers what answers rest on, as it is committed.
    pub(super) fn keep(&self, answered: impl IntoIterator<Item = (Said, Footing)>) {
        for (said, footing) in answered {
            self.footings.insert(said, footing);
        }
    }
}
