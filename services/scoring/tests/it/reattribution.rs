//! Activities that the ledger moves to another account.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::scoring::v1::Disposition;

use crate::support::{World, activity::TestAccount};

on_each_database! {
    async fn what_a_visitor_did_counts_as_soon_as_it_is_known_where_they_are(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let visit = account.does("form_submitted", 0, now - 1).of_no_account();
        world.record(&[visit.clone(), account.does("form_submitted", 0, now)]).await;
        assert_eq!(world.lead(&account).await.activities, 1);
        let moved = visit.moved_to(&account);
        world.publish_moved(&[moved.clone(), moved.clone()]).await;
        eventually!(world.lead(&account).await.activities == 2);
        assert_eq!(world.lead(&account).await.score_milli, 40_000);
        assert_eq!(world.disposition(&account, &moved).await, Disposition::Scored);
    }

    async fn what_has_gone_moves_its_lead_whatever_has_come_with_it(database) {
        let mut world = World::start(database).await;
        let (account, other) = (TestAccount::new(), TestAccount::new());
        let form = |world: &World, category: &str| account.does("form_submitted", 0, world.now()).in_category(category);
        let goes = form(&world, "hplc");
        world.record(&[form(&world, "hplc"), form(&world, "gc"), goes.clone()]).await;
        let comes = form(&world, "gc").of_no_account();
        world.publish_moved(&[goes.moved_to(&other), comes.moved_to(&account)]).await;
        for category in ["hplc", "gc"] {
            let (activities, account) = (if category == "hplc" { 1 } else { 2 }, &account);
            eventually!(world.leads(account).await.iter().any(|lead| (&*lead.product_category, lead.activities) == (category, activities)));
        }
        assert_eq!(world.lead(&other).await.activities, 1);
    }

    async fn a_move_may_overtake_the_activity_and_an_older_move_a_newer_one(database) {
        let mut world = World::start(database).await;
        let (first, second) = (TestAccount::new(), TestAccount::new());
        let visit = first.does("form_submitted", 0, world.now()).of_no_account();
        let once = visit.clone().moved_to(&first);
        let twice = once.clone().moved_to(&second);
        world.publish_moved(&[twice]).await;
        eventually!(world.open_leads(&second).await.len() == 1);
        world.publish_moved(&[once]).await;
        world.record(&[visit]).await;
        // The next move on the same stream shows that the older one has come.
        let last = first.does("form_submitted", 1, world.now()).moved_to(&first);
        world.publish_moved(&[last]).await;
        eventually!(world.open_leads(&first).await.len() == 1);
        assert_eq!(world.lead(&first).await.activities, 1);
        assert_eq!(world.lead(&second).await.activities, 1);
    }
}
