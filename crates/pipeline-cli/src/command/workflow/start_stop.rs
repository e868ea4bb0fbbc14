use clap::Args;
use pipeline_proto::{
    resource::workflow::{StartWorkflow, StopWorkflow},
    wait::Goal,
};

use super::{Targets, done};
use crate::{command::Run, exit::Exit, failure::Failure, options::Global, remote::By};

/// Start workflows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow start nginx_logs
  pipeline workflow start nginx_logs --wait --timeout 10m
  pipeline workflow start --selector 'name=nginx_*,status!=Started' --wait

Without --wait, the service is asked once and the command ends; a workflow that runs already is an \
error then. With --wait, the workflow is started from whatever state it is in, and that it runs \
already is fine.

Of several, a failure of one does not keep the others from being started.")]
pub(crate) struct Start {
    #[command(flatten)]
    change: Change,
}

/// Stop workflows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow stop nginx_logs
  pipeline workflow stop nginx_logs --wait
  pipeline workflow stop --all --wait --parallel 8
  pipeline workflow stop --selector status=Started

Without --wait, the service is asked once and the command ends; a workflow that does not run is an \
error then. With --wait, the workflow is stopped from whatever state it is in, and that it is stopped \
already is fine.

Of several, a failure of one does not keep the others from being stopped.")]
pub(crate) struct Stop {
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    targets: Targets,

    /// Wait until each has come to its end, for --timeout [default: 5m] at most
    #[arg(short, long)]
    wait: bool,
}

impl Run for Start {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.change.run(global, Goal::Started)
    }
}

impl Run for Stop {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.change.run(global, Goal::Stopped)
    }
}

impl Change {
    fn run(self, global: &Global, goal: Goal) -> Result<Exit, Failure> {
        let Self { targets, wait } = self;
        let action = match goal {
            _ if wait => goal.as_str(),
            Goal::Started => "starting",
            _ => "stopping",
        };
        let remote = global.remote()?;
        targets.chosen(&remote)?.act(global, action, |name, show| {
            if wait {
                let end = remote.wait(name, goal, By::Acting, show)?;
                return Ok(done(name, action).came(action, &end));
            }
            match goal {
                Goal::Started => remote.send(StartWorkflow::new(name.clone()))?,
                _ => remote.send(StopWorkflow::new(name.clone()))?,
            }
            Ok(done(name, action))
        })
    }
}
