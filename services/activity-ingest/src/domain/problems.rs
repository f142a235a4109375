//! What is wrong with a message, collected, so that its sender can mend all at once.

use leadflow_platform::{Error, Result};

/// Problems that one answer names; the rest shows when these are mended.
const MAX_PROBLEMS: usize = 10;

/// What is wrong, so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Option<Error>);

impl Problems {
    /// One more problem. The first gives the answer its reason.
    pub(crate) fn add(&mut self, problem: Error) {
        self.0 = Some(match self.0.take() {
            None => problem,
            Some(first) if first.violations().len() < MAX_PROBLEMS => first.and(problem),
            Some(enough) => enough,
        });
    }

    /// One more problem, when there is one.
    pub(crate) fn add_if(&mut self, wrong: bool, problem: impl FnOnce() -> Error) {
        if wrong {
            self.add(problem());
        }
    }

    /// The value of a part that is right; otherwise its problem is noted.
    pub(crate) fn note<T>(&mut self, part: Result<T>) -> Option<T> {
        part.map_err(|problem| self.add(problem)).ok()
    }

    /// Fails when anything was wrong.
    ///
    /// # Errors
    /// All problems as one, up to ten.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
