//! `leadflow activities`, `accounts`, `holds` and `pools`.

use std::collections::HashMap;

use anyhow::Result;
use leadflow_proto::{activity::v1 as activity, contact::v1 as contact, routing::v1 as routing};
use serde_json::{Value as Json, json};

use super::enum_value;
use crate::{
    cli::{Accounts, Activities, Format},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time, word},
};

pub(crate) async fn activities(clients: &Clients, format: Format, args: Activities) -> Result<()> {
    let request = activity::ListActivitiesRequest {
        source: args.source.unwrap_or_default(),
        account_id: args.account.unwrap_or_default(),
        contact_id: args.contact.unwrap_or_default(),
        state: enum_value("state", "ACTIVITY_STATE_", args.state.as_deref(), activity::ActivityState::from_str_name)?,
        ..Default::default()
    };
    let mut client = clients.activity.clone();
    let page = async |page_size, page_token| {
        let request = activity::ListActivitiesRequest { page_size, page_token, ..request.clone() };
        let answer = client.list_activities(request).await?.into_inner();
        Ok((answer.activities, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(activity_json).collect(), more, || {
        let heads = ["happened", "type", "source", "category", "state", "account", "activity"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                short_time(one.occur_time.as_ref()),
                one.activity_type.clone(),
                one.source.clone(),
                one.product_category.clone(),
                word(one.state().as_str_name(), "ACTIVITY_STATE_"),
                one.account_id.clone(),
                one.activity_id.clone(),
            ]);
        }
        rows.print("There are no such activities. Send one: see \"Send an activity\" in the README.");
    });
    Ok(())
}

pub(crate) fn activity_json(one: &activity::Activity) -> Json {
    json!({
        "activity_id": one.activity_id,
        "source": one.source,
        "source_event_id": one.source_event_id,
        "activity_type": one.activity_type,
        "channel": word(one.channel().as_str_name(), "CHANNEL_"),
        "product_category": json_text(&one.product_category),
        "occur_time": json_time(one.occur_time.as_ref()),
        "record_time": json_time(one.record_time.as_ref()),
        "contact_id": json_text(&one.contact_id),
        "account_id": json_text(&one.account_id),
        "state": word(one.state().as_str_name(), "ACTIVITY_STATE_"),
        "principal": one.principal,
    })
}

pub(crate) async fn accounts(clients: &Clients, format: Format, args: Accounts) -> Result<()> {
    let request = contact::ListAccountsRequest {
        name_prefix: args.name.unwrap_or_default(),
        country: args.country.unwrap_or_default(),
        owner_rep: args.owner.unwrap_or_default(),
        parent_account_id: args.parent.unwrap_or_default(),
        ..Default::default()
    };
    let mut client = clients.contact.clone();
    let page = async |page_size, page_token| {
        let request = contact::ListAccountsRequest { page_size, page_token, ..request.clone() };
        let answer = client.list_accounts(request).await?.into_inner();
        Ok((answer.accounts, answer.next_page_token))
    };
    let (found, more) = all(args.limit.limit, page).await?;
    output::list(format, found.iter().map(account_json).collect(), more, || {
        let heads = ["name", "country", "region", "industry", "relation", "owner", "rolls up", "domains", "account"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                one.name.clone(),
                one.country.clone(),
                one.region.clone(),
                one.industry.clone(),
                word(one.relation().as_str_name(), "RELATION_"),
                one.owner_rep.clone(),
                if one.roll_up() { "yes".to_owned() } else { String::new() },
                one.domains.join(" "),
                one.account_id.clone(),
            ]);
        }
        rows.print("There are no such accounts. Activities make them, or `leadflow apply` does.");
    });
    Ok(())
}

