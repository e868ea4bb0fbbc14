use clap::Args;
use pipeline_proto::{WorkflowName, model::WorkflowState, resource::workflow::GetWorkflowStatus};

use super::Targets;
use crate::{
    command::Run,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Cell, Show, Table},
};

/// Show the status of a workflow and of each of its nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow status nginx_logs
  pipeline workflow status nginx_logs -o json | jq -r .status
  pipeline workflow status --selector status=Starting

Not on the service's API page. Where an installation lacks it, the status of the workflow is shown
without those of its nodes.")]
pub(crate) struct StatusCommand {
    #[command(flatten)]
    targets: Targets,
}

impl Run for StatusCommand {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        let ask = |name: &WorkflowName| {
            let mut state = remote.send(GetWorkflowStatus::new(name.clone()))?;
            if state.name.is_empty() {
                state.name = name.into();
            }
            Ok(state)
        };
        self.targets.chosen(&remote)?.show(global, ask)
    }
}

impl Show for WorkflowState {
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn table(&self) -> String {
        table(self, false)
    }

    fn wide(&self) -> String {
        table(self, true)
    }
}

fn table(state: &WorkflowState, wide: bool) -> String {
    let mut facts = Table::of_pairs();
    facts.pair("Name", Cell::from(&state.name));
    facts.pair("Status", Cell::status(&state.status));
    if wide {
        facts.pair("Region", Cell::from(&state.region));
        facts.pair("Nodes", Cell::from(state.nodes.len().to_string()));
    }
    let mut text = facts.render();
    let mut nodes = Table::new(&["NODE", "TYPE", "STATUS"]);
    for node in &state.nodes {
        nodes.row([
            Cell::from(&node.name),
            Cell::from(node.node_type.as_str()),
            Cell::status(&node.status),
        ]);
    }
    if !nodes.is_empty() {
        text.push('\n');
        text.push_str(&nodes.render());
    }
    text
}
