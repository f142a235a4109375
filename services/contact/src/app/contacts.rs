//! Contacts, as people keep them.

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    page::Page,
};
use uuid::Uuid;

use super::App;
use crate::{domain::Contact, store::contacts};

impl App {
    /// One contact.
    pub(crate) async fn contact(&self, contact_id: Uuid) -> Result<Contact> {
        contacts::get(self.database.reader(), contact_id).await
    }

    /// A page of contacts.
    pub(crate) async fn contacts(&self, account: Option<Uuid>, page: &Page<Uuid>) -> Result<(Vec<Contact>, String)> {
        let rows = contacts::list(self.database.reader(), account, page.after().copied(), page.limit()).await?;
        Ok(page.finish(rows, |contact| contact.contact_id))
    }

    /// Changes a contact by `change`, which gets it as it is.
    pub(crate) async fn update_contact(
        &self,
        mutation: Mutation,
        contact_id: Uuid,
        etag: String,
        change: impl FnOnce(&mut Contact) + Send + 'static,
    ) -> Result<Contact> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            let mut locked = contacts::lock(&tx, &[contact_id]).await?;
            let mut contact = locked.remove(&contact_id).ok_or_else(|| Error::not_found("contact", contact_id))?;
            if !etag.is_empty() && etag != contact.revision.to_string() {
                return Err(Error::stale_etag("contact"));
            }
            let before = contact.clone();
            change(&mut contact);
            if contact != before {
                contact.revision += 1;
                contact.update_time = app.now();
                contacts::save(&tx, &[&contact]).await?;
                app.announce(&tx, [], [&contact]).await?;
            }
            Ok(contact)
        })
        .await
    }
}
