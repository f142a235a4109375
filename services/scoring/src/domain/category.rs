//! The tree of product categories.

use std::collections::BTreeMap;

use super::model::{Shares, ThresholdTable, Thresholds};

/// The tree: each category with the one above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Categories(BTreeMap<String, Option<String>>);

impl Categories {
    /// The tree of these (category, category above it).
    pub fn new(parents: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        Self(parents.into_iter().collect())
    }

    /// Whether the tree has the category.
    pub fn contains(&self, category: &str) -> bool {
        self.0.contains_key(category)
    }

    /// The category and those above it, nearest first. Ends also where a broken tree has a cycle.
    pub fn lineage<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(category), |name| self.0.get(*name)?.as_deref()).take(self.0.len() + 1)
    }

    /// The categories from the one at fault back to itself, when the tree has a cycle.
    pub fn cycle(&self) -> Option<Vec<&str>> {
        self.0.keys().find_map(|start| {
            let above: Vec<&str> = self.lineage(start).collect();
            let end = above.iter().skip(1).position(|name| name == start)?;
            Some(above[..=end + 1].to_vec())
        })
    }

    /// How much of the points of an activity in category `of` counts for a lead in category `lead`, in thousandths.
    pub fn share_milli(&self, of: Option<&str>, lead: &str, shares: &Shares) -> i32 {
        match of {
            None => shares.none,
            Some(of) if of == lead => shares.same,
            Some(of) if self.lineage(of).any(|above| above == lead) => shares.below,
            Some(of) if self.lineage(lead).any(|above| above == of) => shares.above,
            Some(_) => 0,
        }
    }

    /// The thresholds for a lead in `category`: its own, else the nearest ones above it, else the default.
    pub fn thresholds(&self, category: &str, table: &ThresholdTable) -> Thresholds {
        self.lineage(category).find_map(|name| table.categories.get(name).copied()).unwrap_or(table.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Categories {
        let rows =
            [("chromatography", None), ("hplc", Some("chromatography")), ("gc", Some("chromatography")), ("ms", None)];
        Categories::new(rows.map(|(name, parent)| (name.to_owned(), parent.map(str::to_owned))))
    }

    #[test]
    fn the_share_depends_on_where_the_category_stands() {
        let shares = Shares { same: 1000, below: 800, above: 300, none: 500 };
        let share = |of, lead| tree().share_milli(of, lead, &shares);
        assert_eq!(share(Some("hplc"), "hplc"), 1000);
        assert_eq!(share(Some("hplc"), "chromatography"), 800);
        assert_eq!(share(Some("chromatography"), "hplc"), 300);
        assert_eq!(share(None, "hplc"), 500);
        assert_eq!(share(Some("gc"), "hplc"), 0);
        assert_eq!(share(Some("unknown"), "hplc"), 0);
    }

    #[test]
    fn a_cycle_is_found_and_named() {
        let rows =
            [("a", "b"), ("b", "c"), ("c", "a")].map(|(name, parent)| (name.to_owned(), Some(parent.to_owned())));
        assert_eq!(Categories::new(rows).cycle().unwrap(), ["a", "b", "c", "a"]);
        assert_eq!(tree().cycle(), None);
    }
}
