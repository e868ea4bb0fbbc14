use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::outcome::{Outcome, waited};
use crate::{app::Global, exit::Exit, failure::Failure, interrupt, remote::By};

/// Stop a workflow, wait, and start it again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow restart nginx_logs
  pipeline workflow restart nginx_logs --timeout 10m

Right from every state; a workflow that is stopped already is started. --timeout [default: 5m] is for \
each of both waits.")]
pub(crate) struct Restart {
    /// Name of the workflow
    name: WorkflowName,
}

impl Restart {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let name = self.name;
        let remote = global.remote()?;
        interrupt::task(format!("{name} may be stopping and is not started again"));
        remote
            .wait(&name, Goal::Stopped, By::Acting)
            .map_err(|failure| failure.and(format_args!("{name} was not started again")))?;
        interrupt::task(format!("{name} was stopped and may not be started again"));
        let started = remote
            .wait(&name, Goal::Started, By::Acting)
            .map_err(|failure| failure.and(format_args!("{name} was stopped before")))?;
        let line = format!("{name} is started again {}", waited(&started));
        Outcome::new(&name, "restarted")
            .after(&started)
            .report(global, line)
    }
}
