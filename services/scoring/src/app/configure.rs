//! Configuration as code: product categories and the scoring model.

use std::collections::BTreeMap;

use leadflow_platform::{
    Error, Result,
    audit::{Mutation, mutate},
    db::Tx,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{App, tree};
use crate::{
    domain::{CompiledModel, Model},
    error,
    store::{
        accounts,
        models::{self, Category, Version},
    },
};

/// What was, or would be, done to one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) before: Option<Json>,
    pub(crate) after: Json,
}

/// The name under which changes of the one model are shown.
const MODEL: &str = "company";

impl App {
    /// Makes categories and model be as given, or only says what would change.
    pub(crate) async fn configure(
        &self,
        mutation: Mutation,
        categories: Vec<Category>,
        model: Option<Model>,
        validate_only: bool,
    ) -> Result<Vec<Change>> {
        if validate_only {
            let plan = plan(self.database.reader(), categories, model).await?;
            return Ok(plan.changes);
        }
        let app = self.clone();
        let principal = mutation.principal.as_str().to_owned();
        mutate(&self.database, mutation, move |tx| async move {
            tx.lock(CONFIGURATION_LOCK).await?;
            let plan = plan(&*tx, categories, model).await?;
            app.carry_out(&tx, &plan, principal).await?;
            Ok(plan.changes)
        })
        .await
    }

    async fn carry_out(&self, tx: &Tx, plan: &Plan, principal: String) -> Result<()> {
        let rescores = plan.version.is_some() || !plan.categories.is_empty();
        if rescores {
            // Who scores an account right now may do it by the former model, and may only just have made it known.
            accounts::lock_all(tx).await?;
        }
        models::save_categories(tx, &plan.categories).await?;
        if let Some((number, model)) = &plan.version {
            let version = Version { number: *number, model: model.clone(), publish_time: self.now(), principal };
            models::publish(tx, &version).await?;
        }
        if rescores {
            // The sweep scores every account again, batch by batch.
            accounts::all_due(tx, self.now()).await?;
        }
        Ok(())
    }
}

/// One configuration at a time.
const CONFIGURATION_LOCK: i64 = 7103;

struct Plan {
    changes: Vec<Change>,
    /// New or changed ones.
    categories: Vec<Category>,
    /// A model that differs, under its number.
    version: Option<(i32, Model)>,
}

async fn plan(
    connection: &impl sea_orm::ConnectionTrait,
    categories: Vec<Category>,
    model: Option<Model>,
) -> Result<Plan> {
    let known = models::categories(connection).await?;
    let mut all: BTreeMap<String, Category> =
        known.into_iter().map(|category| (category.name.clone(), category)).collect();
    let mut changes = Vec::new();
    let mut changed = Vec::new();
    for category in &categories {
        let before = all.insert(category.name.clone(), category.clone());
        changes.push(Change {
            kind: "ProductCategory".to_owned(),
            name: category.name.clone(),
            before: before.as_ref().map(category_json),
            after: category_json(category),
        });
        if before.as_ref() != Some(category) {
            changed.push(category.clone());
        }
    }
    for (index, category) in categories.iter().enumerate() {
        if let Some(parent) = category.parent.as_ref().filter(|parent| !all.contains_key(*parent)) {
            return Err(error::unknown_category(format!("product_categories[{index}].parent"), parent));
        }
    }
    let all: Vec<Category> = all.into_values().collect();
    let categories = tree(&all);
    if let Some(chain) = categories.cycle() {
        return Err(error::category_cycle(&chain));
    }
    let published = models::published(connection, None).await?;
    let number = published.as_ref().map_or(0, |version| version.number);
    let mut version = None;
    if let Some(model) = model {
        CompiledModel::compile(number + 1, model.clone(), categories)
            .map_err(|error| error.within("scoring_model."))?;
        changes.push(Change {
            kind: "ScoringModel".to_owned(),
            name: MODEL.to_owned(),
            before: published.as_ref().map(|version| model_json(&version.model)).transpose()?,
            after: model_json(&model)?,
        });
        if published.is_none_or(|version| version.model != model) {
            version = Some((number + 1, model));
        }
    } else if let Some(published) = published {
        // The tree may have changed under the model.
        CompiledModel::compile(published.number, published.model, categories)?;
    }
    Ok(Plan { changes, categories: changed, version })
}

fn category_json(category: &Category) -> Json {
    let mut json = serde_json::json!({ "display_name": category.display_name });
    if let Some(parent) = &category.parent {
        json["parent"] = Json::String(parent.clone());
    }
    json
}

fn model_json(model: &Model) -> Result<Json> {
    serde_json::to_value(model).map_err(|cause| Error::internal("a model without JSON").because(cause))
}
