//! What a resource is, what it hangs together with, and how that is doing.

use std::{collections::BTreeMap, num::NonZeroUsize};

use clap::Command;
use pipeline_proto::{WorkflowName, model::Status, name::JobName, resource::job::ListBatches};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Ask, Item, Mention, Names, RESOURCES, Resource, Verb, get, item::member, key, list, page,
    targets::Targets,
};
use crate::{
    command::{datasource, group, job, plugin, repo, transform, udf},
    exit::Exit,
    failure::Failure,
    output::{Cell, Show, Table},
    remote::Remote,
};

/// Whose member names which other resources, and what the two are to each other. What belongs to a
/// parent reads from it, and is no row.
struct Link {
    of: &'static Resource,
    member: &'static str,
    to: &'static Resource,
    /// What the one that is named is to the one that names it, and the other way round.
    relation: (&'static str, &'static str),
}

const fn link(
    of: &'static Resource,
    member: &'static str,
    to: &'static Resource,
    relation: (&'static str, &'static str),
) -> Link {
    Link {
        of,
        member,
        to,
        relation,
    }
}

const FED_BY: (&str, &str) = ("fed_by", "feeds");
const FEEDS: (&str, &str) = ("feeds", "fed_by");
const USES: (&str, &str) = ("uses", "used_by");

static LINKS: &[Link] = &[
    link(&transform::RESOURCE, "to", &repo::RESOURCE, FEEDS),
    link(
        &transform::RESOURCE,
        "spec.plugin.name",
        &plugin::RESOURCE,
        USES,
    ),
    link(&job::RESOURCE, "srcs", &datasource::RESOURCE, FED_BY),
    link(&job::RESOURCE, "srcs", &job::RESOURCE, FED_BY),
    link(&repo::RESOURCE, "group", &group::RESOURCE, USES),
    link(&udf::FUNCTION, "jarName", &udf::JAR, USES),
];

/// So many runs of a job are shown; `job history` has them all.
const RUNS: u32 = 5;

pub(super) fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    let name = resource.example();
    let lines = [
        format!("describe {name}"),
        format!("describe {name} -o json | jq -r '.feeds[]?.name'"),
        "describe --selector 'name=test_*'".to_owned(),
    ];
    let about = format!(
        "Show {}, what feeds it, what it feeds, and its workflow",
        resource.one
    );
    Targets::arguments(resource, command.about(about)).after_help(format!(
        "{}\n\nSecrets are hidden: `get --with-secrets` shows them. What names it is looked for in the \
         lists of the service, with a request for each message queue where they belong to one.",
        resource.examples(&lines)
    ))
}

pub(super) fn run(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let (targets, remote) = ask.targets()?;
    let others = || Others::find(ask.resource, targets.parallel, &remote);
    if let Some(key) = targets.one() {
        // Before the lists: it may not be there.
        let item = get::one(ask.resource, key, &remote)?;
        ask.global.format().write(&others()?.of(item, &remote)?)?;
        return Ok(Exit::Done);
    }
    let chosen = targets.chosen(&remote)?;
    let others = others()?;
    chosen.show(ask.global, |key| {
        others.of(get::one(ask.resource, key, &remote)?, &remote)
    })
}

/// What it is called, its workflow with its status, and what its last run says if that has failed.
type State = (String, Option<(String, Option<Status>)>, Option<String>);

impl Resource {
    /// Whether these names could be those of one.
    pub(crate) fn check(&self, names: &[String]) -> Result<(), Failure> {
        let path = key::path(self);
        if path.len() != names.len() {
            let wanted: Vec<&str> = path.iter().map(|info| key::heading(info.key)).collect();
            let line = format!("write {} {}", self.word, wanted.join(" "));
            return Err(Failure::usage(line));
        }
        let mut checks = path.iter().zip(names).map(|(info, name)| info.check(name));
        checks.try_for_each(|check| check.map_err(Failure::usage))
    }

    /// How one is doing.
    pub(crate) fn state(
        &'static self,
        names: &[String],
        remote: &Remote,
    ) -> Result<State, Failure> {
        let item = get::one(self, &Names(names.to_vec()), remote)?;
        let last = runs(&item, remote)?.and_then(|runs| runs.into_iter().next());
        let failed = last.filter(|run| run["status"] == "Failed");
        let failed = failed.map(|run| page::text(&run["message"]));
        let workflow = Part::of(&item, remote)?.map(|part| (part.name, part.status));
        Ok((format!("{} {}", self.word, item.names), workflow, failed))
    }
}

