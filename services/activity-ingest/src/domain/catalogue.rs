//! All sources and product categories, by name.

use std::collections::BTreeMap;

use crate::domain::{
    activity::Draft,
    source::{ProductCategory, Source},
};

/// What is registered at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalogue {
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) product_categories: BTreeMap<String, ProductCategory>,
}

impl Catalogue {
    /// The catalogue of these.
    pub(crate) fn new(
        sources: impl IntoIterator<Item = Source>,
        product_categories: impl IntoIterator<Item = ProductCategory>,
    ) -> Self {
        let by_name = |source: Source| (source.name.clone(), source);
        Self {
            sources: sources.into_iter().map(by_name).collect(),
            product_categories: product_categories
                .into_iter()
                .map(|category| (category.name.clone(), category))
                .collect(),
        }
    }

    /// Whether all that the activity names is registered.
    pub(crate) fn knows(&self, draft: &Draft) -> bool {
        let category = &draft.product_category;
        self.sources.contains_key(&draft.source)
            && (category.is_empty() || self.product_categories.contains_key(category))
    }
}
