//! Which resources a command is about.

use std::{
    collections::HashSet,
    fmt::{self, Display},
    num::NonZeroUsize,
};

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use pipeline_proto::operation::NameInfo;
use serde::{Serialize, Serializer};

use super::{Item, Resource, list, operation};
use crate::{
    command::noun::selector::{self, Selector},
    exit::Exit,
    failure::Failure,
    lang::pick,
    output::note,
    remote::Remote,
};

/// The names that say which resource it is: its own, and before it that of what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::command) struct Names(pub(super) Vec<String>);

impl Names {
    /// Of one that belongs to nothing.
    pub(in crate::command) fn of(name: &impl Display) -> Self {
        Self(vec![name.to_string()])
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// What it belongs to, if to anything.
    pub(super) fn parent(&self) -> Option<&str> {
        let [parent, _] = self.0.as_slice() else {
            return None;
        };
        Some(parent)
    }
}

/// As one word, which commands take as well.
impl Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a name of a path stands in the help.
pub(super) fn shown(key: &str) -> String {
    match key {
        "source" => "FROM".to_owned(),
        "destination" => "TO".to_owned(),
        key => key.to_ascii_uppercase(),
    }
}

/// How it stands above a column.
pub(super) fn heading(key: &str) -> &'static str {
    match key {
        "source" => "FROM",
        "job" => "JOB",
        _ => "NAME",
    }
}

/// The names that say which one it is.
pub(super) fn path(resource: &Resource) -> &'static [NameInfo] {
    operation(resource.operations.delete).names
}

/// An argument for a name.
pub(super) fn name(info: NameInfo) -> Arg {
    let check = move |text: &str| info.check(text).map(|()| text.to_owned());
    Arg::new(info.key)
        .value_name(shown(info.key))
        .value_parser(check)
}

/// An argument for one that belongs to another, as `FROM/NAME`, or for one of the two alone.
fn name_or_both(parent: NameInfo, own: NameInfo, alone: NameInfo) -> Arg {
    let check = move |text: &str| match text.split_once('/') {
        Some((first, second)) => parent.check(first).and_then(|()| own.check(second)),
        None => alone.check(text),
    };
    Arg::new(alone.key)
        .value_name(shown(alone.key))
        .value_parser(move |text: &str| check(text).map(|()| text.to_owned()))
}

pub(super) fn selector(resource: &'static Resource) -> Arg {
    let help = selector::help(resource.many, "name=test_*");
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
        .value_parser(clap::value_parser!(u16).range(1..=64))
        .help("How many of several are dealt with at a time")
}

/// Arguments that say which ones: names, a selector, or all.
pub(super) fn targets(resource: &'static Resource, command: Command) -> Command {
    let [parents @ .., own] = path(resource) else {
        return command;
    };
    let names = match parents {
        [parent, ..] => name_or_both(*parent, *own, *own),
        [] => name(*own),
    };
    let names = names
        .id("names")
        .action(ArgAction::Append)
        .num_args(1..)
        .help(format!("Name of {}, or names of several", resource.one));
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue);
    let whose = resource.parent.map_or("", |parent| parent.one);
    let command = parents.iter().fold(command, |command, info| {
        let argument = name_or_both(*info, *own, *info);
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
        .arg(all.help(format!("All {}", resource.many)))
        .arg(parallel())
        .group(which)
}

/// What such arguments say.
pub(super) struct Targets {
    keys: Vec<Names>,
    listed: bool,
    pub(super) parallel: NonZeroUsize,
}

impl Targets {
    /// Asks the service if they are not named; a selector that fits nothing is most likely mistyped.
    pub(super) fn find(
        resource: &'static Resource,
        matches: &ArgMatches,
        remote: &Remote,
    ) -> Result<Self, Failure> {
        let parallel = of_parallel(matches);
        let [parents @ .., _] = path(resource) else {
            return Err(Failure::usage("it has no name"));
        };
        let parent = parents.first().and_then(|info| text(matches, info.key));
        let selector = matches.get_one::<Selector<Item>>("selector");
        if selector.is_some() || matches.get_flag("all") {
            let parents: Vec<String> = parent.into_iter().map(ToOwned::to_owned).collect();
            let items = list::listed(resource, remote, &parents, parallel)?;
            let fits = |item: &&Item| selector.is_none_or(|selector| selector.matches(item));
            let keys: Vec<Names> = items
                .iter()
                .filter(fits)
                .map(|item| item.names.clone())
                .collect();
            if let (Some(selector), []) = (selector, keys.as_slice()) {
                return Err(Failure::new(Exit::NotFound, no_match(resource, selector)));
            }
            if keys.is_empty() {
                note(none(resource));
            }
            return Ok(Self {
                keys,
                listed: true,
                parallel,
            });
        }
        let names = matches.get_many::<String>("names").into_iter().flatten();
        let mut words: Vec<Vec<String>> = names.map(|name| vec![name.clone()]).collect();
        if let Some(first) = parent {
            match first.split_once('/') {
                Some(_) => words.insert(0, vec![first.to_owned()]),
                None if words.is_empty() => {
                    let line = format!("name {} after {first}, or give --all", resource.one);
                    return Err(Failure::usage(line));
                }
                None => words
                    .iter_mut()
                    .for_each(|word| word.insert(0, first.to_owned())),
            }
        }
        let mut seen = HashSet::new();
        let keys = words.into_iter().map(|word| {
            let word = word.join("/");
            Names(word.split('/').map(ToOwned::to_owned).collect())
        });
        let keys: Vec<Names> = keys.filter(|key| seen.insert(key.clone())).collect();
        if let Some(key) = keys.iter().find(|key| key.0.len() != path(resource).len()) {
            return Err(Failure::usage(format!(
                "{key}: write FROM/NAME for each of several"
            )));
        }
        Ok(Self {
            keys,
            listed: false,
            parallel,
        })
    }

    /// The resource, if it is exactly one by its name.
    pub(super) fn one(&self) -> Option<&Names> {
        match self.keys.as_slice() {
            [key] if !self.listed => Some(key),
            _ => None,
        }
    }

    pub(super) fn names(&self) -> &[Names] {
        &self.keys
    }
}

pub(super) fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.get_one::<String>(id).map(String::as_str)
}

pub(super) fn of_parallel(matches: &ArgMatches) -> NonZeroUsize {
    let parallel = matches.get_one::<u16>("parallel").copied();
    NonZeroUsize::new(parallel.unwrap_or_default().into()).unwrap_or(NonZeroUsize::MIN)
}

/// That a selector fits nothing.
pub(super) fn no_match(resource: &Resource, selector: &Selector<Item>) -> String {
    pick(
        format!("none of the {} fits {selector}", resource.many),
        format!("没有符合 {selector} 的{}", resource.chinese),
    )
}

/// That there are none.
pub(super) fn none(resource: &Resource) -> String {
    pick(
        format!("there are no {}", resource.many),
        format!("没有{}", resource.chinese),
    )
}
