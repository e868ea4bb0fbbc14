//! The command line: from arguments to an exit code.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, error::ErrorKind};

use crate::{
    app::Global,
    command::Command,
    exit::{self, Exit},
    failure::{Failure, one_line},
    lang,
};

/// Qiniu Pandora pipeline workflows from the command line
///
/// `pipeline demo` shows everything against an emulator in this very program, without an account.
/// For the real service, set PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, max_term_width = 100, after_help = EXAMPLES, after_long_help = long_help())]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  pipeline demo
  pipeline workflow list
  pipeline workflow start nginx_logs --wait
  pipeline explain E18644
";

const ENVIRONMENT: &str = "\
Environment:
  PANDORA_ACCESS_KEY, PANDORA_SECRET_KEY
          the keys that requests are signed with
  PANDORA_TOKEN
          a ready-made token instead; it comes before the keys
  PANDORA_ENDPOINT
          where the service is
  PANDORA_CA_FILE
          further certificates to trust
  PANDORA_PROFILE
          the profile to use
  PANDORA_CONFIG_FILE
          the file with the profiles, instead of pipeline/config.toml in the configuration folder
  LC_ALL, LC_MESSAGES, LANG
          with zh…, errors are explained in Chinese
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
          the way there; for this machine itself no proxy is used
  NO_COLOR, CLICOLOR_FORCE
          colour

  An option comes before its variable, a variable before the chosen profile; `pipeline config explain`
  shows what counts. An empty variable counts as not set.
";

fn long_help() -> String {
    format!("{EXAMPLES}\n{ENVIRONMENT}\n{}", exit::TABLE)
}

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    anstream::ColorChoice::from(cli.global.color).write_global();
    lang::choose(cli.global.lang);
    let Some(command) = cli.command else {
        let help = Cli::command().render_help();
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
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Usage.into(),
            _ => Exit::Done.into(),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Exit::Usage.into()
        }
        _ => {
            report(&condensed(&error.render().to_string()));
            Exit::Usage.into()
        }
    }
}

/// The paragraphs of clap's message on one line.
fn condensed(message: &str) -> String {
    let paragraphs = message.trim().split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let parts: Vec<String> = paragraphs
        .filter(|paragraph| !paragraph.starts_with("For more information"))
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
        Cli::command().debug_assert();
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
        check(&Cli::command(), "pipeline");
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
                &["pipeline", "--timeout", "5"],
                "write a number with its unit",
            ),
        ] {
            let error = Cli::try_parse_from(arguments).unwrap_err();
            let line = condensed(&error.render().to_string());
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }
}
