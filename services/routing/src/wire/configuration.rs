use std::collections::HashSet;

use leadflow_platform::{Error, Result, ids};
use leadflow_proto::{
    common::v1::{Change as ChangeMessage, change::Action},
    routing::v1 as pb,
};

use super::{collect, text};
use crate::{
    app::PoolStatus,
    domain::configuration::{Change, Kind, Member, Patch, Pool, Rep, Role, Territory},
};

/// The resources of a request. Each fault is named by its place.
pub(crate) fn patch(request: pb::ApplyConfigurationRequest) -> Result<Patch> {
    let pb::ApplyConfigurationRequest { territories, reps, pools, .. } = request;
    let territories = resources("territories", territories, |t| t.name.clone(), to_territory);
    let reps = resources("reps", reps, |rep| rep.name.clone(), to_rep);
    let pools = resources("pools", pools, |pool| pool.name.clone(), to_pool);
    match (territories, reps, pools) {
        (Ok(territories), Ok(reps), Ok(pools)) => Ok(Patch { territories, reps, pools }),
        (territories, reps, pools) => {
            let failures = [territories.err(), reps.err(), pools.err()].into_iter().flatten();
            Err(failures.reduce(Error::and).unwrap_or_else(|| Error::internal("no failure")))
        }
    }
}

/// Resources with their names, each name once.
fn resources<M, T>(
    list: &str,
    messages: Vec<M>,
    name: impl Fn(&M) -> String,
    convert: impl Fn(M) -> Result<T>,
) -> Result<Vec<(String, T)>> {
    let mut seen = HashSet::new();
    collect(messages.into_iter().enumerate().map(|(index, message)| {
        let name = name(&message);
        let within = |error: Error| error.within(&format!("{list}[{index}]."));
        ids::check_name("name", &name).map_err(within)?;
        if !seen.insert(name.clone()) {
            let twice = Error::field("DUPLICATE_NAME", "name", format!("`{name}` is in the request twice"));
            return Err(within(twice));
        }
        Ok((name, convert(message).map_err(within)?))
    }))
}

fn to_territory(territory: pb::Territory) -> Result<Territory> {
    let some = |field, value: &str| text(field, value).map(|value| Some(value).filter(|value| !value.is_empty()));
    Ok(Territory {
        display_name: text("display_name", &territory.display_name)?,
        parent: some("parent", &territory.parent)?,
        priority: territory.priority,
        condition: some("condition", territory.condition.trim())?,
        pool: some("pool", &territory.pool)?,
    })
}

fn to_rep(rep: pb::Rep) -> Result<Rep> {
    let role = match rep.role() {
        pb::RepRole::Field => Role::Field,
        pb::RepRole::Inside => Role::Inside,
        pb::RepRole::Unspecified => return Err(Error::invalid("role", "is required: field or inside")),
    };
    Ok(Rep {
        display_name: text("display_name", &rep.display_name)?,
        email: text("email", &rep.email)?,
        role,
        active: rep.active,
        capacity: rep.capacity,
        time_zone: text("time_zone", &rep.time_zone)?,
    })
}

fn to_pool(pool: pb::Pool) -> Result<Pool> {
    let member = |(index, member): (usize, pb::PoolMember)| {
        Ok(Member { rep: text(&format!("members[{index}].rep"), &member.rep)?, weight: member.weight })
    };
    Ok(Pool {
        display_name: text("display_name", &pool.display_name)?,
        members: collect(pool.members.into_iter().enumerate().map(member))?,
    })
}

pub(crate) fn territory((name, territory): &(String, Territory)) -> pb::Territory {
    pb::Territory {
        name: name.clone(),
        display_name: territory.display_name.clone(),
        parent: territory.parent.clone().unwrap_or_default(),
        priority: territory.priority,
        condition: territory.condition.clone().unwrap_or_default(),
        pool: territory.pool.clone().unwrap_or_default(),
    }
}

pub(crate) fn rep((name, rep): &(String, Rep)) -> pb::Rep {
    let role = match rep.role {
        Role::Field => pb::RepRole::Field,
        Role::Inside => pb::RepRole::Inside,
    };
    pb::Rep {
        name: name.clone(),
        display_name: rep.display_name.clone(),
        email: rep.email.clone(),
        role: role.into(),
        active: rep.active,
        capacity: rep.capacity,
        time_zone: rep.time_zone.clone(),
    }
}

pub(crate) fn pool_status(status: &PoolStatus) -> pb::PoolStatus {
    let PoolStatus { name, pool, balances } = status;
    let member = |member: &Member| pb::PoolMember { rep: member.rep.clone(), weight: member.weight };
    let pool = pb::Pool {
        name: name.clone(),
        display_name: pool.display_name.clone(),
        members: pool.members.iter().map(member).collect(),
    };
    let balances = balances.iter().map(|(rep, balance)| pb::MemberBalance {
        rep: rep.clone(),
        balance: balance.owed,
        offered: balance.offered,
    });
    pb::PoolStatus { pool: Some(pool), balances: balances.collect() }
}

pub(crate) fn change(change: &Change) -> ChangeMessage {
    let kind = match change.kind {
        Kind::Territory => "Territory",
        Kind::Rep => "Rep",
        Kind::Pool => "Pool",
    };
    let action = match &change.before {
        None => Action::Created,
        Some(_) if change.is_real() => Action::Updated,
        Some(_) => Action::Unchanged,
    };
    ChangeMessage {
        kind: kind.to_owned(),
        name: change.name.clone(),
        action: action.into(),
        before: change.before.clone().unwrap_or_default(),
        after: change.after.clone(),
    }
}
