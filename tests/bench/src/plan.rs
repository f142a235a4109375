//! What is measured, one after the other, each with a suite of its own.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use leadflow_platform::clock::Clock;
use serde::Serialize;

use crate::{
    backtest,
    data::Generator,
    floor::{Floor, floor},
    growth::{Growth, growth},
    load::{Door, flood},
    resolve::{Resolve, resolve},
    steady::{Latencies, steady},
    usage::{self, Cpu},
    world::{Store, World},
};

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// Some hundred activities: whether the bench works, not how fast the suite is.
    Quick,
    /// Three minutes.
    Small,
    /// Twenty minutes: the figures of the README.
    Full,
    /// The same, and a ledger of ten million activities; hours.
    Large,
}

/// A part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Part {
    /// Doors, latency and floor on PostgreSQL.
    Postgres,
    /// Doors and latency on SQLite.
    Sqlite,
    /// The pure scoring domain.
    Backtest,
    /// Cost by the size of the ledger.
    Growth,
    /// Cost of telling who somebody is, by how many are known.
    Resolve,
}

/// What a scale means.
struct Sizes {
    /// How often batches and the floor are measured, in turn: both swing with whatever else the machine does.
    rounds: usize,
    batches: usize,
    single: usize,
    sqlite: usize,
    steady: Duration,
    /// The smallest ledger, and how many times as large the others are.
    growth: (usize, &'static [u64]),
    /// The same of those who are known.
    resolve: &'static [u64],
}

impl Scale {
    fn sizes(self) -> Sizes {
        let seconds = Duration::from_secs;
        let sizes = |rounds, batches, single, sqlite, steady, growth, resolve| Sizes {
            rounds,
            batches,
            single,
            sqlite,
            steady,
            growth,
            resolve,
        };
        match self {
            Self::Quick => sizes(1, 300, 100, 100, seconds(2), (100, &[1, 3]), &[1, 3]),
            Self::Small => sizes(1, 40_000, 10_000, 5_000, seconds(10), (10_000, &[1, 10]), &[1, 60]),
            Self::Full => sizes(3, 200_000, 200_000, 40_000, seconds(60), (10_000, &[1, 100]), &[1, 600]),
            Self::Large => sizes(3, 200_000, 200_000, 40_000, seconds(60), (10_000, &[1, 100, 1000]), &[1, 600]),
        }
    }
}

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) scale: Scale,
    pub(crate) seed: u64,
    pub(crate) cpus: usize,
    /// `postgres` and `sqlite`.
    #[serde(flatten)]
    pub(crate) stores: BTreeMap<&'static str, Figures>,
    pub(crate) backtest_per_s: Option<f64>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) resolve: Vec<Resolve>,
}

/// The figures on one kind of database.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    #[serde(flatten)]
    pub(crate) floor: Option<Floor>,
    pub(crate) doors: BTreeMap<&'static str, DoorFigures>,
    #[serde(flatten)]
    pub(crate) latency: Option<Latency>,
}

/// What goes through a door.
#[derive(Debug, Serialize)]
pub(crate) struct DoorFigures {
    /// Sent; all of them were accepted and scored.
    pub(crate) activities: u64,
    /// Hot ones among them.
    pub(crate) hot: u64,
    /// Live assignments at the end.
    pub(crate) assignments: u64,
    pub(crate) accepted_per_s: f64,
    pub(crate) e2e_per_s: f64,
    /// In relation to the floor. Of several rounds, all these figures are those of the one with the median of this.
    pub(crate) ratio: Option<f64>,
    /// The same of each round, in their order.
    pub(crate) ratios: Vec<f64>,
    /// Seconds of CPU for ten thousand activities, by process.
    pub(crate) cpu_s_per_10k: Cpu,
    /// The most memory that each role has held.
    pub(crate) rss_mib: BTreeMap<String, f64>,
}

/// How long things take at half of what goes through one by one.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) rate_per_s: f64,
    pub(crate) accept_p50_ms: f64,
    pub(crate) accept_p99_ms: f64,
    pub(crate) assign_p50_ms: f64,
    pub(crate) assign_p99_ms: f64,
    /// (percentile, milliseconds), for the plot.
    pub(crate) accept_curve: Vec<(f64, f64)>,
    pub(crate) assign_curve: Vec<(f64, f64)>,
}

