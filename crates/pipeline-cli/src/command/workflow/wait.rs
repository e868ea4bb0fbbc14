use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::{Targets, done};
use crate::{
    command::Run, exit::Exit, failure::Failure, lang::pick, options::Global, output::note,
    remote::By,
};

/// Wait until workflows are started, stopped or deleted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow wait nginx_logs --for started
  pipeline workflow wait nginx_logs --for deleted --timeout 10m
  pipeline workflow wait --selector 'name=nginx_*' --for stopped

Only looks; `start --wait` and `stop --wait` also ask for the change. Ends at once with code 7 if the \
workflow rests in a state from which the wanted one does not come by itself, with 3 if there is no \
such workflow, and with 6 after --timeout [default: 5m]. With `--for deleted`, a workflow that is not \
there is no failure; the line says if it was not there from the beginning.

Of several, each has the whole of --timeout, and a failure of one does not end the wait for the others.")]
pub(crate) struct Wait {
    #[command(flatten)]
    targets: Targets,

    /// What to wait for: started, stopped or deleted
    #[arg(long = "for", value_name = "STATE")]
    goal: Goal,
}

impl Run for Wait {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { targets, goal } = self;
        let remote = global.remote()?;
        // What the service has listed was there.
        let listed = targets.are_listed();
        let of_one = targets.one()?.is_some();
        targets
            .chosen(&remote)?
            .act(global, goal.as_str(), |name, show| {
                let mut end = remote.wait(name, goal, By::Looking, show)?;
                end.seen |= listed;
                if end.seen {
                    return Ok(done(name, goal.as_str()).came(goal.as_str(), &end));
                }
                // It may be mistyped: nobody knows that such a workflow was deleted.
                let line = never_seen(name);
                if !of_one {
                    note(&line);
                }
                Ok(done(name, "absent").after(&end).line(line))
            })
    }
}

pub(super) fn never_seen(name: &WorkflowName) -> String {
    pick(
        format!("there is no workflow {name}, and there was none when the wait began"),
        format!("没有工作流 {name}，开始等待时就没有"),
    )
}
