//! Accounts and contacts in bulk: one transaction for all lines, and an answer for each.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    error::Code,
    ids,
};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, hierarchy::check_roll_up, joined};
use crate::{
    domain::{
        Account, Claim, Contact, Joined,
        import::{AccountLine, Accounts, ContactLine},
        profile::{Subject, Values},
    },
    error,
    store::{accounts, directory, hierarchy, import, merges},
};

/// What became of a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Created(Uuid),
    Updated(Uuid),
    Unchanged(Uuid),
    /// Why, as an encoded `google.rpc.Status`: a repeated request gets the same answer.
    Rejected(Vec<u8>),
}

impl Outcome {
    /// What became of the line at `index`; what is not the line's own fault is the fault of all.
    fn of(index: usize, result: Result<Self>) -> Result<Self> {
        match result {
            Err(error) if matches!(error.code(), Code::Internal | Code::Unavailable) => Err(error),
            Err(error) => {
                Ok(Self::Rejected(error.within(&format!("lines[{index}].")).to_item_status().encode_to_vec()))
            }
            outcome => outcome,
        }
    }
}

impl App {
    /// Creates or changes the account of each line, or only says what would become of it.
    pub(crate) async fn import_accounts(
        &self,
        mutation: Mutation,
        lines: Vec<Result<AccountLine>>,
        validate_only: bool,
    ) -> Result<Vec<Outcome>> {
        let app = self.clone();
        let work = move |tx: Tx| async move { app.import_accounts_in(&tx, lines).await };
        if validate_only { self.rehearse(work).await } else { mutate(&self.database, mutation, work).await }
    }

    async fn import_accounts_in(&self, tx: &Tx, lines: Vec<Result<AccountLine>>) -> Result<Vec<Outcome>> {
        let readable: Vec<_> = lines.iter().filter_map(|line| line.as_ref().ok()).collect();
        if readable.iter().any(|line| !line.parent.is_empty()) {
            hierarchy::lock(tx).await?;
        }
        let keys: Vec<_> = readable.iter().flat_map(|line| line.account.keys()).collect();
        directory::lock_keys(tx, &keys).await?;
        let mut known = Known::load(tx, &readable).await?;
        let mut outcomes = Vec::with_capacity(lines.len());
        for (index, line) in lines.into_iter().enumerate() {
            let result = match line {
                Ok(line) => self.import_account(tx, &mut known, &line).await,
                Err(error) => Err(error),
            };
            outcomes.push(Outcome::of(index, result)?);
        }
        Ok(outcomes)
    }

    async fn import_account(&self, tx: &Tx, known: &mut Known, line: &AccountLine) -> Result<Outcome> {
        let found = known.shown.find(line).map_err(|unclear| error::unclear_account("account", &unclear))?;
        let parent = (!line.parent.is_empty()).then(|| known.shown.named(&line.parent)).transpose();
        let parent = parent.map_err(|unclear| error::unclear_parent(&line.parent, &unclear))?;
        let joined = found.and_then(|id| known.joined.remove(&id)).unwrap_or_else(|| {
            let new = Account { account_id: ids::new(), create_time: self.now(), ..Account::default() };
            Joined { survivor: new, merged: Vec::new() }
        });
        let result = self.change_account(tx, &joined, line, parent).await;
        let id = joined.survivor.account_id;
        // As it is now, whatever became of the line.
        if let Ok(Outcome::Created(_) | Outcome::Updated(_)) = result {
            known.insert(joined::get(&**tx, id).await?, Vec::new());
        } else if found.is_some() {
            known.joined.insert(id, joined);
        }
        result
    }

    async fn change_account(
        &self,
        tx: &Tx,
        joined: &Joined<Account>,
        line: &AccountLine,
        parent: Option<Uuid>,
    ) -> Result<Outcome> {
        let (before, id) = (joined.shown(), joined.survivor.account_id);
        let is_new = before.revision == 0;
        let mut wanted = line.merged(&before, parent);
        // The name of what was merged names no other account.
        if joined.merged.iter().any(|side| side.name == wanted.name) {
            wanted.name.clone_from(&before.name);
        }
        if wanted.name.is_empty() {
            return Err(Error::invalid("account.name", "is needed to create an account"));
        }
        check_roll_up(&wanted, "account.roll_up")?;
        let profiles = (&before.profile, &wanted.profile);
        self.check_profile(tx, Subject::Account, profiles, "account.profile").await?;
        let changed = joined.spread(&wanted);
        if changed.is_empty() && !is_new {
            return Ok(Outcome::Unchanged(id));
        }
        if before.parent_account_id != wanted.parent_account_id {
            self.check_parents(tx, &wanted, "parent").await?;
        }
        let sides: Vec<_> = joined.sides().map(|side| side.account_id).collect();
        self.check_free(tx, &wanted, &sides).await.map_err(|error| error.within("account."))?;
        for side in changed {
            self.store_account(tx, side).await?;
        }
        Ok(if is_new { Outcome::Created(id) } else { Outcome::Updated(id) })
    }

    /// Creates or changes the contact of each line, or only says what would become of it.
    pub(crate) async fn import_contacts(
        &self,
        mutation: Mutation,
        lines: Vec<Result<(Claim, ContactLine)>>,
        validate_only: bool,
    ) -> Result<Vec<Outcome>> {
        let app = self.clone();
        let work = move |tx: Tx| async move { app.import_contacts_in(&tx, lines).await };
        if validate_only { self.rehearse(work).await } else { mutate(&self.database, mutation, work).await }
    }

