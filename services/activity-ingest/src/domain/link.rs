//! Signed links by which a person says something about being contacted: what they mean, and how they are told from
//! forgeries.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use leadflow_platform::{Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domain::{
        activity::{Activity, Draft},
        consent::{ConsentChannel, Said, Statement},
    },
    error,
};

/// What is signed besides the link itself, so that the key's signature under anything else is none under a link.
const CONTEXT: &str = "leadflow link 1\0";

/// What a link means. It names nobody: it stands in addresses, which are written into many logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Link {
    Unsubscribe(Unsubscription),
    /// Confirms the consent that this activity asked for.
    Confirm(Uuid),
}

/// Who wants no more of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unsubscription {
    pub(crate) contact_id: Uuid,
    pub(crate) channel: ConsentChannel,
    /// Empty: everything on this channel.
    pub(crate) purpose: String,
    /// Whose messages they are.
    pub(crate) source: String,
}

/// What a link says in the name of a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Linked {
    pub(crate) contact_id: Uuid,
    pub(crate) statement: Statement,
}

/// What signs links, and what has signed those that are still about.
#[derive(Clone)]
pub(crate) struct LinkKeys {
    key: hmac::Key,
    former: Vec<hmac::Key>,
}

/// Makes links, and reads them.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    keys: LinkKeys,
    base: String,
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKeys")
    }
}

impl LinkKeys {
    /// New links are signed with `secret`; those that were signed with `former` ones stay good.
    pub(crate) fn new(secret: &[u8], former: &[Vec<u8>]) -> Self {
        let key = |secret: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { key: key(secret), former: former.iter().map(|it| key(it)).collect() }
    }

    /// Links to the edge at this address.
    pub(crate) fn to(self, base: &str) -> Links {
        Links { keys: self, base: base.trim_end_matches('/').to_owned() }
    }
}

impl Links {
    /// The address of a link.
    ///
    /// # Errors
    /// `INTERNAL` when it has no JSON, which no link lacks.
    pub(crate) fn url(&self, link: &Link) -> Result<String> {
        let json =
            serde_json::to_string(link).map_err(|cause| Error::internal("a link without JSON").because(cause))?;
        let signature = hmac::sign(&self.keys.key, format!("{CONTEXT}{json}").as_bytes());
        let token = format!("{}.{}", URL_SAFE_NO_PAD.encode(&json), URL_SAFE_NO_PAD.encode(signature));
        let door = match link {
            Link::Unsubscribe(_) => "unsubscribe",
            Link::Confirm(_) => "confirm",
        };
        Ok(format!("{}/v1/{door}/{token}", self.base))
    }

    /// What the token at the end of a link means.
    ///
    /// # Errors
    /// `INVALID_LINK` when it is none that we have made, or not all of it.
    pub(crate) fn open(&self, token: &str) -> Result<Link> {
        self.read(token).ok_or_else(error::invalid_link)
    }

    fn read(&self, token: &str) -> Option<Link> {
        let (json, signature) = token.split_once('.')?;
        let (json, signature) = (URL_SAFE_NO_PAD.decode(json).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        let signed = [CONTEXT.as_bytes(), &json].concat();
        let is_by = |key: &hmac::Key| hmac::verify(key, &signed, &signature).is_ok();
        let is_ours = std::iter::once(&self.keys.key).chain(&self.keys.former).any(is_by);
        is_ours.then(|| serde_json::from_slice(&json).ok()).flatten()
    }
}

impl Unsubscription {
    /// The activity that it is, each press one of its own: something else may have been said in between.
    pub(crate) fn draft(self, press: Uuid) -> Draft {
        let activity_type = match self.channel {
            ConsentChannel::Email => "email_unsubscribed",
            ConsentChannel::Phone | ConsentChannel::TextMessage | ConsentChannel::Mail | ConsentChannel::Chat => {
                "unsubscribed"
            }
        };
        let statement = Statement {
            said: Said::Withdrawn,
            channels: vec![self.channel],
            purpose: self.purpose,
            basis: None,
            imported: false,
            proof: format!("{activity_type}: through the link of a message"),
            confirm_within: None,
            confirms: None,
        };
        Draft {
            source: self.source,
            source_event_id: format!("unsubscribed-{press}"),
            activity_type: activity_type.to_owned(),
            linked: Some(Linked { contact_id: self.contact_id, statement }),
            ..Draft::default()
        }
    }
}

/// A consent that an activity has asked for, and that the person has to confirm.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) activity: Activity,
    pub(crate) contact_id: Uuid,
    pub(crate) statement: Statement,
    pub(crate) expire_time: Timestamp,
}

