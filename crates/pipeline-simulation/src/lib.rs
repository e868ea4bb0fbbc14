//! A deterministic simulation: clients, a network that loses and garbles, clocks that are wrong, and
//! the service, in one thread and under virtual time, from one seed.
//!
//! The clients are the real machines of `pipeline-proto` and `pipeline-shipper`, the service is the real emulator. What a
//! run does is decided by its seed alone, and on every run the same invariants are checked: see
//! [`Rule`].
//!
//! ```
//! use pipeline_simulation::{Config, Sim};
//!
//! let summary = Sim::run(42, &Config::default()).unwrap_or_else(|failure| panic!("{failure}"));
//! assert_eq!(summary.runs, 1);
//! ```

mod check;
mod clock;
// The disk of the emulator's state file.
#[allow(dead_code, reason = "syncs are not left out here")]
#[path = "../../pipeline-emulator/src/server/state_file/power/disk.rs"]
mod disk;
mod history;
mod machine;
pub mod model;
mod network;
mod rng;
mod scenario;
mod server;
mod ship;
mod shrink;
mod summary;
mod trouble;
mod verifier;
mod work;
mod world;

use std::{collections::BTreeSet, fmt};

pub use check::Rule;
pub use summary::{Group, Summary};
pub use trouble::Trouble;

use check::Violation;
use world::World;

/// What to leave out of a run. What stays does not change by it, but for its timing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// At most so many clients take part.
    pub clients: u8,
    /// Each hand of a client does at most so many things.
    pub operations: u8,
    /// What must not go wrong.
    pub without: BTreeSet<Trouble>,
    /// Things that are not done, by client, hand and number.
    pub skip: BTreeSet<(u8, u8, u8)>,
}

impl Default for Config {
    /// Nothing is left out.
    fn default() -> Self {
        Self {
            clients: u8::MAX,
            operations: u8::MAX,
            without: BTreeSet::new(),
            skip: BTreeSet::new(),
        }
    }
}

/// The simulation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sim;

impl Sim {
    /// Makes one run.
    ///
    /// # Errors
    ///
    /// If an invariant does not hold: the smallest run that was found in which it does not.
    pub fn run(seed: u64, config: &Config) -> Result<Summary, Box<Failure>> {
        let mut world = World::new(seed, config, false);
        let Err(Violation { rule, .. }) = world.run_caught() else {
            return Ok(world.summary);
        };
        let still_fails = |config: &Config| {
            let result = World::new(seed, config, false).run_caught();
            result.is_err_and(|violation| violation.rule == rule)
        };
        let config = shrink::shrink(config, still_fails);
        Err(Box::new(Failure {
            seed,
            rule,
            trace: Self::trace(seed, &config),
            config,
        }))
    }

    /// What happens in a run, one line for each event.
    pub fn trace(seed: u64, config: &Config) -> Vec<String> {
        let mut world = World::new(seed, config, true);
        let result = world.run_caught();
        let mut trace = world.trace.unwrap_or_default();
        if let Err(violation) = result {
            trace.push(violation.to_string());
        }
        trace
    }
}

/// An invariant does not hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// The invariant.
    pub rule: Rule,
    /// What must be there for it to fail: all else is left out.
    pub config: Config,
    /// What happens, one line for each event; the last line is what is wrong.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: it does not hold that {}", self.seed, self.rule)?;
        writeln!(f, "the smallest run found in which it does not:")?;
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
