//! The command line: from arguments to an exit code.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, error::ErrorKind};

use crate::{
    app::Global,
    command::{Command, completions, help},
    exit::Exit,
    failure::{Failure, one_line},
    hints, lang, output,
};

/// Qiniu Pandora pipeline workflows from the command line
///
/// `pipeline demo` shows everything against an emulator in this very program, without an account.
/// For the real service, set PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, max_term_width = 100, after_help = after_help())]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  pipeline demo
  pipeline workflow list
  pipeline workflow start nginx_logs --wait
  pipeline explain E18644
";

fn after_help() -> String {
    format!("{EXAMPLES}\n{}", help::list())
}

/// The command line. `help` is our own at the top, where it knows topics, and clap's below.
pub(crate) fn command() -> clap::Command {
    without_help_of_clap()
        .mut_subcommands(|group| group.defer(|group| group.disable_help_subcommand(false)))
}

/// The command line without the `help` that clap adds to each group of commands.
pub(crate) fn without_help_of_clap() -> clap::Command {
    Cli::command().disable_help_subcommand(true)
}

fn parse() -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches()?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))
}

pub(crate) fn main() -> ExitCode {
    if let Some(result) = completions::answer() {
        return finish(result);
    }
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    anstream::ColorChoice::from(cli.global.color).write_global();
    lang::choose(cli.global.lang);
    let Some(command) = cli.command else {
        let help = self::command().render_help();
        return finish(crate::output::text(&help.ansi().to_string()).map(|()| Exit::Done));
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

/// Writes the one line of an error.
pub(crate) fn report(failure: &dyn std::fmt::Display) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let (word, space) = lang::pick(("error:", " "), ("错误：", ""));
    let _ = writeln!(anstream::stderr(), "{red}{word}{red:#}{space}{failure}");
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
            report(&wrong(error));
            Exit::Usage.into()
        }
    }
}

/// What is wrong with the command line, and what to type instead, on one line.
pub(crate) fn wrong(mut error: clap::Error) -> String {
    let hint = hints::hint(&mut error);
    let line = condensed(&error.render().to_string());
    match hint {
        Some(hint) => format!("{line}; {hint}"),
        None => line,
    }
}

/// The paragraphs of clap's message on one line.
fn condensed(message: &str) -> String {
    let paragraphs = message.trim().split("\n\n").map(|paragraph| {
        // The ways to use a command stand below one another.
        let between = if paragraph.starts_with("Usage:") {
            " or "
        } else {
            " "
        };
        let lines = paragraph.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ")
        });
        lines.collect::<Vec<_>>().join(between)
    });
    let parts: Vec<String> = paragraphs
        .filter(|paragraph| !paragraph.trim_start().starts_with("For more information"))
        .map(|paragraph| {
            let lowered = paragraph
                .strip_prefix("Usage:")
                .map(|usage| format!("usage:{usage}"));
            lowered.unwrap_or(paragraph)
        })
        .collect();
    let line = parts.join("; ");
    one_line(line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        fn check(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                assert!(sub.get_about().is_some(), "{path} has no help");
                if sub.get_subcommands().next().is_none() {
                    let after = sub.get_after_help().map(ToString::to_string);
                    let after = after.unwrap_or_default();
                    assert!(after.contains(&path), "{path} has no example");
                }
                check(sub, &path);
            }
        }
        check(&command(), "pipeline");
    }

    #[test]
    fn the_message_of_a_wrong_argument_is_one_line() {
        for (arguments, expected) in [
            (
                &["pipeline", "workflow", "get", "a-b"][..],
                "invalid value 'a-b' for '[NAME]...': the workflow name contains '-' at position 2",
            ),
            (
                &["pipeline", "wrkflow"],
                "unrecognized subcommand 'wrkflow'; tip:",
            ),
            (
                &["pipeline", "workflow", "get"],
                "not provided: <NAME|--selector <SELECTOR>|--all>; usage: pipeline",
            ),
            (
                &["pipeline", "token", "mint", "-X", "GET"],
                "[--ttl <DURATION>] or pipeline token mint --method <METHOD>",
            ),
            (
                &["pipeline", "--timeout", "5"],
                "write a number with its unit",
            ),
        ] {
            let error = command().try_get_matches_from(arguments).unwrap_err();
            let line = condensed(&error.render().to_string());
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }
}
