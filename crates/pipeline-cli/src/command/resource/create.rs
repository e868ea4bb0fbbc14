//! Creating and updating: from options, from a file, or from both.

use std::path::PathBuf;

use bytes::Bytes;
use clap::{Arg, ArgAction, ArgMatches, Command};
use pipeline_graph::file::{Format, ResourceFile, Variable};
use pipeline_proto::operation::{NameInfo, OperationInfo};
use serde_json::{Map, Value};

use super::{
    Ask, Item, Mention, Names, Resource, Verb, flags, get, key, operation, tabled::Tabled,
};
use crate::{
    command::workflow::source::{self, File},
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    settings::Settings,
    terminal,
};

const FILES: &str = "\
The file is YAML or JSON and holds the members that are described in docs/workflow-file.md for the data of a \
node; what `get` prints may stay in it. ${NAME} in it stands for a variable of the environment. Options count \
more than the file.";

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let (create, verb) = (resource.examples.0, resource.words.0);
    let (word, name) = (resource.word, resource.example());
    let name = name.rsplit(' ').next().unwrap_or_default();
    let lines = [format!("{verb} {create}"), format!("{verb} -f {name}.yaml")];
    let command = command.about(format!("{} {}", super::capital(verb), resource.one));
    let examples = resource.examples(&lines);
    from(resource, operation(resource.operations.create), command).after_help(format!(
        "{examples}\n\n{FILES}\n\nA create is not repeated when its response is lost: look with \
         `pipeline {word} get` first."
    ))
}

pub(super) fn arguments_of_update(
    resource: &'static Resource,
    _: &Verb,
    command: Command,
) -> Command {
    let name = resource.example();
    let lines = [
        format!("update {name} {}", resource.examples.1),
        format!(
            "update {name} -f {}.yaml",
            name.rsplit(' ').next().unwrap_or_default()
        ),
    ];
    let command = command.about(format!("Change {}", resource.one));
    let examples = resource.examples(&lines);
    from(resource, operation(resource.operations.update), command).after_help(format!(
        "{examples}\n\nWithout a file, what is there stays but for what the options change.\n\n{FILES}"
    ))
}

fn from(resource: &'static Resource, info: &'static OperationInfo, command: Command) -> Command {
    let names = info.names.iter().map(|info| {
        let help = match info.key {
            "name" => format!("Name of {}", resource.one),
            "destination" => "Where its results go".to_owned(),
            _ => format!(
                "Name of {} that it belongs to",
                resource.parent.map_or("", |parent| parent.one)
            ),
        };
        key::name(*info).required_unless_present("file").help(help)
    });
    let file = Arg::new("file").short('f').long("file").value_name("FILE");
    let dry_run = Arg::new("dry-run")
        .long("dry-run")
        .action(ArgAction::SetTrue);
    let command = command
        .args(names)
        .arg(
            file.value_parser(clap::value_parser!(PathBuf))
                .help("File that describes it, `-` for stdin"),
        )
        .arg(dry_run.help("Only show what would be sent"));
    flags::arguments(resource, command, info.name == resource.operations.update)
}

pub(super) fn create(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let given = Given::read(ask, ask.resource.operations.create)?;
    let (names, mut body) = (given.names()?, given.body()?.unwrap_or_default());
    ask.fill(&mut body)?;
    complete(ask.resource, &mut body, ask.global)?;
    given.send(&names, body, "created", ask.global)
}

/// Adds to what is made the members that it always has.
pub(super) fn complete(
    resource: &Resource,
    body: &mut Map<String, Value>,
    global: &Global,
) -> Result<(), Failure> {
    // What is missing in it says more than that it is missing.
    if resource
        .body
        .is_some_and(|body| body().member("spec").is_some())
    {
        body.entry("spec").or_insert_with(|| Map::new().into());
    }
    let region = resource
        .body
        .is_some_and(|body| body().member("region").is_some());
    if region && !body.contains_key("region") {
        let region = Settings::read(global)?.region()?.value;
        body.insert("region".to_owned(), region.as_str().into());
    }
    Ok(())
}

pub(super) fn update(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let &Ask {
        resource,
        matches,
        global,
        ..
    } = ask;
    let given = Given::read(ask, resource.operations.update)?;
    let names = given.names()?;
    let key = Names(names.clone());
    let from_file = given.body()?;
    // Before the service is asked, as nothing may come of it.
    if from_file.is_none() && !ask.fill(&mut Map::new())? {
        let line = "say what is to be changed: by options, or by a file with -f";
        return Err(Failure::usage(line));
    }
    let there = if from_file.is_none() || !(global.yes || matches.get_flag("dry-run")) {
        let there = get::one(resource, &key, &global.remote()?)?;
        given.written(there.members().clone())
    } else {
        Map::new()
    };
    let mut body = from_file.unwrap_or_else(|| there.clone());
    ask.fill(&mut body)?;
    let lost = lost_fields(there.get("schema"), body.get("schema"));
    if !lost.is_empty() && !matches.get_flag("dry-run") {
        let fields = lost.join(", ");
        let question = pick(
            format!("Remove from {key} the fields {fields}?"),
            format!("要从 {key} 中移除字段 {fields} 吗？"),
        );
        terminal::confirm(&question, global.yes)?;
    }
    given.send(&names, body, "updated", global)
}

/// Fields of a schema that another lacks.
pub(super) fn lost_fields<'a>(there: Option<&'a Value>, wanted: Option<&'a Value>) -> Vec<&'a str> {
    let keys = |schema: Option<&'a Value>| {
        let fields = schema.and_then(Value::as_array).into_iter().flatten();
        fields
            .filter_map(|field| field.get("key")?.as_str())
            .collect::<Vec<_>>()
    };
    let wanted = keys(wanted);
    keys(there)
        .into_iter()
        .filter(|key| !wanted.contains(key))
        .collect()
}

