//! Which resources a command is about: one by its names, or several.

use std::{collections::HashSet, num::NonZeroUsize};

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};

use super::{
    Item, Names, Resource,
    key::{self, text},
    list,
    selector::{self, Selector},
};
use crate::{
    command::many::Chosen, exit::Exit, failure::Failure, lang::pick, output::note, remote::Remote,
};

/// The most that are dealt with at a time: as many connections as the client keeps open.
const MOST_PARALLEL: i64 = 64;

pub(super) fn selector(resource: &'static Resource) -> Arg {
    let help = format!(
        "All {} that fit, such as {}",
        resource.many, resource.selector
    );
    Arg::new("selector")
        .short('l')
        .long("selector")
        .value_name("SELECTOR")
        .value_parser(move |text: &str| Selector::parse(text, resource.keys))
        .long_help(selector::long_help(&help, resource.keys))
        .help(help)
}

pub(super) fn parallel() -> Arg {
    Arg::new("parallel")
        .long("parallel")
        .value_name("N")
        .default_value("4")
        .value_parser(clap::value_parser!(u16).range(1..=MOST_PARALLEL))
        .help("How many of several are dealt with at a time")
}

pub(super) fn of_parallel(matches: &ArgMatches) -> NonZeroUsize {
    let parallel = matches.get_one::<u16>("parallel").copied();
    NonZeroUsize::new(parallel.unwrap_or_default().into()).unwrap_or(NonZeroUsize::MIN)
}

/// Names, or a way to find them.
#[derive(Debug)]
pub(in crate::command) struct Targets {
    resource: &'static Resource,
    /// Those that were named; none if the service is asked.
    named: Option<Vec<Names>>,
    one: bool,
    parent: Option<String>,
    selector: Option<Selector>,
    pub(super) parallel: NonZeroUsize,
}

impl Targets {
    /// Names, or a way to find them.
    pub(in crate::command) fn arguments(resource: &'static Resource, command: Command) -> Command {
        let [parents @ .., own] = key::path(resource) else {
            return command;
        };
        let names = match parents {
            [parent, ..] => key::name_or_both(*parent, *own, *own),
            [] => key::name(*own),
        };
        let names = names
            .id("names")
            .action(ArgAction::Append)
            .num_args(1..)
            .help(format!("Name of {}, or names of several", resource.one));
        let all = Arg::new("all").long("all").action(ArgAction::SetTrue);
        let whose = resource.parent.map_or("", |parent| parent.one);
        let command = parents.iter().fold(command, |command, info| {
            let argument = key::name_or_both(*info, *own, *info);
            command.arg(argument.help(format!(
                "Name of {whose} that it belongs to, or both names as FROM/NAME"
            )))
        });
        let which = ArgGroup::new("which").args(["names", "selector", "all"]);
        let which = match parents {
            [] => which.required(true),
            [parent, ..] => which.arg(parent.key).required(true).multiple(true),
        };
        command
            .arg(names.conflicts_with_all(["selector", "all"]))
            .arg(selector(resource).conflicts_with("all"))
            .arg(all.help(format!("All {} of the account", resource.many)))
            .arg(parallel())
            .group(which)
    }

    pub(in crate::command) fn read(
        resource: &'static Resource,
        matches: &ArgMatches,
    ) -> Result<Self, Failure> {
        let [parents @ .., _] = key::path(resource) else {
            return Err(Failure::usage("it has no name"));
        };
        let parent = parents.first().and_then(|info| text(matches, info.key));
        let selector = matches.get_one::<Selector>("selector").cloned();
        let mut targets = Self {
            resource,
            named: None,
            one: false,
            parent: parent.map(ToOwned::to_owned),
            selector,
            parallel: of_parallel(matches),
        };
        if targets.selector.is_some() || matches.get_flag("all") {
            return Ok(targets);
        }
        let names = matches.get_many::<String>("names").into_iter().flatten();
        let mut words: Vec<String> = names.cloned().collect();
        match parent {
            Some(both) if both.contains('/') => words.insert(0, both.to_owned()),
            Some(first) if words.is_empty() => {
                let line = format!("name {} after {first}, or give --all", resource.one);
                return Err(Failure::usage(line));
            }
            Some(first) => words
                .iter_mut()
                .for_each(|word| word.insert_str(0, &format!("{first}/"))),
            None => {}
        }
        let mut seen = HashSet::new();
        words.retain(|word| seen.insert(word.clone()));
        let keys = words
            .iter()
            .map(|word| Names(word.split('/').map(ToOwned::to_owned).collect()));
        let keys: Vec<Names> = keys.collect();
        if let Some(key) = keys.iter().find(|key| key.0.len() != parents.len() + 1) {
            return Err(Failure::usage(format!(
                "{key}: write FROM/NAME for each of several"
            )));
        }
        targets.one = keys.len() == 1;
        targets.named = Some(keys);
        Ok(targets)
    }

    /// The resource, if it is exactly one by its name.
    pub(in crate::command) fn one(&self) -> Option<&Names> {
        let named = self.named.as_deref().filter(|_| self.one)?;
        named.first()
    }

    /// Whether the names come from the service, and not from the command line.
    pub(in crate::command) fn are_listed(&self) -> bool {
        self.named.is_none()
    }

    /// The names of all, each once. Asks the service if they are not given; a selector that fits
    /// nothing is most likely mistyped, and so a failure.
    pub(in crate::command) fn chosen(&self, remote: &Remote) -> Result<Chosen<Names>, Failure> {
        let names = self.names_now(remote)?;
        if self.are_listed() && names.is_empty() {
            let Resource { many, chinese, .. } = self.resource;
            match &self.selector {
                Some(selector) => {
                    let line = no_match(self.resource, selector);
                    return Err(Failure::new(Exit::NotFound, line));
                }
                None => note(pick(
                    format!("there are no {many}"),
                    format!("没有{chinese}"),
                )),
            }
        }
        Ok(Chosen {
            names,
            one: self.one,
            parallel: self.parallel,
        })
    }

    /// The names of those that fit by now, which may be none.
    pub(in crate::command) fn names_now(&self, remote: &Remote) -> Result<Vec<Names>, Failure> {
        if let Some(named) = &self.named {
            return Ok(named.clone());
        }
        let items = list::listed(self.resource, remote, self.parent.as_slice(), self.parallel)?;
        let fits = |item: &&Item| {
            let selector = self.selector.as_ref();
            selector.is_none_or(|selector| selector.matches(item))
        };
        let path = key::path(self.resource);
        let names = items.iter().filter(fits).map(|item| {
            let mut parts = path.iter().zip(&item.names.0);
            parts.try_for_each(|(info, name)| info.check(name))?;
            Ok(item.names.clone())
        });
        names
            .collect::<Result<_, _>>()
            .map_err(|error: pipeline_proto::name::NameError| {
                let word = self.resource.word;
                let line = format!("the service lists a {word} that cannot be asked for: {error}");
                Failure::new(Exit::Service, line)
            })
    }
}

/// That a selector fits nothing.
pub(super) fn no_match(resource: &Resource, selector: &Selector) -> String {
    let Resource { many, chinese, .. } = resource;
    let none = match resource.none {
        "" => format!("none of the {many}"),
        none => none.to_owned(),
    };
    pick(
        format!("{none} fits {selector}"),
        format!("没有符合 {selector} 的{chinese}"),
    )
}
