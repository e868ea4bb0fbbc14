use clap::Args;
use pipeline_proto::{WorkflowName, model::Workflow};
use serde::Serialize;

use super::{
    get::yes_or_no,
    selector::{self, Selector},
    targets::{listed, no_match},
};
use crate::{
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, Cell, Show, Table, note},
    time,
};

/// List the workflows of the account
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow list
  pipeline workflow list -o json | jq -r '.items[] | select(.status == \"Started\").name'
  pipeline workflow list --selector 'name=nginx_*,status!=Started,region=nb'")]
pub(crate) struct List {
    /// Only the workflows of these names
    #[arg(value_name = "NAME")]
    names: Vec<WorkflowName>,

    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        conflicts_with = "names",
        help = selector::HELP,
        long_help = selector::LONG_HELP
    )]
    selector: Option<Selector>,
}

impl List {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { names, selector } = self;
        let mut workflows = listed(&global.remote()?, selector.as_ref())?;
        match &selector {
            Some(selector) if workflows.is_empty() => {
                note(no_match(selector));
            }
            None if workflows.is_empty() && names.is_empty() => {
                note("there are no workflows; make one with: pipeline workflow create NAME");
            }
            _ => {}
        }
        let mut exit = Exit::Done;
        if !names.is_empty() {
            for name in names.iter().filter(|name| !has(&workflows, name)) {
                output::report(&format_args!("{name}: there is no such workflow"));
                exit = Exit::NotFound;
            }
            workflows.retain(|workflow| names.iter().any(|name| workflow.name == name.as_str()));
        }
        global.format().write(&Workflows(workflows))?;
        Ok(exit)
    }
}

fn has(workflows: &[Workflow], name: &WorkflowName) -> bool {
    workflows
        .iter()
        .any(|workflow| workflow.name == name.as_str())
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
                Cell::from(time::shown(&workflow.update_time)),
            ];
            if wide {
                // Most answers to a list have no nodes.
                let nodes = workflow.nodes.as_ref().map(|nodes| nodes.len().to_string());
                row.extend([
                    Cell::from(time::shown(&workflow.create_time)),
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
