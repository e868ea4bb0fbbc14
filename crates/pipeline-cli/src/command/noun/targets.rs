//! Which things a command is about: one by its name, or several.

use std::{collections::HashSet, num::NonZeroUsize};

use clap::{ArgGroup, Args};

use super::{
    Many, Noun, Outcome,
    selector::{self, Selector},
};
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{self, note},
    remote::{Remote, Show},
};

/// The most that are dealt with at a time: as many connections as the client keeps open.
const MOST_PARALLEL: u16 = 64;

/// Names, or a way to find them.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct Targets<N: Noun> {
    #[arg(
        value_name = "NAME",
        group = "which",
        value_parser = parse_name::<N>,
        help = format!("Name of the {}, or names of several", N::ONE)
    )]
    names: Vec<N::Name>,

    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        group = "which",
        help = selector::help(N::MANY, N::SELECTOR),
        long_help = selector::long_help(&selector::help(N::MANY, N::SELECTOR), N::KEYS)
    )]
    selector: Option<Selector<N>>,

    #[arg(long, group = "which", help = format!("All {} of the account", N::MANY))]
    all: bool,

    /// How many of several are dealt with at a time
    #[arg(
        long,
        value_name = "N",
        default_value = "4",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PARALLEL))
    )]
    parallel: u16,
}

pub(super) fn parse_name<N: Noun>(text: &str) -> Result<N::Name, String> {
    text.parse()
        .map_err(|error: <N::Name as std::str::FromStr>::Err| error.to_string())
}

impl<N: Noun> Targets<N> {
    /// The thing, if it is exactly one by its name.
    pub(crate) fn one(&self) -> Option<&N::Name> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// Whether the names come from the service, and not from the command line.
    pub(crate) fn are_listed(&self) -> bool {
        self.all || self.selector.is_some()
    }

    /// The names of all, each once. Asks the service if they are not given; a selector that fits
    /// nothing is most likely mistyped, and so a failure.
    pub(crate) fn chosen(&self, remote: &Remote) -> Result<Chosen<N>, Failure> {
        Ok(Chosen {
            names: self.names(remote)?,
            one: self.one().is_some(),
            parallel: NonZeroUsize::new(self.parallel.into()).unwrap_or(NonZeroUsize::MIN),
        })
    }

    fn names(&self, remote: &Remote) -> Result<Vec<N::Name>, Failure> {
        if !self.are_listed() {
            let mut seen = HashSet::new();
            let names = self.names.iter().filter(|name| seen.insert(*name));
            return Ok(names.cloned().collect());
        }
        let things = fitting::<N>(remote, self.selector.as_ref())?;
        match &self.selector {
            Some(selector) if things.is_empty() => {
                let line = no_match(selector);
                return Err(Failure::new(Exit::NotFound, line));
            }
            None if things.is_empty() => note(pick(
                format!("there are no {}", N::MANY),
                format!("没有{}", N::CHINESE),
            )),
            _ => {}
        }
        names_of(&things)
    }

    /// The names of those that fit by now, which may be none.
    pub(crate) fn names_now(&self, remote: &Remote) -> Result<Vec<N::Name>, Failure> {
        if !self.are_listed() {
            return Ok(self.names.clone());
        }
        names_of(&fitting::<N>(remote, self.selector.as_ref())?)
    }
}

fn names_of<N: Noun>(things: &[N]) -> Result<Vec<N::Name>, Failure> {
    let names = things.iter().map(|thing| {
        parse_name::<N>(thing.name()).map_err(|error| {
            let line = format!(
                "the service lists a {} {:?} that cannot be asked for: {error}",
                N::ONE,
                thing.name()
            );
            Failure::new(Exit::Service, line)
        })
    });
    names.collect()
}

/// What a command is about, found.
pub(crate) struct Chosen<N: Noun> {
    pub(crate) names: Vec<N::Name>,
    /// It was named on the command line, and so is no list of one.
    pub(crate) one: bool,
    pub(crate) parallel: NonZeroUsize,
}

impl<N: Noun> Chosen<N> {
    /// Writes what is found out about it, or a list of what is found out about each.
    pub(crate) fn show<T: output::Show + Send>(
        &self,
        global: &Global,
        get: impl Fn(&N::Name) -> Result<T, Failure> + Sync,
    ) -> Result<Exit, Failure> {
        if let ([name], true) = (self.names.as_slice(), self.one) {
            global.format().write(&get(name)?)?;
            return Ok(Exit::Done);
        }
        Many::run(&self.names, self.parallel, "shown", get).show(global)
    }

    /// Changes it or each of several, and says so. `done` says in the past tense what is done.
    pub(crate) fn act(
        &self,
        global: &Global,
        done: &'static str,
        act: impl Fn(&N::Name, Show) -> Result<Outcome, Failure> + Sync,
    ) -> Result<Exit, Failure> {
        if let ([name], true) = (self.names.as_slice(), self.one) {
            return act(name, Show::Line)?.report(global);
        }
        let act = |name: &N::Name| act(name, Show::Nothing);
        Many::run(&self.names, self.parallel, done, act).report(global)
    }
}

/// That a selector fits nothing.
pub(super) fn no_match<N: Noun>(selector: &Selector<N>) -> String {
    pick(
        format!("no {} fits {selector}", N::ONE),
        format!("没有符合 {selector} 的{}", N::CHINESE),
    )
}

/// The things of the service that fit, by name.
pub(super) fn fitting<N: Noun>(
    remote: &Remote,
    selector: Option<&Selector<N>>,
) -> Result<Vec<N>, Failure> {
    let mut things = N::list(remote)?;
    things.retain(|thing| selector.is_none_or(|selector| selector.matches(thing)));
    things.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(things)
}
