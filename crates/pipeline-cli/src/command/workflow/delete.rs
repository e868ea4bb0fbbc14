use clap::Args;
use pipeline_proto::{WorkflowName, operation::DeleteWorkflow};

use super::{
    many::{Many, listed},
    outcome::Outcome,
    targets::Targets,
};
use crate::{exit::Exit, failure::Failure, options::Global, terminal};

/// Delete workflows with their nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow delete nginx_logs
  pipeline workflow stop nginx_logs --wait && pipeline workflow delete nginx_logs --yes
  pipeline workflow delete --selector 'name=test_*,status!=Started'

Asks on a terminal, once for all; anywhere else, --yes is needed.")]
pub(crate) struct Delete {
    #[command(flatten)]
    targets: Targets,
}

impl Delete {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        let delete = |name: &WorkflowName| {
            remote.send(DeleteWorkflow::new(name.clone()))?;
            Ok(Outcome::new(name, "deleted"))
        };
        let question = |names: &[WorkflowName]| match names {
            [name] => format!("Delete {name} with its nodes?"),
            _ => format!(
                "Delete {} workflows with their nodes: {}?",
                names.len(),
                listed(names)
            ),
        };
        if let Some(name) = self.targets.one() {
            terminal::confirm(&question(std::slice::from_ref(name)), global.yes)?;
            return delete(name)?.report(global, format_args!("deleted {name}"));
        }
        let names = self.targets.names(&remote)?;
        terminal::confirm(&question(&names), global.yes || names.is_empty())?;
        Many::run(&names, self.targets.parallel(), "deleted", delete).report(global)
    }
}
