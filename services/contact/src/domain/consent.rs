//! What people have said about being contacted, and what follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One thing that a person has said, or that gives a ground. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id; of an activity, that one's.
    pub consent_id: Uuid,
    /// Of whom.
    pub contact_id: Uuid,
    /// For which ways to reach the person.
    pub channels: Vec<Channel>,
    /// What for; empty for nothing at all, which only a withdrawal says.
    pub purpose: String,
    /// Yes or no.
    pub state: State,
    /// The ground of a grant.
    pub basis: Option<Basis>,
    /// Where it was said.
    pub source: String,
    /// What shows it.
    pub proof: String,
    /// Carried over from another system.
    pub imported: bool,
    /// An activity said it.
    pub from_activity: bool,
    /// Of a pending one: until when the person may confirm it, in milliseconds since the epoch.
    #[serde(default)]
    pub expire_time: Option<i64>,
    /// When it was said, in milliseconds since the epoch.
    pub occur_time: i64,
    /// When it was recorded.
    pub record_time: i64,
    /// Who recorded it.
    pub principal: String,
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Email.
    Email,
    /// A call.
    Phone,
    /// A short message to a phone.
    TextMessage,
    /// Letters.
    Mail,
    /// A messenger.
    Chat,
}

/// Yes, no, or a yes that is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody has asked for it in the person's name, who has to confirm it: no ground, and no objection either. The
    /// confirmation is a grant of its own.
    Pending,
    /// The person may be contacted.
    Granted,
    /// The person may not. Last, so that it wins a tie.
    Withdrawn,
}

/// The ground of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The person said so.
    Consent,
    /// A contract, or one in the making.
    Contract,
    /// A legitimate interest of the company's.
    LegitimateInterest,
}

/// What somebody wants to know before they contact a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whom.
    pub contact_id: Uuid,
    /// How.
    pub channel: Channel,
    /// What for.
    pub purpose: String,
    /// When, in milliseconds since the epoch; now when not said.
    pub at: Option<i64>,
}

/// The answer to a question, with what decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// There is a ground.
    Granted(Consent),
    /// The person has said no, and not yes since.
    Withdrawn(Consent),
    /// Nothing gives a ground but this, which the person has not confirmed.
    Pending(Consent),
    /// Nothing gives a ground.
    NoBasis,
    /// There is no such contact.
    UnknownContact,
}

impl Consent {
    /// Whether it says anything about this.
    fn covers(&self, channel: Channel, purpose: &str, at: i64) -> bool {
        let of_purpose = self.purpose == purpose || (self.purpose.is_empty() && self.state == State::Withdrawn);
        of_purpose && self.channels.contains(&channel) && self.occur_time <= at
    }

    /// Whether the person may still confirm it.
    fn is_open(&self, at: i64) -> bool {
        self.state == State::Pending && self.expire_time.is_none_or(|end| at < end)
    }

    /// Whether the person said it here, or said no, wherever.
    fn is_explicit(&self) -> bool {
        !self.imported || self.state == State::Withdrawn
    }
}

/// What all that was said of one person allows. Those who were merged are one person, and each of them has its own
/// history: what is recorded while they are one is recorded for each. So a no of either stands until there is a yes
/// that was meant for both, and a merge revives nothing.
pub fn decide(said: &[Consent], channel: Channel, purpose: &str, at: i64) -> Permission {
    let (pending, said): (Vec<_>, Vec<_>) = said
        .iter()
        .filter(|consent| consent.covers(channel, purpose, at))
        .partition(|consent| consent.state == State::Pending);
    let mut sides: BTreeMap<Uuid, Vec<&Consent>> = BTreeMap::new();
    for consent in said {
        sides.entry(consent.contact_id).or_default().push(consent);
    }
    let decisive: Vec<_> = sides.values().filter_map(|side| latest(side)).collect();
    let of = |state| decisive.iter().filter(move |it| it.state == state).max_by_key(|it| order(it));
    match (of(State::Withdrawn), of(State::Granted)) {
        (Some(no), _) => Permission::Withdrawn((**no).clone()),
        (None, Some(yes)) => Permission::Granted((**yes).clone()),
        (None, None) => {
            let open = pending.into_iter().filter(|it| it.is_open(at)).max_by_key(|it| order(it));
            open.map_or(Permission::NoBasis, |it| Permission::Pending(it.clone()))
        }
    }
}

/// The latest that was said here, and only where there is nothing, what was carried over.
fn latest<'a>(side: &[&'a Consent]) -> Option<&'a Consent> {
    let explicit = side.iter().filter(|it| it.is_explicit()).max_by_key(|it| order(it));
    explicit.or_else(|| side.iter().max_by_key(|it| order(it))).copied()
}

