use clap::Command;

use super::{Ask, Item, Names, Resource, Verb, list, tabled, targets::Targets};
use crate::{exit::Exit, failure::Failure, remote::Remote};

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let name = resource.example();
    let lines = [
        format!("get {name}"),
        format!("get {name} -o json"),
        "get --selector 'name=test_*' -o yaml".to_owned(),
    ];
    Targets::arguments(resource, command.about(format!("Show {}", resource.one)))
        .arg(list::with_secrets())
        .after_help(resource.examples(&lines))
}

pub(super) fn run(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let (targets, remote) = ask.targets()?;
    targets.chosen(&remote)?.show(ask.global, |key| {
        Ok(one(ask.resource, key, &remote)?.discreet(ask.matches))
    })
}

/// As the service shows it.
pub(super) fn one(
    resource: &'static Resource,
    key: &Names,
    remote: &Remote,
) -> Result<Item, Failure> {
    if let Some(typed) = resource.typed {
        return Item::shown(resource, key.clone(), &(typed.get)(remote, key)?);
    }
    if resource.operations.get.is_empty() {
        let parents: Vec<String> = key.parent().into_iter().map(ToOwned::to_owned).collect();
        let mut items = list::listed(resource, remote, &parents, std::num::NonZeroUsize::MIN)?;
        let at = items.iter().position(|item| item.names == *key);
        return at.map(|at| items.swap_remove(at)).ok_or_else(|| {
            let line = format!("there is no such {}", resource.word);
            Failure::new(Exit::NotFound, line).about(key)
        });
    }
    let json = tabled::send(remote, resource.operations.get, key)?;
    Item::shown(resource, key.clone(), &json)
}
