//! `cargo xtask props`: the property tests at depth.
//!
//! A property test takes its depth and its seed from the variables that proptest reads. Most stand
//! in the test target `props` of their crate, but one beside a private function is one too: so all
//! tests are run, which costs seconds, and none is missed.

use std::hash::{BuildHasher, RandomState};

use crate::{Args, Error, Result, cargo, failed};

const CASES: u32 = 10_000;

pub(crate) fn run(mut args: Args) -> Result {
    let cases = args.value("--cases", "the number of cases for each property")?;
    let seed = args.value("--seed", "a whole number below 2^64")?;
    args.finish()?;
    let cases: u32 = cases.unwrap_or(CASES);
    if cases == 0 {
        return Err(Error::Usage("`--cases 0` would test nothing".into()));
    }
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(()));
    let again = format!("cargo xtask props --cases {cases} --seed {seed}");
    println!("{cases} cases for each property; the same run again: {again}");

    let mut command = cargo::cargo("test --workspace --all-features --tests");
    command
        .env("PROPTEST_CASES", cases.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string())
        // The limit on inputs that a property turns down is a total, so it grows with the cases.
        .env(
            "PROPTEST_MAX_GLOBAL_REJECTS",
            cases.saturating_mul(4).max(1024).to_string(),
        )
        // Properties run some seven times as fast when optimised, which at the usual depth saves
        // more than the build costs. The checks for overflow and the assertions stay in.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    cargo::run(&mut command)
        .map_err(|error| failed(format!("{error}; the same run again: {again}")))
}