/// What was typed, and the file that it names.
struct Given<'a> {
    resource: &'static Resource,
    info: &'static OperationInfo,
    matches: &'a ArgMatches,
    file: Option<(File, ResourceFile)>,
}

impl<'a> Given<'a> {
    fn read(ask: &Ask<'a>, operation_name: &str) -> Result<Self, Failure> {
        let &Ask {
            resource, matches, ..
        } = ask;
        let file = matches.get_one::<PathBuf>("file").map(|path| {
            let file = File::read(path)?;
            let parsed = file.resource(resource.kind(), &names_in_file(resource))?;
            match parsed.name("kind") {
                Some(kind) if kind != resource.word => {
                    let line = format!("the file is about a {kind}, not a {}", resource.word);
                    Err(file.wrong(&line))
                }
                _ => Ok((file, parsed)),
            }
        });
        Ok(Self {
            resource,
            info: operation(operation_name),
            matches,
            file: file.transpose()?,
        })
    }

    /// The names of the path: all of them typed, or all in the file.
    fn names(&self) -> Result<Vec<String>, Failure> {
        let in_file = |key: &str| {
            let (_, file) = self.file.as_ref()?;
            name_in_file(file, key)
        };
        let names = self.info.names.iter().map(|info| {
            let (typed, written) = (key::text(self.matches, info.key), in_file(info.key));
            let name = match (typed, written) {
                (Some(typed), Some(written)) if typed != written => {
                    let line = format!("the file is about {written:?}, not {typed}");
                    return Err(self.wrong(line));
                }
                (Some(name), _) | (None, Some(name)) => name,
                (None, None) => {
                    let line = format!(
                        "say {} on the command line, or as {:?} in the file",
                        key::shown(info.key),
                        info.key
                    );
                    return Err(self.wrong(line));
                }
            };
            info.check(name).map_err(|error| self.wrong(error))?;
            Ok(name.to_owned())
        });
        names.collect()
    }

    fn wrong(&self, line: impl std::fmt::Display) -> Failure {
        match &self.file {
            Some((file, _)) => file.wrong(&line),
            None => Failure::usage(line),
        }
    }

    /// What the file describes.
    fn body(&self) -> Result<Option<Map<String, Value>>, Failure> {
        let Some((file, resource)) = &self.file else {
            return Ok(None);
        };
        let spec = resource
            .resolve(source::variable)
            .map_err(|error| file.unusable(&error))?;
        let members = spec.parse().map_err(|error| file.wrong(&error))?;
        Ok(Some(self.written(members)))
    }

    fn written(&self, shown: Map<String, Value>) -> Map<String, Value> {
        written(self.resource, self.info.names, shown)
    }

    fn send(
        &self,
        names: &[String],
        mut body: Map<String, Value>,
        did: &'static str,
        global: &Global,
    ) -> Result<Exit, Failure> {
        let (resource, info) = (self.resource, self.info);
        // What options have put together is checked like a file, but for its variables.
        let text = Value::from(body.clone()).to_string();
        let checked = ResourceFile::parse(&text, Format::Json, resource.kind(), &[])
            .and_then(|file| file.resolve(|_| Variable::Elsewhere));
        if let Err(error) = checked {
            return Err(Failure::usage(&error.findings()[0].message));
        }
        if did == "updated" && !resource.changes.is_empty() {
            body.retain(|name, _| resource.changes.contains(&name.as_str()));
        }
        let text = Value::from(body.clone()).to_string();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let key = Names(
            names
                .iter()
                .take(key::path(resource).len())
                .map(|name| (*name).to_owned())
                .collect(),
        );
        let tabled = Tabled::new(info, &names, &[], &Bytes::from(text.clone()));
        let tabled = tabled.map_err(|error| self.wrong(error))?;
        if self.matches.get_flag("dry-run") {
            let json = text.parse().map_err(Failure::usage)?;
            global
                .format()
                .write(&Item::new(resource, key, &json)?.hidden())?;
            return Ok(Exit::Done);
        }
        global.remote()?.send(tabled)?;
        Mention::done(resource, &key, did).report(global)
    }
}

/// The members of a file that say what it is about.
pub(super) fn names_in_file(resource: &Resource) -> Vec<&'static str> {
    let names = resource.names_of_create().iter().map(|info| info.key);
    let mut names: Vec<&str> = ["kind"].into_iter().chain(names).collect();
    // As the service calls it when it shows one.
    names.extend(names.contains(&"destination").then_some("to"));
    names
}

pub(super) fn name_in_file<'a>(file: &'a ResourceFile, key: &str) -> Option<&'a str> {
    let shown = || file.name("to").filter(|_| key == "destination");
    file.name(key).or_else(shown)
}

/// The members that are written, of those that are shown.
pub(super) fn written(
    resource: &Resource,
    names: &[NameInfo],
    mut shown: Map<String, Value>,
) -> Map<String, Value> {
    let Some(description) = resource.body.map(|body| body()) else {
        return shown;
    };
    if let Some(Value::Object(inside)) = shown.get("spec") {
        let (outer, inner) = (
            shown.keys().map(String::as_str),
            inside.keys().map(String::as_str),
        );
        if description.is_wrapped(outer, inner) {
            shown = inside.clone();
        }
    }
    shown.retain(|name, value| {
        let member = description.member(name);
        let is_name = names.iter().any(|info| info.key == name);
        !value.is_null() && !is_name && member.is_none_or(|member| !member.is_added_on_reading())
    });
    shown
}
