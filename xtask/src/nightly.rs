//! `cargo xtask fuzz` and `cargo xtask miri`: what only a nightly compiler can instrument or interpret.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{Result, cargo};

/// Inputs longer than this find nothing that shorter ones do not, and cost time.
const LONGEST: u32 = 4096;

/// A loop over a quarter of a million days, which interpreted would take hours.
const TOO_LONG: &str = "every_date_is_the_one_that_the_general_formatter_writes";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which targets; without any, all run
    targets: Vec<String>,
    /// For how long to run each
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) fn fuzz(options: Options) -> Result {
    let folder = cargo::root().join("fuzz");
    let files = fs::read_dir(folder.join("fuzz_targets"))
        .map_err(|error| format!("the fuzz targets: {error}"))?;
    let stems = files.filter_map(|file| {
        Some(
            file.ok()?
                .path()
                .file_stem()?
                .to_string_lossy()
                .into_owned(),
        )
    });
    let mut all: Vec<String> = stems.collect();
    all.sort();
    if let Some(unknown) = options.targets.iter().find(|name| !all.contains(name)) {
        return Err(format!(
            "there is no target `{unknown}`, only {}",
            all.join(", ")
        ));
    }
    needs("--version", "rustup toolchain install nightly")?;
    needs("fuzz --version", "cargo install cargo-fuzz --locked")?;
    let chosen = if options.targets.is_empty() {
        all
    } else {
        options.targets
    };
    for name in chosen {
        println!("\n== {name}");
        let [corpus, seeds, regressions] =
            ["corpus", "seeds", "regressions"].map(|kind| folder.join(kind).join(&name));
        // The fuzzer writes into the first folder only.
        fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        let mut command = nightly("fuzz run --fuzz-dir");
        command.arg(&folder).arg(&name).arg(corpus).arg(seeds);
        command.args(regressions.exists().then_some(&regressions));
        command.args([
            "--",
            &format!("-max_total_time={}", options.seconds),
            &format!("-max_len={LONGEST}"),
        ]);
        cargo::run(command.args(["-timeout=10", "-print_final_stats=1"])).map_err(|error| {
            let (fuzz, regressions) = (folder.display(), regressions.display());
            format!(
                "{error}\nif an input broke a promise, it is in {fuzz}/artifacts/{name}: move it to \
                 {regressions}, where `cargo test -p pipeline-conformance --test regressions` runs it"
            )
        })?;
    }
    Ok(())
}

/// The workspace has no `unsafe`, so what can be found is a mistake in a dependency, or in how it is
/// used. Only the unit tests run: interpreted, the others would take hours.
pub(crate) fn miri() -> Result {
    needs(
        "miri --version",
        "rustup toolchain install nightly --component miri,rust-src",
    )?;
    let mut command = nightly("miri test --lib --package pipeline-proto -- --skip");
    cargo::run(command.arg(TOO_LONG))
}

/// A nightly cargo at the root; it is not the one that runs this.
fn nightly(line: &str) -> Command {
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

fn needs(line: &str, mend: &str) -> Result {
    let status = nightly(line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!(
        "`cargo +nightly {line}` does not work, and nothing was run: `{mend}`"
    ))
}
