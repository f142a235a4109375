//! The ways between the processes, each with a proxy on it.

use std::{fmt, net::SocketAddr};

use anyhow::{Context as _, Result};
use leadflow_harness::fleet::{Fleet, ROLES};

use crate::proxy::{Proxy, Trouble};

/// A way that something may happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the load to the gRPC door.
    Calls,
    /// From the load to the HTTP door.
    Forms,
    /// From the load to NATS.
    Publishers,
    /// From a role to its database.
    Database(&'static str),
    /// From a role to NATS.
    Bus(&'static str),
    /// From all roles to this one; above all from activity-ingest to contact.
    Peers(&'static str),
}

impl Way {
    pub(crate) fn all() -> Vec<Self> {
        let of_roles = ROLES.into_iter().flat_map(|role| [Self::Database(role), Self::Bus(role), Self::Peers(role)]);
        [Self::Calls, Self::Forms, Self::Publishers].into_iter().chain(of_roles).collect()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls => f.write_str("clients -> activity-ingest (gRPC)"),
            Self::Forms => f.write_str("clients -> activity-ingest (HTTP)"),
            Self::Publishers => f.write_str("clients -> NATS"),
            Self::Database(role) => write!(f, "{role} -> PostgreSQL"),
            Self::Bus(role) => write!(f, "{role} -> NATS"),
            Self::Peers(role) => write!(f, "all roles -> {role}"),
        }
    }
}

/// A proxy on each way.
#[derive(Debug)]
pub(crate) struct Ways(Vec<(Way, Proxy)>);

impl Ways {
    /// Starts the proxies; those to NATS and PostgreSQL lead there at once.
    ///
    /// # Errors
    /// When there is no port.
    pub(crate) async fn start(nats: SocketAddr, postgres: SocketAddr) -> Result<Self> {
        let mut ways = Vec::new();
        for way in Way::all() {
            let proxy = Proxy::start().await?;
            match way {
                Way::Publishers | Way::Bus(_) => proxy.lead_to(vec![nats]),
                Way::Database(_) => proxy.lead_to(vec![postgres]),
                Way::Calls | Way::Forms | Way::Peers(_) => {}
            }
            ways.push((way, proxy));
        }
        Ok(Self(ways))
    }

    /// Lets the others lead to the processes, each to all replicas of its role.
    pub(crate) fn lead_to(&self, fleet: &Fleet) {
        let of = |role: &str, http: bool| {
            let members = fleet.members.iter().filter(|member| member.role == role);
            members.map(|it| local(if http { it.http_port } else { it.port })).collect()
        };
        for (way, proxy) in &self.0 {
            match way {
                Way::Calls => proxy.lead_to(of("activity-ingest", false)),
                Way::Forms => proxy.lead_to(of("activity-ingest", true)),
                Way::Peers(role) => proxy.lead_to(of(role, false)),
                Way::Publishers | Way::Bus(_) | Way::Database(_) => {}
            }
        }
    }

    /// Where a way begins.
    ///
    /// # Errors
    /// Never, but for a role that there is not.
    pub(crate) fn begin(&self, way: Way) -> Result<SocketAddr> {
        Ok(self.proxy(way)?.address())
    }

    /// Begins or ends a trouble on a way.
    ///
    /// # Errors
    /// As [`Ways::begin`].
    pub(crate) fn set(&self, way: Way, trouble: Trouble) -> Result<()> {
        self.proxy(way)?.set(trouble);
        Ok(())
    }

    fn proxy(&self, way: Way) -> Result<&Proxy> {
        self.0.iter().find(|(known, _)| *known == way).map(|(_, proxy)| proxy).context("no such way")
    }
}

/// A port of this machine.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
