//! `pipeline apply`: resources that belong to no workflow, made what files say.

use bytes::Bytes;
use clap::Args;
use pipeline_graph::file::{ResourceFile, Variable};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Item, Names, RESOURCES, Resource, create, describe, get, key, operation, tabled::Tabled,
};
use crate::{
    command::{
        many::listed,
        workflow::source::{self, File, Files, Source},
    },
    exit::Exit,
    failure::Failure,
    interrupt,
    lang::pick,
    options::Global,
    output::{Show, note, plain},
    remote::Remote,
    terminal,
};

/// Make resources what files say: create them, or change what differs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline repo get --all -o yaml > repos.yaml
  pipeline apply repos.yaml --dry-run
  pipeline apply -R resources/
  pipeline apply -f resources/ --yes

A file is what `get -o yaml` or `describe -o yaml` writes of one resource or of several: `kind` says what it is, \\
its names which one, the rest is as for `create -f`. ${NAME} stands for a variable of the environment. \\
A workflow with its graph is for `pipeline workflow apply`.

All files are read and compared before anything is sent. What others need is made first, whatever the files are \\
called. What a file does not name stays as it is, and so does what no file is about; fields that a schema loses \\
are asked about first, which without a terminal needs --yes. What cannot be changed has to be deleted by hand. \\
After a failure the same command does the rest.")]
pub(crate) struct Apply {
    #[command(flatten)]
    files: Files,

    /// Only show what would be done; end with code 10 if that is anything
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (sources, _) = self.files.sources();
        let mut wanted: Vec<Wanted> = Vec::new();
        for source in &sources {
            for one in read(source)? {
                if let Some(other) = wanted
                    .iter()
                    .find(|other| other.is(one.resource, &one.names))
                {
                    let line = format!("it is about {other}, and so is {}", other.label);
                    return Err(Failure::usage(line).about(&one.label));
                }
                wanted.push(one);
            }
        }
        let wanted = in_order(wanted)?;
        let remote = global.remote()?;
        let steps = wanted
            .iter()
            .map(|wanted| Step::new(wanted, &remote, global));
        let steps = Steps {
            items: steps.collect::<Result<_, _>>()?,
            dry_run: self.dry_run,
        };
        let pending = steps.items.iter().any(|step| step.action != "unchanged");
        let for_people = global.format().is_for_people();
        if for_people || self.dry_run {
            global.format().write(&steps)?;
        }
        if self.dry_run {
            return Ok(if pending { Exit::Changes } else { Exit::Done });
        }
        let lost: Vec<String> = steps.items.iter().filter_map(Step::loss).collect();
        if !lost.is_empty() {
            let lost = lost.join("; ");
            let question = pick(format!("Remove {lost}?"), format!("要移除{lost} 吗？"));
            terminal::confirm(&question, global.yes)?;
        }
        let all = steps.items.len();
        for at in 0..all {
            let rest = listed(steps.items[at..].iter().map(|step| step.wanted));
            let rest = format!("not finished: {rest}; the same command again does the rest");
            interrupt::task(rest.clone());
            let sent = steps.items[at].send(&remote);
            sent.map_err(|failure| failure.and(rest))?;
        }
        interrupt::task("");
        let count = |action: &str| steps.items.iter().filter(|it| it.action == action).count();
        note(format_args!(
            "{} created, {} updated, {} unchanged",
            count("created"),
            count("updated"),
            count("unchanged")
        ));
        if !for_people {
            global.format().write(&steps)?;
        }
        Ok(Exit::Done)
    }
}

/// A resource as a file describes it.
struct Wanted {
    resource: &'static Resource,
    names: Names,
    /// Those of a create, which may be more.
    all_names: Vec<String>,
    body: Map<String, Value>,
    /// The file that it is from.
    label: String,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.resource.word, self.names)
    }
}

impl Wanted {
    fn is(&self, resource: &Resource, names: &Names) -> bool {
        self.resource.word == resource.word && self.names == *names
    }

    fn wrong(&self, line: impl std::fmt::Display) -> Failure {
        Failure::usage(line).about(&self.label)
    }
}

/// What a file is about: one resource, or those of a list.
fn read(source: &Source) -> Result<Vec<Wanted>, Failure> {
    if let Source::Nothing(path, why) = source {
        let why = why.replace("workflow files", "files");
        return Err(Failure::usage(why).about(path.display()));
    }
    let file = File::read(source.path()?)?;
    // Of no kind, it is taken as it is written.
    let whole = file.resource("", &[])?;
    let whole = whole.resolve(|_| Variable::Elsewhere);
    let whole = whole.map_err(|error| file.unusable(&error))?;
    let members: Map<String, Value> = whole.parse().map_err(|error| file.wrong(&error))?;
    let Some(Value::Array(items)) = members.get("items") else {
        return Ok(vec![one(&file, &members)?]);
    };
    let items = items.iter().map(|item| match item.as_object() {
        Some(members) => one(&file.part(item), members),
        None => Err(file.wrong(&"an element of \"items\" is no object")),
    });
    items.collect()
}

