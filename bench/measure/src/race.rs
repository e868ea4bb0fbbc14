//! Cases that take turns in one process, so that whatever the machine does meanwhile meets all of them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Failure, cases, clock};

/// How long a case runs in each turn, at least. Short, so that its neighbours in the turn run on the same machine.
const SLICE: Duration = Duration::from_millis(8);

/// Prints a line for each case: its name, how many bytes one run is about, and the CPU time of one run in
/// each turn, in nanoseconds.
pub(crate) fn run(turns: &str, url: &str, names: &[&str]) -> Result<(), Failure> {
    let mut cases = names
        .iter()
        .map(|name| cases::find(name, Some(url)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut times = vec![Vec::new(); cases.len()];
    // The first turn fills caches and grows tables.
    for turn in 0..=turns.parse()? {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if turn % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let time = slice(&mut *cases[at]);
            if turn > 0 {
                times[at].push(time);
            }
        }
    }
    for ((name, case), times) in names.iter().zip(&cases).zip(times) {
        print_line(name, case.bytes(), &times);
    }
    Ok(())
}

fn print_line(name: &str, bytes: usize, times: &[f64]) {
    let times: Vec<_> = times.iter().map(|time| format!("{time:.1}")).collect();
    println!("{name} {bytes} {}", times.join(" "));
}

/// Nanoseconds of one run.
fn slice(case: &mut dyn cases::Case) -> f64 {
    let (mut runs, mut chunk, mut time) = (0, 1, Duration::ZERO);
    while time < SLICE {
        case.prepare(chunk);
        let before = clock::own();
        for _ in 0..chunk {
            case.run();
        }
        time += clock::own() - before;
        runs += chunk;
        chunk = (2 * chunk).min(cases::MOST_RUNS);
    }
    nanos(time) / f64::from(u32::try_from(runs).unwrap_or(u32::MAX))
}

pub(crate) fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// Programs in turns, each given as `NAME=PROGRAM WORD…`; a line for each, as above, of the wall time from start to
/// end. Each runs twice and its second time counts, so that it finds the machine as it left it itself: whatever comes
/// after an interpreter takes an eighth longer.
pub(crate) fn programs(turns: &str, lines: &[&str]) -> Result<(), Failure> {
    let lines = lines.iter().map(|line| line.split_once('='));
    let lines: Vec<_> = lines.collect::<Option<_>>().ok_or("NAME=PROGRAM WORD…")?;
    let mut times = vec![Vec::new(); lines.len()];
    for _ in 0..turns.parse()? {
        for ((_, line), times) in lines.iter().zip(&mut times) {
            let mut command = command(line.split(' '))?;
            command.stdout(Stdio::null());
            command.status()?;
            let start = Instant::now();
            let status = command.status()?;
            times.push(nanos(start.elapsed()));
            if !status.success() {
                return Err(format!("{line}: {status}").into());
            }
        }
    }
    for ((name, _), times) in lines.iter().zip(times) {
        print_line(name, 0, &times);
    }
    Ok(())
}

/// Runs a program to its end and prints its wall time, its CPU time, both in nanoseconds, and the most memory that it
/// had, in bytes. What the program says goes to stderr; how it ends is for whoever reads that.
pub(crate) fn one(words: &[&str]) -> Result<(), Failure> {
    let start = Instant::now();
    let status = command(words.iter().copied())?
        .stdout(std::io::stderr())
        .status()?;
    let wall = nanos(start.elapsed());
    let (cpu, memory) = clock::children()?;
    let code = status.code().ok_or(format!("{words:?}: {status}"))?;
    println!("{wall:.0} {:.0} {memory} {code}", nanos(cpu));
    Ok(())
}

fn command<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Command, Failure> {
    let mut command = Command::new(words.next().ok_or("which program?")?);
    command.args(words).stdin(Stdio::null());
    Ok(command)
}
