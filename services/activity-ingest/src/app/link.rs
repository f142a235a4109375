//! What people say through links in messages that were sent to them, and those links.

use leadflow_platform::{Error, Result, auth::Principal, ids, page::Page};
use uuid::Uuid;

use crate::{
    app::{App, Outcome},
    domain::{
        activity::Draft,
        consent::ConsentChannel,
        door::Door,
        link::{Asked, Link, Unsubscription, confirmation_id},
    },
    error,
    store::{activities, confirmations},
};

/// What a link is about, as the person may read it who follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// How the source calls itself.
    pub(crate) sender: String,
    pub(crate) channels: Vec<ConsentChannel>,
    /// Empty: everything.
    pub(crate) purpose: String,
}

impl App {
    /// The address at which a person unsubscribes.
    ///
    /// # Errors
    /// `UNKNOWN_SOURCE`.
    pub(crate) async fn unsubscribe_url(&self, wanted: Unsubscription) -> Result<String> {
        self.source(&wanted.source).await?;
        self.links.url(&Link::Unsubscribe(wanted))
    }

    /// A page of the consents that can be confirmed now, each with the address where, and the token of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn pending_confirmations(&self, page: &Page<Uuid>) -> Result<(Vec<(Asked, String)>, String)> {
        let after = page.after().copied();
        let rows = confirmations::list(self.database.reader(), self.clock.now(), after, page.limit()).await?;
        let (rows, next_page_token) = page.finish(rows, |activity| activity.activity_id);
        let with_url = |asked: Asked| {
            let url = self.links.url(&Link::Confirm(asked.activity.activity_id))?;
            Ok((asked, url))
        };
        let pending = rows.into_iter().filter_map(Asked::of).map(with_url).collect::<Result<_>>()?;
        Ok((pending, next_page_token))
    }

    /// What somebody would unsubscribe from. It says nothing: those who look after mail follow links, too.
    ///
    /// # Errors
    /// `INVALID_LINK`.
    pub(crate) async fn subscription(&self, token: &str) -> Result<About> {
        let Unsubscription { channel, purpose, source, .. } = self.unsubscription(token)?;
        self.about(source, vec![channel], purpose).await
    }

    /// Takes in that somebody unsubscribes; returns after it is committed.
    ///
    /// # Errors
    /// `INVALID_LINK`; and as [`App::record`].
    pub(crate) async fn unsubscribe(&self, token: &str) -> Result<About> {
        let unsubscription = self.unsubscription(token).inspect_err(|error| self.refused_link(error))?;
        let Unsubscription { channel, purpose, source, .. } = unsubscription.clone();
        self.record_linked(unsubscription.draft(ids::new())).await?;
        self.about(source, vec![channel], purpose).await
    }

    /// What somebody would consent to.
    ///
    /// # Errors
    /// `INVALID_LINK`, `LINK_EXPIRED`.
    pub(crate) async fn request(&self, token: &str) -> Result<About> {
        let Asked { activity, statement, .. } = self.asked(token).await?;
        self.about(activity.source, statement.channels, statement.purpose).await
    }

    /// Takes in that somebody confirms a consent; returns after it is committed. A link that was used is good for as often
    /// as it is used.
    ///
    /// # Errors
    /// `INVALID_LINK`, `LINK_EXPIRED`; and as [`App::record`].
    pub(crate) async fn confirm(&self, token: &str) -> Result<About> {
        let asked = self.asked(token).await.inspect_err(|error| self.refused_link(error))?;
        let Asked { activity, statement, .. } = asked.clone();
        self.record_linked(asked.confirmed(self.clock.now())).await?;
        self.about(activity.source, statement.channels, statement.purpose).await
    }

    /// Counts a post with a link that is none, or that does not say what it has to.
    pub(crate) fn refused_link(&self, error: &Error) {
        self.metrics.received(Door::Link, 1);
        self.metrics.rejected(Door::Link, error, 1);
    }

    fn unsubscription(&self, token: &str) -> Result<Unsubscription> {
        match self.links.open(token)? {
            Link::Unsubscribe(unsubscription) => Ok(unsubscription),
            Link::Confirm(_) => Err(error::invalid_link()),
        }
    }

    /// What a link is to confirm: an activity that is in time, or was confirmed when it was. Of somebody who was erased
    /// nothing is left, and nobody can tell that from a link that is too old.
    async fn asked(&self, token: &str) -> Result<Asked> {
        let Link::Confirm(activity_id) = self.links.open(token)? else { return Err(error::invalid_link()) };
        let reader = self.database.reader();
        let asked = activities::get(reader, activity_id).await?.and_then(Asked::of).ok_or_else(error::link_expired)?;
        let is_in_time = self.clock.now() < asked.expire_time;
        if is_in_time || activities::exists(reader, &asked.activity.source, &confirmation_id(activity_id)).await? {
            return Ok(asked);
        }
        Err(error::link_expired())
    }

    async fn record_linked(&self, draft: Draft) -> Result<()> {
        let principal = Principal::new(format!("link:{}", draft.source));
        match self.record(vec![Ok(draft)], &principal, Door::Link).await?.into_iter().next() {
            Some(Outcome::Recorded(_)) => Ok(()),
            Some(Outcome::Rejected(error) | Outcome::Quarantined(_, error)) => Err(error),
            None => Err(error::stopping()),
        }
    }

    async fn about(&self, source: String, channels: Vec<ConsentChannel>, purpose: String) -> Result<About> {
        let display_name = self.source(&source).await?.display_name;
        let sender = if display_name.is_empty() { source } else { display_name };
        Ok(About { sender, channels, purpose })
    }
}
