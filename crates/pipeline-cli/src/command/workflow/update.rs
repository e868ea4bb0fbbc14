use std::path::{Path, PathBuf};

use clap::Args;
use pipeline_graph::{Definition, diff};
use pipeline_proto::{
    WorkflowName,
    operation::Operation as _,
    resource::workflow::{GetWorkflow, UpdateWorkflow},
};

use super::{
    done,
    plan::confirm_losses,
    source::{self, File},
};
use crate::{command::Run, exit::Exit, failure::Failure, options::Global};

/// Replace the nodes of a workflow by those of a file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow update nginx_logs -f nodes.json
  pipeline workflow get nginx_logs -o json --with-secrets | jq 'del(.nodes[\"old-export\"])' \\
    | pipeline workflow update nginx_logs -f -

The file holds a workflow, as YAML or JSON, with `nodes`, all of them, and `region` (`nb` if it is \
missing). What else `get` prints with -o json or -o yaml may stay in it. ${NAME} stands for a variable of \
the environment, `$${` for `${` itself. Nodes and edges that the file does not have are \
removed. That is asked about first; without a terminal it needs --yes, and then nothing is looked up.

A workflow must be stopped to be updated; `apply` stops it if asked, \
checks the file and shows what differs.")]
pub(crate) struct Update {
    /// Name of the workflow
    name: WorkflowName,

    /// Workflow file, `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

impl Run for Update {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { name, file } = self;
        let (definition, update) = read(&name, &file)?;
        let remote = global.remote()?;
        // With --yes nothing is asked; a token may be good for the update alone.
        if !global.yes {
            let there = remote.send(GetWorkflow::new(name.clone()));
            let there = there.map_err(|failure| match failure.exit() {
                Exit::Refused => {
                    failure.and("--yes updates without a look at what would be removed")
                }
                _ => failure,
            })?;
            let there = Definition::from(&there);
            let diff = diff::diff(&there, &definition);
            confirm_losses([(name.as_str(), &diff)], global.yes)?;
        }
        remote.send(update)?;
        done(&name, "updated").report(global)
    }
}

fn read(name: &WorkflowName, path: &Path) -> Result<(Definition, UpdateWorkflow), Failure> {
    let file = File::read(path)?;
    let parsed = file.parse()?;
    let definition = parsed.fill(source::variable).definition();
    let definition = definition.map_err(|error| file.unusable(&error))?;
    if !definition.name.is_empty() && definition.name != name.as_str() {
        let written = &definition.written().name;
        return Err(file.wrong(&format!("the file is about {written:?}, not {name}")));
    }
    let region = definition.checked_region();
    let region = region.map_err(|error| file.wrong(&error))?;
    let update = UpdateWorkflow::new(name.clone(), definition.nodes.clone()).region(region);
    // Nothing is sent, not even to look, of what cannot be sent.
    update.template().map_err(|error| file.wrong(&error))?;
    Ok((definition, update))
}
