//! Two lists in the order of their keys, side by side, a page of each in memory.

use std::{cmp::Ordering, collections::VecDeque, pin::Pin};

use anyhow::Result;

type Fetch<T> =
    Box<dyn FnMut(String) -> Pin<Box<dyn Future<Output = Result<(Vec<T>, String), tonic::Status>> + Send>> + Send>;

/// A list, read page by page.
pub(super) struct Pager<T> {
    fetch: Fetch<T>,
    page: VecDeque<T>,
    token: Option<String>,
}

impl<T: Send + 'static> Pager<T> {
    /// `fetch` returns the page of a token, and the next token (empty: none).
    pub(super) fn of(
        fetch: impl FnMut(String) -> Pin<Box<dyn Future<Output = Result<(Vec<T>, String), tonic::Status>> + Send>>
        + Send
        + 'static,
    ) -> Self {
        Self { fetch: Box::new(fetch), page: VecDeque::new(), token: Some(String::new()) }
    }

    pub(super) async fn next(&mut self) -> Result<Option<T>> {
        while self.page.is_empty() {
            let Some(token) = self.token.take() else { return Ok(None) };
            let (page, next) = (self.fetch)(token).await?;
            self.page = page.into();
            self.token = (!next.is_empty()).then_some(next);
        }
        Ok(self.page.pop_front())
    }
}

/// Where a key was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Side<L, R> {
    Left(L),
    Both(L, R),
    Right(R),
}

/// Walks through two lists that are in the order of their keys, and tells of each key where it is.
pub(super) async fn join<L: Send + 'static, R: Send + 'static, K: Ord>(
    mut left: Pager<L>,
    left_key: impl Fn(&L) -> K,
    mut right: Pager<R>,
    right_key: impl Fn(&R) -> K,
    mut tell: impl FnMut(Side<L, R>),
) -> Result<()> {
    let (mut l, mut r) = (left.next().await?, right.next().await?);
    loop {
        let order = match (&l, &r) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(l), Some(r)) => left_key(l).cmp(&right_key(r)),
        };
        let (take_left, take_right) = (order != Ordering::Greater, order != Ordering::Less);
        let taken_left = if take_left { std::mem::replace(&mut l, left.next().await?) } else { None };
        let taken_right = if take_right { std::mem::replace(&mut r, right.next().await?) } else { None };
        match (taken_left, taken_right) {
            (Some(l), Some(r)) => tell(Side::Both(l, r)),
            (Some(l), None) => tell(Side::Left(l)),
            (None, Some(r)) => tell(Side::Right(r)),
            (None, None) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(numbers: Vec<u32>, size: usize) -> Pager<u32> {
        Pager::of(move |token| {
            let begin: usize = token.parse().unwrap_or(0);
            let page: Vec<_> = numbers.iter().copied().skip(begin).take(size).collect();
            let end = begin + page.len();
            let next = if end < numbers.len() { end.to_string() } else { String::new() };
            Box::pin(async move { Ok((page, next)) })
        })
    }

    #[tokio::test]
    async fn the_join_finds_what_sets_would() {
        let some = |seed: u32| -> Vec<u32> { (0..200).filter(|n| (n * seed) % 7 < 4).collect() };
        for (a, b) in [(some(3), some(5)), (some(2), Vec::new()), (Vec::new(), some(1)), (some(4), some(4))] {
            let (mut left, mut both, mut right) = (Vec::new(), Vec::new(), Vec::new());
            join(
                pages(a.clone(), 3),
                |n| *n,
                pages(b.clone(), 7),
                |n| *n,
                |side| match side {
                    Side::Left(n) => left.push(n),
                    Side::Both(n, _) => both.push(n),
                    Side::Right(n) => right.push(n),
                },
            )
            .await
            .unwrap();
            assert_eq!(left, a.iter().copied().filter(|n| !b.contains(n)).collect::<Vec<_>>());
            assert_eq!(both, a.iter().copied().filter(|n| b.contains(n)).collect::<Vec<_>>());
            assert_eq!(right, b.iter().copied().filter(|n| !a.contains(n)).collect::<Vec<_>>());
        }
    }
}
