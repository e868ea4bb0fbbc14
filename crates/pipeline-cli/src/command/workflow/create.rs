use clap::Args;
use pipeline_proto::{Region, WorkflowName, resource::workflow::CreateWorkflow};

use super::done;
use crate::{command::Run, exit::Exit, failure::Failure, options::Global, settings::Settings};

/// Create an empty workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow create nginx_logs
  pipeline workflow create nginx_logs --comment 'all sites, since June'

A create is not repeated when its response is lost: look with `pipeline workflow get` first.")]
pub(crate) struct Create {
    /// Name to give: a letter or `_`, then up to 127 letters, digits and `_`
    name: WorkflowName,

    /// Where it computes and stores; `nb` is the only one that the service documents [default: that of
    /// the profile, else nb]
    #[arg(long)]
    region: Option<Region>,

    /// Free text; it cannot be changed later
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

impl Run for Create {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let name = self.name;
        let settings = Settings::read(global)?;
        let region = match self.region {
            Some(region) => region,
            None => settings.region()?.value,
        };
        let mut create = CreateWorkflow::new(name.clone()).region(region);
        if let Some(comment) = self.comment {
            create = create.comment(comment);
        }
        global.remote()?.send(create)?;
        done(&name, "created").report(global)
    }
}
