use clap::Args;
use pipeline_proto::{model::Workflow, operation::ListWorkflows};
use serde::Serialize;

use super::get::yes_or_no;
use crate::{
    app::Global,
    exit::Exit,
    failure::Failure,
    output::{Cell, Show, Table, note},
};

/// List all workflows of the account
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow list
  pipeline workflow list -o json | jq -r '.items[] | select(.status == \"Started\").name'
  for name in $(pipeline workflow list -o name); do pipeline workflow status $name; done")]
pub(crate) struct List {}

impl List {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {} = self;
        let mut workflows = global.remote()?.send(ListWorkflows::new())?;
        workflows.sort_by(|a, b| a.name.cmp(&b.name));
        if workflows.is_empty() {
            note("there are no workflows; make one with: pipeline workflow create NAME");
        }
        global.format().write(&Workflows(workflows))?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Workflows(Vec<Workflow>);

impl Show for Workflows {
    fn names(&self) -> Vec<&str> {
        self.0
            .iter()
            .map(|workflow| workflow.name.as_str())
            .collect()
    }

    fn table(&self) -> String {
        self.columns(false)
    }

    fn wide(&self) -> String {
        self.columns(true)
    }
}

impl Workflows {
    fn columns(&self, wide: bool) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut headings = vec!["NAME", "STATUS", "CAN START", "REGION", "UPDATED"];
        if wide {
            headings.extend(["CREATED", "NODES", "BY HAND"]);
        }
        headings.push("COMMENT");
        let mut table = Table::new(&headings);
        for workflow in &self.0 {
            let mut row = vec![
                Cell::from(&workflow.name),
                Cell::status(&workflow.status),
                Cell::from(yes_or_no(workflow.can_start)),
                Cell::from(&workflow.region),
                Cell::from(workflow.update_time.as_str()),
            ];
            if wide {
                // Most answers to a list have no nodes.
                let nodes = workflow.nodes.as_ref().map(|nodes| nodes.len().to_string());
                row.extend([
                    Cell::from(workflow.create_time.as_str()),
                    Cell::from(nodes.unwrap_or_default()),
                    Cell::from(yes_or_no(workflow.is_manual)),
                ]);
            }
            row.push(Cell::from(&workflow.comment));
            table.row(row);
        }
        table.render()
    }
}
