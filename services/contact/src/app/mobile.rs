//! Mobiles that somebody of the company has made sure are a contact's own.

use leadflow_platform::{
    Result,
    audit::{Mutation, mutate},
};
use uuid::Uuid;

use super::{App, joined};
use crate::{
    domain::{Contact, Joined, Key},
    error,
    store::{contacts, directory, matches},
};

impl App {
    /// Lets a mobile be the contact's own, or with `withdraw` be its own no more.
    pub(crate) async fn verify_mobile(
        &self,
        mutation: Mutation,
        contact_id: Uuid,
        mobile: String,
        withdraw: bool,
    ) -> Result<Joined<Contact>> {
        let app = self.clone();
        mutate(&self.database, mutation, move |tx| async move {
            let key = Key::Mobile(mobile.clone());
            directory::lock_keys(&tx, &[key.clone(), Key::Phone(mobile.clone())]).await?;
            let mut before = joined::lock::<Contact>(&tx, contact_id).await?;
            let owner = contacts::owners(&*tx, std::slice::from_ref(&key)).await?.remove(&key);
            let mut sides = std::iter::once(&mut before.survivor).chain(&mut before.merged);
            let side = match owner {
                Some(owner) => sides.find(|side| side.contact_id == owner),
                None => sides.next(),
            };
            match (owner, side, withdraw) {
                (None, Some(side), false) => {
                    side.mobiles.push(mobile.clone());
                    if !side.phones.contains(&mobile) {
                        side.phones.push(mobile);
                    }
                    let side = app.next_revision(side);
                    contacts::save(&tx, &[side]).await?;
                    contacts::add_keys(&tx, [(key, side.contact_id)]).await?;
                    matches::relearn(&tx, side).await?;
                    app.announce(&tx, [], [side]).await?;
                }
                (Some(_), Some(side), true) => {
                    side.mobiles.retain(|known| *known != mobile);
                    let side = app.next_revision(side);
                    contacts::save(&tx, &[side]).await?;
                    contacts::drop_key(&tx, &key).await?;
                    app.announce(&tx, [], [side]).await?;
                }
                (Some(owner), None, false) => return Err(error::mobile_taken("phone", owner)),
                // It is so already.
                _ => {}
            }
            let mut contact = joined::get(&*tx, contact_id).await?;
            joined::at_survivors(&*tx, std::slice::from_mut(&mut contact)).await?;
            Ok(contact)
        })
        .await
    }

    fn next_revision<'a>(&self, side: &'a mut Contact) -> &'a Contact {
        (side.revision, side.update_time) = (side.revision + 1, self.now());
        side
    }
}
