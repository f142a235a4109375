//! What has brought about what is announced. Much is taken in at once, and what is announced of a lead comes from the
//! latest of it that concerns the lead.

use std::{collections::HashMap, sync::Arc};

use leadflow_platform::trace::Origin;
use uuid::Uuid;

use crate::domain::{Activity, lead::Lead};

/// What has come, by account.
#[derive(Debug, Default)]
pub(super) struct Origins(HashMap<Uuid, News>);

#[derive(Debug)]
enum News {
    /// Activities, in the order of their coming.
    Activities(Vec<Seen>),
    /// Facts of the account that its hand-overs may have waited for: these come from the activities before.
    Awaited(Origin),
    /// Something else.
    Other(Origin),
}

#[derive(Clone, Debug)]
struct Seen {
    product_category: Option<Arc<str>>,
    record_time: i64,
    origin: Origin,
}

impl Origins {
    /// An activity of this account.
    pub(super) fn activity(&mut self, account_id: Uuid, activity: &Activity, origin: Origin) {
        let seen =
            Seen { product_category: activity.product_category.clone(), record_time: activity.record_time, origin };
        match self.0.entry(account_id).or_insert_with(|| News::Activities(Vec::new())) {
            News::Activities(all) => all.push(seen),
            other => *other = News::Activities(vec![seen]),
        }
    }

    /// Facts that the account's hand-overs may have waited for.
    pub(super) fn awaited(&mut self, account_id: Uuid, origin: Origin) {
        self.0.insert(account_id, News::Awaited(origin));
    }

    /// Something else that concerns the account.
    pub(super) fn other(&mut self, account_id: Uuid, origin: Origin) {
        self.0.insert(account_id, News::Other(origin));
    }

    /// What has brought about what is to be said of the lead, and when it was accepted, if it is an activity.
    pub(super) fn of(&self, lead: &Lead) -> (Origin, Option<i64>) {
        match self.0.get(&lead.account_id) {
            Some(News::Activities(all)) => {
                let seen = all.iter().rfind(|seen| seen.is_in(lead)).or(all.last());
                seen.map(|seen| (seen.origin, Some(seen.record_time))).unwrap_or_default()
            }
            Some(News::Awaited(origin)) => (lead.origin.or(*origin), None),
            Some(News::Other(origin)) => (*origin, None),
            None => Default::default(),
        }
    }

    /// Notes what the lead has come from, for what is said of it when the account's facts are there.
    pub(super) fn note(&self, lead: &mut Lead) {
        if let Some(News::Activities(all)) = self.0.get(&lead.account_id)
            && let Some(seen) = all.iter().rfind(|seen| seen.product_category.is_none() || seen.is_in(lead))
        {
            lead.origin = seen.origin;
        }
    }
}

impl Seen {
    fn is_in(&self, lead: &Lead) -> bool {
        self.product_category.as_deref() == Some(lead.product_category.as_str())
    }
}
