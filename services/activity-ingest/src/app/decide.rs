//! What could not be recorded: replayed, or discarded.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    trace::Origin,
};
use tokio::time::Instant;

use crate::{
    app::{
        App, Recorded,
        ledger::{self, Group},
    },
    domain::{
        activity::Entry,
        catalogue::Catalogue,
        check::admit,
        door::Door,
        quarantine::{Content, Decision, Problem, Quarantined, Resolution, State, Verdict, check_note},
    },
    error,
    store::{
        self,
        quarantine::{Chosen, Selection, choose},
    },
    wire,
};

/// What became of a selection, and the token of the next page.
pub(crate) type Decisions = (Vec<Decision>, String);

/// What replaying something comes to.
enum Step {
    /// It goes into the ledger.
    Record(Box<Entry>),
    /// It is in the ledger, and waits again to be identified.
    PutBack,
    /// It is refused for this.
    Refuse(Problem),
    /// It was decided before, or somebody has to do something first.
    Stay(Verdict),
}

impl App {
    /// Puts what is kept into the ledger, and what is in the ledger back to be identified.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub(crate) async fn replay(
        &self,
        mutation: Mutation,
        selection: Selection,
        note: String,
        validate_only: bool,
    ) -> Result<Decisions> {
        let catalogue = self.catalogue.reload(Instant::now()).await?;
        let now = mutation.time;
        if validate_only {
            let chosen = choose(self.database.reader(), selection).await?;
            let verdicts = chosen.kept.iter().map(|kept| foreseen(kept, &catalogue, now)).collect();
            return Ok(decisions(chosen, verdicts));
        }
        let resolution =
            Resolution { principal: mutation.principal.as_str().to_owned(), time: now, note: check_note(note)? };
        mutate(&self.database, mutation, move |tx| async move {
            let chosen = choose(&*tx, selection).await?;
            let verdicts = replay(&tx, &chosen.kept, &catalogue, &resolution).await?;
            Ok(decisions(chosen, verdicts))
        })
        .await
    }

    /// Says of what is kept that it is nothing.
    ///
    /// # Errors
    /// `INVALID_FIELD` without a note; when the database fails, and then nothing has changed.
    pub(crate) async fn discard(
        &self,
        mutation: Mutation,
        selection: Selection,
        note: String,
        validate_only: bool,
    ) -> Result<Decisions> {
        let note = check_note(note)?;
        if note.is_empty() {
            return Err(Error::invalid("note", "is required: say why it is nothing"));
        }
        let verdict = |kept: &Quarantined| match kept.state {
            State::Open | State::Discarded => Verdict::Discarded,
            State::Replayed => refused(&error::resolved(kept.state.as_str())),
        };
        if validate_only {
            let chosen = choose(self.database.reader(), selection).await?;
            let verdicts = chosen.kept.iter().map(verdict).collect();
            return Ok(decisions(chosen, verdicts));
        }
        let resolution = Resolution { principal: mutation.principal.as_str().to_owned(), time: mutation.time, note };
        mutate(&self.database, mutation, move |tx| async move {
            let chosen = choose(&*tx, selection).await?;
            for kept in chosen.kept.iter().filter(|kept| kept.state == State::Open) {
                store::quarantine::resolve(&tx, kept, State::Discarded, None, &resolution).await?;
            }
            let verdicts = chosen.kept.iter().map(verdict).collect();
            Ok(decisions(chosen, verdicts))
        })
        .await
    }
}

/// What became of those that were chosen, and of those that are not there, in the order of their ids.
fn decisions(chosen: Chosen, verdicts: Vec<Verdict>) -> Decisions {
    let found: HashSet<_> = chosen.kept.iter().map(|kept| kept.quarantine_id).collect();
    let missing = chosen.ids.into_iter().filter(|id| !found.contains(id)).map(|quarantine_id| Decision {
        quarantine_id,
        verdict: refused(&Error::not_found("quarantined activity", quarantine_id)),
    });
    let decision = |(kept, verdict): (Quarantined, _)| Decision { quarantine_id: kept.quarantine_id, verdict };
    let mut decisions: Vec<_> = chosen.kept.into_iter().zip(verdicts).map(decision).chain(missing).collect();
    decisions.sort_by_key(|decision| decision.quarantine_id);
    (decisions, chosen.next_page_token)
}

