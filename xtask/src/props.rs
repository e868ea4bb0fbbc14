//! `cargo xtask props`: the property tests at depth.
//!
//! A property test takes its depth and its seed from the variables that proptest reads. Most stand
//! in a test target of their crate, but one beside a private function is one too: so all tests are
//! run, which costs seconds, and none is missed.
//!
//! Some properties are a hundred times as fast as others. `--only` runs those with a part of their
//! path, so that each can be given the depth that the time allows.

use std::{
    hash::{BuildHasher, RandomState},
    process::Command,
};

use crate::{Args, Error, Result, cargo, failed};

const CASES: u32 = 10_000;

pub(crate) fn run(mut args: Args) -> Result {
    let cases = args.value("--cases", "the number of cases for each property")?;
    let seed = args.value("--seed", "a whole number below 2^64")?;
    let only: Option<String> = args.value("--only", "a part of the paths of tests")?;
    args.finish()?;
    let cases: u32 = cases.unwrap_or(CASES);
    if cases == 0 {
        return Err(Error::Usage("`--cases 0` would test nothing".into()));
    }
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(()));
    let mut again = format!("cargo xtask props --cases {cases} --seed {seed}");
    if let Some(only) = &only {
        again = format!("{again} --only {only}");
        if chosen(&cargo::output(command(Some(only)).args(["--", "--list"]))?) == 0 {
            return Err(Error::Usage(format!("no test has `{only}` in its path")));
        }
    }
    println!("{cases} cases for each property; the same run again: {again}");

    let rejects = |least: u32| cases.saturating_mul(4).max(least).to_string();
    let mut command = command(only.as_deref());
    command
        .env("PROPTEST_CASES", cases.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string())
        // The limits on inputs that a property or a strategy turns down are totals, so they grow with
        // the cases.
        .env("PROPTEST_MAX_GLOBAL_REJECTS", rejects(1024))
        .env("PROPTEST_MAX_LOCAL_REJECTS", rejects(65_536));
    cargo::run(&mut command)
        .map_err(|error| failed(format!("{error}; the same run again: {again}")))
}

/// All tests, or those with this in their path.
fn command(only: Option<&str>) -> Command {
    let mut command = cargo::cargo("test --workspace --all-features --tests");
    command.args(only);
    // Properties run some seven times as fast when optimised, which at the usual depth saves more
    // than the build costs. The checks for overflow and the assertions stay in.
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    command
}

/// How many tests are in a list of them.
fn chosen(list: &str) -> usize {
    list.lines().filter(|line| line.ends_with(": test")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tests_is_counted_without_what_stands_around() {
        let list = "tokens::a_token: test\nnames::a_name: test\n\n2 tests, 0 benchmarks\n";
        assert_eq!(chosen(list), 2);
        assert_eq!(chosen("\n0 tests, 0 benchmarks\n"), 0);
    }

    #[test]
    fn a_depth_of_nothing_is_refused() {
        let words = ["--cases", "0"].map(str::to_owned).to_vec();
        let error = run(Args::new("props", words)).unwrap_err();
        assert!(error.to_string().contains("would test nothing"));
    }
}
