//! What can happen to the suite.

use std::{fmt, time::Duration};

use leadflow_harness::fleet::ROLES;

use crate::{proxy::Trouble, ways::Way};

/// Processes of each role.
pub(crate) const REPLICAS: usize = 2;

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One of the fleet, by its place in it.
    Member(usize),
    Nats,
    /// The postmaster when it is killed; with its children when it is paused.
    Postgres,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9`, all at once.
    Kill(Vec<Target>),
    /// `SIGSTOP`, and `SIGCONT` after this time.
    Pause(Target, Duration),
    /// A way misbehaves for this time.
    Network(Way, Trouble, Duration),
    /// Every process of the fleet, one after the other, is asked to end and is started again.
    RollingRestart,
    /// NATS is killed, and all files of JetStream are deleted before it comes back.
    ForgetStreams,
    /// The sales managers publish another scoring model. No fault, and in the midst of them.
    NewModel,
}

impl Fault {
    /// How long it lasts by plan.
    pub(crate) fn length(&self) -> Duration {
        match self {
            Self::Pause(_, time) | Self::Network(_, _, time) => *time,
            Self::Kill(_) | Self::RollingRestart | Self::ForgetStreams | Self::NewModel => Duration::ZERO,
        }
    }

    /// How many processes it kills.
    pub(crate) fn kills(&self) -> usize {
        match self {
            Self::Kill(targets) => targets.len(),
            Self::ForgetStreams => 1,
            Self::Pause(..) | Self::Network(..) | Self::RollingRestart | Self::NewModel => 0,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(index) => write!(f, "{}-{}", ROLES[index % ROLES.len()], index / ROLES.len() + 1),
            Self::Nats => f.write_str("NATS"),
            Self::Postgres => f.write_str("PostgreSQL"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(targets) => {
                let names: Vec<_> = targets.iter().map(Target::to_string).collect();
                write!(f, "kill {}", names.join(", "))
            }
            Self::Pause(target, time) => write!(f, "pause {target} for {time:.1?}"),
            Self::Network(way, trouble, time) => write!(f, "{trouble:?} on {way} for {time:.1?}"),
            Self::RollingRestart => f.write_str("rolling restart"),
            Self::ForgetStreams => f.write_str("delete all of JetStream's files"),
            Self::NewModel => f.write_str("publish another scoring model"),
        }
    }
}
