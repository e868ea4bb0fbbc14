//! `cargo xtask demo`: the tour of the client.

use crate::{Args, Result, cargo};

pub(crate) fn run(args: Args) -> Result {
    let mut command = cargo::cargo("run --quiet --package pipeline-cli -- demo");
    cargo::run(command.args(args.rest()))
}
