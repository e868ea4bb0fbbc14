use clap::Args;
use pipeline_graph::{
    draw::{Charset, Picture},
    hide_secrets,
};
use pipeline_proto::{
    WorkflowName,
    model::{NodeRef, Workflow},
    resource::workflow::GetWorkflow,
};

use crate::{
    command::noun::Targets,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Cell, Show, Table},
    time,
};

/// Show a workflow with its nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow get nginx_logs
  pipeline workflow get nginx_logs -o json
  pipeline workflow get --selector 'name=nginx_*' -o yaml

JSON and YAML hold the nodes' data, with ${HIDDEN} in place of secrets unless --with-secrets is given; \
`update` and `apply` do not take that for a secret.")]
pub(crate) struct Get {
    #[command(flatten)]
    targets: Targets<Workflow>,

    /// Show the secrets in the nodes' data
    #[arg(long)]
    with_secrets: bool,
}

impl Get {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        // The forms for people show no data.
        let hide = !self.with_secrets && !global.format().is_for_people();
        let get = |name: &WorkflowName| {
            let mut workflow = remote.send(GetWorkflow::new(name.clone()))?;
            let nodes = workflow
                .nodes
                .iter_mut()
                .flat_map(|nodes| nodes.values_mut());
            for node in nodes.filter(|_| hide) {
                node.data = node.data.as_ref().map(hide_secrets);
            }
            Ok(workflow)
        };
        self.targets.chosen(&remote)?.show(global, get)
    }
}

impl Show for Workflow {
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn table(&self) -> String {
        let mut text = facts(self);
        text.push('\n');
        match self.nodes.as_ref().filter(|nodes| !nodes.is_empty()) {
            Some(nodes) => text.push_str(&Picture::new(nodes).tree(Charset::Unicode)),
            None => text.push_str("No nodes yet.\n"),
        }
        text
    }

    /// With the neighbours of each node, which a tree cannot show all.
    fn wide(&self) -> String {
        let mut text = self.table();
        let mut table = Table::new(&["NODE", "TYPE", "DATA", "READS", "READ BY"]);
        let ids = |neighbours: &[NodeRef]| {
            let ids: Vec<String> = neighbours.iter().map(|it| it.id().to_string()).collect();
            Cell::from(ids.join(", "))
        };
        for node in self.nodes.iter().flat_map(|nodes| nodes.values()) {
            let size = node
                .data
                .as_ref()
                .map(|data| format!("{} B", data.get().len()));
            table.row([
                Cell::from(&node.name),
                Cell::from(node.node_type.as_str()),
                Cell::from(size.unwrap_or_default()),
                ids(&node.parents),
                ids(&node.children),
            ]);
        }
        if !table.is_empty() {
            text.push('\n');
            text.push_str(&table.render());
        }
        text
    }
}

fn facts(workflow: &Workflow) -> String {
    let mut facts = Table::of_pairs();
    facts.pair("Name", Cell::from(&workflow.name));
    facts.pair("Status", Cell::status(&workflow.status));
    facts.pair("Can start", Cell::from(yes_or_no(workflow.can_start)));
    facts.pair("Region", Cell::from(&workflow.region));
    facts.pair("Comment", Cell::from(&workflow.comment));
    facts.pair("Created", Cell::from(time::shown(&workflow.create_time)));
    facts.pair("Updated", Cell::from(time::shown(&workflow.update_time)));
    if workflow.is_manual == Some(true) {
        facts.pair("Runs", Cell::from("by hand, once per start"));
    }
    facts.render()
}

pub(super) fn yes_or_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}
