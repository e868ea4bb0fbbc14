//! What needs nothing but the names: deleting, starting, stopping.

use bytes::Bytes;
use clap::{ArgMatches, Command};

use super::{
    Item, Names, Resource, Verb,
    key::{self, Targets},
    operation,
    tabled::Tabled,
};
use crate::{
    command::noun::{Many, listed},
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    terminal,
};

impl Verb {
    pub(in crate::command) const fn act(
        name: &'static str,
        operations: &'static [&'static str],
    ) -> Self {
        Self::new(name, operations, arguments, run)
    }

    /// In the past tense, or under way where the service does it after the response.
    fn did(&self) -> &'static str {
        match self.name {
            "start" => "starting",
            "stop" => "stopping",
            _ => "deleted",
        }
    }

    fn is_loss(&self) -> bool {
        self.did() == "deleted"
    }

    fn capital(&self) -> String {
        super::capital(self.name)
    }
}

fn arguments(resource: &'static Resource, verb: &Verb, command: Command) -> Command {
    let name = verb.name;
    let all = if verb.is_loss() { " --yes" } else { "" };
    let lines = [
        format!("{name} {}", resource.example()),
        format!("{name} --selector 'name=test_*'{all}"),
    ];
    let mut help = resource.examples(&lines);
    if verb.is_loss() {
        help.push_str("\n\nAsks on a terminal, once for all; anywhere else, --yes is needed.");
    }
    let about = format!("{} {}", verb.capital(), resource.many);
    key::targets(resource, command.about(about)).after_help(help)
}

fn run(
    resource: &'static Resource,
    verb: &Verb,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Exit, Failure> {
    let remote = global.remote()?;
    let targets = Targets::find(resource, matches, &remote)?;
    let act = |names: &Names| {
        let info = operation(verb.operations[0]);
        let act = Tabled::new(info, &names.names(), &[], &Bytes::new());
        remote.send(act.map_err(Failure::usage)?)?;
        Ok(Item::done(
            resource,
            names,
            &[("action", verb.did().into())],
        ))
    };
    let all = targets.names();
    let (what, many, chinese) = (verb.capital(), resource.many, resource.chinese);
    let question = if let Some(names) = targets.one() {
        pick(
            format!("{what} the {} {names}?", resource.word),
            format!("要删除{chinese} {names} 吗？"),
        )
    } else {
        let (count, names) = (all.len(), listed(all));
        pick(
            format!("{what} {count} {many}: {names}?"),
            format!("要删除 {count} 个{chinese}吗：{names}？"),
        )
    };
    terminal::confirm(&question, global.yes || all.is_empty() || !verb.is_loss())?;
    if let Some(names) = targets.one() {
        return act(names)?.report(global, verb.did());
    }
    Many::run(all, targets.parallel, verb.did(), act).report(global)
}
