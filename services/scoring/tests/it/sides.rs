//! What counts of each of the accounts that are or were one.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::scoring::v1::{CloseReason, Disposition, Lead, LeadStatus};

use crate::support::{World, activity::TestAccount, company::changed, points};

/// Who has brought each line of what was frozen first.
async fn frozen_people(world: &mut World, lead: &Lead) -> Vec<String> {
    world.frozen(lead, 1).await.unwrap().lines.into_iter().map(|line| line.contact_id).collect()
}

on_each_database! {
    async fn what_a_side_has_closed_before_the_merge_stays_closed_for_that_side_only(database) {
        let mut world = World::start(database).await;
        let (mut a, mut b) = (TestAccount::new(), TestAccount::new());
        let now = world.now();
        let old = a.does("form_submitted", 0, now - 5);
        world.record(&[old.clone(), b.does("form_submitted", 0, now - 5)]).await;
        let won = world.lead(&a).await;
        world.close(&won, CloseReason::Won).await.unwrap();
        world.hand.advance(1000);
        world.merge(&mut a, Some(&b)).await;
        // The won activity does not count again, and that of the other side, which is older than the close, still does.
        let lead = world.lead(&b).await;
        assert_eq!((lead.activities, world.disposition(&a, &old).await), (1, Disposition::Closed));
        world.record(&[a.does("form_submitted", 1, world.now())]).await;
        assert_eq!(world.lead(&b).await.activities, 2);
        // What is closed while they are one is closed for both.
        let lost = world.lead(&b).await;
        world.close(&lost, CloseReason::Lost).await.unwrap();
        world.hand.advance(1000);
        world.record(&[a.does("form_submitted", 1, world.now())]).await;
        let next = world.lead(&a).await;
        assert_eq!((next.round, next.activities, next.score_milli), (2, 1, 20_000));
        assert_eq!(world.explain(&lost).await.lines.len(), 2);
        // Apart again, the lead is that of the side whose activity has opened it.
        world.merge(&mut a, None).await;
        assert_eq!(world.lead(&a).await.lead_id, next.lead_id);
        assert!(world.open_leads(&b).await.is_empty());
        world.merge(&mut b, Some(&a)).await;
        assert_eq!(world.lead(&b).await.activities, 1);
    }

    async fn what_was_won_while_accounts_were_one_is_won_for_each_when_they_are_apart(database) {
        let mut world = World::start(database).await;
        let (mut a, b, mut c) = (TestAccount::new(), TestAccount::new(), TestAccount::new());
        world.hot_lead(&a).await;
        world.hot_lead(&b).await;
        world.announce(&c).await;
        // One had a lead of its own before, the other has but taken part.
        world.merge(&mut a, Some(&b)).await;
        world.merge(&mut c, Some(&b)).await;
        world.record(&c.gets_hot(world.now())).await;
        let lead = world.lead(&b).await;
        world.close(&lead, CloseReason::Won).await.unwrap();
        world.hand.advance(1000);
        for account in [&mut a, &mut c] {
            world.merge(account, None).await;
            assert!(world.open_leads(account).await.is_empty());
            assert!(world.evidence(account).await.iter().all(|one| one.disposition() == Disposition::Closed));
            assert!(world.heard.announced("recycled", account).is_empty());
            // What comes later is another round.
            world.record(&[account.does("form_submitted", 1, world.now())]).await;
            let next = world.lead(account).await;
            assert_eq!((next.activities, next.score_milli, next.status()), (1, 20_000, LeadStatus::Incubating));
            assert_eq!(world.explain(&next).await.score_milli, 20_000);
        }
        assert!(world.open_leads(&b).await.is_empty());
    }

    async fn what_a_side_has_closed_takes_no_place_of_what_counts_also_where_it_is_explained(database) {
        let mut world = World::start(database).await;
        world.apply(changed(|model| model.max_activities = 3)).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        world.announce(&a).await;
        world.announce(&b).await;
        let now = world.now();
        let closed = (1..=5).map(|place| a.does("badge_scanned", 0, now - place));
        world.record(&closed.chain([b.does("form_submitted", 0, now - 100)]).collect::<Vec<_>>()).await;
        let won = world.lead(&a).await;
        world.close(&won, CloseReason::Won).await.unwrap();
        world.hand.advance(1000);
        world.merge(&mut a, Some(&b)).await;
        let lead = world.lead(&b).await;
        assert_eq!(points(&world.explain(&lead).await), [("form", 20_000)]);
        world.record(&b.gets_hot(world.now())).await;
        let lead = world.lead_in(&b, LeadStatus::HandedOver).await;
        for explanation in [world.frozen(&lead, 1).await.unwrap(), world.explain(&lead).await] {
            assert_eq!(explanation.lines[0].reason, "1 older activities are not counted");
        }
    }

    async fn what_the_survivor_says_stands_after_the_close_too(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount { country: "DE", ..TestAccount::new() });
        world.announce(&a).await;
        world.announce(&b).await;
        world.record(&[a.does("form_submitted", 0, world.now()), b.does("form_submitted", 0, world.now())]).await;
        world.merge(&mut a, Some(&b)).await;
        let lead = world.lead(&b).await;
        let before = world.explain(&lead).await.score_milli;
        assert_eq!((lead.score_milli, before), (50_000, 50_000));
        world.close(&lead, CloseReason::Lost).await.unwrap();
        assert_eq!(world.explain(&lead).await.score_milli, before);
    }

    async fn who_is_erased_stands_in_no_frozen_line_of_an_account_that_was_one_with_theirs(database) {
        let mut world = World::start(database).await;
        let (mut a, b) = (TestAccount::new(), TestAccount::new());
        world.announce(&a).await;
        world.announce(&b).await;
        world.merge(&mut a, Some(&b)).await;
        let now = world.now();
        let form = a.does("form_submitted", 0, now);
        world.record(&[b.does("form_submitted", 0, now - 2), b.does("form_submitted", 1, now - 1), form]).await;
        let lead = world.lead_in(&b, LeadStatus::HandedOver).await;
        world.merge(&mut a, None).await;
        let erased = a.contact(0).to_string();
        assert!(frozen_people(&mut world, &lead).await.contains(&erased));
        world.erase(a.contact(0)).await;
        eventually!(!frozen_people(&mut world, &lead).await.contains(&erased));
        assert_eq!(world.frozen(&lead, 1).await.unwrap().score_milli, 60_000);
    }
}
