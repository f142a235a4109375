//! Who is behind a batch of claims: one look at what is known, and one transaction for those that tell something new.

use std::collections::BTreeMap;

use leadflow_platform::{Result, db::Tx, ids};
use leadflow_proto::contact::v1::IdentityClaim;
use uuid::Uuid;

use super::{App, memory::Said};
use crate::{
    domain::{Claim, Directory, Key, Resolved, footing::Footing, merge::Kind},
    metrics::Found,
    store::{directory, merges},
    wire,
};

/// Who is behind a claim, with the account's revision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    /// The sides that the claim's keys belong to.
    pub(crate) resolved: Resolved,
    /// The ones that they lead to.
    pub(crate) contact_id: Option<Uuid>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) account_revision: i64,
    /// The claim names somebody who was erased, or by an id nobody: it is of nobody.
    pub(crate) suppressed: bool,
    /// Whether the person became known, or better known.
    pub(crate) contact_changed: bool,
    /// What it rests on, where the same may be answered again for as long as that stays.
    footing: Option<Footing>,
}

/// What a claim tells.
enum Seen {
    /// Nothing new of somebody who is known.
    Known(Answer),
    /// Something new, or of somebody new.
    News(Box<Claim>),
}

/// Who merges when it is not a person.
const CONTACT: &str = "service:contact";

impl App {
    /// Resolves claims; an invalid one gets its error, the others stand. With `known_only`, those that tell something new
    /// stay without an answer, and nothing changes.
    pub(crate) async fn resolve(
        &self,
        claims: Vec<IdentityClaim>,
        known_only: bool,
    ) -> Result<Vec<Result<Option<Answer>>>> {
        let said: Vec<_> = claims.iter().map(|claim| self.memory.said(claim)).collect();
        let seen = self.recognise(claims, said.clone()).await?;
        let new = if known_only { Vec::new() } else { news(&seen) };
        let mut resolved = self.resolve_new(new).await?.into_iter();
        let mut answer = |seen| match seen {
            Seen::Known(answer) => Some(answer),
            Seen::News(_) => resolved.next(),
        };
        let results: Vec<_> = seen.into_iter().map(|seen| seen.map(&mut answer)).collect();
        let footing = |result: &Result<Option<Answer>>| result.as_ref().ok()?.as_ref()?.footing;
        self.memory.keep(said.into_iter().zip(&results).filter_map(|(said, it)| Some((said, footing(it)?))));
        results.iter().for_each(|result| self.count(result));
        Ok(results)
    }

    fn count(&self, result: &Result<Option<Answer>>) {
        self.metrics.resolved(match result {
            // Whoever asks for what is known asks again.
            Ok(None) => return,
            Ok(Some(Answer { suppressed: true, .. })) => Found::Suppressed,
            Ok(Some(answer)) if answer.resolved.contact_created || answer.resolved.account_created => Found::Created,
            Ok(Some(_)) => Found::Known,
            Err(_) => Found::Rejected,
        });
    }

    /// Who is behind the claims that tell nothing new: most of them do, and nobody has to wait for a lock for these. Where
    /// somebody who was erased may be named, it is left open. What is remembered need not even be read.
    async fn recognise(&self, claims: Vec<IdentityClaim>, said: Vec<Said>) -> Result<Vec<Result<Seen>>> {
        let remembered = self.memory.footings(&said);
        let app = self.clone();
        let work = move |view: Tx| async move {
            let standing = directory::standing(&*view, &remembered.values().copied().collect::<Vec<_>>()).await?;
            let see = |(claim, said): (&_, _)| {
                let footing = remembered.get(&said).filter(|footing| standing.contains(footing));
                footing.map_or_else(
                    || wire::claim(claim).map(|claim| Seen::News(Box::new(claim))),
                    |it| Ok(Seen::Known(Answer::again(it))),
                )
            };
            let mut seen: Vec<_> = claims.iter().zip(said).map(see).collect();
            let mut found = app.look_up(&view, &news(&seen)).await?.into_iter();
            for one in seen.iter_mut().flatten().filter(|one| matches!(one, Seen::News(_))) {
                if let Some(Some(answer)) = found.next() {
                    *one = Seen::Known(answer);
                }
            }
            Ok(seen)
        };
        self.database.read(work).await
    }

