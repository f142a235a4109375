//! What is announced of a lead comes from its own activity, however much is taken in at once, and from the last thing that
//! has happened to it.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::trace::{Origin, SpanKind, Tracer};
use leadflow_proto::routing::v1::AssignmentState;

use crate::support::{
    World,
    activity::TestAccount,
    company::{DAY, HOUR},
};

fn traceparent(number: u8) -> String {
    format!("00-{number:032x}-{number:016x}-01")
}

/// Runs in the trace of this number.
async fn within<T>(number: u8, future: impl Future<Output = T>) -> T {
    Tracer::default().start(SpanKind::Producer, "theirs", Origin::parse(&traceparent(number))).run(future).await
}

on_each_database! {
    async fn each_lead_of_a_batch_comes_from_its_own_latest_activity(database) {
        let mut world = World::start(database).await;
        let (two, one, unknown) = (TestAccount::new(), TestAccount::new(), TestAccount::new());
        for account in [&two, &one, &unknown] {
            world.announce(account).await;
        }
        let now = world.now();
        world.leave().await;
        within(1, world.publish(&[two.does("demo_requested", 0, now)])).await;
        within(2, world.publish(&[two.does("demo_requested", 0, now).in_category("scales")])).await;
        within(3, world.publish(&[one.does("demo_requested", 0, now)])).await;
        within(4, world.publish(&[one.does("form_submitted", 0, now)])).await;
        world.publish(&[unknown.does("demo_requested", 0, now)]).await;
        world.come_back().await;

        for (account, category, origin) in [
            (&two, "hplc", traceparent(1)),
            (&two, "scales", traceparent(2)),
            (&one, "hplc", traceparent(4)),
            (&unknown, "hplc", String::new()),
        ] {
            for fact in ["opened", "sales_ready"] {
                assert_eq!(eventually!(some: world.heard.origin(account, category, fact)), origin, "{fact}");
            }
        }
        let (_, ready) = world.heard.events(&one).into_iter().find(|(fact, _)| fact == "sales_ready").unwrap();
        assert_eq!(ready.record_time.unwrap().seconds, now / 1000);
    }

    async fn a_hand_over_that_has_waited_for_the_account_comes_from_the_activity_and_not_from_the_account(database) {
        let world = World::start(database).await;
        let account = TestAccount::new();
        within(1, world.publish(&[account.does("demo_requested", 0, world.now())])).await;
        within(2, world.publish(&[account.does("form_submitted", 0, world.now()).in_category("scales")])).await;
        assert_eq!(eventually!(some: world.heard.origin(&account, "hplc", "opened")), traceparent(1));
        assert_eq!(eventually!(some: world.heard.origin(&account, "scales", "opened")), traceparent(2));
        assert_eq!(world.heard.origin(&account, "hplc", "sales_ready"), None);
        within(3, world.publish_account(&account)).await;
        assert_eq!(eventually!(some: world.heard.origin(&account, "hplc", "sales_ready")), traceparent(1));
    }

    async fn what_happens_to_a_lead_later_has_a_trace_of_its_own_and_what_time_does_has_none(database) {
        let mut world = World::start(database).await;
        let account = TestAccount::new();
        world.announce(&account).await;
        within(1, world.record(&account.gets_hot(world.now()))).await;
        let lead = world.lead(&account).await;
        let mut changed = traceparent(1);
        let mut next = async |world: &World, now: String| {
            eventually!(world.heard.origin(&account, "hplc", "changed").is_some_and(|origin| origin != changed));
            changed = world.heard.origin(&account, "hplc", "changed").unwrap();
            assert_eq!(changed, now);
        };
        within(2, world.assign(&lead, 1, AssignmentState::Offered, "")).await;
        next(&world, traceparent(2)).await;
        within(3, world.adjust(&lead, 5, None)).await;
        next(&world, traceparent(3)).await;
        within(4, world.publish_account(&TestAccount { country: "DE", revision: 2, ..account.clone() })).await;
        next(&world, traceparent(4)).await;
        within(5, world.publish(&[account.does("badge_scanned", 2, world.now())])).await;
        next(&world, traceparent(5)).await;
        world.hand.advance(30 * DAY + HOUR);
        next(&world, String::new()).await;
        within(6, world.assign(&lead, 1, AssignmentState::Rejected, "too_early")).await;
        assert_eq!(eventually!(some: world.heard.origin(&account, "hplc", "recycled")), traceparent(6));
    }
}
