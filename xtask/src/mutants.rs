//! `cargo xtask mutants`: small mistakes put into the core and into the emulator's verifier, one at
//! a time, to see whether a test notices. `docs/mutants.md` has the figures, and the mutants that
//! cannot matter.

use std::process::Stdio;

use crate::{Result, cargo, failed};

/// What is mutated, and what has to notice.
struct Part {
    package: &'static str,
    /// As for `cargo mutants --file` and `--exclude`.
    files: &'static [&'static str],
    exclude: &'static [&'static str],
    /// The test targets that have to notice. Tests in documentation are left out: they would double
    /// the time.
    tests: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        package: "pipeline-proto",
        files: &["crates/pipeline-proto/src/**"],
        // They make input for tests.
        exclude: &["**/strategies.rs", "**/strategies/**"],
        tests: &["--lib", "--tests"],
    },
    Part {
        package: "pipeline-emulator",
        files: &[
            "crates/pipeline-emulator/src/auth.rs",
            "crates/pipeline-emulator/src/auth/**",
        ],
        exclude: &[],
        // The others start servers.
        tests: &["--lib"],
    },
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
        return Err(failed(
            "cargo-mutants is missing: `cargo install cargo-mutants --locked`",
        ));
    }
    let mut missed = Vec::new();
    for part in PARTS {
        if file
            .as_ref()
            .is_some_and(|file| !file.contains(part.package))
        {
            continue;
        }
        println!("\n== {}", part.package);
        let mut command = cargo::cargo("mutants --no-shuffle --colors never --all-features");
        command.args(["--package", part.package]);
        command.args(
            part.tests
                .iter()
                .flat_map(|target| [format!("--cargo-arg={target}")]),
        );
        command.args(["--jobs", &jobs.to_string()]);
        // The usual 20 s are too short where the machine has much else to do: a mutant that a test
        // would have caught then counts as one that runs without end.
        command.args(["--minimum-test-timeout", "60"]);
        command.args(["--output", &format!("target/mutants-{}", part.package)]);
        match file {
            Some(file) => command.args(["--file", file]),
            None => command.args(part.files.iter().flat_map(|file| ["--file", file])),
        };
        command.args(part.exclude.iter().flat_map(|file| ["--exclude", file]));
        // Each mutant is built and linked anew, so building fast is what counts.
        command
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "1");
        // A property that fails need not say on what.
        command
            .env("PROPTEST_CASES", "64")
            .env("PROPTEST_MAX_SHRINK_ITERS", "0");
        if let Err(error) = cargo::run(&mut command) {
            missed.push(error.to_string());
        }
    }
    if missed.is_empty() {
        return Ok(());
    }
    Err(failed(format!(
        "{}\nthe lists are in target/mutants-*; a mutant that cannot matter belongs into .cargo/mutants.toml, with its reason in docs/mutants.md",
        missed.join("\n")
    )))
}
