//! Which workflows a command is about: one by its name, or several.

use std::{collections::HashSet, num::NonZeroUsize};

use clap::{ArgGroup, Args};
use pipeline_proto::{WorkflowName, model::Workflow, operation::ListWorkflows};

use super::selector::{self, Selector};
use crate::{exit::Exit, failure::Failure, lang::pick, output::note, remote::Remote};

/// The most that are dealt with at a time: as many connections as the client keeps open.
const MOST_PARALLEL: u16 = 64;

/// Names, or a way to find them.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(super) struct Targets {
    /// Name of the workflow, or names of several
    #[arg(value_name = "NAME", group = "which")]
    names: Vec<WorkflowName>,

    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        group = "which",
        help = selector::HELP,
        long_help = selector::LONG_HELP
    )]
    selector: Option<Selector>,

    /// All workflows of the account
    #[arg(long, group = "which")]
    all: bool,

    /// How many of several are dealt with at a time
    #[arg(
        long,
        value_name = "N",
        default_value = "4",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PARALLEL))
    )]
    parallel: u16,
}

impl Targets {
    /// The workflow, if it is exactly one by its name.
    pub(super) fn one(&self) -> Option<&WorkflowName> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// Whether the names come from the service, and not from the command line.
    pub(super) fn are_listed(&self) -> bool {
        self.all || self.selector.is_some()
    }

    pub(super) fn parallel(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.parallel.into()).unwrap_or(NonZeroUsize::MIN)
    }

    /// The names of all, each once. Asks the service if they are not given; a selector that fits
    /// nothing is most likely mistyped, and so a failure.
    pub(super) fn names(&self, remote: &Remote) -> Result<Vec<WorkflowName>, Failure> {
        if !self.are_listed() {
            let mut seen = HashSet::new();
            let names = self.names.iter().filter(|name| seen.insert(*name));
            return Ok(names.cloned().collect());
        }
        let workflows = listed(remote, self.selector.as_ref())?;
        match &self.selector {
            Some(selector) if workflows.is_empty() => {
                let line = no_match(selector);
                return Err(Failure::new(Exit::NotFound, line));
            }
            None if workflows.is_empty() => note("there are no workflows"),
            _ => {}
        }
        let names = workflows.into_iter().map(|workflow| {
            WorkflowName::new(workflow.name.as_str()).map_err(|error| {
                let line = format!(
                    "the service lists a workflow {:?} that cannot be asked for: {error}",
                    workflow.name
                );
                Failure::new(Exit::Service, line)
            })
        });
        names.collect()
    }
}

/// That a selector fits nothing.
pub(super) fn no_match(selector: &Selector) -> String {
    pick(
        format!("no workflow fits {selector}"),
        format!("没有符合 {selector} 的工作流"),
    )
}

/// The workflows of the service that fit, by name.
pub(super) fn listed(
    remote: &Remote,
    selector: Option<&Selector>,
) -> Result<Vec<Workflow>, Failure> {
    let mut workflows = remote.send(ListWorkflows::new())?;
    workflows.retain(|workflow| selector.is_none_or(|selector| selector.matches(workflow)));
    workflows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(workflows)
}
