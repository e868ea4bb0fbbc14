//! The `pipeline` command.
//!
//! Rules that hold everywhere: stdout carries data and nothing else; an error is one line on stderr;
//! how the command ends is one of [`exit::Exit`]; a secret is never taken from an argument and never
//! written.

mod command;
mod duration;
mod exit;
mod failure;
mod file;
mod hints;
mod interrupt;
mod lang;
mod options;
mod output;
mod remote;
mod settings;
mod signals;
mod size;
mod terminal;
mod time;
mod variables;

use std::{env, io, mem, process::ExitCode};

use clap::{FromArgMatches as _, error::ErrorKind};

use command::{Cli, completions, resource::Resource, tree};
use exit::Exit;
use failure::{Failure, reason};
use output::report;

fn parse() -> Result<Cli, clap::Error> {
    let mut all = tree();
    let matches = all.try_get_matches_from_mut(env::args_os());
    // To drop it is a fifth of all instructions of a short command.
    mem::forget(all);
    let matches = matches?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut tree()))
}

fn main() -> ExitCode {
    if let Some(result) = completions::answer() {
        return finish(result);
    }
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    anstream::ColorChoice::from(cli.global.color).write_global();
    lang::choose(cli.global.lang);
    reason::commands(|operation| Resource::of(operation).map(|it| it.word));
    let Some(command) = cli.command else {
        let help = tree().render_help();
        return finish(output::text(&help.ansi().to_string()).map(|()| Exit::Done));
    };
    finish(command.run(&cli.global))
}

fn finish(result: Result<Exit, Failure>) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report(&failure);
            failure.exit().into()
        }
    }
}

/// What clap has to say: help and version as they are, errors on one line.
fn usage(error: clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                finish(Err(output::unwritten(&error)))
            }
            _ => Exit::Done.into(),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Exit::Usage.into()
        }
        _ => {
            let words: Vec<String> = env::args_os()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            lang::choose(lang::typed(&words));
            report(&hints::wrong(error, &words));
            Exit::Usage.into()
        }
    }
}
