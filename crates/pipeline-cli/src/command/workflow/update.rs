use std::path::{Path, PathBuf};

use clap::Args;
use pipeline_proto::{WorkflowName, operation::UpdateWorkflow};

use super::{
    outcome::Outcome,
    source::{self, File},
};
use crate::{exit::Exit, failure::Failure, options::Global};

/// Replace the nodes of a workflow by those of a file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow update nginx_logs -f nodes.json
  pipeline workflow get nginx_logs -o json --with-secrets | jq 'del(.nodes[\"old-export\"])' \\
    | pipeline workflow update nginx_logs -f -

The file holds a workflow, as YAML or JSON, with `nodes`, all of them, and `region` (`nb` if it is \
missing). What else `get` prints with -o json or -o yaml may stay in it. ${NAME} stands for a variable of \
the environment, `$${` for `${` itself. A workflow must be stopped to be updated; `apply` stops it if asked, \
checks the file and shows what differs.")]
pub(crate) struct Update {
    /// Name of the workflow
    name: WorkflowName,

    /// Workflow file, `-` for stdin
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

fn read(name: &WorkflowName, path: &Path) -> Result<UpdateWorkflow, Failure> {
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
    Ok(UpdateWorkflow::new(name.clone(), definition.nodes).region(region))
}
