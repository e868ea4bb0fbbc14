//! The chores of this workspace: `cargo xtask <task>`.
//!
//! One file per task. Nothing but a Rust installation is needed to run them.

mod bench;
mod bugs;
mod cargo;
mod docs;
mod markdown;
mod mutants;
mod nightly;
mod props;
mod sim;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// What is wrong, for the one who runs a task. What is wrong with a command line is said by clap.
type Result<T = ()> = std::result::Result<T, String>;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The chores of this workspace")]
enum Task {
    /// Everything that must hold before a change is taken
    Test,
    /// The property tests at depth, those of signing and parsing first, and no other tests
    Props(props::Options),
    /// Clients, network and service in one thread, and what must hold
    Sim(sim::Options),
    /// Deliberate bugs that the simulation must find; takes a while
    Bugs {
        /// Those with such a word in their names; without any, all
        words: Vec<String>,
    },
    /// The fuzz targets, each for a while; needs cargo-fuzz
    Fuzz(nightly::Options),
    /// The unit tests of the core, interpreted; needs Miri
    Miri,
    /// Mistakes that the tests must notice; needs cargo-mutants
    Mutants(mutants::Options),
    /// Write the generated documents, or check them
    Docs {
        /// Fail when a document is not what the code says
        #[arg(long)]
        check: bool,
    },
    /// What the client costs, held against its goals
    Bench(bench::Options),
    /// The tour of the client against the embedded emulator
    Demo {
        /// Passed on to `pipeline demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
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
        Task::Bugs { words } => bugs::run(&words),
        Task::Fuzz(options) => nightly::fuzz(options),
        Task::Miri => nightly::miri(),
        Task::Mutants(options) => mutants::run(&options),
        Task::Docs { check } => docs::run(check),
        Task::Bench(options) => bench::run(&options),
        Task::Demo { arguments } => pipeline("demo", &arguments),
        Task::Man => pipeline("--yes man target/man", &[]),
        Task::Tidy => tidy::check(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pipeline(line: &str, more: &[String]) -> Result {
    let line = format!("run --quiet --package pipeline-cli -- {line}");
    cargo::run(cargo::cargo(&line).args(more))
}

#[test]
fn the_tasks_are_well_formed() {
    <Task as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn the_tasks_that_pages_speak_of_exist() {
    use clap::error::ErrorKind::{DisplayHelp, ValueValidation};
    let named = regex_lite::Regex::new(r"(?:\$ |`)cargo xtask (\w[^`\n]*)").unwrap();
    let files = tidy::text_files(&cargo::root()).unwrap();
    let pages = files
        .iter()
        .filter(|file| file.path.strip_suffix(".md").is_some());
    let mut found = 0;
    for page in pages.filter(|page| page.path != "CHANGELOG.md") {
        for line in named.captures_iter(&page.text) {
            found += 1;
            let words = ["xtask"].into_iter().chain(line[1].split_whitespace());
            // `S` may stand for a number.
            if let Err(error) = Task::try_parse_from(words)
                && !matches!(error.kind(), DisplayHelp | ValueValidation)
            {
                panic!("{}: `{}`: {error}", page.path, &line[1]);
            }
        }
    }
    assert!(found > 20);
}
