//! `cargo xtask miri`: the unit tests of the core under an interpreter that notices undefined
//! behaviour.
//!
//! The workspace has no `unsafe`, so what can be found is a mistake in a dependency, or in how it is
//! used. Only the unit tests run: interpreted, the others would take hours.

use std::process::Stdio;

use crate::{Result, cargo, failed, fuzz::nightly};

const PACKAGE: &str = "pipeline-proto";

/// A loop over a quarter of a million days, which interpreted would take hours.
const TOO_LONG: &str = "every_date_is_the_one_that_the_general_formatter_writes";

pub(crate) fn run() -> Result {
    let mut version = nightly("miri --version");
    let status = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(failed(
            "Miri is missing, nothing was run: `rustup toolchain install nightly --component miri,rust-src`",
        ));
    }
    let mut command = nightly("miri test --lib --package");
    cargo::run(command.args([PACKAGE, "--", "--skip", TOO_LONG]))
}
