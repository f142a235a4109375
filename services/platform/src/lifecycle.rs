//! The tasks of a role: named, started together, ended together, waited for within a bound.

use std::{collections::HashMap, future::Future, time::Duration};

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long tasks may take to end after they were asked to.
pub const GRACE: Duration = Duration::from_secs(20);

/// The tasks of one role.
#[derive(Debug)]
pub struct Tasks {
    shutdown: CancellationToken,
    grace: Duration,
    running: HashMap<Id, &'static str>,
    set: JoinSet<()>,
}

impl Tasks {
    /// No tasks yet; all that come end with `shutdown`.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { shutdown, grace: GRACE, running: HashMap::new(), set: JoinSet::new() }
    }

    /// Starts a task, which is to return when the token that it is given is cancelled.
    pub fn spawn<Fut>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> Fut)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.shutdown.child_token());
        let id = self.set.spawn(task).id();
        self.running.insert(id, name);
    }

    /// Runs until shutdown, then waits for all within [`GRACE`]. A task that ends before it was asked to ends the rest:
    /// half a service is worse than one that starts again.
    ///
    /// # Errors
    /// The names of the tasks that ended too early, failed, or did not end in time.
    pub async fn finish(mut self) -> Result<(), String> {
        let mut problems = Vec::new();
        tokio::select! {
            // First, for tasks that end because of the shutdown may have ended already.
            biased;
            () = self.shutdown.cancelled() => {}
            Some(ended) = self.set.join_next_with_id() => {
                let (name, failure) = self.note(ended);
                problems.push(failure.unwrap_or_else(|| format!("the task `{name}` ended by itself")));
            }
        }
        self.shutdown.cancel();
        let deadline = tokio::time::Instant::now() + self.grace;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.set.join_next_with_id()).await {
            let (_, failure) = self.note(ended);
            problems.extend(failure);
        }
        if !self.running.is_empty() {
            let mut stragglers: Vec<_> = self.running.values().copied().collect();
            stragglers.sort_unstable();
            problems.push(format!("did not end within {:?}: {}", self.grace, stragglers.join(", ")));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    /// Crosses the task off: its name, and what went wrong with it.
    fn note(&mut self, ended: Result<(Id, ()), JoinError>) -> (&'static str, Option<String>) {
        let (id, failure) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let name = self.running.remove(&id).unwrap_or("unknown");
        (name, failure.map(|failure| format!("the task `{name}` failed: {failure}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impatient(shutdown: CancellationToken) -> Tasks {
        Tasks { grace: Duration::from_millis(50), ..Tasks::new(shutdown) }
    }

    #[tokio::test]
    async fn all_tasks_end_with_the_token() {
        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("a", |stop| async move { stop.cancelled().await });
        tasks.spawn("b", |stop| async move { stop.cancelled().await });
        shutdown.cancel();
        tasks.finish().await.unwrap();
    }

    #[tokio::test]
    async fn a_task_that_ended_because_of_the_shutdown_did_not_end_by_itself() {
        for _ in 0..20 {
            let shutdown = CancellationToken::new();
            let mut tasks = Tasks::new(shutdown.clone());
            tasks.spawn("quick", |stop| async move { stop.cancelled().await });
            shutdown.cancel();
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            tasks.finish().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_ends_the_rest_and_is_named() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("steady", |stop| async move { stop.cancelled().await });
        tasks.spawn("short", |_| async {});
        assert_eq!(tasks.finish().await.unwrap_err(), "the task `short` ended by itself");
    }

    #[tokio::test]
    async fn stragglers_are_named_when_the_grace_is_over() {
        let shutdown = CancellationToken::new();
        let mut tasks = impatient(shutdown.clone());
        tasks.spawn("punctual", |stop| async move { stop.cancelled().await });
        tasks.spawn("straggler", |_| std::future::pending());
        tasks.spawn("dawdler", |_| std::future::pending());
        shutdown.cancel();
        assert_eq!(tasks.finish().await.unwrap_err(), "did not end within 50ms: dawdler, straggler");
    }

    #[tokio::test]
    async fn of_two_tasks_with_one_name_the_one_that_ends_does_not_hide_the_other() {
        let shutdown = CancellationToken::new();
        let mut tasks = impatient(shutdown.clone());
        tasks.spawn("consumer", |stop| async move { stop.cancelled().await });
        tasks.spawn("consumer", |_| std::future::pending());
        shutdown.cancel();
        assert_eq!(tasks.finish().await.unwrap_err(), "did not end within 50ms: consumer");
    }

    #[tokio::test]
    async fn a_task_that_panics_is_named_before_and_after_the_shutdown() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("steady", |stop| async move { stop.cancelled().await });
        tasks.spawn("broken", |_| async { panic!("oh") });
        let error = tasks.finish().await.unwrap_err();
        assert!(error.starts_with("the task `broken` failed: ") && error.contains("oh"), "{error}");

        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("broken", |stop| async move {
            stop.cancelled().await;
            panic!("oh")
        });
        shutdown.cancel();
        assert!(tasks.finish().await.unwrap_err().contains("`broken`"));
    }

    #[tokio::test]
    async fn stragglers_are_named_also_when_another_task_ended_too_early() {
        let mut tasks = impatient(CancellationToken::new());
        tasks.spawn("short", |_| async {});
        tasks.spawn("straggler", |_| std::future::pending());
        let error = tasks.finish().await.unwrap_err();
        assert_eq!(error, "the task `short` ended by itself; did not end within 50ms: straggler");
    }
}
