//! Runs the simulation for many seeds. `cargo xtask sim` calls it, and has the options.
//!
//! Progress goes to stderr, the summary to stdout. When an invariant does not hold, the lowest seed
//! for which that is so is shown with the smallest run that was found, and the exit code is 1.

use std::{
    io::Write as _,
    ops::Range,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use pipeline_simulation::{Config, Failure, Sim, Summary};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let (Some(first), Some(seeds)) = (number(0), number(1)) else {
        eprintln!("usage: sim FIRST-SEED NUMBER-OF-SEEDS [trace]");
        return ExitCode::from(2);
    };
    let seeds = first..first.saturating_add(seeds);
    let mut out = std::io::stdout().lock();
    if words.get(2).is_some_and(|word| word == "trace") {
        for seed in seeds {
            let trace = Sim::trace(seed, &Config::default()).join("\n");
            // Whoever reads may have seen enough.
            if writeln!(out, "seed {seed}\n{trace}\n").is_err() {
                break;
            }
        }
        return ExitCode::SUCCESS;
    }
    let (text, code) = match run(seeds) {
        Ok(summary) => (summary.to_string(), ExitCode::SUCCESS),
        Err(failure) => (failure.to_string(), ExitCode::FAILURE),
    };
    match writeln!(out, "{}", text.trim_end()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Runs the seeds in their order, on all processors. Each run is one thread's business alone.
fn run(seeds: Range<u64>) -> Result<Summary, Box<Failure>> {
    let begin = Instant::now();
    let end = seeds.end;
    let next = AtomicU64::new(seeds.start);
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
