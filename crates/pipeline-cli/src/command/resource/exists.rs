use std::sync::atomic::{AtomicBool, Ordering};

use clap::Command;
use serde_json::Value;

use super::{Ask, Mention, Names, Resource, Verb, tabled, targets::Targets};
use crate::{exit::Exit, failure::Failure, output::note};

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let name = resource.example();
    let word = resource.word;
    let lines = [
        format!("exists {name}"),
        format!("exists {name} || pipeline {word} create …"),
    ];
    let examples = resource.examples(&lines);
    Targets::arguments(
        resource,
        command.about(format!("Say whether there is {}", resource.one)),
    )
    .mut_args(|arg| match arg.get_id().as_str() {
        "selector" | "all" => arg.hide(true),
        _ => arg,
    })
    .after_help(format!("{examples}\n\nEnds with code 3 if there is none."))
}

pub(super) fn run(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let (targets, remote) = ask.targets()?;
    let for_people = ask.global.format().is_for_people();
    let all_there = AtomicBool::new(true);
    let look = |key: &Names| {
        let response = tabled::send(&remote, ask.resource.operations.exists, key)?;
        let members: Value = response.parse().unwrap_or_default();
        let there = members.get("exist").and_then(Value::as_bool) == Some(true);
        if !there || for_people {
            let is = if there { "is there" } else { "is not there" };
            note(format_args!("{key}: {is}"));
        }
        all_there.fetch_and(there, Ordering::Relaxed);
        Ok(Mention::of(ask.resource, key).with("exists", there))
    };
    let exit = targets.chosen(&remote)?.show(ask.global, look)?;
    Ok(match exit {
        Exit::Done if !all_there.into_inner() => Exit::NotFound,
        exit => exit,
    })
}
