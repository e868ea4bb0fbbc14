//! `cargo xtask bench`: what the client costs, measured from outside and held against its goals.
//!
//! The programs stand in `bench`, a workspace of its own. What is counted (instructions,
//! allocations, bytes, system calls) repeats on a noisy machine; what is timed is CPU time, and only
//! as a ratio of two programs that ran in turns.

mod programs;
mod report;
mod rows;
mod tools;

use std::{fs, path::PathBuf};

use crate::{Result, cargo, failed};
use report::Measure;

const BASELINE: &str = "bench/baseline.json";
const DOCUMENT: &str = "docs/benchmarks.md";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// One object a line
    #[arg(long)]
    json: bool,
    /// Fail when something costs more than in bench/baseline.json
    #[arg(long)]
    check: bool,
    /// Make the present figures the baseline, and write them into the page
    #[arg(long, conflicts_with = "check")]
    update: bool,
}

pub(crate) fn run(options: &Options) -> Result {
    let Options {
        json,
        check,
        update,
    } = *options;
    tools::look_for_them()?;
    let measures = rows::measure()?;
    if json {
        for measure in &measures {
            println!("{}", measure.json());
        }
    } else {
        print!("{}", report::table(&measures));
    }
    if update {
        let lines = measures
            .iter()
            .map(|measure| format!("{}\n", measure.json()));
        write(BASELINE, &lines.collect::<String>())?;
        let document = read(DOCUMENT)?;
        let document = report::put_table(&document, &report::table(&measures))
            .ok_or_else(|| failed(format!("{DOCUMENT} lacks the marks around its table")))?;
        write(DOCUMENT, &document)?;
    }
    if check {
        compare(&read(BASELINE)?, &measures)?;
    }
    Ok(())
}

/// Fails when something costs more than when the baseline was written.
fn compare(baseline: &str, measures: &[Measure]) -> Result {
    let worse = report::regressions(baseline, measures)
        .ok_or_else(|| failed(format!("{BASELINE} is not what `--update` writes")))?;
    if worse.is_empty() {
        eprintln!("nothing costs more than in {BASELINE}");
        return Ok(());
    }
    Err(failed(format!(
        "{}\nIf it is worth it, `cargo xtask bench --update` makes it the new baseline",
        worse.join("\n")
    )))
}

fn at(path: &str) -> PathBuf {
    cargo::root().join(path)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(at(path)).map_err(|error| failed(format!("{path}: {error}")))
}

fn write(path: &str, text: &str) -> Result {
    fs::write(at(path), text).map_err(|error| failed(format!("{path}: {error}")))
}
