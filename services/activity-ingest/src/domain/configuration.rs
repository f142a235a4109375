//! What `ApplyConfiguration` changes.

use std::collections::{BTreeMap, BTreeSet};

use leadflow_platform::{Error, Result, ids::check_name};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        call,
        catalogue::Catalogue,
        check::is_activity_type,
        consent::ConsentChannel,
        form,
        limits::{CONFIRM_WITHIN, MAX_FIELDS, MAX_IDENTITY, MAX_KEY, MAX_URL},
        problems::Problems,
        sendgrid,
        signature::PublicKey,
        source::{Basis, Consent, Field, ProductCategory, Source, Webhook},
    },
    error,
};

/// The sources and product categories that somebody wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    pub(crate) sources: Vec<Source>,
    pub(crate) product_categories: Vec<ProductCategory>,
}

/// What has to be written so that the wanted configuration is there, and what to tell of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
    pub(crate) product_categories: Vec<ProductCategory>,
    pub(crate) changes: Vec<Change>,
}

/// What happens to one resource. Without `before` it is created; with the same `after` it stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Compares what is wanted with what is there.
///
/// # Errors
/// `INVALID_ARGUMENT` that names all fields at fault, up to ten.
pub(crate) fn plan(present: &Catalogue, wanted: Configuration) -> Result<Plan> {
    check(present, &wanted)?;
    let mut plan = Plan::default();
    for category in wanted.product_categories {
        let before = present.product_categories.get(&category.name);
        plan.changes.push(change("ProductCategory", &category.name, before, &category)?);
        if before != Some(&category) {
            plan.product_categories.push(category);
        }
    }
    for source in wanted.sources {
        let before = present.sources.get(&source.name);
        plan.changes.push(change("Source", &source.name, before, &source)?);
        if before != Some(&source) {
            plan.sources.push(source);
        }
    }
    Ok(plan)
}

fn change<T: Serialize>(kind: &str, name: &str, before: Option<&T>, after: &T) -> Result<Change> {
    let pretty = |resource: &T| {
        serde_json::to_string_pretty(resource)
            .map_err(|cause| Error::internal("a resource without JSON").because(cause))
    };
    Ok(Change {
        kind: kind.to_owned(),
        name: name.to_owned(),
        before: before.map(pretty).transpose()?.unwrap_or_default(),
        after: pretty(after)?,
    })
}

fn check(present: &Catalogue, wanted: &Configuration) -> Result<()> {
    let mut problems = Problems::default();
    // The tree as it will be: each category with the one above it.
    let mut tree: BTreeMap<&str, &str> =
        present.product_categories.values().map(|category| (&*category.name, &*category.parent)).collect();
    tree.extend(wanted.product_categories.iter().map(|category| (&*category.name, &*category.parent)));

    let mut seen = BTreeSet::new();
    for (index, category) in wanted.product_categories.iter().enumerate() {
        let at = |field: &str| format!("product_categories[{index}].{field}");
        problems.add_if(!seen.insert(&category.name), || error::duplicate_name(at("name"), &category.name));
        check_category(category, &tree, at, &mut problems);
    }
    let mut seen = BTreeSet::new();
    for (index, source) in wanted.sources.iter().enumerate() {
        let at = |field: &str| format!("sources[{index}].{field}");
        problems.add_if(!seen.insert(&source.name), || error::duplicate_name(at("name"), &source.name));
        check_source(source, &tree, at, &mut problems);
    }
    problems.finish()
}

fn check_category(
    category: &ProductCategory,
    tree: &BTreeMap<&str, &str>,
    at: impl Fn(&str) -> String,
    problems: &mut Problems,
) {
    problems.note(check_name(&at("name"), &category.name));
    check_length(at("display_name"), &category.display_name, MAX_IDENTITY, problems);
    let parent = category.parent.as_str();
    if !parent.is_empty() && !tree.contains_key(parent) {
        return problems.add(error::unknown_product_category(&at("parent"), parent));
    }
    let mut below = BTreeSet::from([category.name.as_str()]);
    let mut above = parent;
    while !above.is_empty() {
        if !below.insert(above) {
            return problems.add(error::category_cycle(at("parent"), &category.name));
        }
        above = tree.get(above).copied().unwrap_or_default();
    }
}

