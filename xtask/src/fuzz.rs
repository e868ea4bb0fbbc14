//! `cargo xtask fuzz`: the fuzz targets, each for a while.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Result, cargo, failed};

/// Inputs longer than this find nothing that shorter ones do not, and cost time.
const LONGEST: u32 = 4096;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which targets; without any, all run
    targets: Vec<String>,
    /// For how long to run each
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) fn run(options: Options) -> Result {
    let folder = cargo::root().join("fuzz");
    let all = targets(&folder)?;
    let chosen = options.targets;
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        let what = format!("there is no target `{unknown}`, only {}", all.join(", "));
        return Err(failed(what));
    }
    let chosen = if chosen.is_empty() { all } else { chosen };
    toolchain()?;
    for name in chosen {
        println!("\n== {name}");
        fuzz(&folder, &name, options.seconds)?;
    }
    Ok(())
}

/// The names of the targets: those of their sources.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let unreadable = |error| failed(format!("reading the fuzz targets: {error}"));
    let entries = fs::read_dir(folder.join("fuzz_targets")).map_err(unreadable)?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        names.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

/// A cargo that can instrument or interpret code, at the root. Only a nightly one can, so it is not
/// the one that runs this.
pub(crate) fn nightly(line: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .arg("+nightly")
        .args(line.split_whitespace())
        .current_dir(cargo::root());
    // Which toolchain runs this task is none of its business.
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    command
}

fn toolchain() -> Result {
    for (line, mend) in [
        ("--version", "rustup toolchain install nightly"),
        ("fuzz --version", "cargo install cargo-fuzz --locked"),
    ] {
        let status = nightly(line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            let what = format!("`cargo +nightly {line}` does not work: `{mend}`");
            return Err(failed(what));
        }
    }
    Ok(())
}

fn fuzz(folder: &Path, name: &str, seconds: u32) -> Result {
    let [corpus, seeds, regressions] =
        ["corpus", "seeds", "regressions"].map(|kind| folder.join(kind).join(name));
    // The fuzzer writes into the first folder only.
    fs::create_dir_all(&corpus)
        .map_err(|error| failed(format!("{}: {error}", corpus.display())))?;
    let mut command = nightly("fuzz run --fuzz-dir");
    command.arg(folder).arg(name).arg(corpus).arg(seeds);
    if regressions.exists() {
        command.arg(&regressions);
    }
    command.args([
        "--",
        &format!("-max_total_time={seconds}"),
        &format!("-max_len={LONGEST}"),
        "-timeout=10",
        "-print_final_stats=1",
    ]);
    cargo::run(&mut command).map_err(|error| {
        let (fuzz, regressions) = (folder.display(), regressions.display());
        failed(format!(
            "{error}\nif an input broke a promise, it is in {fuzz}/artifacts/{name}: move it to \
             {regressions}, where `cargo test -p pipeline-conformance --test regressions` runs it"
        ))
    })
}