fn refused(error: &Error) -> Verdict {
    Verdict::Refused(Problem::from(error))
}

fn step(kept: &Quarantined, catalogue: &Catalogue, now: Timestamp) -> Step {
    match (kept.state, &kept.content) {
        (State::Replayed, _) => Step::Stay(kept.activity_id.map_or(Verdict::Replayed(None), Verdict::Duplicate)),
        (State::Discarded, _) => Step::Stay(refused(&error::resolved(kept.state.as_str()))),
        (State::Open, None) => Step::PutBack,
        (State::Open, Some(Content::Raw(_))) => Step::Stay(refused(&error::unreadable())),
        (State::Open, Some(Content::Activity(message))) => {
            // What has content came through a door.
            let door = kept.door.unwrap_or(Door::Grpc);
            match wire::kept_draft(message).and_then(|draft| admit(draft, door, catalogue, now)) {
                Ok(mut entry) => {
                    // Not said when: the moment it came, not the moment it was mended.
                    entry.occur_time.get_or_insert(kept.record_time);
                    Step::Record(Box::new(entry))
                }
                Err(error) => Step::Refuse(Problem::from(&error)),
            }
        }
    }
}

/// What replaying it would come to. Whether it is a duplicate, only the ledger can say.
fn foreseen(kept: &Quarantined, catalogue: &Catalogue, now: Timestamp) -> Verdict {
    match step(kept, catalogue, now) {
        Step::Record(_) => Verdict::Replayed(None),
        Step::PutBack => Verdict::Replayed(Some(kept.quarantine_id)),
        Step::Refuse(problem) => Verdict::Refused(problem),
        Step::Stay(verdict) => verdict,
    }
}

/// Replays all together, and says of each what became of it.
async fn replay(tx: &Tx, all: &[Quarantined], catalogue: &Catalogue, resolution: &Resolution) -> Result<Vec<Verdict>> {
    let steps: Vec<_> = all.iter().map(|kept| step(kept, catalogue, resolution.time)).collect();
    let entries = steps.iter().filter_map(|step| if let Step::Record(entry) = step { Some(&**entry) } else { None });
    let group = Group {
        entries: entries.cloned().collect(),
        principal: resolution.principal.clone(),
        origin: Origin::current(),
        ..Group::default()
    };
    let written = ledger::write(tx, &[Arc::new(group)], resolution.time, None).await?;
    let mut recorded = written.into_iter().flat_map(|written| written.recorded);
    let mut verdicts = Vec::with_capacity(all.len());
    for (kept, step) in all.iter().zip(steps) {
        verdicts.push(match step {
            Step::Record(_) => {
                let Recorded { activity_id, duplicate, .. } = recorded.next().ok_or_else(error::stopping)?;
                store::quarantine::resolve(tx, kept, State::Replayed, Some(activity_id), resolution).await?;
                if duplicate { Verdict::Duplicate(activity_id) } else { Verdict::Replayed(Some(activity_id)) }
            }
            Step::PutBack => {
                store::pending::put_back(tx, kept.quarantine_id).await?;
                store::quarantine::resolve(tx, kept, State::Replayed, None, resolution).await?;
                Verdict::Replayed(Some(kept.quarantine_id))
            }
            Step::Refuse(problem) => {
                store::quarantine::refuse_again(tx, kept, &problem).await?;
                Verdict::Refused(problem)
            }
            Step::Stay(verdict) => verdict,
        });
    }
    Ok(verdicts)
}