impl Asked {
    /// What the activity has asked for, if it has.
    pub(crate) fn of(activity: Activity) -> Option<Self> {
        let statement = activity.payload.statement.clone()?;
        let (contact_id, expire_time) = (activity.contact_id?, statement.expire_time(activity.record_time)?);
        Some(Self { activity, contact_id, statement, expire_time })
    }

    /// The activity by which the person confirms it now, through the link with this token. It is of the source that asked.
    pub(crate) fn confirmed(self, now: Timestamp) -> Draft {
        let Self { activity, contact_id, statement, .. } = self;
        let asked = activity.occur_time;
        let statement = Statement {
            said: Said::Granted,
            imported: false,
            proof: format!("{}, asked for at {asked}; confirmed through the link at {now}", statement.proof),
            confirm_within: None,
            confirms: Some(activity.activity_id),
            ..statement
        };
        Draft {
            source: activity.source,
            source_event_id: confirmation_id(activity.activity_id),
            activity_type: "consent_confirmed".to_owned(),
            product_category: activity.product_category.unwrap_or_default(),
            linked: Some(Linked { contact_id, statement }),
            ..Draft::default()
        }
    }
}

/// The id of the event that a consent is confirmed: one, by whichever of its links and however often.
pub(crate) fn confirmation_id(asked: Uuid) -> String {
    format!("confirmed-{asked}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(secret: u8, former: &[u8]) -> Links {
        let former: Vec<_> = former.iter().map(|it| vec![*it; 32]).collect();
        LinkKeys::new(&[secret; 32], &former).to("https://go.example.com/")
    }

    fn link() -> Link {
        Link::Unsubscribe(Unsubscription {
            contact_id: Uuid::from_u128(7),
            channel: ConsentChannel::Email,
            purpose: "newsletter".into(),
            source: "mailings".into(),
        })
    }

    fn token(links: &Links, link: &Link) -> String {
        links.url(link).unwrap().rsplit('/').next().unwrap().to_owned()
    }

    #[test]
    fn a_link_is_an_address_of_the_edge_that_can_be_read_again() {
        let url = links(1, &[]).url(&link()).unwrap();
        assert!(url.starts_with("https://go.example.com/v1/unsubscribe/"), "{url}");
        assert!(url.len() < 320, "{} bytes are too long for a line of a header", url.len());
        assert_eq!(links(1, &[]).open(&token(&links(1, &[]), &link())).unwrap(), link());
        assert!(
            links(1, &[]).url(&Link::Confirm(Uuid::nil())).unwrap().starts_with("https://go.example.com/v1/confirm/")
        );
    }

    #[test]
    fn what_was_signed_with_a_former_key_stays_good_until_the_key_is_forgotten() {
        let old = token(&links(1, &[]), &link());
        assert_eq!(links(2, &[3, 1]).open(&old).unwrap(), link());
        assert_eq!(links(2, &[3]).open(&old).unwrap_err().reason(), "INVALID_LINK");
    }

    #[test]
    fn no_letter_of_a_token_can_be_changed_added_or_left_out() {
        let links = links(1, &[]);
        let good = token(&links, &link());
        for at in 0..good.len() {
            let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = good.clone();
            changed.replace_range(at..=at, other);
            let mut short = good.clone();
            short.remove(at);
            for bad in [changed, short] {
                assert!(links.open(&bad).is_err(), "{bad}");
            }
        }
        for bad in [String::new(), ".".into(), format!("{good}A"), format!("{good}=")] {
            assert!(links.open(&bad).is_err(), "{bad}");
        }
    }
}
