//! The tree of commands, one file each.

mod api;
mod buffer;
pub(crate) mod completions;
mod config;
mod datasource;
mod demo;
mod doctor;
mod emulator;
mod explain;
mod export;
mod group;
pub(crate) mod help;
mod job;
mod job_export;
mod man;
mod many;
mod plugin;
mod records;
mod repo;
pub(crate) mod resource;
mod ship;
mod sign;
mod signing;
mod token;
mod transform;
mod udf;
mod variable;
mod workflow;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    exit::Exit,
    failure::Failure,
    options::{Global, everywhere, in_short},
};

/// Qiniu Pandora pipeline workflows from the command line
///
/// `pipeline demo` shows everything against an emulator in this very program, without an account.
/// For the real service, set PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, max_term_width = 100, after_help = after_help())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
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
pub(crate) fn tree() -> clap::Command {
    without_help_of_clap()
        .mut_subcommands(|group| group.defer(|group| made(group).disable_help_subcommand(false)))
}

/// The command line without the `help` that clap adds to each group of commands.
pub(crate) fn without_help_of_clap() -> clap::Command {
    let command = in_short(Cli::command()).disable_help_subcommand(true);
    command.mut_subcommands(|command| command.defer(made))
}

/// A command with all that it has and takes: later, and so only where it is asked for. All together they were most of
/// a start.
fn made(command: clap::Command) -> clap::Command {
    let command = everywhere(resource::with_verbs(command));
    command.mut_subcommands(|command| command.defer(made))
}

/// The command line with all that is made of a command only when it is asked for, and the options that all have.
pub(crate) fn built() -> clap::Command {
    let mut tree = tree();
    tree.build();
    tree
}

/// A command with its arguments.
pub(crate) trait Run {
    fn run(self, global: &Global) -> Result<Exit, Failure>;
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Resource(resource::Resources),
    Apply(resource::apply::Apply),
    Ship(ship::Ship),
    #[command(subcommand)]
    Buffer(buffer::BufferCommand),
    Api(api::Api),
    Sign(sign::Sign),
    #[command(subcommand)]
    Token(token::TokenCommand),
    Explain(explain::Explain),
    #[command(subcommand)]
    Config(config::Config),
    Doctor(doctor::Doctor),
    Emulator(emulator::EmulatorCommand),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
    Help(help::Help),
}

impl Command {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Resource(command) => command.run(global),
            Self::Apply(command) => command.run(global),
            Self::Ship(command) => command.run(global),
            Self::Buffer(command) => command.run(global),
            Self::Api(command) => command.run(global),
            Self::Sign(command) => command.run(global),
            Self::Token(command) => command.run(global),
            Self::Explain(command) => command.run(global),
            Self::Config(command) => command.run(global),
            Self::Doctor(command) => command.run(global),
            Self::Emulator(command) => command.run(global),
            Self::Demo(command) => command.run(global),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(global),
            Self::Help(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{any::TypeId, path::PathBuf};

    use super::*;
    use crate::options::REPLACED;

    #[test]
    fn the_command_line_is_consistent() {
        tree().debug_assert();
        built().debug_assert();
    }

    #[test]
    fn what_all_commands_take_is_global_in_each_or_known_to_be_replaced() {
        fn check(command: &clap::Command, everywhere: &[&clap::Id]) {
            for sub in command.get_subcommands() {
                let is_leaf = !sub.has_subcommands();
                for arg in sub.get_arguments().filter(|_| is_leaf) {
                    let counts = arg.is_global_set() || arg.get_id() == REPLACED;
                    assert!(counts || !everywhere.contains(&arg.get_id()), "{sub} {arg}");
                }
                check(sub, everywhere);
            }
        }
        let root = tree();
        let everywhere: Vec<_> = root.get_arguments().map(clap::Arg::get_id).collect();
        check(&built(), &everywhere);
    }

    #[test]
    fn what_all_commands_take_is_made_for_the_one_that_was_typed() {
        let mut tree = tree();
        let typed = tree.try_get_matches_from_mut(["pipeline", "workflow", "-y", "list"]);
        assert!(typed.is_ok_and(|typed| typed.get_flag("yes")));
        let takes = |path: &[&str]| {
            let command = path
                .iter()
                .try_fold(&tree, |it, word| it.find_subcommand(word));
            command.map(|it| it.get_arguments().any(|arg| arg.get_id() == "yes"))
        };
        assert_eq!(takes(&["workflow", "list"]), Some(true));
        assert_eq!(takes(&["workflow", "get"]), Some(false));
        assert_eq!(takes(&["ship"]), Some(false));
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
        let mut tree = without_help_of_clap();
        tree.build();
        check(&tree, "pipeline");
    }

    /// A name of a file need not be text, whichever command takes it; and what is called a file is offered
    /// when a line is completed.
    #[test]
    fn what_is_called_a_file_is_read_as_a_path_and_every_path_is_called_so() {
        fn check(command: &clap::Command, paths: &mut usize) {
            for argument in command.get_arguments() {
                let parsed = argument.get_value_parser().type_id();
                let is_path = parsed == TypeId::of::<PathBuf>()
                    || parsed == TypeId::of::<workflow::source::Source>();
                let names = argument.get_value_names().unwrap_or_default();
                let mut words = names.iter().flat_map(|name| name.split('|'));
                let is_called_so = words.any(|word| ["FILE", "FOLDER", "JAR"].contains(&word));
                assert_eq!(is_path, is_called_so, "{} {argument}", command.get_name());
                *paths += usize::from(is_path);
            }
            for command in command.get_subcommands() {
                check(command, paths);
            }
        }
        let mut paths = 0;
        check(&built(), &mut paths);
        assert!(paths > 15, "{paths}");
    }
}
