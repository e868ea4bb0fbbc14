use clap::Args;
use pipeline_proto::{
    WorkflowName,
    operation::{StartWorkflow, StopWorkflow},
    wait::Goal,
};

use super::outcome::{Outcome, waited};
use crate::{app::Global, exit::Exit, failure::Failure, remote::By};

/// Start a workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow start nginx_logs
  pipeline workflow start nginx_logs --wait --timeout 10m

Without --wait, the service is asked once and the command ends; a workflow that runs already is an \
error then. With --wait, the workflow is started from whatever state it is in, and that it runs \
already is fine.")]
pub(crate) struct Start {
    #[command(flatten)]
    change: Change,
}

/// Stop a workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow stop nginx_logs
  pipeline workflow stop nginx_logs --wait

Without --wait, the service is asked once and the command ends; a workflow that does not run is an \
error then. With --wait, the workflow is stopped from whatever state it is in, and that it is stopped \
already is fine.")]
pub(crate) struct Stop {
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
struct Change {
    /// Name of the workflow
    name: WorkflowName,

    /// Wait until it has come to its end, for --timeout [default: 5m] at most
    #[arg(short, long)]
    wait: bool,
}

impl Start {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Change { name, wait } = self.change;
        let remote = global.remote()?;
        if wait {
            let observation = remote.wait(&name, Goal::Started, By::Acting)?;
            let line = format!("{name} is started {}", waited(&observation));
            return Outcome::new(&name, "started")
                .after(&observation)
                .report(global, line);
        }
        remote.send(StartWorkflow::new(name.clone()))?;
        Outcome::new(&name, "starting").report(global, format_args!("starting {name}"))
    }
}

impl Stop {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Change { name, wait } = self.change;
        let remote = global.remote()?;
        if wait {
            let observation = remote.wait(&name, Goal::Stopped, By::Acting)?;
            let line = format!("{name} is stopped {}", waited(&observation));
            return Outcome::new(&name, "stopped")
                .after(&observation)
                .report(global, line);
        }
        remote.send(StopWorkflow::new(name.clone()))?;
        Outcome::new(&name, "stopping").report(global, format_args!("stopping {name}"))
    }
}
