//! The table, the summary and the plot.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};

use crate::plan::{DoorFigures, Figures, Latency, Summary};

/// Writes `summary.json` and `latency.svg` into a folder.
///
/// # Errors
/// When that fails.
pub(crate) fn write(summary: &Summary, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("summary.json"), serde_json::to_string_pretty(summary)? + "\n")?;
    fs::write(folder.join("latency.svg"), plot(summary))?;
    Ok(())
}

/// The figures for people.
pub(crate) fn tables(summary: &Summary) -> String {
    let mut text = String::new();
    for (store, figures) in &summary.stores {
        let doors = doors(figures);
        let _ = writeln!(text, "\n{store}\n{doors}");
        if let Some(floor) = &figures.floor {
            let _ = writeln!(
                text,
                "floor: {:.0} a second (COPY {:.0}, publish {:.0}, fetch {:.0}); round trip p50 {:.1} ms, p99 {:.1} ms",
                floor.floor_per_s,
                floor.copy_per_s,
                floor.publish_per_s,
                floor.fetch_per_s,
                floor.round_trip_p50_ms,
                floor.round_trip_p99_ms
            );
        }
        if let Some(latency) = &figures.latency {
            let _ = writeln!(
                text,
                "at {:.0} a second: accepted p50 {:.1} ms, p99 {:.1} ms; acceptance → assignment p50 {:.1} ms, p99 {:.1} ms",
                latency.rate_per_s,
                latency.accept_p50_ms,
                latency.accept_p99_ms,
                latency.assign_p50_ms,
                latency.assign_p99_ms
            );
        }
    }
    if let Some(per_s) = summary.backtest_per_s {
        let _ = writeln!(text, "\nbacktest: {per_s:.0} activities a second on one core");
    }
    for size in &summary.growth {
        let _ = writeln!(
            text,
            "ledger of {:>10}: {:.0} µs CPU (× {:.2}), {:.0} µs (× {:.2}) an activity",
            size.ledger_rows, size.cpu_us, size.cpu_ratio, size.us, size.ratio
        );
    }
    for size in &summary.resolve {
        let _ = writeln!(
            text,
            "{:>9} contacts known: {:.0} µs (× {:.2}) for one of them, {:.0} µs (× {:.2}) for somebody new",
            size.contacts, size.known_us, size.known_ratio, size.new_us, size.new_ratio
        );
    }
    text
}

fn doors(figures: &Figures) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    let doors: Vec<(&&str, &DoorFigures)> = figures.doors.iter().collect();
    let head = std::iter::once(String::new()).chain(doors.iter().map(|(name, _)| (**name).to_owned()));
    table.set_header(head);
    let mut row = |name: String, value: &dyn Fn(&DoorFigures) -> String| {
        table.add_row(std::iter::once(name).chain(doors.iter().map(|(_, door)| value(door))));
    };
    row("activities".into(), &|door| door.activities.to_string());
    row("accepted / s".into(), &|door| format!("{:.0}", door.accepted_per_s));
    row("end to end / s".into(), &|door| format!("{:.0}", door.e2e_per_s));
    let percent = |ratio: &f64| format!("{:.1} %", ratio * 100.0);
    row("of the floor".into(), &|door| door.ratio.as_ref().map(percent).unwrap_or_default());
    row("of the floor, each round".into(), &|door| door.ratios.iter().map(percent).collect::<Vec<_>>().join(", "));
    let Some((_, first)) = doors.first() else { return table };
    for process in first.cpu_s_per_10k.keys() {
        row(format!("CPU s / 10,000: {process}"), &|door| {
            door.cpu_s_per_10k.get(process).map(|seconds| format!("{seconds:.2}")).unwrap_or_default()
        });
    }
    for role in first.rss_mib.keys() {
        row(format!("MiB: {role}"), &|door| door.rss_mib.get(role).map(|mib| format!("{mib:.0}")).unwrap_or_default());
    }
    table
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 60.0;

/// Milliseconds by percentile, logarithmic, of each store and each latency.
fn plot(summary: &Summary) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (power, label) in [(-1, "0.1 ms"), (0, "1 ms"), (1, "10 ms"), (2, "100 ms"), (3, "1 s"), (4, "10 s")] {
        let y = y(10_f64.powi(power));
        let _ = writeln!(svg, "<path d=\"M{MARGIN},{y} H{}\" stroke=\"#ddd\"/>", WIDTH - MARGIN);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>", MARGIN - 6.0, y + 4.0);
    }
    for percentile in [0.0, 50.0, 90.0, 99.0, 99.9] {
        let (x, y) = (x(percentile), HEIGHT - MARGIN + 18.0);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">p{percentile}</text>");
    }
    let mut row = 0;
    for (store, Figures { latency, .. }) in &summary.stores {
        let Some(Latency { accept_curve, assign_curve, .. }) = latency else { continue };
        for (what, curve) in [("accepted", accept_curve), ("acceptance → assignment", assign_curve)] {
            let colour = ["#1b6ca8", "#d1495b", "#66a182", "#edae49"][row % 4];
            let points: Vec<_> = curve.iter().map(|&(p, ms)| format!("{:.1},{:.1}", x(p), y(ms))).collect();
            let points = points.join(" ");
            let _ =
                writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            let y = 20 + 16 * row;
            let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{colour}\">{store}: {what}</text>");
            row += 1;
        }
    }
    svg + "</svg>\n"
}

/// Each nine of a percentile takes the same room, up to three of them.
fn x(percentile: f64) -> f64 {
    let nines = -(1.0 - percentile / 100.0).max(0.001).log10();
    MARGIN + nines / 3.0 * (WIDTH - 2.0 * MARGIN)
}

/// From a tenth of a millisecond to ten seconds.
fn y(ms: f64) -> f64 {
    let place = (ms.clamp(0.1, 10_000.0).log10() + 1.0) / 5.0;
    HEIGHT - MARGIN - place * (HEIGHT - 2.0 * MARGIN)
}
