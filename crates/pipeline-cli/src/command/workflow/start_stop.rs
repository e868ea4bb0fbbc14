use clap::Args;
use pipeline_proto::{
    WorkflowName,
    model::Workflow,
    resource::workflow::{StartWorkflow, StopWorkflow},
    wait::Goal,
};

use crate::{
    command::noun::{Outcome, Targets, waited},
    exit::Exit,
    failure::Failure,
    options::Global,
    remote::{By, Remote},
};

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
    targets: Targets<Workflow>,

    /// Wait until each has come to its end, for --timeout [default: 5m] at most
    #[arg(short, long)]
    wait: bool,
}

impl Start {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.change.run(global, Verb::Start)
    }
}

impl Stop {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.change.run(global, Verb::Stop)
    }
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Start,
    Stop,
}

impl Verb {
    fn send(self, remote: &Remote, name: &WorkflowName) -> Result<(), Failure> {
        match self {
            Self::Start => remote.send(StartWorkflow::new(name.clone())),
            Self::Stop => remote.send(StopWorkflow::new(name.clone())),
        }
    }

    fn goal(self) -> Goal {
        match self {
            Self::Start => Goal::Started,
            Self::Stop => Goal::Stopped,
        }
    }

    /// What can be said of a workflow, with and without having waited for it.
    fn action(self, wait: bool) -> &'static str {
        match (self, wait) {
            (Self::Start, false) => "starting",
            (Self::Start, true) => "started",
            (Self::Stop, false) => "stopping",
            (Self::Stop, true) => "stopped",
        }
    }
}

impl Change {
    fn run(self, global: &Global, verb: Verb) -> Result<Exit, Failure> {
        let Self { targets, wait } = self;
        let action = verb.action(wait);
        let remote = global.remote()?;
        targets.chosen(&remote)?.act(global, action, |name, show| {
            let outcome = Outcome::new(name, action);
            if wait {
                let end = remote.wait(name, verb.goal(), By::Acting, show)?;
                let line = format!("{name} is {action} {}", waited(&end));
                return Ok(outcome.after(&end).line(line));
            }
            verb.send(&remote, name)?;
            Ok(outcome)
        })
    }
}
