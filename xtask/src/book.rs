//! `cargo xtask book`: the pages in `docs` as a book, and whether the commands in them exist.

mod commands;

use std::process::{Command, Stdio};

use crate::{Result, cargo, failed};

const MISSING: &str = "\
`mdbook` is not installed. `cargo install mdbook --locked` installs it; without it, the pages read as \
plain Markdown, from docs/README.md on";

/// Fails when a page shows a command that does not exist.
pub(crate) fn check() -> Result {
    commands::check()
}

pub(crate) fn build() -> Result {
    let mut command = Command::new("mdbook");
    command.arg("build").current_dir(cargo::root());
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|_| failed(MISSING))?;
    if !status.success() {
        return Err(failed(format!("`mdbook build` failed ({status})")));
    }
    println!("the book begins in .book/index.html");
    Ok(())
}
