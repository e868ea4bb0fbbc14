use clap::Args;
use pipeline_proto::{WorkflowName, operation::DeleteWorkflow};

use super::outcome::Outcome;
use crate::{app::Global, exit::Exit, failure::Failure, terminal};

/// Delete a workflow with its nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow delete nginx_logs
  pipeline workflow stop nginx_logs --wait && pipeline workflow delete nginx_logs --yes

Asks on a terminal; anywhere else, --yes is needed.")]
pub(crate) struct Delete {
    /// Name of the workflow
    name: WorkflowName,
}

impl Delete {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let name = self.name;
        let remote = global.remote()?;
        terminal::confirm(&format!("Delete {name} with its nodes?"), global.yes)?;
        remote.send(DeleteWorkflow::new(name.clone()))?;
        Outcome::new(&name, "deleted").report(global, format_args!("deleted {name}"))
    }
}
