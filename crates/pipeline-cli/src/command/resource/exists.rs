use bytes::Bytes;
use clap::{ArgMatches, Command};
use serde_json::Value;

use super::{
    Item, Names, Resource, Verb,
    key::{self, Targets},
    operation,
    tabled::Tabled,
};
use crate::{command::noun::Many, exit::Exit, failure::Failure, options::Global, output::note};

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let name = resource.example();
    let word = resource.word;
    let lines = [
        format!("exists {name}"),
        format!("exists {name} || pipeline {word} create …"),
    ];
    let examples = resource.examples(&lines);
    key::targets(
        resource,
        command.about(format!("Say whether there is {}", resource.one)),
    )
    .mut_args(|arg| match arg.get_id().as_str() {
        "selector" | "all" => arg.hide(true),
        _ => arg,
    })
    .after_help(format!("{examples}\n\nEnds with code 3 if there is none."))
}

pub(super) fn run(
    resource: &'static Resource,
    _: &Verb,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Exit, Failure> {
    let remote = global.remote()?;
    let targets = Targets::find(resource, matches, &remote)?;
    let ask = |key: &Names| {
        let ask = Tabled::new(
            operation(resource.operations.exists),
            &key.names(),
            &[],
            &Bytes::new(),
        );
        let response = remote.send(ask.map_err(Failure::usage)?)?;
        let members: Value = response.parse().unwrap_or_default();
        let there = members.get("exist").and_then(Value::as_bool) == Some(true);
        if !there || global.format().is_for_people() {
            note(format_args!(
                "{key}: {}",
                if there { "is there" } else { "is not there" }
            ));
        }
        Ok((
            Item::done(resource, key, &[("exists", there.into())]),
            there,
        ))
    };
    let of = |there: bool| if there { Exit::Done } else { Exit::NotFound };
    let for_people = global.format().is_for_people();
    if let Some(names) = targets.one() {
        let (item, there) = ask(names)?;
        if !for_people {
            global.format().write(&item)?;
        }
        return Ok(of(there));
    }
    let found = Many::run(targets.names(), targets.parallel, "found", ask);
    let (exit, found) = (found.exit(), found.into_successes());
    let there = found.iter().all(|(_, there)| *there);
    if !for_people {
        let items = found.into_iter().map(|(item, _)| item).collect();
        global.format().write(&super::item::Items(items))?;
    }
    Ok(if exit == Exit::Done { of(there) } else { exit })
}
