use std::num::NonZeroUsize;

use bytes::Bytes;
use clap::{Arg, ArgAction, Command};
use pipeline_proto::model::RawJson;
use serde_json::Value;

use super::{
    Ask, Names, Resource, Verb,
    item::{Item, Items},
    key, operation,
    selector::Selector,
    tabled::Tabled,
    targets,
};
use crate::{
    command::many::Many,
    exit::Exit,
    failure::Failure,
    lang::pick,
    output::{self, note},
    remote::Remote,
};

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let Resource { many, .. } = resource;
    let mut examples = vec!["list".to_owned(), "list -o json".to_owned()];
    let names = match (resource.parent, key::path(resource)) {
        (Some(parent), [info, ..]) => {
            let first = resource.example();
            examples.push(format!(
                "list {}",
                first.split(' ').next().unwrap_or_default()
            ));
            key::name(*info).help(format!("Only those of {}", parent.many))
        }
        (None, [.., info]) => key::name(*info).help(format!("Only the {many} of these names")),
        (_, []) => return command,
    };
    examples.push(format!("list --selector '{}'", resource.selector));
    command
        .about(format!("List {many}"))
        .arg(names.id("names").action(ArgAction::Append).num_args(1..))
        // Where names are those of parents, a selector is for what belongs to them.
        .arg(
            targets::selector(resource)
                .conflicts_with_all(resource.parent.is_none().then_some("names")),
        )
        .arg(targets::parallel().hide(resource.parent.is_none()))
        .arg(with_secrets())
        .after_help(resource.examples(&examples))
}

pub(super) fn with_secrets() -> Arg {
    Arg::new("with-secrets")
        .long("with-secrets")
        .action(ArgAction::SetTrue)
        .help("Show secrets; otherwise ${HIDDEN} stands for them, which no command takes for one")
}

pub(super) fn run(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let &Ask {
        resource,
        matches,
        global,
        ..
    } = ask;
    let names = matches.get_many::<String>("names").into_iter().flatten();
    let names: Vec<String> = names.cloned().collect();
    let parents = if resource.parent.is_some() {
        names.as_slice()
    } else {
        &[]
    };
    let mut items = listed(
        resource,
        &global.remote()?,
        parents,
        targets::of_parallel(matches),
    )?;
    if let Some(selector) = matches.get_one::<Selector>("selector") {
        items.retain(|item| selector.matches(item));
        if items.is_empty() {
            note(targets::no_match(resource, selector));
        }
    } else if items.is_empty() && (resource.parent.is_some() || names.is_empty()) {
        let (en, zh) = match resource.made_by {
            "" => (String::new(), String::new()),
            line => (
                format!("; make one with: {line}"),
                format!("；创建一个：{line}"),
            ),
        };
        note(pick(
            format!("there are no {}{en}", resource.many),
            format!("没有{}{zh}", resource.chinese),
        ));
    }
    let mut exit = Exit::Done;
    if resource.parent.is_none() && !names.is_empty() {
        let is = |item: &Item, name: &String| item.names.0.last() == Some(name);
        for name in names
            .iter()
            .filter(|name| !items.iter().any(|item| is(item, name)))
        {
            output::report(&pick(
                format!("{name}: there is no such {}", resource.word),
                format!("{name}：没有这个{}", resource.chinese),
            ));
            exit = Exit::NotFound;
        }
        items.retain(|item| names.iter().any(|name| is(item, name)));
    }
    let items = items
        .into_iter()
        .map(|item| item.discreet(matches))
        .collect();
    global.format().write(&Items(items))?;
    Ok(exit)
}

/// All that there are, by their names: those of the account, or those that belong to these, or to any.
pub(super) fn listed(
    resource: &'static Resource,
    remote: &Remote,
    parents: &[String],
    parallel: NonZeroUsize,
) -> Result<Vec<Item>, Failure> {
    let Some(parent) = resource.parent else {
        return of(resource, remote, None);
    };
    let parents = match parents {
        [] => parent
            .names(remote)?
            .into_iter()
            .map(|(name, _)| name)
            .collect(),
        parents => parents.to_vec(),
    };
    if let [parent] = parents.as_slice() {
        return of(resource, remote, Some(parent));
    }
    let lists = Many::run(&parents, parallel, "listed", |parent| {
        of(resource, remote, Some(parent))
    });
    match lists.exit() {
        Exit::Done => Ok(lists.into_successes().into_iter().flatten().collect()),
        exit => {
            lists.tell();
            Err(Failure::new(
                exit,
                format!("not all {} could be listed", resource.many),
            ))
        }
    }
}

/// One list of the service.
fn of(
    resource: &'static Resource,
    remote: &Remote,
    parent: Option<&String>,
) -> Result<Vec<Item>, Failure> {
    let names: Vec<&str> = parent.into_iter().map(String::as_str).collect();
    let list = if let Some(typed) = resource.typed {
        (typed.list)(remote)?
    } else {
        let info = operation(resource.operations.list);
        let list = Tabled::new(info, &names, resource.operations.query, &Bytes::new());
        elements(&remote.send(list.map_err(Failure::usage)?)?)
    };
    let items = list.iter().map(|json| {
        let value: Value = json.parse().unwrap_or_default();
        let own = value[resource.operations.name].as_str().unwrap_or_default();
        let key = names.iter().copied().chain([own]).map(ToOwned::to_owned);
        Item::shown(resource, Names(key.collect()), json)
    });
    let mut items: Vec<Item> = items.collect::<Result<_, _>>()?;
    items.sort_by(|a, b| a.names.0.cmp(&b.names.0));
    Ok(items)
}

/// A list of the service is an array, or an object whose only array it is.
fn elements(response: &RawJson) -> Vec<RawJson> {
    let list = |json: &RawJson| json.parse::<Vec<RawJson>>().ok();
    let inside = || {
        let members: std::collections::BTreeMap<String, RawJson> = response.parse().ok()?;
        members.values().find_map(list)
    };
    list(response).or_else(inside).unwrap_or_default()
}