/// The later counts; at one moment a withdrawal; and the id, so that the order is whole.
fn order(consent: &Consent) -> (i64, State, Uuid) {
    (consent.occur_time, consent.state, consent.consent_id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADA: Uuid = Uuid::from_u128(1);
    const ADA_AGAIN: Uuid = Uuid::from_u128(2);

    fn said(id: u128, contact_id: Uuid, state: State, occur_time: i64) -> Consent {
        Consent {
            consent_id: Uuid::from_u128(id),
            contact_id,
            channels: vec![Channel::Email],
            purpose: "newsletter".into(),
            state,
            basis: (state == State::Granted).then_some(Basis::Consent),
            source: "website-form".into(),
            proof: String::new(),
            imported: false,
            from_activity: false,
            expire_time: None,
            occur_time,
            record_time: occur_time,
            principal: "tester".into(),
        }
    }

    fn yes(id: u128, at: i64) -> Consent {
        said(id, ADA, State::Granted, at)
    }

    fn no(id: u128, at: i64) -> Consent {
        said(id, ADA, State::Withdrawn, at)
    }

    fn answer(said: &[Consent]) -> Option<State> {
        match decide(said, Channel::Email, "newsletter", 100) {
            Permission::Granted(_) => Some(State::Granted),
            Permission::Withdrawn(_) => Some(State::Withdrawn),
            Permission::Pending(_) => Some(State::Pending),
            Permission::NoBasis | Permission::UnknownContact => None,
        }
    }

    #[test]
    fn without_a_ground_nobody_may_be_contacted() {
        assert_eq!(answer(&[]), None);
        let other_way = Consent { channels: vec![Channel::Phone], ..yes(1, 1) };
        let other_purpose = Consent { purpose: "sales".into(), ..yes(2, 1) };
        assert_eq!(answer(&[other_way, other_purpose, yes(3, 101)]), None, "nor by what is said only later");
    }

    #[test]
    fn the_latest_that_was_said_counts_and_at_one_moment_the_withdrawal() {
        assert_eq!(answer(&[no(1, 1), yes(2, 2)]), Some(State::Granted));
        assert_eq!(answer(&[yes(1, 1), no(2, 2)]), Some(State::Withdrawn));
        assert_eq!(answer(&[yes(2, 5), no(1, 5)]), Some(State::Withdrawn));
    }

    #[test]
    fn a_no_to_everything_is_a_no_to_each_purpose_until_a_later_yes() {
        let nothing_at_all = Consent { purpose: String::new(), ..no(1, 5) };
        assert_eq!(answer(&[yes(2, 1), nothing_at_all.clone()]), Some(State::Withdrawn));
        assert_eq!(answer(&[nothing_at_all, yes(2, 6)]), Some(State::Granted));
    }

    #[test]
    fn an_import_never_revives_what_was_withdrawn() {
        let carried_over = Consent { imported: true, ..yes(2, 9) };
        assert_eq!(answer(std::slice::from_ref(&carried_over)), Some(State::Granted));
        assert_eq!(answer(&[no(1, 1), carried_over.clone()]), Some(State::Withdrawn));
        let carried_over_no = Consent { imported: true, ..no(3, 9) };
        assert_eq!(answer(&[yes(1, 1), carried_over_no, carried_over]), Some(State::Withdrawn));
    }

    #[test]
    fn a_merge_never_revives_what_one_side_has_withdrawn() {
        let other_side = said(2, ADA_AGAIN, State::Granted, 9);
        assert_eq!(answer(&[no(1, 1), other_side.clone()]), Some(State::Withdrawn));
        // Said after the merge, it is recorded for both.
        let [for_one, for_other] = [ADA, ADA_AGAIN].map(|side| said(3, side, State::Granted, 10));
        assert_eq!(answer(&[no(1, 1), other_side, for_one, for_other]), Some(State::Granted));
    }

    #[test]
    fn what_is_not_confirmed_allows_nothing_and_forbids_nothing() {
        let asked = |id, at| Consent { expire_time: Some(at + 95), ..said(id, ADA, State::Pending, at) };
        assert_eq!(answer(&[asked(1, 6)]), Some(State::Pending));
        assert_eq!(answer(&[asked(1, 5)]), None, "nor can it be confirmed any more");
        assert_eq!(answer(&[yes(1, 1), asked(2, 9)]), Some(State::Granted));
        assert_eq!(answer(&[no(1, 1), asked(2, 9)]), Some(State::Withdrawn), "anybody may have asked");
        assert_eq!(
            answer(&[asked(1, 6), no(2, 7), yes(3, 8)]),
            Some(State::Granted),
            "the latest that was said counts"
        );
    }

    proptest! {
        #[test]
        fn the_order_in_which_things_are_recorded_plays_no_part(
            all in proptest::collection::vec((0..4_u128, any::<bool>(), any::<bool>(), any::<bool>(), 0..4_i64), 0..8),
            turn in 0..8_usize,
        ) {
            let mut consents: Vec<_> = all
                .into_iter()
                .map(|(id, granted, imported, first, at)| {
                    let state = if granted { State::Granted } else { State::Withdrawn };
                    Consent { imported, ..said(id, if first { ADA } else { ADA_AGAIN }, state, at) }
                })
                .collect();
            let before = answer(&consents);
            let by = turn.min(consents.len());
            consents.rotate_left(by);
            prop_assert_eq!(before, answer(&consents));
        }

        #[test]
        fn one_more_withdrawal_never_allows_more(
            all in proptest::collection::vec((any::<bool>(), 0..4_i64), 0..6),
            at in 0..4_i64,
        ) {
            let mut consents: Vec<_> = all
                .into_iter()
                .enumerate()
                .map(|(id, (granted, at))| if granted { yes(id as u128, at) } else { no(id as u128, at) })
                .collect();
            let before = answer(&consents);
            consents.push(no(99, at));
            prop_assert!(answer(&consents) != Some(State::Granted) || before == Some(State::Granted));
        }
    }
}