    /// The same by looking all of it up.
    async fn look_up(&self, view: &Tx, claims: &[Claim]) -> Result<Vec<Option<Answer>>> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let known = directory::look(&**view, claims).await?;
        let suppressed = self.suppressed(view, claims, |key| known.contact_of.contains_key(key)).await?;
        let answer = |(claim, suppressed): (&Claim, bool)| {
            let Some(contact_id) = claim.contact_id else {
                let resolved = known.recognise(claim).filter(|_| !suppressed)?;
                return Some(Answer::of(resolved, claim, &known));
            };
            let resolved = known.named(contact_id);
            let suppressed = resolved.contact_id.is_none();
            Some(Answer { suppressed, ..Answer::of(resolved, claim, &known) })
        };
        Ok(claims.iter().zip(suppressed).map(answer).collect())
    }

    async fn resolve_new(&self, claims: Vec<Claim>) -> Result<Vec<Answer>> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let app = self.clone();
        self.database.write(move |tx| async move { app.resolve_in(&tx, claims, None).await }).await
    }

    /// Resolves claims in a transaction; `put_at` is as in [`directory::load`].
    pub(super) async fn resolve_in(&self, tx: &Tx, claims: Vec<Claim>, put_at: Option<&[Uuid]>) -> Result<Vec<Answer>> {
        let now = self.now();
        let mut known = directory::load(tx, &claims, put_at).await?;
        let has_phone = |key: &Key| matches!(key, Key::Phone(phone) if known.phones.contains_key(phone));
        let is_known = |key: &Key| known.contact_of.contains_key(key) || has_phone(key);
        let suppressed = self.suppressed(tx, &claims, is_known).await?;
        let resolve = |(claim, suppressed): (&Claim, bool)| {
            let resolved = if suppressed { Resolved::default() } else { known.resolve(claim, now, &mut ids::new) };
            (resolved, suppressed)
        };
        let resolved: Vec<_> = claims.iter().zip(suppressed).map(resolve).collect();
        for id in &known.changed_accounts {
            if let Some(account) = known.accounts.get_mut(id) {
                account.revision += 1;
            }
        }
        for id in &known.changed_contacts {
            if let Some(contact) = known.contacts.get_mut(id) {
                contact.revision += 1;
            }
        }
        directory::save(tx, &known, now).await?;
        let accounts = known.changed_accounts.iter().filter_map(|id| known.accounts.get(id));
        let contacts = known.changed_contacts.iter().filter_map(|id| known.contacts.get(id));
        self.announce(tx, accounts, contacts).await?;
        self.enter_visitors(tx, &known.visitors).await?;
        let answer = |((resolved, suppressed), claim)| Answer { suppressed, ..Answer::of(resolved, claim, &known) };
        Ok(resolved.into_iter().zip(&claims).map(answer).collect())
    }

    /// Enters into the journal which visitors turned out to be whom.
    async fn enter_visitors(&self, tx: &Tx, visitors: &BTreeMap<Uuid, Uuid>) -> Result<()> {
        let entry = |(&visitor, &person): (&Uuid, &Uuid)| {
            self.entry(Kind::Contact, person, visitor, CONTACT, "seen with this person's identity".to_owned())
        };
        let entries: Vec<_> = visitors.iter().map(entry).collect();
        merges::enter(tx, &entries).await?;
        for merge in &entries {
            self.announce_merge(tx, merge).await?;
        }
        Ok(())
    }
}

/// The claims that tell something new.
fn news(seen: &[Result<Seen>]) -> Vec<Claim> {
    let claim = |seen: &Seen| if let Seen::News(claim) = seen { Some(Claim::clone(claim)) } else { None };
    seen.iter().flatten().filter_map(claim).collect()
}

impl Answer {
    /// The answer that was given before, when it rested on this.
    fn again(footing: &Footing) -> Self {
        let Footing { contact_id, account_id, account_revision, .. } = *footing;
        let (contact_id, account_id) = (Some(contact_id), Some(account_id));
        let resolved = Resolved { contact_id, account_id, ..Resolved::default() };
        Self { resolved, contact_id, account_id, account_revision, footing: Some(*footing), ..Self::default() }
    }

    fn of(resolved: Resolved, claim: &Claim, known: &Directory) -> Self {
        let account = resolved.account_id.and_then(|id| known.accounts.get(&id));
        Self {
            contact_id: resolved.contact_id.map(|id| known.survivor(id)),
            account_id: resolved.account_id.map(|id| known.survivor(id)),
            account_revision: account.map_or(0, |account| account.revision),
            suppressed: false,
            footing: known.footing(claim, &resolved),
            contact_changed: resolved.contact_id.is_some_and(|id| known.changed_contacts.contains(&id)),
            resolved,
        }
    }
}
