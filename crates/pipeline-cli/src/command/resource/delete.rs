use bytes::Bytes;
use clap::{ArgMatches, Command};

use super::{
    Item, Names, Resource,
    key::{self, Targets},
    operation,
    tabled::Tabled,
};
use crate::{
    command::noun::{Many, listed},
    exit::Exit,
    failure::Failure,
    options::Global,
    terminal,
};

pub(super) fn arguments(resource: &'static Resource, command: Command) -> Command {
    let lines = [
        format!("delete {}", resource.example()),
        "delete --selector 'name=test_*' --yes".to_owned(),
    ];
    let examples = resource.examples(&lines);
    key::targets(resource, command.about(format!("Delete {}", resource.many))).after_help(format!(
        "{examples}\n\nAsks on a terminal, once for all; anywhere else, --yes is needed."
    ))
}

pub(super) fn run(
    resource: &'static Resource,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Exit, Failure> {
    let remote = global.remote()?;
    let targets = Targets::find(resource, matches, &remote)?;
    let delete = |key: &Names| {
        let delete = Tabled::new(
            operation(resource.operations.delete),
            &key.names(),
            &[],
            &Bytes::new(),
        );
        remote.send(delete.map_err(Failure::usage)?)?;
        Ok(Item::done(resource, key, &[("action", "deleted".into())]))
    };
    if let Some(key) = targets.one() {
        terminal::confirm(&format!("Delete the {} {key}?", resource.word), global.yes)?;
        return delete(key)?.report(global, "deleted");
    }
    let keys = targets.keys();
    let question = format!("Delete {} {}: {}?", keys.len(), resource.many, listed(keys));
    terminal::confirm(&question, global.yes || keys.is_empty())?;
    Many::run(keys, targets.parallel, "deleted", delete).report(global)
}
