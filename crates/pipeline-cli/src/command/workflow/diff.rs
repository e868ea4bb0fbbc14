use anstyle::AnsiColor;
use clap::Args;
use pipeline_graph::diff::{self, Diff};
use serde::Serialize;

use super::source::{self, RULE, Service, Source};
use crate::{app::Global, exit::Exit, failure::Failure, output::Show};

/// Show what differs between two workflows, files or of the service
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow diff nginx_logs nginx_logs.yaml
  pipeline workflow diff before.yaml after.yaml --exit-code

Compares what they mean: the order of things, times and states do not count. Secrets are not shown, only \
that they differ. Between two files, a variable that is not set stands for itself.

{RULE}"))]
pub(crate) struct DiffCommand {
    /// The old one: workflow file, or name of a workflow
    #[arg(value_name = "OLD", value_parser = Source::parse)]
    old: Source,

    /// The new one: workflow file, or name of a workflow
    #[arg(value_name = "NEW", value_parser = Source::parse)]
    new: Source,

    /// End with code 10 if they differ
    #[arg(long)]
    exit_code: bool,
}

impl DiffCommand {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let files = matches!((&self.old, &self.new), (Source::File(_), Source::File(_)));
        let variable =
            |name: &str| source::variable(name).or_else(|| files.then(|| format!("${{{name}}}")));
        let service = Service::new(global);
        let old = source::definition(&service, &self.old, variable)?;
        let new = source::definition(&service, &self.new, variable)?;
        let difference = Difference {
            old: self.old.label(),
            new: self.new.label(),
            diff: diff::diff(&old, &new),
        };
        global.format().write(&difference)?;
        let differ = self.exit_code && !difference.diff.is_empty();
        Ok(if differ { Exit::Changes } else { Exit::Done })
    }
}

#[derive(Serialize)]
struct Difference {
    old: String,
    new: String,
    #[serde(flatten)]
    diff: Diff,
}

impl Show for Difference {
    fn names(&self) -> Vec<&str> {
        changed_nodes(&self.diff)
    }

    fn table(&self) -> String {
        coloured(&self.diff)
    }
}

/// The ids of the nodes that change.
pub(super) fn changed_nodes(diff: &Diff) -> Vec<&str> {
    diff.nodes.iter().map(|node| node.node.as_str()).collect()
}

/// A difference for people: green what comes, red what goes, yellow what changes.
pub(super) fn coloured(diff: &Diff) -> String {
    let line = |line: &str| {
        let style = match line.trim_start().chars().next() {
            Some('+') => AnsiColor::Green.on_default(),
            Some('-') => AnsiColor::Red.on_default(),
            Some('~') => AnsiColor::Yellow.on_default(),
            _ => anstyle::Style::new(),
        };
        format!("{style}{line}{style:#}\n")
    };
    diff.to_string().lines().map(line).collect()
}
