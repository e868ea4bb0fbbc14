use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::{
    many::Many,
    outcome::{Outcome, waited},
    targets::Targets,
};
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::note,
    remote::{By, Show, Waited},
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

impl Wait {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { targets, goal } = self;
        let remote = global.remote()?;
        if let Some(name) = targets.one() {
            let waited = remote.wait(name, goal, By::Looking, Show::Line)?;
            return outcome(name, goal, &waited).report(global, line(name, goal, &waited));
        }
        // What the service has listed was there.
        let listed = targets.are_listed();
        let names = targets.names(&remote)?;
        Many::run(&names, targets.parallel(), goal.as_str(), |name| {
            let mut waited = remote.wait(name, goal, By::Looking, Show::Nothing)?;
            waited.seen |= listed;
            if !waited.seen {
                note(line(name, goal, &waited));
            }
            Ok(outcome(name, goal, &waited))
        })
        .report(global)
    }
}

/// A name that was never seen may be mistyped: nobody knows that such a workflow was deleted.
fn outcome(name: &WorkflowName, goal: Goal, waited: &Waited) -> Outcome {
    let action = if waited.seen { goal.as_str() } else { "absent" };
    Outcome::new(name, action).after(waited)
}

fn line(name: &WorkflowName, goal: Goal, end: &Waited) -> String {
    if end.seen {
        format!("{name} is {goal} {}", waited(end))
    } else {
        never_seen(name)
    }
}

pub(super) fn never_seen(name: &WorkflowName) -> String {
    pick(
        format!("there is no workflow {name}, and there was none when the wait began"),
        format!("没有工作流 {name}，开始等待时就没有"),
    )
}
