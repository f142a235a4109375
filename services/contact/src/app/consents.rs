//! What people have said about being contacted, and whether somebody may be.

use std::collections::BTreeSet;

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    page::Page,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::App;
use crate::{
    domain::consent::{Consent, Permission, Question, decide},
    store::consents,
};

/// Before what a page of consents begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PageKey {
    occur_time: i64,
    consent_id: Uuid,
}

impl App {
    /// Adds to what a person has said: what is said of one side of a merge is said of all.
    pub(crate) async fn record_consent(&self, mutation: Mutation, consent: Consent) -> Result<Consent> {
        mutate(&self.database, mutation, move |tx| async move {
            let mut sides = consents::lock_sides(&tx, &BTreeSet::from([consent.contact_id])).await?;
            let sides = sides.remove(&consent.contact_id);
            let sides = sides.ok_or_else(|| Error::not_found("contact", consent.contact_id))?;
            consents::add(&tx, &for_each(&consent, sides)).await?;
            Ok(consent)
        })
        .await
    }

    /// Takes over what activities have said. It counts once, and nothing of those who are not there any more.
    pub(crate) async fn follow_consents(&self, said: Vec<Consent>) -> Result<()> {
        self.database
            .write(move |tx| async move {
                let ids = said.iter().map(|consent| consent.contact_id).collect();
                let known = consents::lock_sides(&tx, &ids).await?;
                let of_known = |consent: &Consent| {
                    let sides = known.get(&consent.contact_id).cloned();
                    sides.map(|sides| for_each(consent, sides)).unwrap_or_default()
                };
                consents::add(&tx, &said.iter().flat_map(of_known).collect::<Vec<_>>()).await
            })
            .await
    }

    /// A page of what a person has said, the latest first.
    pub(crate) async fn consents(&self, contact_id: Uuid, page: &Page<PageKey>) -> Result<(Vec<Consent>, String)> {
        let sides = consents::sides_of(self.database.reader(), contact_id).await?;
        let mut said = consents::of(self.database.reader(), &sides).await?;
        let key = |it: &Consent| PageKey { occur_time: it.occur_time, consent_id: it.consent_id };
        said.retain(|it| page.after().is_none_or(|after| key(it) < *after));
        said.sort_by_key(|it| std::cmp::Reverse((key(it), it.contact_id == contact_id)));
        said.dedup_by_key(|it| it.consent_id);
        said.truncate(usize::try_from(page.limit()).unwrap_or(usize::MAX));
        Ok(page.finish(said, key))
    }

    /// Whether persons may be contacted, in the order of the questions.
    pub(crate) async fn may_contact(&self, questions: Vec<Question>) -> Result<Vec<Permission>> {
        let asked: BTreeSet<_> = questions.iter().map(|question| question.contact_id).collect();
        let known = consents::sides(self.database.reader(), &asked).await?;
        let all: BTreeSet<_> = known.values().flatten().copied().collect();
        let said = consents::of(self.database.reader(), &all.into_iter().collect::<Vec<_>>()).await?;
        let now = self.now();
        let answer = |Question { contact_id, channel, purpose, at }: Question| {
            let Some(sides) = known.get(&contact_id) else { return Permission::UnknownContact };
            let of_person: Vec<_> = said.iter().filter(|it| sides.contains(&it.contact_id)).cloned().collect();
            decide(&of_person, channel, &purpose, at.unwrap_or(now))
        };
        Ok(questions.into_iter().map(answer).collect())
    }
}

fn for_each(consent: &Consent, sides: Vec<Uuid>) -> Vec<Consent> {
    sides.into_iter().map(|contact_id| Consent { contact_id, ..consent.clone() }).collect()
}
