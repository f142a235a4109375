//! An assignment comes from the activity that has brought its lead to routing, however many leads were decided with it.

use leadflow_harness::{eventually, on_each_database};
use leadflow_platform::{
    clock::{Clock, to_proto},
    trace::{Origin, SpanKind, Tracer},
};
use leadflow_proto::scoring::v1::CloseReason;

use crate::support::{World, lead::TestLead};

fn traceparent(number: u8) -> String {
    format!("00-{number:032x}-{number:016x}-01")
}

on_each_database! {
    async fn what_is_announced_comes_from_what_has_brought_it_about_also_hours_later(database) {
        let mut world = World::start(database).await;
        let first = TestLead::new("CH").from(&traceparent(1));
        let (second, third) = (TestLead::new("CH").from(&traceparent(2)), TestLead::new("DE").from(&traceparent(3)));
        let unknown = TestLead::new("DE");
        let all = [&first, &second, &third, &unknown].map(|lead| ("sales_ready", lead));
        world.publish_all(all).await;
        let offered = world.assignment_of(&first).await;
        for (lead, fact, origin) in [
            (&first, "offered", traceparent(1)),
            (&second, "held", traceparent(2)),
            (&third, "offered", traceparent(3)),
            (&unknown, "offered", String::new()),
        ] {
            assert_eq!(eventually!(some: world.heard.origin(lead, fact)), origin);
        }

        // The one rep for Switzerland has room again: the held lead goes on in its own trace.
        let theirs = Tracer::default().start(SpanKind::Client, "theirs", Origin::parse(&traceparent(4)));
        theirs.run(world.reject(&offered, "too_early", "")).await.unwrap();
        assert_eq!(eventually!(some: world.heard.origin(&first, "rejected")), traceparent(4));
        assert_eq!(eventually!(some: world.heard.origin(&second, "offered")), traceparent(2));

        world.publish("closed", &second.closed(CloseReason::Lapsed).from(&traceparent(5))).await;
        assert_eq!(eventually!(some: world.heard.origin(&second, "withdrawn")), traceparent(5));
    }

    async fn how_long_it_took_from_the_activity_to_the_offer_is_measured_where_an_activity_was_the_cause(database) {
        let mut world = World::start(database).await;
        let accepted = to_proto(Clock::system().now() - jiff::SignedDuration::from_secs(5));
        world.hand_over(&TestLead { record_time: Some(accepted), ..TestLead::new("DE") }).await;
        world.hand_over(&TestLead::new("DE")).await;
        let metrics = world.routing.metrics().await;
        let line = |name: &str| {
            let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{metrics}"));
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        assert_eq!(line("leadflow_assignment_lag_seconds_count"), 1.0);
        assert!(line("leadflow_assignment_lag_seconds_sum") >= 5.0);
    }
}
