//! The tools that count: valgrind and strace, run on unchanged programs.
//!
//! No counting allocator and no harness inside: valgrind replaces the allocator of the finished
//! program, so that what is measured is what is shipped, and nothing here needs `unsafe`. Each
//! figure is the difference of two runs of a case that differ in how often it was run.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::Result;

/// How often a case is run before counting starts, and how often it is counted.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    pub(super) before: u32,
    pub(super) counted: u32,
}

/// For what takes microseconds: tables have grown and caches are filled before.
pub(super) const SMALL: Runs = Runs {
    before: 20,
    counted: 100,
};

/// For what takes milliseconds and repeats exactly.
pub(super) const LARGE: Runs = Runs {
    before: 1,
    counted: 1,
};

/// What is measured with, and compared with. Packages have the same names.
const TOOLS: [&str; 4] = ["valgrind", "strace", "curl", "python3"];

/// Says what is missing, all at once, before anything is built.
pub(super) fn look_for_them() -> Result {
    let is_there = |tool: &str| {
        let mut command = Command::new(tool);
        let command = command.arg("--version").stdout(Stdio::null());
        let found = command.stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    };
    let missing = TOOLS.into_iter().filter(|tool| !is_there(tool));
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" ");
    Err(format!(
        "measuring needs what is not here: apt-get install {missing}, or the like"
    ))
}

/// A program with its words, as what it is measured with sees it.
pub(super) type Line<'a> = (&'a Path, &'a [&'a str]);

/// Instructions of the whole run.
pub(super) fn instructions(line: Line<'_>) -> Result<f64> {
    figure(
        &valgrind("--tool=callgrind --callgrind-out-file=/dev/null", line)?,
        "Collected :",
    )
}

/// Allocations of the whole run; an allocation that is resized counts again.
pub(super) fn allocations(line: Line<'_>) -> Result<f64> {
    let tool = "--tool=memcheck --undef-value-errors=no --leak-check=no --run-libc-freeres=no";
    figure(&valgrind(tool, line)?, "total heap usage:")
}

/// Bytes of heap: the most there were at once, and those at the end.
pub(super) fn heap(line: Line<'_>) -> Result<(f64, f64)> {
    let text = valgrind("--tool=dhat --dhat-out-file=/dev/null", line)?;
    Ok((figure(&text, "At t-gmax:")?, figure(&text, "At t-end:")?))
}

/// System calls of the whole run by their names.
pub(super) fn system_calls((program, words): Line<'_>) -> Result<Vec<(String, f64)>> {
    let mut command = Command::new("strace");
    let text = complaints(
        command
            .args(["--follow-forks", "--summary-only"])
            .arg(program)
            .args(words),
    )?;
    // `% time  seconds  usecs/call  calls  [errors]  name`, between two rules.
    let table = text
        .split("\n---")
        .nth(1)
        .unwrap_or_default()
        .lines()
        .skip(1);
    let read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(((*words.last()?).to_owned(), words.get(3)?.parse().ok()?))
    };
    table
        .map(|line| read(line).ok_or_else(|| format!("strace printed `{line}`")))
        .collect()
}

fn valgrind(tool: &str, (program, words): Line<'_>) -> Result<String> {
    let mut command = Command::new("valgrind");
    complaints(command.args(tool.split(' ')).arg(program).args(words))
}

/// What a tool says about the program it runs, on the standard error output.
fn complaints(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{command:?}\n{text}"))
    }
}

/// The number after a label: `==7==   total heap usage: 1,234 allocs, …`.
fn figure(text: &str, label: &str) -> Result<f64> {
    let after = text
        .lines()
        .rev()
        .find_map(|line| Some(line.split_once(label)?.1));
    let number = after.and_then(|rest| {
        rest.split_whitespace()
            .next()?
            .replace(',', "")
            .parse()
            .ok()
    });
    number.ok_or_else(|| format!("valgrind printed no `{label}`:\n{text}"))
}

#[test]
fn figures_are_read_from_what_valgrind_prints() {
    let text = "==7== Collected : 12345\n==7==   total heap usage: 1,234 allocs, 5 frees";
    let read = |label| figure(text, label).map(|number| number.to_string());
    assert_eq!(read("Collected :").unwrap(), "12345");
    assert_eq!(read("total heap usage:").unwrap(), "1234");
    assert!(
        figure(text, "At t-gmax:")
            .unwrap_err()
            .contains("At t-gmax")
    );
}
