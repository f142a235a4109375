use leadflow_platform::{Error, Result, ids, value};
use leadflow_proto::{common::v1 as common, contact::v1 as pb};
use prost::Message as _;

use super::{
    country,
    profile::{change_profile, profile_values},
    short, time,
};
use crate::{
    app::configure::{Change, Named},
    domain::{Account, Joined, Relation, Site, normal},
    error,
    store::account_lists::Filter,
};

/// Domains of one account at the most.
const MAX_DOMAINS: usize = 500;
/// Sites of one account at the most.
const MAX_SITES: usize = 500;
/// The declared fields, in a mask.
const PROFILE: &str = "profile";

pub(crate) fn account(account: &Account) -> pb::Account {
    let relation = match account.relation {
        Relation::Prospect => pb::Relation::Prospect,
        Relation::Customer => pb::Relation::Customer,
        Relation::FormerCustomer => pb::Relation::FormerCustomer,
    };
    pb::Account {
        account_id: account.account_id.to_string(),
        reference: account.reference.clone().unwrap_or_default(),
        name: account.name.clone(),
        domains: account.domains.clone(),
        country: account.country.clone(),
        region: account.region.clone(),
        postal_code: account.postal_code.clone(),
        street: account.street.clone(),
        city: account.city.clone(),
        phones: account.phones.clone(),
        industry: account.industry.clone(),
        employees: account.employees,
        revenue: account.revenue,
        relation: relation.into(),
        owner_rep: account.owner_rep.clone(),
        revision: account.revision,
        etag: account.revision.to_string(),
        create_time: Some(time(account.create_time)),
        update_time: Some(time(account.update_time)),
        parent_account_id: account.parent_account_id.map(|id| id.to_string()).unwrap_or_default(),
        parent_reference: String::new(),
        roll_up: Some(account.roll_up),
        profile: value::map_to_proto(&account.profile),
        sites: account.sites.iter().map(site).collect(),
        merged_into_account_id: account.merged_into.map(|id| id.to_string()).unwrap_or_default(),
        merged_account_ids: Vec::new(),
    }
}

/// An account with all that were merged into it, as it is shown.
pub(crate) fn joined_account(joined: &Joined<Account>) -> pb::Account {
    pb::Account {
        etag: joined.etag(),
        merged_account_ids: joined.merged.iter().map(|side| side.account_id.to_string()).collect(),
        ..account(&joined.shown())
    }
}

fn site(site: &Site) -> pb::Site {
    pb::Site {
        name: site.name.clone(),
        street: site.street.clone(),
        city: site.city.clone(),
        region: site.region.clone(),
        postal_code: site.postal_code.clone(),
        country: site.country.clone(),
    }
}

fn site_from(field: &str, said: &pb::Site) -> Result<Site> {
    let text = |name: &str, text: &str| short(&format!("{field}.{name}"), text);
    let site = Site {
        name: text("name", &said.name)?,
        street: text("street", &said.street)?,
        city: text("city", &said.city)?,
        region: text("region", &said.region)?,
        postal_code: text("postal_code", &said.postal_code)?,
        country: country(&format!("{field}.country"), &said.country)?,
    };
    if site == Site::default() {
        Err(Error::invalid(field, "says nothing: give a name or an address"))
    } else {
        Ok(site)
    }
}

pub(crate) fn account_filter(request: &pb::ListAccountsRequest) -> Result<Filter> {
    Ok(Filter {
        name_prefix: short("name_prefix", &request.name_prefix)?,
        country: country("country", &request.country)?,
        owner_rep: short("owner_rep", &request.owner_rep)?,
        parent_account_id: ids::parse_optional("parent_account_id", &request.parent_account_id)?,
    })
}

/// The event that says how the account is now, encoded.
pub(crate) fn account_changed(changed: &Account) -> Vec<u8> {
    pb::AccountChanged { account: Some(account(changed)) }.encode_to_vec()
}

/// An account of a manifest, which names its parent by reference.
pub(crate) fn named_from(field: &str, mut said: pb::Account) -> Result<Named> {
    let parent = std::mem::take(&mut said.parent_reference);
    Ok(Named { account: account_from(field, said)?, parent: (!parent.is_empty()).then_some(parent) })
}

