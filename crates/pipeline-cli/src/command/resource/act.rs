//! What needs nothing but the names: deleting, starting, stopping.

use clap::Command;

use super::{Ask, Mention, Names, Resource, Verb, tabled, targets::Targets};
use crate::{command::many::listed, exit::Exit, failure::Failure, lang::pick, terminal};

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
    Targets::arguments(resource, command.about(about)).after_help(help)
}

fn run(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let &Ask {
        resource,
        verb,
        global,
        ..
    } = ask;
    let (targets, remote) = ask.targets()?;
    let chosen = targets.chosen(&remote)?;
    if verb.is_loss() && !chosen.names.is_empty() {
        let question = question(resource, &verb.capital(), &chosen.names);
        terminal::confirm(&question, global.yes)?;
    }
    chosen.act(global, verb.did(), |names, _| {
        tabled::send(&remote, verb.operations[0], names)?;
        Ok(Mention::done(resource, names, verb.did()))
    })
}

fn question(resource: &Resource, what: &str, names: &[Names]) -> String {
    let (count, listed, chinese) = (names.len(), listed(names), resource.chinese);
    let (its, their, zh) = resource.goes_along;
    match names {
        [name] => pick(
            match its {
                "" => format!("{what} the {} {name}?", resource.word),
                its => format!("{what} {name} with {its}?"),
            },
            format!("要删除{chinese} {name}{zh}吗？"),
        ),
        _ => pick(
            format!("{what} {count} {}{their}: {listed}?", resource.many),
            format!("要删除 {count} 个{chinese}{}吗：{listed}？", zh.trim()),
        ),
    }
}
