//! The configuration of the tests: three countries with a pool each, and a desk for all the rest.

use leadflow_proto::routing::v1::{ApplyConfigurationRequest, Pool, PoolMember, Rep, RepRole, Territory};

pub(crate) fn rep(name: &str) -> Rep {
    Rep {
        name: name.to_owned(),
        role: RepRole::Field.into(),
        active: true,
        time_zone: "Europe/Berlin".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn rep_with_capacity(name: &str, capacity: i32) -> Rep {
    Rep { capacity, ..rep(name) }
}

pub(crate) fn inactive(name: &str) -> Rep {
    Rep { active: false, ..rep(name) }
}

pub(crate) fn pool(name: &str, members: &[(&str, i32)]) -> Pool {
    let members = members.iter().map(|&(rep, weight)| PoolMember { rep: rep.to_owned(), weight }).collect();
    Pool { name: name.to_owned(), members, ..Default::default() }
}

/// Empty texts are not set.
pub(crate) fn territory(name: &str, parent: &str, priority: i32, condition: &str, pool: &str) -> Territory {
    Territory {
        name: name.to_owned(),
        parent: parent.to_owned(),
        priority,
        condition: condition.to_owned(),
        pool: pool.to_owned(),
        ..Default::default()
    }
}

/// `world` with `europe` (`large` accounts, `germany`, `alps`, and what is left) and `elsewhere`.
pub(crate) fn configuration() -> ApplyConfigurationRequest {
    let in_europe = r#"account.country in ["DE", "AT", "CH", "FR"]"#;
    ApplyConfigurationRequest {
        territories: vec![
            territory("world", "", 0, "", ""),
            territory("europe", "world", 10, in_europe, ""),
            territory("large", "europe", 10, "account.employees >= 5000", "key-accounts"),
            territory("germany", "europe", 20, r#"account.country == "DE""#, "germany"),
            territory("alps", "europe", 30, r#"account.country in ["AT", "CH"]"#, "alps"),
            territory("europe-other", "europe", 1000, "", "desk"),
            territory("elsewhere", "world", 1000, "", "desk"),
        ],
        reps: vec![
            rep("anna"),
            rep("ben"),
            rep("carla"),
            rep_with_capacity("reto", 1),
            rep("dora"),
            rep("kim"),
            inactive("otto"),
        ],
        pools: vec![
            pool("germany", &[("anna", 4), ("ben", 2), ("carla", 1)]),
            pool("alps", &[("reto", 1)]),
            pool("desk", &[("dora", 1)]),
            pool("key-accounts", &[("kim", 1), ("otto", 1)]),
        ],
        validate_only: false,
    }
}
