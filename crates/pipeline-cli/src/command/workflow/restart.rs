use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::{Targets, done};
use crate::{
    command::Run,
    exit::Exit,
    failure::Failure,
    interrupt,
    options::Global,
    remote::{By, Remote, Show, Waited},
};

/// Stop workflows, wait, and start them again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow restart nginx_logs
  pipeline workflow restart nginx_logs --timeout 10m
  pipeline workflow restart --selector 'name=nginx_*,status=Started' --parallel 8

Right from every state; a workflow that is stopped already is started. To restart only what runs, say \
status=Started: which workflows fit is looked up once, before the first one is stopped. --timeout \
[default: 5m] is for each of both waits.

Of several, a failure of one does not keep the others from being restarted. The last line says how \
many came back, and which did not.")]
pub(crate) struct Restart {
    #[command(flatten)]
    targets: Targets,
}

impl Run for Restart {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        self.targets
            .chosen(&remote)?
            .act(global, "restarted", |name, show| {
                let started = restart(&remote, name, show)?;
                Ok(done(name, "restarted").came("started again", &started))
            })
    }
}

fn restart(remote: &Remote, name: &WorkflowName, show: Show) -> Result<Waited, Failure> {
    let under_way =
        interrupt::under_way(format!("{name} may be stopping and is not started again"));
    remote
        .wait(name, Goal::Stopped, By::Acting, show)
        .map_err(|failure| failure.and(format_args!("{name} was not started again")))?;
    under_way.update(format!("{name} was stopped and may not be started again"));
    remote
        .wait(name, Goal::Started, By::Acting, show)
        .map_err(|failure| failure.and(format_args!("{name} was stopped before")))
}
