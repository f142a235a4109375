//! Contacts, as people keep them.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
    page::Page,
};
use uuid::Uuid;

use super::{App, joined};
use crate::{
    domain::{Contact, Joined, profile::Subject},
    store::{accounts, contacts, matches, merges},
};

impl App {
    /// The contact that the id leads to.
    pub(crate) async fn contact(&self, contact_id: Uuid) -> Result<Joined<Contact>> {
        let connection = self.database.reader();
        let mut contact = joined::get(connection, contact_id).await?;
        joined::at_survivors(connection, std::slice::from_mut(&mut contact)).await?;
        Ok(contact)
    }

    /// A page of contacts; of an account those who are at it or at one that was merged into it.
    pub(crate) async fn contacts(
        &self,
        account: Option<Uuid>,
        page: &Page<Uuid>,
    ) -> Result<(Vec<Joined<Contact>>, String)> {
        let connection = self.database.reader();
        let accounts = match account {
            Some(account) => Some(merges::joined(connection, account).await?),
            None => None,
        };
        let rows = contacts::list(connection, accounts.as_deref(), page.after().copied(), page.limit()).await?;
        let (rows, next) = page.finish(rows, |contact| contact.contact_id);
        let mut contacts = joined::all(connection, rows).await?;
        joined::at_survivors(connection, &mut contacts).await?;
        Ok((contacts, next))
    }

    /// Changes a contact by `change`, which gets it as it is.
    pub(crate) async fn update_contact(
        &self,
        mutation: Mutation,
        contact_id: Uuid,
        etag: String,
        change: impl FnOnce(&mut Contact) + Send + 'static,
    ) -> Result<Joined<Contact>> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            let before = joined::lock::<Contact>(&tx, contact_id).await?;
            if !etag.is_empty() && etag != before.etag() {
                return Err(Error::stale_etag("contact"));
            }
            let shown = before.shown();
            let mut wanted = shown.clone();
            change(&mut wanted);
            let profiles = (&shown.profile, &wanted.profile);
            app.check_profile(&tx, Subject::Contact, profiles, "contact.profile.fields").await?;
            app.write_contact(&tx, &before, &wanted, "contact.account_id").await?;
            let mut contact = joined::get(&*tx, contact_id).await?;
            joined::at_survivors(&*tx, std::slice::from_mut(&mut contact)).await?;
            Ok(contact)
        })
        .await
    }

    /// Lets a contact, whose sides are locked, be as wanted. Returns the sides that have changed. `field` is where the
    /// account stands in the request.
    pub(super) async fn write_contact(
        &self,
        tx: &Tx,
        before: &Joined<Contact>,
        wanted: &Contact,
        field: &str,
    ) -> Result<Vec<Contact>> {
        let shown = before.shown();
        let (moved, mut wanted) = (self.moved(tx, before, &shown, wanted, field).await?, wanted.clone());
        wanted.account_id = moved.shown().account_id;
        self.store_contacts(tx, moved.saying(&wanted).changed_since(before)).await
    }

    /// The contact at the account that is wanted. Whoever goes from one to another has left the one.
    async fn moved(
        &self,
        tx: &Tx,
        before: &Joined<Contact>,
        shown: &Contact,
        wanted: &Contact,
        field: &str,
    ) -> Result<Joined<Contact>> {
        let Some(to) = wanted.account_id.filter(|_| wanted.account_id != shown.account_id) else {
            return Ok(before.clone());
        };
        if accounts::by_ids(&**tx, &[to]).await?.is_empty() {
            return Err(Error::field("UNKNOWN_ACCOUNT", field, "there is no such account"));
        }
        let home = merges::all_joined(&**tx, &[to]).await?;
        if shown.account_id.is_some_and(|at| home.contains(&at)) {
            // Another id of the same one.
            return Ok(before.clone());
        }
        let at: Vec<_> = before.sides().filter_map(|side| side.account_id).collect();
        let left = merges::all_joined(&**tx, &at).await?;
        Ok(before.moved(to, &home, &left))
    }

    /// Writes contacts under their next revisions, lets nothing but what is known now lead to them, and announces them.
    /// Returns them as they are written.
    pub(super) async fn store_contacts(&self, tx: &Tx, mut changed: Vec<Contact>) -> Result<Vec<Contact>> {
        for contact in &mut changed {
            contact.revision += 1;
            contact.update_time = self.now();
        }
        contacts::save(tx, &changed.iter().collect::<Vec<_>>()).await?;
        for contact in &changed {
            matches::relearn(tx, contact).await?;
        }
        self.announce(tx, [], &changed).await?;
        Ok(changed)
    }
}
