//! `cargo xtask mutants`: small mistakes put into the core and into the emulator's verifier, one at
//! a time, to see whether a test notices. `docs/mutants.md` has the figures, and the mutants that
//! cannot matter.

use std::process::Stdio;

use crate::{Result, cargo};

/// What is mutated, as for `cargo mutants --file` and `--exclude`, and the test targets that have to
/// notice. Tests in documentation are left out, which would double the time, and so are those of the
/// emulator that start servers. Strategies make input for tests.
const PARTS: [(&str, &str); 2] = [
    (
        "pipeline-proto",
        "--file crates/pipeline-proto/src/** --exclude **/strategies.rs --exclude **/strategies/** \
         --cargo-arg=--lib --cargo-arg=--tests",
    ),
    (
        "pipeline-emulator",
        "--file crates/pipeline-emulator/src/auth.rs --file crates/pipeline-emulator/src/auth/** --cargo-arg=--lib",
    ),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A file of the core or of the verifier
    #[arg(long)]
    file: Option<String>,
    /// How many to try at a time
    #[arg(long, default_value_t = 2)]
    jobs: u32,
}

pub(crate) fn run(Options { file, jobs }: &Options) -> Result {
    let version = cargo::cargo("mutants --version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        return Err("cargo-mutants is missing: `cargo install cargo-mutants --locked`".to_owned());
    }
    let mut missed = Vec::new();
    for (package, what) in PARTS {
        let what = match file {
            Some(file) if !file.contains(package) => continue,
            // Of the words that say which files, only the tests stay.
            Some(file) => format!(
                "--file {file} {}",
                &what[what.find("--cargo-arg").unwrap_or(0)..]
            ),
            None => what.to_owned(),
        };
        println!("\n== {package}");
        // The usual 20 s are too short where the machine has much else to do: a mutant that a test
        // would have caught then counts as one that runs without end.
        let mut command = cargo::cargo(&format!(
            "mutants --no-shuffle --colors never --all-features --minimum-test-timeout 60 --jobs {jobs} \
             --package {package} --output target/mutants-{package} {what}"
        ));
        // Each mutant is built and linked anew, so building fast is what counts.
        command
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "1");
        // A property that fails need not say on what.
        command
            .env("PROPTEST_CASES", "64")
            .env("PROPTEST_MAX_SHRINK_ITERS", "0");
        missed.extend(cargo::run(&mut command).err());
    }
    if missed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nthe lists are in target/mutants-*; a mutant that cannot matter belongs into .cargo/mutants.toml, with its reason in docs/mutants.md",
        missed.join("\n")
    ))
}
