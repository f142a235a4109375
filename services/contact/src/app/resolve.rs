//! Who is behind a batch of claims: one transaction for all of them.

use std::collections::BTreeMap;

use leadflow_platform::{Error, Result, db::Tx, ids};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{Claim, Resolved, merge::Kind},
    metrics::Found,
    store::{directory, merges},
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
    /// The claim names somebody who was erased: it is of nobody.
    pub(crate) suppressed: bool,
    /// Whether the person became known, or better known.
    pub(crate) contact_changed: bool,
}

/// Who merges when it is not a person.
const CONTACT: &str = "service:contact";

impl App {
    /// Resolves claims; an invalid one gets its error, the others stand.
    pub(crate) async fn resolve(&self, claims: Vec<Result<Claim>>) -> Result<Vec<Result<Answer>>> {
        let valid: Vec<Claim> = claims.iter().filter_map(|claim| claim.as_ref().ok().cloned()).collect();
        let mut answers = self.resolve_valid(valid).await?.into_iter();
        let mut results = Vec::with_capacity(claims.len());
        for claim in claims {
            let result = match claim {
                Ok(_) => Ok(answers.next().ok_or_else(|| Error::internal("fewer answers than claims"))?),
                Err(error) => Err(error),
            };
            self.metrics.resolved(match &result {
                Ok(Answer { suppressed: true, .. }) => Found::Suppressed,
                Ok(answer) if answer.resolved.contact_created || answer.resolved.account_created => Found::Created,
                Ok(_) => Found::Known,
                Err(_) => Found::Rejected,
            });
            results.push(result);
        }
        Ok(results)
    }

    async fn resolve_valid(&self, claims: Vec<Claim>) -> Result<Vec<Answer>> {
        let app = self.clone();
        self.database.write(move |tx| async move { app.resolve_in(&tx, claims).await }).await
    }

    pub(super) async fn resolve_in(&self, tx: &Tx, claims: Vec<Claim>) -> Result<Vec<Answer>> {
        let now = self.now();
        let mut known = directory::load(tx, &claims).await?;
        let suppressed = self.suppressed(tx, &claims, |key| known.contact_of.contains_key(key)).await?;
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
        Ok(resolved
            .into_iter()
            .map(|(resolved, suppressed)| Answer {
                contact_id: resolved.contact_id.map(|id| known.survivor(id)),
                account_id: resolved.account_id.map(|id| known.survivor(id)),
                account_revision: resolved
                    .account_id
                    .and_then(|id| known.accounts.get(&id))
                    .map_or(0, |account| account.revision),
                suppressed,
                contact_changed: resolved.contact_id.is_some_and(|id| known.changed_contacts.contains(&id)),
                resolved,
            })
            .collect())
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
