use proptest::prelude::*;

use super::*;

fn schema() -> Schema {
    Schema::new()
        .variable("activity", [("type", FieldType::String), ("channel", FieldType::String)])
        .record("activity", "attributes", [("seats", FieldType::Number)])
        .variable("account", [("employees", FieldType::Number), ("country", FieldType::String)])
        .variable("answers", [("budget", FieldType::Number), ("meeting", FieldType::Bool)])
}

fn refused(source: &str) -> String {
    Condition::compile(source, &schema()).expect_err(source).to_string()
}

fn matches(source: &str) -> Result<bool, String> {
    let text = |text: &str| Value::String(text.to_owned());
    let condition = Condition::compile(source, &schema()).map_err(|error| error.to_string())?;
    let evaluator = Evaluator::new();
    let mut scope = evaluator.scope();
    scope.set("account", &Record::from([("employees".to_owned(), Value::Number(100.0))]));
    scope.set("answers", &Record::new());
    let mut inner = scope.inner();
    let attributes = Record::from([("seats".to_owned(), Value::Number(2.5))]);
    inner.set(
        "activity",
        &Record::from([
            ("type".to_owned(), text("form_submitted")),
            ("attributes".to_owned(), Value::Record(attributes)),
        ]),
    );
    condition.matches(&inner)
}

#[test]
fn conditions_see_the_fields_of_all_scopes() {
    assert_eq!(matches(r#"activity.type == "form_submitted" && account.employees >= 100"#), Ok(true));
    assert_eq!(matches(r#"activity.type in ["a", "form_submitted"]"#), Ok(true));
    assert_eq!(matches(r#"activity["type"].startsWith("form")"#), Ok(true));
}

#[test]
fn whole_and_broken_numbers_compare_by_value() {
    for holds in [
        "account.employees == 100",
        "account.employees == 100.0",
        "account.employees >= 100",
        "account.employees < 100.5",
        "account.employees in [1, 100]",
        "activity.attributes.seats > 2",
        "activity.attributes.seats == 2.5",
    ] {
        assert_eq!(matches(holds), Ok(true), "{holds}");
    }
    assert_eq!(matches("account.employees != 100"), Ok(false));
}

#[test]
fn an_absent_field_is_no_match_unless_the_other_side_decides() {
    assert!(matches("answers.budget > 5").is_err());
    assert!(matches("answers.budget > 5 || account.employees > 500").is_err());
    assert_eq!(matches("answers.budget > 5 || account.employees == 100"), Ok(true));
    assert_eq!(matches("account.employees == 100 || answers.budget > 5"), Ok(true));
    assert_eq!(matches("answers.budget > 5 && account.employees > 500"), Ok(false));
    assert_eq!(matches("has(answers.budget)"), Ok(false));
    assert_eq!(matches("!has(answers.budget) && answers.meeting == true"), matches("answers.meeting == true"));
}

#[test]
fn what_is_not_declared_is_refused_with_what_is() {
    assert!(refused("answers.bugdet > 5").contains("declared are answers.budget, answers.meeting"));
    assert!(refused("nobody.knows == 1").contains("not declared"));
    assert!(refused("activity == 1").contains("not declared"));
    assert!(refused("has(answers.nothing)").contains("not declared"));
    assert!(refused(r#"answers["nothing"] == 1"#).contains("not declared"));
    assert!(refused("answers[activity.type] == 1").contains("no literal"));
    assert!(refused("now() > 1").contains("calls `now`"));
}

#[test]
fn what_yields_no_boolean_is_refused() {
    for source in [
        "account.employees",
        r#""yes""#,
        r#"activity.type == "x" && 5"#,
        r#"activity.type == "x" && (true || 5)"#,
        r#"activity.type > 5"#,
        r#"!account.employees"#,
        "",
        "   ",
        "activity.type = 5",
        "(((",
    ] {
        refused(source);
    }
}

#[test]
fn a_condition_that_would_exhaust_the_stack_is_refused_and_a_long_one_is_not() {
    for deep in ["(", "!", "[", "true ? true : ", "-"] {
        refused(&deep.repeat(4000 / deep.len()));
    }
    refused(&"true || ".repeat(2000));
    for operator in ["||", "&&"] {
        let long = format!("true{}", format!(" {operator} true").repeat(500));
        assert_eq!(matches(&long), Ok(true));
    }
    refused(&format!("1{} > 1", " + 1".repeat(500)));
}

#[test]
fn the_references_are_known() {
    let condition = Condition::compile(r#"answers.budget > 5 || has(answers.meeting)"#, &schema()).unwrap();
    let references: Vec<_> = condition.references().iter().map(String::as_str).collect();
    assert_eq!(references, ["answers.budget", "answers.meeting"]);
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(source in r#"[a-z0-9.()!&|=<>"' \[\],+*/?:-]{0,60}"#) {
        let _ = Condition::compile(&source, &schema());
    }
}

#[test]
fn a_condition_says_which_texts_a_field_must_have() {
    let texts = |source: &str| {
        let texts = Condition::compile(source, &schema()).unwrap().texts("activity.type");
        texts.map(|texts| texts.into_iter().collect::<Vec<_>>().join(","))
    };
    let some = |texts: &str| Some(texts.to_owned());
    assert_eq!(texts(r#"activity.type == "a""#), some("a"));
    assert_eq!(texts(r#""a" == activity["type"]"#), some("a"));
    assert_eq!(texts(r#"activity.type in ["a", "b"] && account.employees > 1"#), some("a,b"));
    assert_eq!(texts(r#"activity.type in ["a", "b"] && activity.type in ["b", "c"]"#), some("b"));
    assert_eq!(texts(r#"activity.type == "a" || activity.type == "b" && account.employees > 1"#), some("a,b"));
    for any in [
        "account.employees > 1",
        r#"activity.type == "a" || account.employees > 1"#,
        r#"activity.type != "a""#,
        r#"!(activity.type == "a")"#,
        r#"activity.type.startsWith("a")"#,
        r#"activity.type == "a" ? true : account.employees > 1"#,
    ] {
        assert_eq!(texts(any), None, "{any}");
    }
}
