//! `cargo xtask man`: the manual pages of the command, by the command itself.

use std::path::PathBuf;

use crate::{Args, Result, cargo};

pub(crate) fn run(args: Args) -> Result {
    args.finish()?;
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| cargo::root().join("target"), PathBuf::from)
        .join("man");
    let mut command = cargo::cargo("run --quiet --package pipeline-cli -- --yes man");
    // The command runs at the root, not where the task was started.
    command.arg(std::path::absolute(&folder).unwrap_or(folder));
    cargo::run(&mut command)
}
