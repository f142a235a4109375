//! Which texts a field must have for a condition to hold, read from the condition itself: so that rules about one kind of
//! activity cost nothing for the others.

use std::collections::BTreeSet;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::check::path;

/// The texts of which the field at `wanted` must have one; none when the condition may hold with others too. With any
/// other text the condition is false and never fails: where one side of `&&` is false, CEL absorbs the other's failure.
pub(super) fn texts(node: &IdedExpr, wanted: &str) -> Option<BTreeSet<String>> {
    let Expr::Call(call) = &node.expr else { return None };
    let [left, right] = call.args.as_slice() else { return None };
    match call.func_name.as_str() {
        operators::LOGICAL_AND => match (texts(left, wanted), texts(right, wanted)) {
            (Some(left), Some(right)) => Some(&left & &right),
            (left, right) => left.or(right),
        },
        operators::LOGICAL_OR => Some(&texts(left, wanted)? | &texts(right, wanted)?),
        operators::EQUALS if is_field(left, wanted) => Some(BTreeSet::from([literal(right)?])),
        operators::EQUALS if is_field(right, wanted) => Some(BTreeSet::from([literal(left)?])),
        operators::IN if is_field(left, wanted) => match &right.expr {
            Expr::List(list) => list.elements.iter().map(literal).collect(),
            _ => None,
        },
        _ => None,
    }
}

fn is_field(node: &IdedExpr, wanted: &str) -> bool {
    path(node).is_some_and(|path| path == wanted)
}

fn literal(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}
