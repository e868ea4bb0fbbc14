//! `cargo xtask sim`: the simulation, for many seeds.

use std::{path::Path, process::Command};

use crate::{Args, Error, Result, cargo};

/// As many as fit into three quarters of a minute without optimisation, build included.
const SEEDS: u64 = 10_000;

/// From so many seeds on, an optimised build pays: runs are seven times as fast, but it takes a
/// minute more to build. The checks for overflow and the assertions stay in.
const OPTIMISED_FROM: u64 = 30_000;

pub(crate) fn run(mut args: Args) -> Result {
    let seeds = args.value("--seeds", "how many seeds to run")?;
    let seed: Option<u64> = args.value("--seed", "the first seed")?;
    let trace = args.flag("--trace");
    args.finish()?;
    // Who names a seed wants to see that one.
    let usual = if seed.is_some() || trace { 1 } else { SEEDS };
    let seeds = seeds.unwrap_or(usual);
    if seeds == 0 {
        return Err(Error::Usage("`--seeds 0` would run nothing".into()));
    }
    let mut command = command(&cargo::root(), "run", seeds);
    command.args(["--", "--seeds", &seeds.to_string()]);
    command.args(["--seed", &seed.unwrap_or(0).to_string()]);
    command.args(trace.then_some("--trace"));
    cargo::run(&mut command)
}

/// The usual number of seeds.
pub(crate) fn check() -> Result {
    run(Args::new("sim", Vec::new()))
}

/// What cargo is to do with the simulation of a checkout.
pub(crate) fn command(root: &Path, what: &str, seeds: u64) -> Command {
    let line = "--quiet --package pipeline-conformance --no-default-features --bin sim";
    let mut command = cargo::cargo(&format!("{what} {line}"));
    command.current_dir(root);
    if seeds >= OPTIMISED_FROM {
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    }
    command
}
