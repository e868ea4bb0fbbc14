use std::path::PathBuf;

use clap::Args;
use pipeline_proto::{Region, WorkflowName, model::Workflow, operation::UpdateWorkflow};

use super::outcome::Outcome;
use crate::{app::Global, exit::Exit, failure::Failure, input};

/// Replace the nodes of a workflow by those of a JSON file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow update nginx_logs -f nodes.json
  pipeline workflow get nginx_logs -o json | jq 'del(.nodes[\"old-export\"])' \\
    | pipeline workflow update nginx_logs -f -

The file holds a JSON object with `nodes`, all of them, and `region` (`nb` if it is missing). What else \
`get -o json` prints may stay in it. A workflow must be stopped to be updated.")]
pub(crate) struct Update {
    /// Name of the workflow
    name: WorkflowName,

    /// JSON file, `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

impl Update {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { name, file } = self;
        let update = read(&name, &file)?;
        global.remote()?.send(update)?;
        Outcome::new(&name, "updated").report(global, format_args!("updated {name}"))
    }
}

fn read(name: &WorkflowName, file: &std::path::Path) -> Result<UpdateWorkflow, Failure> {
    let text = input::read(file)?;
    let wrong =
        |what: &dyn std::fmt::Display| Failure::usage(format!("{}: {what}", file.display()));
    let definition: Workflow = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if !definition.name.is_empty() && definition.name != name.as_str() {
        let other = format!("the file is about {:?}, not {name}", definition.name);
        return Err(wrong(&other));
    }
    // Whether a request without nodes would delete them all is not known.
    let nodes = definition
        .nodes
        .ok_or_else(|| wrong(&"there is no `nodes` in it; write {} to remove all nodes"))?;
    let mut update = UpdateWorkflow::new(name.clone(), nodes);
    if !definition.region.is_empty() {
        let region = Region::new(definition.region).map_err(|error| wrong(&error))?;
        update = update.region(region);
    }
    Ok(update)
}
