//! `cargo xtask sim`: the simulation, for many seeds.

use std::{path::Path, process::Command};

use crate::{Result, cargo};

/// As many as fit into three quarters of a minute without optimisation, build included.
const SEEDS: u64 = 10_000;

/// From so many seeds on, an optimised build pays: runs are seven times as fast, but it takes a
/// minute more to build. The checks for overflow and the assertions stay in.
const OPTIMISED_FROM: u64 = 30_000;

#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// How many seeds to run; 10,000 if no seed is named
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// The first seed
    #[arg(long)]
    seed: Option<u64>,
    /// Print what happens
    #[arg(long)]
    trace: bool,
}

pub(crate) fn run(options: &Options) -> Result {
    let Options { seeds, seed, trace } = *options;
    // Who names a seed wants to see that one.
    let usual = if seed.is_some() || trace { 1 } else { SEEDS };
    let seeds = seeds.unwrap_or(usual);
    let mut command = command(&cargo::root(), "run", seeds);
    command.args(["--", &seed.unwrap_or(0).to_string(), &seeds.to_string()]);
    command.args(trace.then_some("trace"));
    cargo::run(&mut command)
}

/// The usual number of seeds.
pub(crate) fn check() -> Result {
    run(&Options::default())
}

/// What cargo is to do with the simulation of a checkout.
pub(crate) fn command(root: &Path, what: &str, seeds: u64) -> Command {
    let line = "--quiet --package pipeline-simulation --bin sim";
    let mut command = cargo::cargo(&format!("{what} {line}"));
    command.current_dir(root);
    if seeds >= OPTIMISED_FROM {
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    }
    command
}
