use super::*;
use crate::domain::{
    activity::Channel,
    source::{Basis, FieldType},
};

fn category(name: &str, parent: &str) -> ProductCategory {
    ProductCategory { name: name.into(), display_name: String::new(), parent: parent.into() }
}

fn source(name: &str) -> Source {
    Source {
        name: name.into(),
        display_name: "Web".into(),
        default_activity_type: "form_submitted".into(),
        default_channel: Channel::Web,
        default_product_category: String::new(),
        consent: None,
        fields: Vec::new(),
        redirect_url: String::new(),
        webhook: None,
        verifies_mobile: false,
    }
}

fn field(name: &str) -> Field {
    Field { name: name.into(), field_type: FieldType::Number, answer: false }
}

fn refusal(sources: Vec<Source>, product_categories: Vec<ProductCategory>) -> (&'static str, String) {
    let present = Catalogue::new([], [category("chromatography", ""), category("hplc", "chromatography")]);
    let error = plan(&present, Configuration { sources, product_categories }).unwrap_err();
    (error.reason(), error.violations()[0].0.clone())
}

#[test]
fn only_what_differs_is_written() {
    let present = Catalogue::new([source("a"), source("b")], []);
    let changed = Source { display_name: "New".into(), ..source("b") };
    let wanted = Configuration { sources: vec![source("a"), changed.clone(), source("c")], product_categories: vec![] };
    let plan = plan(&present, wanted).unwrap();
    assert_eq!(plan.sources, [changed, source("c")]);
    assert_eq!(plan.changes[0].before, plan.changes[0].after);
    assert!(plan.changes[1].before.contains("\"Web\"") && plan.changes[1].after.contains("\"New\""));
    assert_eq!(plan.changes[2].before, "");
}

#[test]
fn a_change_shows_what_was_set_and_nothing_else() {
    let wanted = Configuration { sources: vec![source("a")], product_categories: vec![] };
    let plan = plan(&Catalogue::default(), wanted).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&plan.changes[0].after).unwrap();
    let expected = serde_json::json!({
        "name": "a", "display_name": "Web", "default_activity_type": "form_submitted", "default_channel": "web",
    });
    assert_eq!(shown, expected);
}

#[test]
fn a_category_may_stand_below_one_that_comes_in_the_same_call() {
    let wanted = vec![category("gc", "separation"), category("separation", "")];
    let plan = plan(&Catalogue::default(), Configuration { sources: vec![], product_categories: wanted }).unwrap();
    assert_eq!(plan.product_categories.len(), 2);
}

#[test]
fn categories_form_a_tree() {
    let parent = "product_categories[0].parent".to_owned();
    let cycle = |categories| refusal(vec![], categories);
    assert_eq!(cycle(vec![category("x", "x")]), ("CATEGORY_CYCLE", parent.clone()));
    // Through a category that is there already.
    assert_eq!(cycle(vec![category("chromatography", "hplc")]), ("CATEGORY_CYCLE", parent.clone()));
    assert_eq!(cycle(vec![category("x", "nowhere")]), ("UNKNOWN_PRODUCT_CATEGORY", parent));
}

#[test]
fn each_mistake_in_a_source_is_named() {
    let consent = |field: &str| Consent {
        basis: Basis::Consent,
        purpose: "sales".into(),
        field: field.into(),
        channels: Vec::new(),
        confirmation: None,
    };
    let cases: Vec<(Source, &str, &str)> = vec![
        (source("Not A Name"), "INVALID_FIELD", "name"),
        (Source { display_name: "x".repeat(321), ..source("a") }, "FIELD_TOO_LONG", "display_name"),
        (
            Source { default_activity_type: String::new(), ..source("a") },
            "INVALID_ACTIVITY_TYPE",
            "default_activity_type",
        ),
        (
            Source { default_product_category: "nowhere".into(), ..source("a") },
            "UNKNOWN_PRODUCT_CATEGORY",
            "default_product_category",
        ),
        (Source { redirect_url: "javascript:alert(1)".into(), ..source("a") }, "INVALID_FIELD", "redirect_url"),
        (Source { redirect_url: "/thanks".into(), ..source("a") }, "INVALID_FIELD", "redirect_url"),
        (Source { redirect_url: "https://a b/".into(), ..source("a") }, "INVALID_FIELD", "redirect_url"),
        (Source { consent: Some(consent("email")), ..source("a") }, "INVALID_FIELD", "consent.field"),
        (Source { fields: vec![field("1st")], ..source("a") }, "INVALID_FIELD", "fields[0].name"),
        (Source { fields: vec![field("company")], ..source("a") }, "INVALID_FIELD", "fields[0].name"),
        (Source { fields: vec![field("x"), field("x")], ..source("a") }, "DUPLICATE_NAME", "fields[1].name"),
        (Source { fields: vec![field("x"); 101], ..source("a") }, "TOO_MANY_FIELDS", "fields"),
    ];
    for (source, reason, field) in cases {
        assert_eq!(refusal(vec![source], vec![]), (reason, format!("sources[0].{field}")));
    }
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    assert_eq!(refusal(vec![source("a"), source("a")], vec![]), ("DUPLICATE_NAME", "sources[1].name".into()));
    let twice = vec![category("x", ""), category("x", "")];
    assert_eq!(refusal(vec![], twice), ("DUPLICATE_NAME", "product_categories[1].name".into()));
}
