//! What processes have used, from `/proc`.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

/// Linux counts the time of processes in hundredths of a second, whatever the kernel ticks in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU by the name of a process.
pub(crate) type Cpu = BTreeMap<String, f64>;

/// What these processes have used so far, each with its children, dead ones too; but not with those that have a name of
/// their own here.
///
/// # Errors
/// When a process has gone.
pub(crate) fn cpu(processes: &BTreeMap<String, u32>) -> Result<Cpu> {
    let children = children()?;
    let named = |child: &&u32| processes.values().any(|pid| pid == *child);
    let used = |pid: u32| -> Result<f64> {
        let nameless = children.get(&pid).into_iter().flatten().filter(|child| !named(child));
        let living: u64 = nameless.filter_map(|&child| ticks(child)).map(own).sum();
        let all = ticks(pid).with_context(|| format!("process {pid} has gone"))?;
        Ok((all.iter().sum::<u64>() + living) as f64 / TICKS_PER_SECOND)
    };
    processes.iter().map(|(name, &pid)| Ok((name.clone(), used(pid)?))).collect()
}

/// What was used between two looks, for each ten thousand of `count`.
pub(crate) fn per_ten_thousand(before: &Cpu, after: &Cpu, count: u64) -> Cpu {
    let used = |name: &String, after: f64| after - before.get(name).copied().unwrap_or_default();
    after.iter().map(|(name, &seconds)| (name.clone(), used(name, seconds) * 10_000.0 / count as f64)).collect()
}

/// The most memory that a process has ever held, in MiB.
///
/// # Errors
/// When the process has gone.
pub(crate) fn peak_mib(pid: u32) -> Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} has gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process without memory")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// Time in user and kernel mode: of the process, and of its children that it has waited for.
fn ticks(pid: u32) -> Option<[u64; 4]> {
    let fields = stat(pid)?;
    let at = |place: usize| fields.get(place)?.parse().ok();
    Some([at(11)?, at(12)?, at(13)?, at(14)?])
}

fn own([user, kernel, ..]: [u64; 4]) -> u64 {
    user + kernel
}

fn children() -> Result<BTreeMap<u32, Vec<u32>>> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while we look at it.
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    Ok(children)
}

/// The fields behind the program's name, which may itself hold blanks: state, parent, ….
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_has_used_time_and_memory() {
        let this = BTreeMap::from([("this".to_owned(), std::process::id())]);
        let before = cpu(&this).unwrap();
        let mut sum = 0_u64;
        while cpu(&this).unwrap()["this"] < before["this"] + 0.05 {
            sum = std::hint::black_box((0..100_000_u64).sum::<u64>() ^ sum);
        }
        assert!(peak_mib(std::process::id()).unwrap() > 1.0);
    }
}
