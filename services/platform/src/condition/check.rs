//! The check of a condition before it is saved.

use std::collections::{BTreeMap, BTreeSet};

use cel::{
    Context, Value,
    common::ast::{Expr, IdedExpr, LiteralValue, operators},
};

use super::{Error, FieldType};

/// What a condition may call besides the operators.
const FUNCTIONS: [&str; 6] = ["startsWith", "endsWith", "contains", "matches", "size", "double"];
const OPERATORS: [&str; 18] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
];

/// Walks a condition and evaluates its parts on sample values.
pub(super) struct Checker<'a> {
    fields: &'a BTreeMap<String, FieldType>,
    samples: &'a Context<'a, 'static>,
    references: BTreeSet<String>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(fields: &'a BTreeMap<String, FieldType>, samples: &'a Context<'a, 'static>) -> Self {
        Self { fields, samples, references: BTreeSet::new() }
    }

    /// The fields that the condition refers to.
    pub(super) fn check(mut self, condition: &IdedExpr) -> Result<BTreeSet<String>, Error> {
        self.walk(condition)?;
        self.must_be_bool(condition, "the condition")?;
        Ok(self.references)
    }

    fn walk(&mut self, node: &IdedExpr) -> Result<(), Error> {
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.walk(element)),
            Expr::Ident(_) | Expr::Select(_) => self.reference(node),
            Expr::Call(call) if call.func_name == operators::INDEX => self.reference(node),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
                    return Err(Error(format!("calls `{name}`; it may call {}", FUNCTIONS.join(", "))));
                }
                call.target.iter().try_for_each(|target| self.walk(target))?;
                call.args.iter().try_for_each(|argument| self.walk(argument))?;
                let deciding = match name {
                    operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => &call.args[..],
                    operators::CONDITIONAL => &call.args[..1],
                    _ => &[],
                };
                deciding.iter().try_for_each(|operand| self.must_be_bool(operand, "each side of &&, || and !"))
            }
            Expr::Comprehension(_) => {
                Err(Error("uses a macro such as exists() or all(): write it with ||, && and in".into()))
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(Error("may use text, numbers, true, false and lists only".into()))
            }
        }
    }

    /// A dotted path, `has()` of one, or a path with a literal index such as `answers["budget"]`.
    fn reference(&mut self, node: &IdedExpr) -> Result<(), Error> {
        let path = path(node)
            .ok_or_else(|| Error("uses an index that is no literal: write for example `answers.budget`".into()))?;
        if self.fields.contains_key(&path) {
            self.references.insert(path);
            return Ok(());
        }
        let prefix = path.split('.').next().unwrap_or_default();
        let siblings: Vec<_> = self.fields.keys().filter(|known| known.starts_with(&format!("{prefix}."))).collect();
        let known = if siblings.is_empty() { self.fields.keys().collect() } else { siblings };
        let known: Vec<_> = known.into_iter().map(String::as_str).collect();
        Err(Error(format!("refers to `{path}`, which is not declared; declared are {}", known.join(", "))))
    }

    fn must_be_bool(&self, node: &IdedExpr, what: &str) -> Result<(), Error> {
        match Value::resolve(node, self.samples) {
            Ok(Value::Bool(_)) => Ok(()),
            Ok(_) => Err(Error(format!("{what} must be true or false"))),
            Err(error) => Err(Error(format!("does not work on values of the declared types: {error}"))),
        }
    }
}

/// The dotted path that a node spells.
pub(super) fn path(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        Expr::Call(call) if call.func_name == operators::INDEX => match &call.args.get(1)?.expr {
            Expr::Literal(LiteralValue::String(key)) => Some(format!("{}.{}", path(&call.args[0])?, key.inner())),
            _ => None,
        },
        _ => None,
    }
}
