//! Facts in a table, read in the order of their ids, a few thousand at a time.

use sea_orm::{
    ConnectionTrait, IntoSimpleExpr, QueryResult,
    sea_query::{Expr, ExprTrait as _, Order, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{Buckets, Fact, Span, add, first_id};
use crate::error::Result;

/// Facts that one statement reads.
const CHUNK: u64 = 2_000;
/// Facts that one answer sums up, and buckets that it has: it must come in time, and be short enough.
const MAX_FACTS: usize = 20_000;
const MAX_BUCKETS: usize = 5_000;

/// The facts of one kind, as a table holds them.
#[derive(Clone, Debug)]
pub struct Facts {
    query: SelectStatement,
    id: SimpleExpr,
}

impl Facts {
    /// The facts that `query` selects: first the `id`, a UUIDv7 that an index sorts, then the numbers (`bigint`) that tell
    /// the states of a fact apart; none for facts that never change. The other side must come to the same numbers.
    pub fn new(query: SelectStatement, id: impl IntoSimpleExpr) -> Self {
        Self { query, id: id.into_simple_expr() }
    }

    /// Shows `visit` the facts of the span, until it says that it has enough: then up to the end of that millisecond.
    /// Returns until where that was.
    pub(super) async fn each(
        &self,
        connection: &impl ConnectionTrait,
        span: Span,
        mut visit: impl FnMut(&Fact) -> bool,
    ) -> Result<u64> {
        let (mut from, mut end, mut enough) = (first_id(span.begin), span.end, false);
        loop {
            let chunk = self.read(connection, from, first_id(end)).await?;
            for fact in &chunk {
                enough |= visit(fact);
            }
            let Some(last) = chunk.last().filter(|_| chunk.len() as u64 == CHUNK) else { return Ok(end) };
            if enough {
                end = std::cmp::min(end, last.millis() + 1);
            }
            from = Uuid::from_u128(last.id.as_u128() + 1);
        }
    }

    async fn read(&self, connection: &impl ConnectionTrait, from: Uuid, before: Uuid) -> Result<Vec<Fact>> {
        let mut query = self.query.clone();
        query
            .and_where(self.id.clone().gte(Expr::value(from)))
            .and_where(self.id.clone().lt(Expr::value(before)))
            .order_by_expr(self.id.clone(), Order::Asc)
            .limit(CHUNK);
        let rows = connection.query_all(&query).await?;
        let columns = rows.first().map_or(0, |row| row.column_names().len());
        rows.iter().map(|row| fact(row, columns)).collect()
    }

    /// All buckets of the span.
    pub(super) async fn sum_up(&self, connection: &impl ConnectionTrait, span: Span, width: u64) -> Result<Buckets> {
        let mut buckets = Buckets::new();
        self.each(connection, span, |fact| {
            add(&mut buckets, width, fact);
            false
        })
        .await?;
        Ok(buckets)
    }

    /// As many buckets of the span as go into one answer, and until where they go.
    pub(super) async fn page(
        &self,
        connection: &impl ConnectionTrait,
        span: Span,
        width: u64,
    ) -> Result<(Buckets, u64)> {
        let (mut buckets, mut facts) = (Buckets::new(), 0);
        let end = self
            .each(connection, span, |fact| {
                add(&mut buckets, width, fact);
                facts += 1;
                facts >= MAX_FACTS || buckets.len() >= MAX_BUCKETS
            })
            .await?;
        Ok((buckets, end))
    }
}

fn fact(row: &QueryResult, columns: usize) -> Result<Fact> {
    let state: Vec<i64> = (1..columns).map(|at| row.try_get_by_index(at)).collect::<Result<_, _>>()?;
    Ok(Fact::new(row.try_get_by_index(0)?, &state))
}
