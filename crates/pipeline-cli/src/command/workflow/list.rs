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
  pipeline workflow list -o json | jq -r '.[] | select(.status == \"Started\").name'
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
        let headings = [
            "NAME",
            "STATUS",
            "CAN START",
            "REGION",
            "UPDATED",
            "COMMENT",
        ];
        let mut table = Table::new(&headings);
        for workflow in &self.0 {
            table.row([
                Cell::from(&workflow.name),
                Cell::status(&workflow.status),
                Cell::from(yes_or_no(workflow.can_start)),
                Cell::from(&workflow.region),
                Cell::from(workflow.update_time.as_str()),
                Cell::from(&workflow.comment),
            ]);
        }
        if table.is_empty() {
            String::new()
        } else {
            table.render()
        }
    }
}
