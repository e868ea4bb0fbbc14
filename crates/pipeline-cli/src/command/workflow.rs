//! `pipeline workflow …`.

mod apply;
mod create;
mod diff;
mod export;
mod graph;
mod lint;
mod page;
mod plan;
mod restart;
mod search;
pub(super) mod source;
mod start_stop;
mod status;
mod update;
mod wait;
mod watch;

use clap::{ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};
use pipeline_graph::hide_secrets;
use pipeline_proto::{
    Operation as _, WorkflowName,
    model::{RawJson, Status, Workflow},
    resource::workflow::{
        CreateWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs, StartWorkflow,
        StopWorkflow, UpdateWorkflow,
    },
};
use serde::Serialize;
use serde_json::Value;

use super::{
    many::Chosen,
    resource::{self, Column, Key, Mention, Names, Operations, Resource, Typed, Verb},
};
use crate::{failure::Failure, output::Cell, remote::Remote, time};

pub(super) static RESOURCE: Resource = Resource {
    word: "workflow",
    one: "a workflow",
    many: "workflows",
    chinese: "工作流",
    none: "no workflow",
    alias: Some("wf"),
    about: "List, change, start and stop workflows; keep them in files, check and draw them",
    operations: Operations {
        list: "list_workflows",
        get: "get_workflow",
        create: "create_workflow",
        update: "update_workflow",
        delete: "delete_workflow",
        ..Resource::BASE.operations
    },
    typed: Some(Typed {
        list: |remote| {
            let list = remote.send(ListWorkflows::new())?;
            list.iter().map(raw).collect()
        },
        get: |remote, name| raw(&remote.send(GetWorkflow::new(typed(name)?))?),
    }),
    made_by: "pipeline workflow create NAME",
    goes_along: ("its nodes", " with their nodes", " 及其节点"),
    columns: &[
        Column::new("STATUS", "status").shown(|it| Cell::status(&Status::from(text(it)))),
        Column::new("CAN START", "canStart"),
        Column::new("REGION", "region"),
        Column::new("UPDATED", "updateTime").shown(moment),
        Column::new("CREATED", "createTime").shown(moment).wide(),
        // Most responses to a list have no nodes.
        Column::new("NODES", "nodes")
            .shown(|it| {
                Cell::from(
                    it.as_object()
                        .map_or_else(String::new, |it| it.len().to_string()),
                )
            })
            .wide(),
        Column::new("BY HAND", "isManualWorkflow").wide(),
        Column::new("COMMENT", "comment"),
    ],
    page: page::page,
    hide,
    keys: &[
        Key::NAME,
        Key::of("status").one_of(|| Status::KNOWN.iter().map(Status::as_str).collect()),
        Key::of("region").in_any_case(),
    ],
    selector: "name=nginx_*,status=Started,region!=nb",
    verbs: &[
        Verb::own::<create::Create>("create", &[CreateWorkflow::NAME]),
        Verb::own::<update::Update>("update", &[UpdateWorkflow::NAME]),
        Verb::own::<start_stop::Start>("start", &[StartWorkflow::NAME]),
        Verb::own::<start_stop::Stop>("stop", &[StopWorkflow::NAME]),
        Verb::own::<status::StatusCommand>("status", &[GetWorkflowStatus::NAME]),
        Verb::own::<search::Search>("search", &[SearchLogs::NAME]),
        Verb::own::<wait::Wait>("wait", &[]),
        Verb::own::<restart::Restart>("restart", &[]),
        Verb::own::<watch::Watch>("watch", &[]),
        Verb::own::<export::Export>("export", &[]),
        Verb::own::<lint::Lint>("lint", &[]),
        Verb::own::<diff::DiffCommand>("diff", &[]),
        Verb::own::<apply::Apply>("apply", &[]),
        Verb::own::<graph::Graph>("graph", &[]),
    ],
    examples: ("nginx_logs", ""),
    ..Resource::BASE
};

fn raw<T: Serialize>(thing: &T) -> Result<RawJson, Failure> {
    RawJson::from_value(thing).map_err(Failure::usage)
}

fn typed(names: &Names) -> Result<WorkflowName, Failure> {
    names.to_string().parse().map_err(Failure::usage)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn moment(value: &Value) -> Cell {
    Cell::from(time::shown(&text(value).into()))
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Secrets stand in the data of nodes; nodes themselves may be called like one.
fn hide(json: &RawJson) -> RawJson {
    let hidden = json.parse().and_then(|mut workflow: Workflow| {
        let nodes = workflow.nodes.iter_mut().flat_map(|it| it.values_mut());
        nodes.for_each(|node| node.data = node.data.as_ref().map(hide_secrets));
        RawJson::from_value(&workflow)
    });
    hidden.unwrap_or_else(|_| hide_secrets(json))
}

/// What was done to a workflow, in the past tense.
fn done(name: &WorkflowName, action: &'static str) -> Mention {
    Mention::done(&RESOURCE, &Names::of(name), action)
}

/// The workflows that a command is about.
#[derive(Debug)]
struct Targets(resource::Targets);

impl Targets {
    /// The workflow, if it is exactly one by its name.
    fn one(&self) -> Result<Option<WorkflowName>, Failure> {
        self.0.one().map(typed).transpose()
    }

    fn are_listed(&self) -> bool {
        self.0.are_listed()
    }

    fn chosen(&self, remote: &Remote) -> Result<Chosen<WorkflowName>, Failure> {
        let Chosen {
            names,
            one,
            parallel,
        } = self.0.chosen(remote)?;
        let names = names.iter().map(typed).collect::<Result<_, _>>()?;
        Ok(Chosen {
            names,
            one,
            parallel,
        })
    }

    fn names_now(&self, remote: &Remote) -> Result<Vec<WorkflowName>, Failure> {
        self.0.names_now(remote)?.iter().map(typed).collect()
    }
}

impl Args for Targets {
    fn augment_args(command: Command) -> Command {
        resource::Targets::arguments(&RESOURCE, command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Targets {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let targets = resource::Targets::read(&RESOURCE, matches);
        targets
            .map(Self)
            .map_err(|failure| clap::Error::raw(ErrorKind::ValueValidation, failure))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
