use clap::Args;
use pipeline_graph::draw::{Charset, Picture};
use pipeline_proto::{WorkflowName, model::Workflow, operation::GetWorkflow};

use crate::{
    app::Global,
    exit::Exit,
    failure::Failure,
    output::{Cell, Show, Table},
};

/// Show a workflow with its nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow get nginx_logs
  pipeline workflow get nginx_logs -o json

JSON and YAML hold the nodes' data as the service has it, secrets included.")]
pub(crate) struct Get {
    /// Name of the workflow
    name: WorkflowName,
}

impl Get {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let workflow = global.remote()?.send(GetWorkflow::new(self.name))?;
        global.format().write(&workflow)?;
        Ok(Exit::Done)
    }
}

impl Show for Workflow {
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn table(&self) -> String {
        let mut facts = Table::of_pairs();
        facts.pair("Name", Cell::from(&self.name));
        facts.pair("Status", Cell::status(&self.status));
        facts.pair("Can start", Cell::from(yes_or_no(self.can_start)));
        facts.pair("Region", Cell::from(&self.region));
        facts.pair("Comment", Cell::from(&self.comment));
        facts.pair("Created", Cell::from(self.create_time.as_str()));
        facts.pair("Updated", Cell::from(self.update_time.as_str()));
        if self.is_manual == Some(true) {
            facts.pair("Runs", Cell::from("by hand, once per start"));
        }
        let mut text = facts.render();
        text.push('\n');
        match self.nodes.as_ref().filter(|nodes| !nodes.is_empty()) {
            Some(nodes) => text.push_str(&Picture::new(nodes).tree(Charset::Unicode)),
            None => text.push_str("No nodes yet.\n"),
        }
        text
    }
}

pub(super) fn yes_or_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}
