//! Configuration as code.

use leadflow_harness::on_each_database;
use leadflow_proto::routing::v1::{
    ApplyConfigurationRequest, ListPoolsRequest, ListRepsRequest, ListTerritoriesRequest, Rep,
};
use tonic::Code;

use crate::support::{
    World,
    company::{self, pool, rep, territory},
    fields,
    lead::TestLead,
    reason,
};

fn request() -> ApplyConfigurationRequest {
    ApplyConfigurationRequest::default()
}

/// What must not make sense, by the reason and the field that is named.
fn refused() -> Vec<(&'static str, &'static str, ApplyConfigurationRequest)> {
    let holds = "account.employees > 1";
    let territories = |territories| ApplyConfigurationRequest { territories, ..request() };
    let pools = |pools| ApplyConfigurationRequest { pools, ..request() };
    let reps = |reps| ApplyConfigurationRequest { reps, ..request() };
    vec![
        (
            "TERRITORY_CYCLE",
            "territories[0].parent",
            territories(vec![territory("a", "b", 1, holds, ""), territory("b", "a", 1, "", "")]),
        ),
        ("UNKNOWN_TERRITORY", "territories[0].parent", territories(vec![territory("x", "nowhere", 1, holds, "desk")])),
        ("SEVERAL_ROOTS", "territories[0].parent", territories(vec![territory("zoo", "", 1, "", "desk")])),
        (
            "DUPLICATE_PRIORITY",
            "territories[0].priority",
            territories(vec![territory("fr", "europe", 10, holds, "desk")]),
        ),
        (
            "MISSING_CATCH_ALL",
            "territories[\"world\"]",
            territories(vec![territory("elsewhere", "world", 1000, holds, "desk")]),
        ),
        (
            "CATCH_ALL_NOT_LAST",
            "territories[0].priority",
            territories(vec![territory("elsewhere", "world", 1, "", "desk")]),
        ),
        ("MISSING_POOL", "territories[0].pool", territories(vec![territory("germany", "europe", 20, holds, "")])),
        (
            "UNKNOWN_POOL",
            "territories[0].pool",
            territories(vec![territory("germany", "europe", 20, holds, "nobodys")]),
        ),
        ("UNEXPECTED_POOL", "territories[\"alps\"].pool", territories(vec![territory("tyrol", "alps", 1, "", "alps")])),
        (
            "INVALID_CONDITION",
            "territories[0].condition",
            territories(vec![territory("germany", "europe", 20, "account.height > 3", "germany")]),
        ),
        ("UNKNOWN_REP", "pools[0].members[1].rep", pools(vec![pool("new", &[("anna", 1), ("ghost", 1)])])),
        ("INVALID_WEIGHT", "pools[0].members[0].weight", pools(vec![pool("new", &[("anna", 0)])])),
        ("DUPLICATE_MEMBER", "pools[0].members[1].rep", pools(vec![pool("new", &[("anna", 1), ("anna", 2)])])),
        ("DUPLICATE_NAME", "reps[1].name", reps(vec![rep("new"), rep("new")])),
        ("INVALID_FIELD", "reps[0].name", reps(vec![rep("No Name")])),
        ("INVALID_FIELD", "reps[0].role", reps(vec![Rep { role: 0, ..rep("new") }])),
        ("INVALID_CAPACITY", "reps[0].capacity", reps(vec![company::rep_with_capacity("new", -1)])),
        ("UNKNOWN_TIME_ZONE", "reps[0].time_zone", reps(vec![Rep { time_zone: "Mars/Base".to_owned(), ..rep("new") }])),
        ("INVALID_FIELD", "reps[0].display_name", reps(vec![Rep { display_name: "a\0b".to_owned(), ..rep("new") }])),
    ]
}

