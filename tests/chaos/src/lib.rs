#![doc = include_str!("../README.md")]

mod activity;
mod book;
mod buyers;
mod doors;
mod fault;
mod full_disk;
mod inject;
mod load;
mod plants;
mod proxy;
mod quiet;
mod recovery;
mod redeliveries;
mod run;
mod schedule;
mod settings;
mod summary;
mod supervisor;
mod tables;
mod ways;
mod world;

use anyhow::{Result, ensure};

pub use settings::Settings;
pub use summary::{Found, Summary};

/// Runs what the settings say, and writes the summary. The outcome says whether it is as it has to be: an honest run
/// finds nothing, a planted bug is found.
///
/// # Errors
/// When it cannot be run or judged, or the outcome is not as it has to be.
pub async fn torment(settings: &Settings) -> Result<Summary> {
    if let Some(plant) = &settings.plant {
        ensure!(plants::counter(plant).is_some(), "no such plant: use one of {}", plants::names().join(", "));
    }
    let seed = settings.seed.unwrap_or_else(|| rand::random::<u32>().into());
    println!("seed {seed}: repeat it with --seed {seed} --duration {}\n", settings.duration);
    let summary = if settings.full_disk {
        let Some(summary) = full_disk::run(settings, seed).await? else { return Ok(Summary::default()) };
        summary
    } else {
        run::run(settings, seed).await?
    };
    summary.write(&settings.summary())?;
    match settings.plant.as_deref().and_then(plants::counter) {
        Some(counter) => ensure!(
            summary.counter(counter).is_some_and(|count| count > 0),
            "the planted bug was not found: {counter} is {:?}",
            summary.counter(counter)
        ),
        None => {
            let faults = summary.faults();
            let findings = settings.run_folder().join("findings.txt");
            ensure!(faults.is_empty(), "{}; see {}", faults.join("; "), findings.display());
        }
    }
    Ok(summary)
}

/// A run with each bug planted, one after the other.
///
/// # Errors
/// When one of them is not found.
pub async fn plant_each(settings: &Settings) -> Result<()> {
    let mut missed = Vec::new();
    for plant in plants::names() {
        println!("\n{plant}");
        let planted = Settings { plant: Some(plant.to_owned()), ..settings.clone() };
        if let Err(error) = torment(&planted).await {
            println!("{error:#}");
            missed.push(plant);
        }
    }
    ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
    Ok(())
}
