//! The chores of this workspace: `cargo xtask <task>`.
//!
//! One file per task. Nothing but a Rust installation is needed to run them.

mod bench;
mod book;
mod bugs;
mod cargo;
mod docs;
mod fuzz;
mod markdown;
mod mermaid;
mod miri;
mod mutants;
mod props;
mod sim;
mod test;
mod tidy;

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::Parser;

/// A task that ran and failed. What is wrong with a command line is said by clap.
#[derive(Debug)]
struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Result<T = ()> = std::result::Result<T, Error>;

fn failed(text: impl Into<String>) -> Error {
    Error(text.into())
}

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The chores of this workspace")]
enum Task {
    /// Everything that must hold before a change is taken
    Test,
    /// The property tests at depth
    Props(props::Options),
    /// Clients, network and service in one thread, and what must hold
    Sim(sim::Options),
    /// Deliberate bugs that the simulation must find; takes a while
    Bugs,
    /// The fuzz targets, each for a while; needs cargo-fuzz
    Fuzz(fuzz::Options),
    /// Mistakes that the tests must notice; needs cargo-mutants
    Mutants(mutants::Options),
    /// The unit tests of the core, interpreted; needs Miri
    Miri,
    /// The tour of the client against the embedded emulator
    Demo {
        /// Passed on to `pipeline demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the generated documents, or check them
    Docs {
        /// Fail when a document is not what the code says
        #[arg(long)]
        check: bool,
    },
    /// The pages in docs as a book, with mdBook; or check the commands in them
    Book {
        /// Fail when a page shows a command that does not exist
        #[arg(long)]
        check: bool,
    },
    /// What the client costs, held against its goals
    Bench(bench::Options),
    /// The Mermaid texts, read by Mermaid itself; needs Node.js
    Mermaid,
    /// The manual pages of the command, into target/man
    Man,
    /// The house rules that a program can check
    Tidy,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test => test::run(),
        Task::Props(options) => props::run(&options),
        Task::Sim(options) => sim::run(&options),
        Task::Bugs => bugs::run(),
        Task::Fuzz(options) => fuzz::run(options),
        Task::Mutants(options) => mutants::run(&options),
        Task::Miri => miri::run(),
        Task::Demo { arguments } => pipeline(&["demo"], arguments),
        Task::Docs { check: true } => docs::check(),
        Task::Docs { check: false } => docs::write_all(),
        Task::Book { check: true } => book::check(),
        Task::Book { check: false } => book::build(),
        Task::Bench(options) => bench::run(&options),
        Task::Mermaid => mermaid::run(),
        Task::Man => man(),
        Task::Tidy => tidy::check(),
    };
    if let Err(error) = result {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn pipeline(words: &[&str], arguments: Vec<String>) -> Result {
    let mut command = cargo::cargo("run --quiet --package pipeline-cli --");
    cargo::run(command.args(words).args(arguments))
}

fn man() -> Result {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let folder = target
        .unwrap_or_else(|| cargo::root().join("target"))
        .join("man");
    // The command runs at the root, not where the task was started.
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    pipeline(
        &["--yes", "man"],
        vec![folder.to_string_lossy().into_owned()],
    )
}

#[test]
fn the_tasks_are_well_formed() {
    <Task as clap::CommandFactory>::command().debug_assert();
}