on_each_database! {
    async fn what_does_not_make_sense_is_refused_by_name_and_nothing_is_written(database) {
        let mut world = World::start(database).await;
        for (expected, field, mut request) in refused() {
            // A good change beside the bad one must not be written either.
            request.reps.push(company::inactive("anna"));
            let error = world.routing.client.apply_configuration(request).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{expected}");
            assert_eq!((reason(&error).as_str(), fields(&error)[0].as_str()), (expected, field), "{error:?}");
        }
        // Everything is as it was: the same configuration changes nothing.
        let changes = world.apply(company::configuration()).await;
        assert!(changes.iter().all(|(_, action)| action == "ACTION_UNCHANGED"), "{changes:?}");
    }

    async fn all_faults_are_told_at_once(database) {
        let mut world = World::start(database).await;
        let bad = ApplyConfigurationRequest {
            reps: vec![company::rep_with_capacity("anna", -1)],
            pools: vec![pool("desk", &[("ghost", 0)])],
            territories: vec![territory("germany", "europe", 20, "((", "germany")],
            validate_only: false,
        };
        let error = world.routing.client.apply_configuration(bad).await.unwrap_err();
        let expected =
            ["reps[0].capacity", "pools[0].members[0].rep", "pools[0].members[0].weight", "territories[0].condition"];
        assert_eq!(fields(&error), expected);
    }

    async fn the_changes_are_told_and_what_is_the_same_makes_no_version(database) {
        let mut world = World::start(database).await;
        let update = ApplyConfigurationRequest { reps: vec![company::inactive("anna"), rep("zoe"), rep("ben")], ..request() };
        let response = world.routing.client.apply_configuration(update.clone()).await.unwrap().into_inner();
        let told: Vec<_> = response.changes.iter().map(|change| (change.name.as_str(), change.action().as_str_name())).collect();
        assert_eq!(told, [("anna", "ACTION_UPDATED"), ("zoe", "ACTION_CREATED"), ("ben", "ACTION_UNCHANGED")]);
        assert!(response.changes[0].before.contains("\"active\": true"));
        assert!(response.changes[0].after.contains("\"active\": false"));
        assert!(response.changes[1].before.is_empty() && response.changes[1].kind == "Rep");

        world.apply(update).await;
        let lead = TestLead::new("DE");
        assert_eq!(world.hand_over(&lead).await.rep, "ben");
        assert_eq!(world.explain(&lead).await.trace.unwrap().configuration_version, 2);
    }

    async fn validate_only_tells_the_same_and_writes_nothing(database) {
        let mut world = World::start(database).await;
        let mut update = ApplyConfigurationRequest { reps: vec![rep("zoe")], validate_only: true, ..request() };
        assert_eq!(world.apply(update.clone()).await, [("zoe".to_owned(), "ACTION_CREATED".to_owned())]);
        assert_eq!(world.apply(update.clone()).await, [("zoe".to_owned(), "ACTION_CREATED".to_owned())]);
        update.reps.push(company::rep_with_capacity("yan", -1));
        assert!(world.routing.client.apply_configuration(update).await.is_err());
    }

    async fn reps_alone_are_a_configuration(database) {
        let mut world = World::start_empty(database).await;
        world.apply(ApplyConfigurationRequest { reps: vec![rep("anna")], ..request() }).await;
        assert_eq!(world.hand_over(&TestLead::new("DE").owned_by("anna")).await.rep, "anna");
    }

    async fn a_member_leaves_by_a_pool_without_the_member_and_keeps_live_assignments(database) {
        let mut world = World::start(database).await;
        let lead = TestLead::new("DE");
        assert_eq!(world.hand_over(&lead).await.rep, "anna");
        let update = ApplyConfigurationRequest {
            reps: vec![company::inactive("anna")],
            pools: vec![pool("germany", &[("ben", 1), ("carla", 1)])],
            ..request()
        };
        world.apply(update).await;
        assert_ne!(world.hand_over(&TestLead::new("DE")).await.rep, "anna");
        let kept = world.assignment_of(&lead).await;
        assert_eq!((kept.rep.as_str(), kept.state().as_str_name()), ("anna", "ASSIGNMENT_STATE_OFFERED"));
    }

    async fn what_was_applied_is_listed_in_pages_territories_from_the_root_down(database) {
        let mut world = World::start(database).await;
        let client = &mut world.routing.client;
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListTerritoriesRequest { page_size: 3, page_token };
            let page = client.list_territories(request).await.unwrap().into_inner();
            names.extend(page.territories.into_iter().map(|territory| territory.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names, ["world", "europe", "large", "germany", "alps", "europe-other", "elsewhere"]);

        let (mut reps, mut page_token) = (Vec::new(), String::new());
        loop {
            let page = client.list_reps(ListRepsRequest { page_size: 2, page_token }).await.unwrap().into_inner();
            reps.extend(page.reps);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let mut expected = company::configuration().reps;
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(reps, expected);

        let first = client.list_pools(ListPoolsRequest { page_size: 3, ..Default::default() }).await.unwrap().into_inner();
        let rest = ListPoolsRequest { page_size: 3, page_token: first.next_page_token };
        let rest = client.list_pools(rest).await.unwrap().into_inner();
        let names: Vec<_> = first.pools.iter().chain(&rest.pools).map(|pool| pool.pool.clone().unwrap().name).collect();
        assert_eq!(names, ["alps", "desk", "germany", "key-accounts"]);
        assert!(rest.next_page_token.is_empty());
    }
}