fn one(file: &File, members: &Map<String, Value>) -> Result<Wanted, Failure> {
    // What `describe` writes has it inside.
    if let (Some(Value::Object(inside)), true) =
        (members.get("resource"), members.contains_key("type"))
    {
        return one(&file.part(&members["resource"]), inside);
    }
    let kind = members.get("kind").and_then(Value::as_str);
    let Some(kind) = kind else {
        let line = if members.contains_key("nodes") {
            "this is a workflow: `pipeline workflow apply` takes it".to_owned()
        } else {
            let words = RESOURCES.iter().filter(|it| it.typed.is_none());
            let words: Vec<&str> = words.map(|it| it.word).collect();
            format!(
                "\"kind\" is missing, which says what it is: {}",
                words.join(", ")
            )
        };
        return Err(file.wrong(&line));
    };
    let resource = Resource::typed(&kind.split(' ').collect::<Vec<_>>());
    let resource = resource.filter(|it| it.typed.is_none());
    let Some(resource) = resource else {
        return Err(file.wrong(&format!("there is no kind {kind:?}")));
    };
    let names = create::names_in_file(resource);
    let parsed = file.resource(resource.kind(), &names)?;
    let all = resource.names_of_create();
    let all_names = all.iter().map(|info| {
        let name = create::name_in_file(&parsed, info.key);
        let missing = || file.wrong(&format!("{:?} is missing", info.key));
        let name = name.ok_or_else(missing)?;
        info.check(name).map_err(|error| file.wrong(&error))?;
        Ok(name.to_owned())
    });
    let all_names = all_names.collect::<Result<Vec<_>, Failure>>()?;
    let count = key::path(resource).len();
    Ok(Wanted {
        resource,
        names: Names(all_names[..count].to_vec()),
        body: body(file, resource, &parsed)?,
        all_names,
        label: file.label().to_owned(),
    })
}

fn body(
    file: &File,
    resource: &'static Resource,
    parsed: &ResourceFile,
) -> Result<Map<String, Value>, Failure> {
    // What is uploaded has no more to say than its names.
    if resource.operations.create.is_empty() {
        return Ok(Map::new());
    }
    let spec = parsed.resolve(source::variable);
    let spec = spec.map_err(|error| file.unusable(&error))?;
    let members = spec.parse().map_err(|error| file.wrong(&error))?;
    Ok(create::written(
        resource,
        resource.names_of_create(),
        members,
    ))
}

/// What others need first, otherwise as they came.
fn in_order(mut wanted: Vec<Wanted>) -> Result<Vec<Wanted>, Failure> {
    let mut order: Vec<Wanted> = Vec::new();
    while !wanted.is_empty() {
        let is_ready = |it: &Wanted| {
            let members = it.seen_from_the_service();
            let mut needs = describe::needs(it.resource, &it.names, &members);
            needs.all(|(resource, names)| !wanted.iter().any(|other| other.is(resource, &names)))
        };
        let Some(at) = wanted.iter().position(is_ready) else {
            let names = listed(&wanted);
            return Err(Failure::usage(format!("they need each other: {names}")));
        };
        order.push(wanted.remove(at));
    }
    Ok(order)
}

impl Wanted {
    /// As it would be shown, where names of the path are members.
    fn seen_from_the_service(&self) -> Map<String, Value> {
        let mut members = self.body.clone();
        if let [.., to] = self.all_names.as_slice()
            && self.all_names.len() > self.names.0.len()
        {
            members.insert("to".to_owned(), to.as_str().into());
        }
        members
    }
}

/// What has to be done for one.
#[derive(Serialize)]
struct Step<'a> {
    kind: &'static str,
    name: String,
    /// In the past tense; of a dry run, what it would have been.
    action: &'static str,
    /// The members that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    #[serde(skip)]
    wanted: &'a Wanted,
    #[serde(skip)]
    body: Map<String, Value>,
    #[serde(skip)]
    lost: Vec<String>,
}

