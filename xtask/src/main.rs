//! The chores of this workspace: `cargo xtask <task>`.
//!
//! One file per task. Nothing but a Rust installation is needed to run them.

mod args;
mod bench;
mod book;
mod bugs;
mod cargo;
mod demo;
mod docs;
mod fuzz;
mod man;
mod mermaid;
mod miri;
mod mutants;
mod props;
mod release;
mod sim;
mod test;
mod tidy;

use std::{fmt, process::ExitCode};

use args::Args;

/// What a task ends with when it does not succeed.
#[derive(Debug)]
enum Error {
    /// The command line is wrong. Nothing was done.
    Usage(String),
    /// The task ran and failed.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => write!(f, "{text}\n`cargo xtask help` lists the tasks"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}

type Result<T = ()> = std::result::Result<T, Error>;

fn failed(text: impl Into<String>) -> Error {
    Error::Failed(text.into())
}

struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(Args) -> Result,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: "test",
        about: "everything that must hold before a change is taken",
        run: test::run,
    },
    Task {
        name: "props",
        usage: "props [--cases N] [--seed S] [--only NAME]",
        about: "the property tests at depth",
        run: props::run,
    },
    Task {
        name: "sim",
        usage: "sim [--seeds N] [--seed S] [--trace]",
        about: "clients, network and service in one thread, and what must hold",
        run: sim::run,
    },
    Task {
        name: "bugs",
        usage: "bugs [--only NAME] [--write]",
        about: "deliberate bugs that the simulation must find; takes a while",
        run: bugs::run,
    },
    Task {
        name: "fuzz",
        usage: "fuzz [TARGET ...] [--seconds N]",
        about: "the fuzz targets, each for a while; needs cargo-fuzz",
        run: fuzz::run,
    },
    Task {
        name: "mutants",
        usage: "mutants [--file PATH] [--jobs N]",
        about: "mistakes that the tests must notice; needs cargo-mutants",
        run: mutants::run,
    },
    Task {
        name: "miri",
        usage: "miri",
        about: "the unit tests of the core, interpreted; needs Miri",
        run: miri::run,
    },
    Task {
        name: "demo",
        usage: "demo [ARGUMENTS]",
        about: "the tour of the client against the embedded emulator",
        run: demo::run,
    },
    Task {
        name: "docs",
        usage: "docs [--check]",
        about: "write the generated documents, or check them",
        run: docs::run,
    },
    Task {
        name: "book",
        usage: "book [--check]",
        about: "the pages in docs as a book, with mdBook; or check the commands in them",
        run: book::run,
    },
    Task {
        name: "bench",
        usage: "bench [--json] [--check | --update]",
        about: "what the client costs, held against its goals",
        run: bench::run,
    },
    Task {
        name: "mermaid",
        usage: "mermaid",
        about: "the Mermaid texts, read by Mermaid itself; needs Node.js",
        run: mermaid::run,
    },
    Task {
        name: "man",
        usage: "man",
        about: "the manual pages of the command, into target/man",
        run: man::run,
    },
    Task {
        name: "release",
        usage: "release [--dry-run]",
        about: "whether the crates could be published, and how; publishes nothing",
        run: release::run,
    },
    Task {
        name: "tidy",
        usage: "tidy",
        about: "the house rules that a program can check",
        run: tidy::run,
    },
];

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(match error {
                Error::Usage(_) => 2,
                Error::Failed(_) => 1,
            })
        }
    }
}

fn dispatch(mut words: Vec<String>) -> Result {
    if words.is_empty() {
        return Err(Error::Usage("a task is missing".into()));
    }
    let name = words.remove(0);
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return Ok(());
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return Err(Error::Usage(format!("there is no task `{name}`")));
    };
    (task.run)(Args::new(task.usage, words))
}

fn help() -> String {
    let width = TASKS.iter().map(|task| task.usage.len()).max().unwrap_or(0);
    let lines = TASKS
        .iter()
        .map(|Task { usage, about, .. }| format!("  {usage:width$}  {about}\n"));
    format!("cargo xtask <task>\n\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_task_is_a_usage_error_that_names_it() {
        let error = dispatch(vec!["tset".into()]).unwrap_err();
        assert!(matches!(&error, Error::Usage(text) if text.contains("`tset`")));
        assert!(error.to_string().contains("cargo xtask help"));
    }

    #[test]
    fn the_help_has_one_line_for_each_task() {
        let help = help();
        for task in TASKS {
            let line = help.lines().find(|line| line.trim().starts_with(task.name));
            assert!(line.unwrap().ends_with(task.about), "{}", task.name);
            assert!(task.usage.starts_with(task.name));
        }
    }
}