fn check_source(source: &Source, tree: &BTreeMap<&str, &str>, at: impl Fn(&str) -> String, problems: &mut Problems) {
    problems.note(check_name(&at("name"), &source.name));
    check_length(at("display_name"), &source.display_name, MAX_IDENTITY, problems);
    let type_ok = is_activity_type(&source.default_activity_type);
    problems.add_if(!type_ok, || error::invalid_activity_type(&at("default_activity_type")));
    let category = source.default_product_category.as_str();
    let category_ok = category.is_empty() || tree.contains_key(category);
    problems.add_if(!category_ok, || error::unknown_product_category(&at("default_product_category"), category));
    let url_ok = source.redirect_url.is_empty() || is_web_address(&source.redirect_url);
    problems.add_if(!url_ok, || {
        Error::invalid(at("redirect_url"), "must be an address such as `https://example.com/thanks`")
    });
    check_webhook(source.webhook.as_ref(), &at, problems);
    check_consent(source.consent.as_ref(), &at, problems);
    check_fields(&source.fields, &at, problems);
}

fn check_webhook(webhook: Option<&Webhook>, at: &impl Fn(&str) -> String, problems: &mut Problems) {
    let Some(webhook) = webhook else { return };
    problems.add_if(webhook.provider != sendgrid::PROVIDER, || {
        Error::invalid(at("webhook.provider"), format!("must be `{}`", sendgrid::PROVIDER))
    });
    problems.add_if(PublicKey::parse(&webhook.public_key).is_none(), || {
        Error::invalid(at("webhook.public_key"), "must be a public key of P-256 in Base64, as the provider shows it")
    });
}

/// Whether it is an address that a browser can go to.
pub(crate) fn is_web_address(url: &str) -> bool {
    url.len() <= MAX_URL
        && url.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
        })
}

fn check_consent(consent: Option<&Consent>, at: &impl Fn(&str) -> String, problems: &mut Problems) {
    let Some(Consent { basis, purpose, field, channels, confirmation }) = consent else {
        return;
    };
    check_length(at("consent.purpose"), purpose, MAX_KEY, problems);
    check_length(at("consent.field"), field, MAX_KEY, problems);
    problems.add_if(form::is_reserved(field), || reserved(at("consent.field"), field));
    let Some(confirmation) = confirmation else { return };
    problems.add_if(*basis != Basis::Consent, || {
        let problem = "is for the basis `consent` only: a contract or an interest is nothing that a person confirms";
        Error::invalid(at("consent.confirmation"), problem)
    });
    problems.add_if(channels.iter().any(|channel| *channel != ConsentChannel::Email), || {
        let problem = "may be `email` only with a confirmation: its link proves no other way to reach the person";
        Error::invalid(at("consent.channels"), problem)
    });
    problems.add_if(!CONFIRM_WITHIN.contains(&confirmation.within_seconds), || {
        error::invalid_confirmation_time(at("consent.confirmation.within"))
    });
}

fn check_fields(fields: &[Field], at: &impl Fn(&str) -> String, problems: &mut Problems) {
    if fields.len() > MAX_FIELDS {
        return problems.add(error::too_many_fields(&at("fields")));
    }
    let mut seen = BTreeSet::new();
    for (index, Field { name, .. }) in fields.iter().enumerate() {
        let at = at(&format!("fields[{index}].name"));
        if !is_field_name(name) {
            let description = "must be letters, digits and underscores, no digit first, at most 63: conditions use it";
            problems.add(Error::invalid(at, description));
        } else if form::is_reserved(name) {
            problems.add(reserved(at, name));
        } else if call::is_reserved(name) {
            let description = format!("`{name}` is filled by the details of a call, whatever the source: leave it out");
            problems.add(Error::invalid(at, description));
        } else if !seen.insert(name) {
            problems.add(error::duplicate_name(at, name));
        }
    }
}

fn reserved(field: String, name: &str) -> Error {
    Error::invalid(field, format!("`{name}` is a field of every activity: choose another name"))
}

/// An identifier of the language of conditions.
fn is_field_name(name: &str) -> bool {
    name.len() <= MAX_KEY
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn check_length(field: String, text: &str, bytes: usize, problems: &mut Problems) {
    if text.len() > bytes {
        problems.add(error::too_long(field, bytes));
    } else if text.contains('\0') {
        problems.add(error::invalid_text(field));
    }
}

#[cfg(test)]
mod tests;
