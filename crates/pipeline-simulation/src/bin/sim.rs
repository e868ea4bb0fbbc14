//! Runs the simulation for many seeds: `sim [--seeds N] [--seed S] [--trace]`.
//!
//! Progress goes to stderr, the summary to stdout. When an invariant does not hold, the lowest seed
//! for which that is so is shown with the smallest run that was found, and the exit code is 1.

use std::{
    io::Write as _,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use pipeline_simulation::{Config, Failure, Sim, Summary};

const USAGE: &str = "usage: sim [--seeds N] [--seed S] [--trace]";
const SEEDS: u64 = 10_000;

struct Options {
    first: u64,
    seeds: u64,
    trace: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}; {USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut out = std::io::stdout().lock();
    if options.trace {
        for seed in options.first..options.first.saturating_add(options.seeds) {
            let trace = Sim::trace(seed, &Config::default()).join("\n");
            // Whoever reads may have seen enough.
            if writeln!(out, "seed {seed}\n{trace}\n").is_err() {
                break;
            }
        }
        return ExitCode::SUCCESS;
    }
    let (text, code) = match run(&options) {
        Ok(summary) => (summary.to_string(), ExitCode::SUCCESS),
        Err(failure) => (failure.to_string(), ExitCode::FAILURE),
    };
    match writeln!(out, "{}", text.trim_end()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn options(words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        first: 0,
        seeds: 0,
        trace: false,
    };
    let mut one_seed = false;
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().unwrap_or_default();
            let number = text.parse::<u64>();
            number.map_err(|_| format!("`{word}` takes a whole number, not `{text}`"))
        };
        match word.as_str() {
            "--seeds" => options.seeds = number()?,
            "--seed" => {
                options.first = number()?;
                one_seed = true;
            }
            "--trace" => options.trace = true,
            _ => return Err(format!("`{word}` is not understood here")),
        }
    }
    if options.seeds == 0 {
        options.seeds = if one_seed || options.trace { 1 } else { SEEDS };
    }
    Ok(options)
}

/// Runs the seeds in their order, on all processors. Each run is one thread's business alone.
fn run(options: &Options) -> Result<Summary, Box<Failure>> {
    let begin = Instant::now();
    let end = options.first.saturating_add(options.seeds);
    let next = AtomicU64::new(options.first);
    let state = Mutex::new((Summary::default(), None::<Box<Failure>>));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // After a failure, only lower seeds are of interest.
            if seed >= end {
                break;
            }
            let result = Sim::run(seed, &Config::default());
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(summary) => state.0.add(&summary),
                Err(failure) => {
                    next.store(end, Ordering::Relaxed);
                    let lowest = state.1.as_ref().map_or(u64::MAX, |failure| failure.seed);
                    if failure.seed < lowest {
                        state.1 = Some(failure);
                    }
                }
            }
            if state.0.runs.is_multiple_of(1000) && state.0.runs > 0 {
                let runs = u128::from(state.0.runs);
                let rate = runs * 1000 / begin.elapsed().as_millis().max(1);
                eprintln!("{runs} runs, {rate} in a second");
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (summary, failure) = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    failure.map_or(Ok(summary), Err)
}
