use bytes::Bytes;
use clap::{ArgMatches, Command};

use super::{
    Item, Names, Resource, Verb,
    key::{self, Targets},
    list, operation,
    tabled::Tabled,
};
use crate::{command::noun::Many, exit::Exit, failure::Failure, options::Global, remote::Remote};

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let name = resource.example();
    let lines = [
        format!("get {name}"),
        format!("get {name} -o json"),
        "get --selector 'name=test_*' -o yaml".to_owned(),
    ];
    key::targets(resource, command.about(format!("Show {}", resource.one)))
        .arg(list::with_secrets())
        .after_help(resource.examples(&lines))
}

pub(super) fn run(
    resource: &'static Resource,
    _: &Verb,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Exit, Failure> {
    let remote = global.remote()?;
    let targets = Targets::find(resource, matches, &remote)?;
    let get = |key: &Names| Ok(one(resource, key, &remote)?.discreet(matches));
    if let Some(key) = targets.one() {
        global.format().write(&get(key)?)?;
        return Ok(Exit::Done);
    }
    Many::run(targets.names(), targets.parallel, "shown", get).show(global)
}

/// As the service shows it.
pub(super) fn one(
    resource: &'static Resource,
    key: &Names,
    remote: &Remote,
) -> Result<Item, Failure> {
    if resource.operations.get.is_empty() {
        let parents: Vec<String> = key.parent().into_iter().map(ToOwned::to_owned).collect();
        let mut items = list::listed(resource, remote, &parents, std::num::NonZeroUsize::MIN)?;
        let at = items.iter().position(|item| item.names == *key);
        return at.map(|at| items.swap_remove(at)).ok_or_else(|| {
            let line = format!("there is no such {}", resource.word);
            Failure::new(Exit::NotFound, line).about(key)
        });
    }
    let get = Tabled::new(
        operation(resource.operations.get),
        &key.names(),
        &[],
        &Bytes::new(),
    );
    Item::shown(
        resource,
        key.clone(),
        &remote.send(get.map_err(Failure::usage)?)?,
    )
}