pub(crate) fn account_json(one: &contact::Account) -> Json {
    json!({
        "account_id": one.account_id,
        "reference": json_text(&one.reference),
        "name": one.name,
        "domains": one.domains,
        "country": json_text(&one.country),
        "region": json_text(&one.region),
        "postal_code": json_text(&one.postal_code),
        "industry": json_text(&one.industry),
        "employees": one.employees,
        "revenue": one.revenue,
        "relation": word(one.relation().as_str_name(), "RELATION_"),
        "owner_rep": json_text(&one.owner_rep),
        "parent_account_id": json_text(&one.parent_account_id),
        "roll_up": one.roll_up(),
        "profile": profile_json(&one.profile),
        "sites": one.sites.iter().map(site_json).collect::<Vec<_>>(),
        "etag": one.etag,
    })
}

/// The declared fields of a profile.
pub(super) fn profile_json(values: &HashMap<String, prost_types::Value>) -> Json {
    json!(leadflow_platform::value::map_from_proto("profile", values).unwrap_or_default())
}

fn site_json(one: &contact::Site) -> Json {
    json!({
        "name": json_text(&one.name),
        "street": json_text(&one.street),
        "city": json_text(&one.city),
        "region": json_text(&one.region),
        "postal_code": json_text(&one.postal_code),
        "country": json_text(&one.country),
    })
}

pub(crate) async fn holds(clients: &Clients, format: Format) -> Result<()> {
    let mut client = clients.routing.clone();
    let page = async |page_size, page_token| {
        let state = routing::hand_over::State::Held.into();
        let answer = client.list_hand_overs(routing::ListHandOversRequest { page_size, page_token, state }).await?;
        let answer = answer.into_inner();
        Ok((answer.hand_overs, answer.next_page_token))
    };
    let (found, more) = all(0, page).await?;
    let json = |one: &routing::HandOver| {
        json!({
            "lead_id": one.lead_id,
            "hand_over": one.hand_over,
            "account_name": one.account_name,
            "product_category": one.product_category,
            "reason": one.reason,
            "deadline": json_time(one.deadline.as_ref()),
        })
    };
    output::list(format, found.iter().map(json).collect(), more, || {
        let mut rows = Rows::new(["account", "category", "reason", "deadline", "lead"].map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                one.account_name.clone(),
                one.product_category.clone(),
                one.reason.clone(),
                short_time(one.deadline.as_ref()),
                one.lead_id.clone(),
            ]);
        }
        rows.print("Nothing is held: every sales-ready lead has found its rep.");
    });
    Ok(())
}

pub(crate) async fn pools(clients: &Clients, format: Format) -> Result<()> {
    let mut client = clients.routing.clone();
    let page = async |page_size, page_token| {
        let answer = client.list_pools(routing::ListPoolsRequest { page_size, page_token }).await?.into_inner();
        Ok((answer.pools, answer.next_page_token))
    };
    let (found, more) = all(0, page).await?;
    let members = |one: &routing::PoolStatus| -> Vec<(String, String, i32, f64, i64)> {
        let pool = one.pool.clone().unwrap_or_default();
        let balance =
            |rep: &str| one.balances.iter().find(|it| it.rep == rep).map_or((0.0, 0), |it| (it.balance, it.offered));
        let member = |it: &routing::PoolMember| {
            let (owed, offered) = balance(&it.rep);
            (pool.name.clone(), it.rep.clone(), it.weight, owed, offered)
        };
        pool.members.iter().map(member).collect()
    };
    let rows: Vec<_> = found.iter().flat_map(members).collect();
    let json = rows.iter().map(|(pool, rep, weight, owed, offered)| {
        json!({ "pool": pool, "rep": rep, "weight": weight, "balance": owed, "offered": offered })
    });
    output::list(format, json.collect(), more, || {
        let mut table = Rows::new([
            Column("pool", false),
            Column("rep", false),
            Column("weight", true),
            Column("offered", true),
            Column("owed", true),
        ]);
        for (pool, rep, weight, owed, offered) in &rows {
            table.push([pool.clone(), rep.clone(), weight.to_string(), offered.to_string(), format!("{owed:+.2}")]);
        }
        table.print("There are no pools. Apply some with `leadflow apply`.");
    });
    Ok(())
}