/// Measures these parts.
///
/// # Errors
/// When something does not start, gets stuck or gets lost.
pub(crate) async fn measure(scale: Scale, seed: u64, parts: &[Part]) -> Result<Summary> {
    let sizes = scale.sizes();
    let now = Clock::system().now();
    let generator = |activities: usize| Generator::new(seed, (activities as u64 / 10).max(10), now);
    let cpus = std::thread::available_parallelism()?.get();
    let mut summary = Summary {
        scale,
        seed,
        cpus,
        stores: BTreeMap::new(),
        backtest_per_s: None,
        growth: Vec::new(),
        resolve: Vec::new(),
    };
    if parts.contains(&Part::Backtest) {
        eprintln!("The pure scoring domain, on one core");
        let model = backtest::model(&World::start(Store::Sqlite).await?).await?;
        let activities = generator(sizes.batches).take(sizes.batches);
        summary.backtest_per_s = Some(backtest::activities_per_s(&model, &activities)?);
    }
    for (part, name, store) in [(Part::Postgres, "postgres", Store::Postgres), (Part::Sqlite, "sqlite", Store::Sqlite)]
    {
        if !parts.contains(&part) {
            continue;
        }
        let mut figures = Figures::default();
        for door in Door::ALL {
            let (count, rounds) = match (store, door) {
                (Store::Sqlite, _) => (sizes.sqlite, 1),
                (_, Door::GrpcBatches) => (sizes.batches, sizes.rounds),
                _ => (sizes.single, 1),
            };
            let mut measured = Vec::with_capacity(rounds);
            for round in 1..=rounds {
                eprintln!("{name}: {count} activities by {}, {round} of {rounds}", door.as_str());
                measured.push(through(door, store, count, &mut generator(count), sizes.steady).await?);
            }
            figures.add(door, measured);
        }
        summary.stores.insert(name, figures);
    }
    if parts.contains(&Part::Growth) {
        let (base, copies) = sizes.growth;
        eprintln!("Growth from {base} activities on");
        summary.growth = growth(seed, base, copies, now).await?;
    }
    if parts.contains(&Part::Resolve) {
        eprintln!("Who is who, by how many are known");
        summary.resolve = resolve(seed, sizes.growth.0, sizes.resolve, now).await?;
    }
    Ok(summary)
}

/// What one run of one door gives.
struct Round {
    door: DoorFigures,
    floor: Option<Floor>,
    latency: Option<Latency>,
}

impl Figures {
    /// Takes the round in the middle.
    fn add(&mut self, door: Door, mut rounds: Vec<Round>) {
        let share = |round: &Round| Some(round.door.e2e_per_s / round.floor.as_ref()?.floor_per_s);
        let ratios: Vec<f64> = rounds.iter().filter_map(share).collect();
        rounds.sort_by(|a, b| share(a).unwrap_or_default().total_cmp(&share(b).unwrap_or_default()));
        let middle = rounds.swap_remove(rounds.len() / 2);
        self.floor = middle.floor.or(self.floor.take());
        self.latency = middle.latency.or(self.latency.take());
        let ratio = self.floor.as_ref().map(|floor| middle.door.e2e_per_s / floor.floor_per_s);
        self.doors.insert(door.as_str(), DoorFigures { ratio, ratios, ..middle.door });
    }
}

/// Measures one door; with batches also the floor, with single calls also the latencies.
async fn through(door: Door, store: Store, count: usize, generator: &mut Generator, time: Duration) -> Result<Round> {
    let mut world = World::start(store).await?;
    let sent = count as u64;
    let flood = flood(&world, door, generator.take(count), sent).await?;
    let live = "SELECT count(*) FROM assignments WHERE state IN ('offered', 'accepted')";
    let (hot, assignments) = (generator.hot(), world.count("routing", live).await?);
    anyhow::ensure!(hot == assignments, "{hot} hot activities led to {assignments} assignments");
    let memory = world.roles().into_iter().map(|(role, pid)| Ok((role, usage::peak_mib(pid)?)));
    let rss_mib = memory.collect::<Result<_>>()?;
    let e2e_per_s = sent as f64 / flood.e2e_s;
    let (mut latencies, mut least) = (None, None);
    if door == Door::GrpcSingle {
        latencies = Some(latency(&world, generator, e2e_per_s / 2.0, time, sent).await?);
    }
    if door == Door::GrpcBatches && store == Store::Postgres {
        world.stop_roles();
        least = Some(floor(&world).await.context("the floor")?);
    }
    let door = DoorFigures {
        activities: sent,
        hot,
        assignments,
        accepted_per_s: sent as f64 / flood.accepted_s,
        e2e_per_s,
        ratio: None,
        ratios: Vec::new(),
        cpu_s_per_10k: flood.cpu,
        rss_mib,
    };
    Ok(Round { door, floor: least, latency: latencies })
}

async fn latency(
    world: &World,
    generator: &mut Generator,
    rate_per_s: f64,
    time: Duration,
    scored: u64,
) -> Result<Latency> {
    eprintln!("  {rate_per_s:.0} a second, one by one, for {time:?}");
    let Latencies { accept, assign } = steady(world, generator, rate_per_s, time, scored).await?;
    let ms = |of: &hdrhistogram::Histogram<u64>, percentile: f64| of.value_at_percentile(percentile) as f64 / 1000.0;
    let percentiles = || (0..100).map(f64::from).chain([99.5, 99.9, 100.0]);
    let curve = |of: &hdrhistogram::Histogram<u64>| percentiles().map(|place| (place, ms(of, place))).collect();
    Ok(Latency {
        rate_per_s,
        accept_p50_ms: ms(&accept, 50.0),
        accept_p99_ms: ms(&accept, 99.0),
        assign_p50_ms: ms(&assign, 50.0),
        assign_p99_ms: ms(&assign, 99.0),
        accept_curve: curve(&accept),
        assign_curve: curve(&assign),
    })
}
