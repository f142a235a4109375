//! What is known of accounts and people, which may come after what they do.

use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::scoring::v1::{Band, LeadStatus};

use crate::support::{World, activity::TestAccount};

on_each_database! {
    async fn a_hot_lead_waits_for_the_facts_of_its_account(database) {
        let mut world = World::start(database).await;
        let account = TestAccount { country: "DE", ..TestAccount::new() };
        world.record(&account.gets_hot(world.now())).await;
        let lead = world.lead(&account).await;
        assert_eq!((lead.band(), lead.status(), lead.account_name.as_str()), (Band::Hot, LeadStatus::Incubating, ""));
        assert_eq!(
            world.explain(&lead).await.missing,
            ["the account's facts have not come yet; routing decides by them"]
        );

        world.announce(&account).await;
        let lead = world.lead_in(&account, LeadStatus::HandedOver).await;
        assert_eq!((lead.score_milli, lead.account_name.as_str()), (70_000, "Example Works"));
        eventually!(!world.heard.announced("sales_ready", &account).is_empty());
        let (_, event) = world.heard.events(&account).pop().unwrap();
        let (known, lead_as_told) = (event.account.unwrap(), event.lead.unwrap());
        assert_eq!((known.country.as_str(), known.revision, known.name.as_str()), ("DE", 1, "Example Works"));
        assert_eq!((lead_as_told.hand_over, lead_as_told.band(), lead_as_told.score_milli), (1, Band::Hot, 70_000));
    }

    async fn a_hot_lead_waits_for_the_revision_that_its_activities_were_resolved_with(database) {
        let mut world = World::start(database).await;
        let mut account = TestAccount::new();
        world.announce(&account).await;
        let hot: Vec<_> = account.gets_hot(world.now()).into_iter().map(|one| one.resolved_with(3)).collect();
        world.record(&hot).await;
        assert_eq!(world.lead(&account).await.status(), LeadStatus::Incubating);
        account.revision = 2;
        world.announce(&account).await;
        assert_eq!(world.lead(&account).await.status(), LeadStatus::Incubating);
        account.revision = 3;
        world.announce(&account).await;
        assert_eq!(world.lead(&account).await.status(), LeadStatus::HandedOver);
    }

    async fn an_older_revision_that_comes_late_replaces_nothing(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        world.announce(&TestAccount { country: "DE", revision: 5, ..account.clone() }).await;
        assert_eq!(world.lead(&account).await.score_milli, 30_000);
        world.announce(&TestAccount { country: "FR", revision: 4, ..account.clone() }).await;
        assert_eq!(world.lead(&account).await.score_milli, 30_000);
        world.announce(&TestAccount { country: "AT", revision: 6, ..account.clone() }).await;
        assert_eq!(world.lead(&account).await.score_milli, 20_000);
    }

    async fn the_profile_of_a_person_counts_as_soon_as_it_is_known(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        assert_eq!(world.lead(&account).await.score_milli, 20_000);
        world.announce_role(account.contact(0), &account, "decision_maker", 2).await;
        assert_eq!(world.lead(&account).await.score_milli, 24_000);
        world.announce_role(account.contact(0), &account, "user", 1).await;
        assert_eq!(world.lead(&account).await.score_milli, 24_000);
        // Somebody who has done nothing changes nothing.
        world.announce_role(account.contact(1), &account, "decision_maker", 1).await;
        assert_eq!(world.lead(&account).await.score_milli, 24_000);
    }

    async fn the_first_word_of_a_person_that_no_rule_looks_at_changes_nothing(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        let before = world.lead(&account).await;
        world.hand.advance(10 * 60_000);
        world.announce_role(account.contact(0), &account, "", 1).await;
        assert_eq!(world.lead(&account).await, before);
    }

    async fn a_person_who_has_moved_counts_as_before_where_the_activities_are(database) {
        let mut world = World::start(database).await;
        let (account, new_employer) = (TestAccount::new(), TestAccount::new());
        world.announce_role(account.contact(0), &account, "user", 1).await;
        world.record(&[account.does("form_submitted", 0, world.now())]).await;
        world.announce_role(account.contact(0), &new_employer, "decision_maker", 2).await;
        assert_eq!(world.lead(&account).await.score_milli, 24_000);
    }

    async fn typed_attributes_and_answers_count(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        let now = world.now();
        let small = account.does("form_submitted", 0, now - 2).with_seats(9.0);
        let large = account.does("form_submitted", 0, now - 1).with_seats(10.0).with_budget(5000.0);
        world.record(&[small, large]).await;
        assert_eq!(world.lead(&account).await.score_milli, 40_000 + 3_000 + 8_000);
        // The latest answer is the one that counts, whenever it comes; one in the category beats one in none.
        world.record(&[account.does("call_completed", 0, now - 5).with_budget(5.0)]).await;
        assert_eq!(world.lead(&account).await.score_milli, 51_000);
        world.record(&[account.does("call_completed", 0, now).in_category("").with_budget(5.0)]).await;
        assert_eq!(world.lead(&account).await.score_milli, 51_000);
        world.record(&[account.does("call_completed", 1, now).with_budget(5.0)]).await;
        assert_eq!(world.lead(&account).await.score_milli, 43_000);
    }
}