impl<'a> Step<'a> {
    fn new(wanted: &'a Wanted, remote: &Remote, global: &Global) -> Result<Self, Failure> {
        let Wanted {
            resource, names, ..
        } = wanted;
        let mut step = Self {
            kind: resource.word,
            name: names.to_string(),
            action: "unchanged",
            changes: Vec::new(),
            wanted,
            body: wanted.body.clone(),
            lost: Vec::new(),
        };
        let there = match get::one(resource, names, remote) {
            Ok(item) => item,
            Err(failure) if failure.exit() == Exit::NotFound => {
                if resource.operations.create.is_empty() {
                    let line = format!(
                        "there is no such {0}: `pipeline {0} upload` makes it",
                        resource.word
                    );
                    return Err(wanted.wrong(line).about(wanted));
                }
                step.action = "created";
                create::complete(resource, &mut step.body, global)?;
                return Ok(step);
            }
            Err(failure) => return Err(failure),
        };
        step.compare(&there)?;
        Ok(step)
    }

    fn compare(&mut self, there: &Item) -> Result<(), Failure> {
        let resource = self.wanted.resource;
        let names = resource.names_of_create();
        // What the file does not name stays.
        let mut body = create::written(resource, names, there.members().clone());
        for (name, value) in &self.wanted.seen_from_the_service() {
            let there = body.get(name).unwrap_or_else(|| there.member(name));
            differences(name, value, there, &mut self.changes);
        }
        let Some(first) = self.changes.first() else {
            return Ok(());
        };
        let top = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let can = |path: &String| {
            let (all, name) = (resource.changes.is_empty(), top(path));
            name != "to" && (all || resource.changes.contains(&name.as_str()))
        };
        let fixed = self.changes.iter().find(|path| !can(path));
        if let Some(path) =
            fixed.or_else(|| Some(first).filter(|_| resource.operations.update.is_empty()))
        {
            let line = format!(
                "its {path:?} cannot be changed: correct the file, or delete it first by `pipeline {} {} {}`",
                resource.word, resource.words.1, self.name
            );
            return Err(Failure::new(Exit::Conflict, line).about(self.wanted));
        }
        self.action = "updated";
        let lost = create::lost_fields(body.get("schema"), self.wanted.body.get("schema"));
        self.lost = if self.wanted.body.contains_key("schema") {
            lost.into_iter().map(ToOwned::to_owned).collect()
        } else {
            Vec::new()
        };
        body.extend(self.wanted.body.clone());
        if !resource.changes.is_empty() {
            body.retain(|name, _| resource.changes.contains(&name.as_str()));
        }
        self.body = body;
        Ok(())
    }

    /// The fields that go.
    fn loss(&self) -> Option<String> {
        let fields = self.lost.join(", ");
        (!fields.is_empty()).then(|| {
            pick(
                format!("from {} the fields {fields}", self.wanted),
                format!(" {} 的字段 {fields}", self.wanted),
            )
        })
    }

    fn send(&self, remote: &Remote) -> Result<(), Failure> {
        let Resource { operations, .. } = self.wanted.resource;
        let (name, names) = match self.action {
            "created" => (operations.create, &self.wanted.all_names),
            "updated" => (operations.update, &self.wanted.names.0),
            _ => return Ok(()),
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let body = Bytes::from(Value::from(self.body.clone()).to_string());
        let tabled = Tabled::new(operation(name), &names, &[], &body);
        remote.send(tabled.map_err(|error| self.wanted.wrong(error))?)?;
        note(format_args!("{} {}", self.action, self.wanted));
        Ok(())
    }
}

/// The paths at which one is not as wanted. What is wanted to be empty may as well be missing.
fn differences(path: &str, wanted: &Value, there: &Value, all: &mut Vec<String>) {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (name, value) in wanted {
                let there = there.get(name).unwrap_or(&Value::Null);
                differences(&format!("{path}.{name}"), value, there, all);
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            let mut inside = Vec::new();
            for (wanted, there) in wanted.iter().zip(there) {
                differences(path, wanted, there, &mut inside);
            }
            all.extend((!inside.is_empty()).then(|| path.to_owned()));
        }
        _ if wanted == there || is_empty(wanted) && is_empty(there) => {}
        _ => all.push(path.to_owned()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[derive(Serialize)]
struct Steps<'a> {
    items: Vec<Step<'a>>,
    dry_run: bool,
}

impl Show for Steps<'_> {
    fn names(&self) -> Vec<&str> {
        self.items.iter().map(|step| step.name.as_str()).collect()
    }

    fn table(&self) -> String {
        let line = |step: &Step<'_>| {
            let name = plain(&step.wanted.to_string());
            match step.action {
                "created" => format!("+ {name}\n"),
                "updated" => format!("~ {name}: {}\n", step.changes.join(", ")),
                _ => String::new(),
            }
        };
        self.items.iter().map(line).collect()
    }
}
