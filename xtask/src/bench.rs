//! `cargo xtask bench`: what the client costs, measured from outside and held against its goals.
//!
//! The programs stand in `bench`, a workspace of its own. What is counted (instructions, allocations, bytes,
//! system calls) repeats on a noisy machine. What is timed is CPU time, and compared only with programs that took
//! turns with it.

mod figures;
mod programs;
mod rows;
mod ship;
mod table;
mod tools;

use std::time::Instant;

use crate::Result;
use figures::Bench;
use rows::Row;
use table::{Measured, Table};

/// How often something that looks worse is measured again: work of others on the machine can spoil a figure, and
/// cannot make one too good.
const AGAIN: usize = 2;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the figures into docs/benchmarks.md
    #[arg(long)]
    update: bool,

    /// Fail on what is worse than docs/benchmarks.md has it, and on nothing else
    #[arg(long, conflicts_with = "update")]
    check: bool,

    /// Only the rows that have this in their names or units
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,

    /// In place of the rows: send so much through `pipeline ship`, such as 1GB or 10000000 (records)
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["check", "only"])]
    ship: Option<ship::Amount>,
}

pub(crate) fn run(options: &Options) -> Result {
    if let Some(amount) = options.ship {
        return ship::run(amount, options.update);
    }
    let mut rows = rows::all();
    if let Some(pattern) = &options.only {
        rows.retain(|row| row.name.contains(pattern) || row.unit.contains(pattern));
        if rows.is_empty() {
            return Err(format!("no row has {pattern:?} in its name or unit"));
        }
    } else {
        tools::look_for_them()?;
    }
    let recorded = table::Document::read()?;
    let bench = Bench::new()?;
    if options.check {
        return check(&bench, &rows, recorded.costs());
    }
    let measured = measure(&bench, &rows);
    print!("{}", Table::new(&measured));
    if options.update {
        recorded.with_costs(&rows::all(), &measured)?;
    }
    let failed = measured.iter().filter(|it| it.value.is_err()).count();
    let missed = measured.iter().filter(|it| it.ok() == Some(false)).count();
    match (failed, missed) {
        (0, 0) => Ok(()),
        (0, missed) => Err(format!("goals missed: {missed}")),
        (failed, missed) => Err(format!("not measured: {failed}; goals missed: {missed}")),
    }
}

/// One that cannot be measured does not keep the others from it.
fn measure<'a>(bench: &Bench, rows: &'a [Row]) -> Vec<Measured<'a>> {
    let start = Instant::now();
    let one = |(at, row): (usize, &'a Row)| {
        let value = (row.measure)(bench);
        let said = match &value {
            Ok(value) => table::number(*value),
            Err(error) => format!("error: {}", short(error)),
        };
        let (count, seconds) = (rows.len(), start.elapsed().as_secs());
        let (at, name, unit) = (at + 1, row.name, row.unit);
        eprintln!("{seconds:4} s  {at}/{count}  {name}, {unit}: {said}");
        Measured { row, value }
    };
    rows.iter().enumerate().map(one).collect()
}

/// What a tool says may fill pages; how it was called comes first, and what it says last is why.
fn short(error: &str) -> String {
    let lines: Vec<_> = error.lines().collect();
    let end = lines.len().saturating_sub(5).max(1);
    [&lines[..lines.len().min(1)], &lines[end.min(lines.len())..]]
        .concat()
        .join("\n")
}

/// Compares with what is recorded, by the noise that each kind of row has.
fn check(bench: &Bench, rows: &[Row], recorded: &[(String, String, f64)]) -> Result {
    let compared = |row: &Row| {
        let is_it = |(name, unit, _): &&(String, String, f64)| name == row.name && unit == row.unit;
        let (.., value) = recorded.iter().find(is_it)?;
        Some((row.kind.noise()?, *value))
    };
    let mut rows: Vec<Row> = rows
        .iter()
        .filter(|row| compared(row).is_some())
        .cloned()
        .collect();
    eprintln!("comparing {} rows with docs/benchmarks.md", rows.len());
    let mut said = Vec::new();
    for turn in 0..=AGAIN {
        let mut left = Vec::new();
        said.clear();
        for it in measure(bench, &rows) {
            let Some((noise, old)) = compared(it.row) else {
                continue;
            };
            let (name, unit) = (it.row.name, it.row.unit);
            match it.value {
                Ok(value) if !it.row.is_worse(value, old, noise) => continue,
                Ok(value) => said.push(format!(
                    "{name}, {unit}: {} was {}",
                    table::number(value),
                    table::number(old)
                )),
                Err(error) => said.push(format!("{name}, {unit}: {}", short(&error))),
            }
            left.push(it.row.clone());
        }
        if left.is_empty() {
            return Ok(());
        }
        if turn < AGAIN {
            eprintln!("measuring {} of them again", left.len());
        }
        rows = left;
        bench.forget();
    }
    Err(format!(
        "worse than docs/benchmarks.md has it:\n{}",
        said.join("\n")
    ))
}