/// What a person writes of an account; `field` is where it stands in the request.
pub(crate) fn account_from(field: &str, said: pb::Account) -> Result<Account> {
    let at = |name: &str| format!("{field}.{name}");
    if !said.parent_reference.is_empty() {
        return Err(Error::invalid(
            at("parent_reference"),
            "is for manifests and imports: give parent_account_id here",
        ));
    }
    let relation = match said.relation() {
        pb::Relation::Unspecified | pb::Relation::Prospect => Relation::Prospect,
        pb::Relation::Customer => Relation::Customer,
        pb::Relation::FormerCustomer => Relation::FormerCustomer,
    };
    let name = short(&at("name"), &said.name)?;
    if name.is_empty() {
        return Err(Error::invalid(at("name"), "is required"));
    }
    if !said.reference.is_empty() {
        check_reference(&at("reference"), &said.reference)?;
    }
    if said.domains.len() > MAX_DOMAINS {
        return Err(error::too_many(&at("domains"), MAX_DOMAINS));
    }
    let mut domains = Vec::with_capacity(said.domains.len());
    for (index, written) in said.domains.iter().enumerate() {
        let at = at(&format!("domains[{index}]"));
        let domain =
            normal::domain(written).ok_or_else(|| Error::invalid(&at, format!("`{written}` is no web domain")))?;
        if normal::is_free_mail(&domain) {
            return Err(Error::field(
                "FREE_MAIL_DOMAIN",
                at,
                format!("`{domain}` gives mail to anybody: it is no organisation's"),
            ));
        }
        domains.push(domain);
    }
    for (name, number) in [("employees", said.employees), ("revenue", said.revenue)] {
        if number.is_some_and(|number| number < 0) {
            return Err(Error::invalid(at(name), "must not be negative"));
        }
    }
    domains.sort();
    domains.dedup();
    if said.sites.len() > MAX_SITES {
        return Err(error::too_many(&at("sites"), MAX_SITES));
    }
    let sites = said.sites.iter().enumerate();
    let sites = sites.map(|(index, said)| site_from(&at(&format!("sites[{index}]")), said)).collect::<Result<_>>()?;
    Ok(Account {
        reference: (!said.reference.is_empty()).then_some(said.reference),
        name,
        domains,
        country: country(&at("country"), &said.country)?,
        region: short(&at("region"), &said.region)?,
        postal_code: short(&at("postal_code"), &said.postal_code)?,
        street: short(&at("street"), &said.street)?,
        city: short(&at("city"), &said.city)?,
        industry: short(&at("industry"), &said.industry)?,
        employees: said.employees,
        revenue: said.revenue,
        relation,
        owner_rep: short(&at("owner_rep"), &said.owner_rep)?,
        parent_account_id: ids::parse_optional(&at("parent_account_id"), &said.parent_account_id)?,
        roll_up: said.roll_up.unwrap_or_default(),
        profile: profile_values(&at("profile"), &said.profile)?,
        sites,
        ..Account::default()
    })
}

/// A number or a slug.
fn check_reference(field: &str, reference: &str) -> Result<()> {
    let number = reference.len() <= 63 && reference.chars().all(|c| c.is_ascii_digit());
    if number { Ok(()) } else { ids::check_name(field, reference) }
}

/// Takes the fields that the mask names over from `new`.
pub(crate) fn account_change(
    mask: Option<&prost_types::FieldMask>,
    mut said: pb::Account,
) -> Result<impl Fn(&mut Account) + Send + Sync + 'static> {
    const FIELDS: [&str; 17] = [
        "reference",
        "name",
        "domains",
        "country",
        "region",
        "postal_code",
        "street",
        "city",
        "industry",
        "employees",
        "revenue",
        "relation",
        "owner_rep",
        "parent_account_id",
        "roll_up",
        "sites",
        PROFILE,
    ];
    let paths = mask_paths(mask, &FIELDS, PROFILE)?;
    if !paths.iter().any(|path| path == "name") {
        // A name that is not to be changed need not be said.
        "-".clone_into(&mut said.name);
    }
    let new = account_from("account", said)?;
    Ok(move |account: &mut Account| {
        for path in &paths {
            match path.as_str() {
                "reference" => account.reference.clone_from(&new.reference),
                "name" => account.name.clone_from(&new.name),
                "domains" => account.domains.clone_from(&new.domains),
                "country" => account.country.clone_from(&new.country),
                "region" => account.region.clone_from(&new.region),
                "postal_code" => account.postal_code.clone_from(&new.postal_code),
                "street" => account.street.clone_from(&new.street),
                "city" => account.city.clone_from(&new.city),
                "industry" => account.industry.clone_from(&new.industry),
                "employees" => account.employees = new.employees,
                "revenue" => account.revenue = new.revenue,
                "relation" => account.relation = new.relation,
                "parent_account_id" => account.parent_account_id = new.parent_account_id,
                "roll_up" => account.roll_up = new.roll_up,
                "sites" => account.sites.clone_from(&new.sites),
                "owner_rep" => account.owner_rep.clone_from(&new.owner_rep),
                _ => {}
            }
        }
        change_profile(&mut account.profile, &paths, PROFILE, &new.profile);
        // Without its parent it has nothing to go up to, unless that is what was said: then it is refused.
        if !paths.iter().any(|path| path == "roll_up") {
            account.roll_up &= account.parent_account_id.is_some();
        }
    })
}

/// The fields that a mask names, those `under` one of them too; all that can be changed when there is no mask.
pub(super) fn mask_paths(mask: Option<&prost_types::FieldMask>, known: &[&str], under: &str) -> Result<Vec<String>> {
    let paths = mask.map(|mask| mask.paths.clone()).unwrap_or_default();
    if paths.is_empty() {
        return Ok(known.iter().map(|&name| name.to_owned()).collect());
    }
    let is_under = |path: &str| path.strip_prefix(under).is_some_and(|rest| rest.starts_with('.'));
    match paths.iter().find(|path| !known.contains(&path.as_str()) && !is_under(path)) {
        Some(path) => Err(Error::invalid(
            "update_mask",
            format!("names `{path}`, which cannot be changed; known are {}", known.join(", ")),
        )),
        None => Ok(paths),
    }
}

pub(crate) fn change(change: &Change) -> common::Change {
    let pretty = |json: &serde_json::Value| serde_json::to_string_pretty(json).unwrap_or_default();
    let action = match &change.before {
        None => common::change::Action::Created,
        Some(before) if *before == change.after => common::change::Action::Unchanged,
        Some(_) => common::change::Action::Updated,
    };
    common::Change {
        kind: change.kind.clone(),
        name: change.name.clone(),
        action: action.into(),
        before: change.before.as_ref().map(pretty).unwrap_or_default(),
        after: pretty(&change.after),
    }
}
