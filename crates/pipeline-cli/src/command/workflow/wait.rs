use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::outcome::{Outcome, waited};
use crate::{app::Global, exit::Exit, failure::Failure, remote::By};

/// Wait until a workflow is started, stopped or deleted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow wait nginx_logs --for started
  pipeline workflow wait nginx_logs --for deleted --timeout 10m

Only looks; `start --wait` and `stop --wait` also ask for the change. Ends at once with code 7 if the \
workflow rests in a state from which the wanted one does not come by itself, with 3 if there is no \
such workflow, and with 6 after --timeout [default: 5m].")]
pub(crate) struct Wait {
    /// Name of the workflow
    name: WorkflowName,

    /// What to wait for: started, stopped or deleted
    #[arg(long = "for", value_name = "STATE")]
    goal: Goal,
}

impl Wait {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { name, goal } = self;
        let observation = global.remote()?.wait(&name, goal, By::Looking)?;
        let line = format!("{name} is {goal} {}", waited(&observation));
        Outcome::new(&name, goal.as_str())
            .after(&observation)
            .report(global, line)
    }
}
