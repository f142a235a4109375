//! What the bugs that can be planted do to the ledger.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use leadflow_platform::{db::Database, ids};

use crate::{
    app::{
        Recorded,
        handed::Handed,
        ledger::{self, Group, Written},
    },
    domain::{activity::Entry, quarantine::Place},
};

/// Says that all is written, and writes it a little later, if this process lives so long.
pub(super) fn promise(
    database: Database,
    handed: Arc<Handed>,
    groups: Vec<Arc<Group>>,
    now: Timestamp,
) -> Vec<Written> {
    let promised = groups.iter().map(|group| promised(group)).collect();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let written = database.write(move |tx| async move { ledger::write(&tx, &groups, now, None).await }).await;
        tracing::warn!(written = written.is_ok(), "a promise is kept, or not");
        handed.ring();
    });
    promised
}

fn promised(group: &Group) -> Written {
    let recorded = |entry: &Entry| Recorded {
        activity_id: ids::new(),
        duplicate: false,
        derived: entry.source_event_id.is_none(),
        conflicting: false,
    };
    Written {
        recorded: group.entries.iter().map(recorded).collect(),
        kept: group.kept.iter().map(|_| Place { quarantine_id: ids::new(), replayed_as: None }).collect(),
        pending: Vec::new(),
    }
}

/// An activity that nobody has sent, like one that somebody has.
pub(super) fn phantom(groups: &[Arc<Group>]) -> Option<Arc<Group>> {
    let group = groups.iter().find(|group| !group.entries.is_empty())?;
    let entry = Entry { source_event_id: Some(format!("phantom-{}", ids::new())), ..group.entries[0].clone() };
    Some(Arc::new(Group { entries: vec![entry], principal: group.principal.clone(), ..Group::default() }))
}