    async fn import_contacts_in(&self, tx: &Tx, lines: Vec<Result<(Claim, ContactLine)>>) -> Result<Vec<Outcome>> {
        let accounts = accounts_named(tx, &lines).await?;
        let put_at: Vec<_> = accounts.values().copied().collect();
        let (mut claims, mut people, mut outcomes) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (index, line) in lines.into_iter().enumerate() {
            let at_account = |(claim, line): (Claim, ContactLine)| {
                if line.account.is_empty() {
                    return Ok((claim, line, None));
                }
                let account = accounts.get(&line.account).copied();
                let account = account.ok_or_else(|| error::unknown_account(&line.account))?;
                // Where the person is, is said: a domain or a name must not make another account.
                Ok((Claim { domain: None, company: String::new(), ..claim }, line, Some(account)))
            };
            let line = match line.and_then(at_account) {
                // Before anybody is found or made.
                Ok(line) => {
                    let profiles = (&Values::new(), &line.1.said.profile);
                    self.check_profile(tx, Subject::Contact, profiles, "profile.fields").await.map(|()| line)
                }
                Err(error) => Err(error),
            };
            match line {
                Ok((claim, line, account)) => {
                    claims.push(claim);
                    people.push((index, line, account));
                }
                Err(error) => {
                    outcomes.insert(index, Outcome::of(index, Err(error))?);
                }
            }
        }
        let answers = self.resolve_in(tx, claims, Some(&put_at)).await?;
        let ids: BTreeSet<_> = answers.iter().filter_map(|answer| answer.contact_id).collect();
        let known = joined::lock_all::<Contact>(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
        let mut known: BTreeMap<_, _> = known.into_iter().map(|one| (one.survivor.contact_id, one)).collect();
        for ((index, line, account), answer) in people.into_iter().zip(answers) {
            let result = match answer.contact_id.and_then(|id| known.get_mut(&id)) {
                Some(contact) => self.change_contact(tx, contact, &line, account).await.map(|changed| {
                    let id = contact.survivor.contact_id;
                    match (answer.resolved.contact_created, changed || answer.contact_changed) {
                        (true, _) => Outcome::Created(id),
                        (false, true) => Outcome::Updated(id),
                        (false, false) => Outcome::Unchanged(id),
                    }
                }),
                None if answer.suppressed => Err(error::suppressed()),
                None => Err(error::shared_phone()),
            };
            outcomes.insert(index, Outcome::of(index, result)?);
        }
        Ok(outcomes.into_values().collect())
    }

    /// Takes over what a line says of a contact. True when that is something new.
    async fn change_contact(
        &self,
        tx: &Tx,
        contact: &mut Joined<Contact>,
        line: &ContactLine,
        account: Option<Uuid>,
    ) -> Result<bool> {
        let wanted = line.merged(&contact.shown(), account);
        let changed = self.write_contact(tx, contact, &wanted, "account").await?;
        let is_changed = !changed.is_empty();
        for side in changed {
            let all = std::iter::once(&mut contact.survivor).chain(&mut contact.merged);
            all.filter(|kept| kept.contact_id == side.contact_id).for_each(|kept| kept.clone_from(&side));
        }
        Ok(is_changed)
    }
}

/// The accounts that lines may be about: as they are shown, to be found, and with what was merged into them, to be changed.
#[derive(Default)]
struct Known {
    shown: Accounts,
    joined: BTreeMap<Uuid, Joined<Account>>,
}

impl Known {
    /// Locks and reads what the lines may be about. Their keys are locked already.
    async fn load(tx: &Tx, lines: &[&AccountLine]) -> Result<Self> {
        let (ids, mut names) = import::candidates(tx, lines).await?;
        let mut known = Self::default();
        for account in joined::lock_all::<Account>(tx, &ids.into_iter().collect::<Vec<_>>()).await? {
            let sides = account.sides().filter_map(|side| names.remove(&side.account_id)).flatten().collect();
            known.insert(account, sides);
        }
        Ok(known)
    }

    fn insert(&mut self, account: Joined<Account>, names: Vec<(String, String)>) {
        let merged: Vec<_> = account.merged.iter().map(|side| side.account_id).collect();
        self.shown.insert(account.shown(), merged, names);
        self.joined.insert(account.survivor.account_id, account);
    }
}

/// The accounts that lines name by id or reference.
async fn accounts_named(tx: &Tx, lines: &[Result<(Claim, ContactLine)>]) -> Result<BTreeMap<String, Uuid>> {
    let named: BTreeSet<_> = lines.iter().filter_map(|line| Some(line.as_ref().ok()?.1.account.clone())).collect();
    let named: Vec<_> = named.into_iter().filter(|text| !text.is_empty()).collect();
    let ids: BTreeSet<Uuid> = named.iter().filter_map(|text| text.parse().ok()).collect();
    let by_id = hierarchy::references(&**tx, ids).await?.into_keys().map(|id| (id.to_string(), id));
    let found: BTreeMap<_, _> = by_id.chain(accounts::by_references(&**tx, &named).await?).collect();
    let leads_to = merges::survivors(&**tx, &found.values().copied().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|(name, id)| (name, leads_to.get(&id).copied().unwrap_or(id))).collect())
}
