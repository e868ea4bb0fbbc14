//! All resources as one set of commands for the parser, and which of them was typed.

use clap::{ArgMatches, Command, FromArgMatches, Subcommand};

use super::{Ask, RESOURCES, Resource};
use crate::{exit::Exit, failure::Failure, options::Global};

/// A command about a resource, as it was typed.
#[derive(Debug)]
pub(crate) struct Resources(Vec<String>, ArgMatches);

impl Resources {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self(words, matches) = self;
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let verb = words.pop().unwrap_or_default();
        let resource = Resource::typed(&words);
        let found = resource
            .and_then(|resource| Some((resource, resource.verbs().find(|it| it.name == verb)?)));
        match found {
            Some((resource, verb)) => (verb.run)(&Ask {
                resource,
                verb: &verb,
                matches: &matches,
                global,
            }),
            None => Err(Failure::usage("there is no such command")),
        }
    }
}

impl FromArgMatches for Resources {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (mut words, mut at) = (Vec::new(), matches);
        while let Some((word, below)) = at.subcommand() {
            words.push(word.to_owned());
            at = below;
        }
        Ok(Self(words, at.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Resources {
    fn augment_subcommands(command: Command) -> Command {
        RESOURCES.iter().fold(command, |command, resource| {
            match resource.word.split_once(' ') {
                None => command.subcommand(resource.command()),
                Some((group, _)) if command.find_subcommand(group).is_some() => {
                    command.mut_subcommand(group, |group| group.subcommand(resource.command()))
                }
                Some((group, _)) => command.subcommand(
                    Command::new(group.to_owned())
                        .about("User-defined functions of batch computations, and their jars")
                        .subcommand_required(true)
                        .arg_required_else_help(true)
                        .subcommand(resource.command()),
                ),
            }
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        RESOURCES
            .iter()
            .any(|resource| resource.word.split(' ').next() == Some(name))
    }
}