/// All that may name a resource of a kind, for as many of it as are described.
struct Others(Vec<(&'static Link, Vec<Item>)>);

impl Others {
    fn find(
        resource: &'static Resource,
        parallel: NonZeroUsize,
        remote: &Remote,
    ) -> Result<Self, Failure> {
        let links = LINKS.iter().filter(|link| link.to.word == resource.word);
        let lists = links.map(|link| Ok((link, list::listed(link.of, remote, &[], parallel)?)));
        lists.collect::<Result<_, Failure>>().map(Self)
    }

    fn of(&self, item: Item, remote: &Remote) -> Result<Description, Failure> {
        let item = item.hidden();
        let links = self.links(&item, remote)?;
        Ok(Description {
            kind: item.resource.word,
            name: item.names.to_string(),
            workflow: Part::of(&item, remote)?,
            runs: runs(&item, remote)?,
            resource: item,
            links,
        })
    }

    fn links(
        &self,
        item: &Item,
        remote: &Remote,
    ) -> Result<BTreeMap<&'static str, Vec<Mention>>, Failure> {
        let mut links: BTreeMap<_, Vec<Mention>> = BTreeMap::new();
        let mut add = |relation, resource: &'static Resource, names: &Names| {
            let neighbour = Mention::of(resource, names).with("type", resource.word);
            links.entry(relation).or_default().push(neighbour);
        };
        if let (Some(resource), Some(parent)) = (item.resource.parent, item.names.parent()) {
            add(FED_BY.0, resource, &Names::of(&parent));
        }
        for link in LINKS
            .iter()
            .filter(|link| link.of.word == item.resource.word)
        {
            for name in named(item, link) {
                add(link.relation.0, link.to, &Names::of(&name));
            }
        }
        for (link, others) in &self.0 {
            let naming = |other: &&Item| named(other, link).contains(&item.name());
            for other in others.iter().filter(naming) {
                add(link.relation.1, link.of, &other.names);
            }
        }
        let is_parent = |it: &Resource| it.parent.is_some_and(|it| it.word == item.resource.word);
        for child in RESOURCES.iter().copied().filter(|it| is_parent(it)) {
            let own = [item.name().to_owned()];
            for other in list::listed(child, remote, &own, NonZeroUsize::MIN)? {
                add(FED_BY.1, child, &other.names);
            }
        }
        Ok(links)
    }
}

/// What has to be there before a resource can be made.
pub(super) fn needs(
    resource: &'static Resource,
    names: &Names,
    members: &Map<String, Value>,
) -> impl Iterator<Item = (&'static Resource, Names)> {
    let parent = resource.parent.zip(names.parent());
    let parent = parent.map(|(resource, name)| (resource, Names::of(&name)));
    let links = LINKS.iter().filter(|link| link.of.word == resource.word);
    let linked = links.flat_map(|link| {
        let others = named_by(member(members, link.member), link);
        others.into_iter().map(|name| (link.to, Names::of(&name)))
    });
    parent.into_iter().chain(linked)
}

/// The resources that a member names: by a text, or by objects that say of what type they are.
fn named<'a>(item: &'a Item, link: &Link) -> Vec<&'a str> {
    named_by(item.member(link.member), link)
}

fn named_by<'a>(value: &'a Value, link: &Link) -> Vec<&'a str> {
    let of_type = |it: &&Value| it["type"].as_str() == Some(link.to.kind());
    match value {
        Value::String(name) if !name.is_empty() => vec![name],
        Value::Array(list) => {
            let names = list.iter().filter(of_type);
            names.filter_map(|it| it["name"].as_str()).collect()
        }
        _ => Vec::new(),
    }
}

/// The last runs of a job, which say why they failed.
fn runs(item: &Item, remote: &Remote) -> Result<Option<Vec<Value>>, Failure> {
    if item.resource.word != job::RESOURCE.word {
        return Ok(None);
    }
    let name: JobName = item.name().parse().map_err(Failure::usage)?;
    let mut list = ListBatches::new(name);
    (list.sort_by, list.size) = (Some("-endTime".to_owned()), Some(RUNS));
    let runs = remote.send(list)?.runs;
    let runs: Result<_, _> = runs.iter().map(serde_json::to_value).collect();
    runs.map(Some).map_err(Failure::usage)
}

/// The workflow that a resource is part of.
#[derive(Serialize)]
struct Part {
    name: String,
    /// None of one that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

impl Part {
    fn of(item: &Item, remote: &Remote) -> Result<Option<Self>, Failure> {
        let Ok(name) = item.text("workflow").parse::<WorkflowName>() else {
            return Ok(None);
        };
        let workflow = remote.find(&name)?;
        Ok(Some(Self {
            name: name.to_string(),
            status: workflow.map(|workflow| workflow.status),
        }))
    }
}

#[derive(Serialize)]
struct Description {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    resource: Item,
    #[serde(flatten)]
    links: BTreeMap<&'static str, Vec<Mention>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<Value>>,
}

impl Show for Description {
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn table(&self) -> String {
        let mut links = Table::new(&["IS", "TYPE", "NAME", "STATUS"]);
        for (relation, others) in &self.links {
            for other in others {
                let relation = relation.replace('_', " ");
                let name = other.names.to_string();
                let cells = [&relation, other.resource.word, &name, ""].map(Cell::from);
                links.row(cells);
            }
        }
        if let Some(Part { name, status }) = &self.workflow {
            let status = status.as_ref().map_or(Cell::from("gone"), Cell::status);
            let [relation, kind, name] = ["part of", "workflow", name].map(Cell::from);
            links.row([relation, kind, name, status]);
        }
        let mut parts = vec![self.resource.table()];
        if !links.is_empty() {
            parts.push(links.render());
        }
        if let Some(runs) = self.runs.as_ref().filter(|runs| !runs.is_empty()) {
            parts.push(page::several(runs));
        }
        parts.join("\n")
    }
}
