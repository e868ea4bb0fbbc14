use clap::Args;
use pipeline_proto::{Region, WorkflowName, operation::CreateWorkflow};

use super::outcome::Outcome;
use crate::{app::Global, exit::Exit, failure::Failure};

/// Create an empty workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow create nginx_logs
  pipeline workflow create nginx_logs --comment 'all sites, since June'

A create is not repeated when its answer is lost: look with `pipeline workflow get` first.")]
pub(crate) struct Create {
    /// Name to give: a letter or `_`, then up to 127 letters, digits and `_`
    name: WorkflowName,

    /// Where it computes and stores; `nb` is the only one that the service documents
    #[arg(long, default_value = "nb")]
    region: Region,

    /// Free text; it cannot be changed later
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

impl Create {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let name = self.name;
        let mut create = CreateWorkflow::new(name.clone()).region(self.region);
        if let Some(comment) = self.comment {
            create = create.comment(comment);
        }
        global.remote()?.send(create)?;
        Outcome::new(&name, "created").report(global, format_args!("created {name}"))
    }
}
