//! `pipeline workflow …`.

mod apply;
mod create;
mod diff;
mod export;
mod get;
mod graph;
mod lint;
mod plan;
mod restart;
mod search;
pub(super) mod source;
mod start_stop;
mod status;
mod update;
mod wait;
mod watch;

use clap::Subcommand;
use pipeline_proto::{
    WorkflowName,
    model::{Status, Workflow as Item},
    operation::OperationInfo,
    resource::workflow::{DeleteWorkflow, ListWorkflows},
};

use self::get::yes_or_no;
use super::noun::{Column, Delete, Key, List, Noun};
use crate::{exit::Exit, failure::Failure, options::Global, output::Cell, remote::Remote, time};

/// The command that sends an operation of workflows.
pub(super) fn words(operation: &OperationInfo) -> Option<String> {
    let verb = match operation.name {
        "get_workflow_status" => "status",
        name => name.split('_').next()?,
    };
    (operation.resource == "workflow").then(|| format!("workflow {verb}"))
}

/// List, change, start and stop workflows; keep them in files, check and draw them
#[derive(Debug, Subcommand)]
#[command(visible_alias = "wf", arg_required_else_help = true)]
pub(crate) enum Workflow {
    /// List the workflows of the account
    #[command(after_help = "\
Examples:
  pipeline workflow list
  pipeline workflow list -o json | jq -r '.items[] | select(.status == \"Started\").name'
  pipeline workflow list --selector 'name=nginx_*,status!=Started,region=nb'")]
    List(List<Item>),
    Get(get::Get),
    Create(create::Create),
    Update(update::Update),
    /// Delete workflows with their nodes
    #[command(after_help = "\
Examples:
  pipeline workflow delete nginx_logs
  pipeline workflow stop nginx_logs --wait && pipeline workflow delete nginx_logs --yes
  pipeline workflow delete --selector 'name=test_*,status!=Started'

Asks on a terminal, once for all; anywhere else, --yes is needed.")]
    Delete(Delete<Item>),
    Start(start_stop::Start),
    Stop(start_stop::Stop),
    Status(status::StatusCommand),
    Search(search::Search),
    Wait(wait::Wait),
    Restart(restart::Restart),
    Watch(watch::Watch),
    Export(export::Export),
    Lint(lint::Lint),
    Diff(diff::DiffCommand),
    Apply(apply::Apply),
    Graph(graph::Graph),
}

impl Workflow {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::List(command) => command.run(global),
            Self::Get(command) => command.run(global),
            Self::Create(command) => command.run(global),
            Self::Update(command) => command.run(global),
            Self::Delete(command) => command.run(global),
            Self::Start(command) => command.run(global),
            Self::Stop(command) => command.run(global),
            Self::Status(command) => command.run(global),
            Self::Search(command) => command.run(global),
            Self::Wait(command) => command.run(global),
            Self::Restart(command) => command.run(global),
            Self::Watch(command) => command.run(global),
            Self::Export(command) => command.run(global),
            Self::Lint(command) => command.run(global),
            Self::Diff(command) => command.run(global),
            Self::Apply(command) => command.run(global),
            Self::Graph(command) => command.run(global),
        }
    }
}

impl Noun for Item {
    const ONE: &'static str = "workflow";
    const MANY: &'static str = "workflows";
    const CHINESE: &'static str = "工作流";
    const GOES_ALONG: &'static str = "nodes";
    const MADE_BY: &'static str = "pipeline workflow create NAME";
    const KEYS: &'static [Key<Self>] = &[
        Key::new("name", |it| &it.name),
        Key::new("status", |it: &Self| it.status.as_str())
            .one_of(|| Status::KNOWN.iter().map(Status::as_str).collect()),
        Key::new("region", |it: &Self| &it.region).in_any_case(),
    ];
    const SELECTOR: &'static str = "name=nginx_*,status=Started,region!=nb";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", |it| Cell::from(&it.name)),
        Column::new("STATUS", |it| Cell::status(&it.status)),
        Column::new("CAN START", |it| Cell::from(yes_or_no(it.can_start))),
        Column::new("REGION", |it| Cell::from(&it.region)),
        Column::new("UPDATED", |it| Cell::from(time::shown(&it.update_time))),
        Column::wide("CREATED", |it| Cell::from(time::shown(&it.create_time))),
        // Most responses to a list have no nodes.
        Column::wide("NODES", |it| {
            let nodes = it.nodes.as_ref().map(|nodes| nodes.len().to_string());
            Cell::from(nodes.unwrap_or_default())
        }),
        Column::wide("BY HAND", |it| Cell::from(yes_or_no(it.is_manual))),
        Column::new("COMMENT", |it| Cell::from(&it.comment)),
    ];

    type Name = WorkflowName;

    fn list(remote: &Remote) -> Result<Vec<Self>, Failure> {
        remote.send(ListWorkflows::new())
    }

    fn delete(remote: &Remote, name: &WorkflowName) -> Result<(), Failure> {
        remote.send(DeleteWorkflow::new(name.clone()))
    }
}
