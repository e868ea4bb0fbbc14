//! `pipeline workflow …`.

mod apply;
mod create;
mod delete;
mod diff;
mod export;
mod get;
mod graph;
mod lint;
mod list;
mod many;
mod outcome;
mod plan;
mod restart;
mod search;
mod selector;
pub(super) mod source;
mod start_stop;
mod status;
mod targets;
mod update;
mod wait;
mod watch;

use clap::Subcommand;

pub(super) use self::selector::keys as selector_keys;

use crate::{exit::Exit, failure::Failure, options::Global};

/// List, change, start and stop workflows; keep them in files, check and draw them
#[derive(Debug, Subcommand)]
#[command(visible_alias = "wf", arg_required_else_help = true)]
pub(crate) enum Workflow {
    List(list::List),
    Get(get::Get),
    Create(create::Create),
    Update(update::Update),
    Delete(delete::Delete),
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
