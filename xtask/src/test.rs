//! `cargo xtask test`: everything that must hold before a change is taken.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Result, cargo, docs, sim, tidy};

/// A name, and what has to succeed.
type Step = (&'static str, fn() -> Result);

const STEPS: &[Step] = &[
    ("format", || cargo("fmt --all --check")),
    ("clippy", || {
        cargo("clippy --workspace --all-targets --all-features -- -D warnings")
    }),
    ("tests", tests),
    ("simulation", sim::check),
    ("documentation", documentation),
    ("generated documents", || docs::run(true)),
    ("tidy", tidy::check),
    ("features", features),
    ("WebAssembly", web_assembly),
];

pub(crate) fn run() -> Result {
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    let start = Instant::now();
    for (at, (name, step)) in STEPS.iter().enumerate() {
        println!("\n== {}/{} {name}", at + 1, STEPS.len());
        let begin = Instant::now();
        step().map_err(|error| format!("{error}\nxtask test: FAILED at {name}"))?;
        println!("== {name}: {}", seconds(begin.elapsed()));
    }
    println!(
        "\nxtask test: all {} steps passed in {}",
        STEPS.len(),
        seconds(start.elapsed())
    );
    Ok(())
}

fn cargo(line: &str) -> Result {
    cargo::run(cargo::cargo(line).stdin(Stdio::null()))
}

/// Properties with one seed, so that a change is judged by what it changed: `cargo xtask props` and
/// the nightly run look for what no seed has found yet.
fn tests() -> Result {
    let mut command = cargo::cargo("test --workspace --all-features");
    command.env("PROPTEST_RNG_SEED", "1");
    cargo::run(command.stdin(Stdio::null()))
}

fn documentation() -> Result {
    let mut command = cargo::cargo("doc --workspace --no-deps --all-features");
    command.env("RUSTDOCFLAGS", "-D warnings");
    cargo::run(command.stdin(Stdio::null()))
}

/// Each published crate by itself. In a build of the whole workspace one crate can lean on a
/// feature that only another one switches on, and code that a feature leaves unused goes unseen.
fn features() -> Result {
    for package in cargo::metadata("--no-deps")?.workspace_packages() {
        if !cargo::is_published(package) {
            continue;
        }
        let name = &package.name;
        cargo(&format!("clippy --quiet --package {name} -- -D warnings"))?;
        if package
            .features
            .get("default")
            .is_some_and(|it| !it.is_empty())
        {
            let line = "--no-default-features -- -D warnings";
            cargo(&format!("clippy --quiet --package {name} {line}"))?;
        }
    }
    Ok(())
}

/// The core where there is no socket and no clock, and an example of it in Node. Targets that are not installed are
/// named and left out.
fn web_assembly() -> Result {
    if is_installed("wasm32-unknown-unknown")? {
        cargo("check --quiet --package pipeline-proto --target wasm32-unknown-unknown")?;
    }
    if is_installed("wasm32-wasip1")? {
        let example = "--package pipeline-embedding-example";
        cargo(&format!(
            "build --quiet {example} --bin lines --target wasm32-wasip1"
        ))?;
        let target = cargo::metadata("--no-deps")?.target_directory;
        let mut command = cargo::cargo(&format!("test --quiet {example} --test node"));
        command.env("LINES_WASM", target.join("wasm32-wasip1/debug/lines.wasm"));
        cargo::run(command.stdin(Stdio::null()))?;
    }
    Ok(())
}

fn is_installed(target: &str) -> Result<bool> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let folder = cargo::output(rustc.args(["--print", "target-libdir", "--target", target]))?;
    let found = Path::new(folder.trim()).is_dir();
    if !found {
        println!("not run: `rustup target add {target}` installs what it needs");
    }
    Ok(found)
}

/// Fails with the way out when cargo lacks a subcommand that an installation may come without.
fn component(subcommand: &str, component: &str) -> Result {
    let mut command = cargo::cargo(&format!("{subcommand} --version"));
    let found = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if found {
        return Ok(());
    }
    Err(format!(
        "`cargo {subcommand}` is missing: `rustup component add {component}`"
    ))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
