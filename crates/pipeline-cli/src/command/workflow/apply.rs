use std::path::PathBuf;

use clap::Args;
use pipeline_graph::{Definition, Severity, diff::Diff, lint::lint_file};
use pipeline_proto::WorkflowName;
use serde::Serialize;

use super::{
    diff::{changed_nodes, coloured},
    plan::{Allowed, Plan, Step},
    source::{self, File},
};
use crate::{
    app::Global,
    exit::Exit,
    failure::Failure,
    output::{self, Show, note},
    terminal,
};

/// Make a workflow what a file says: create it, or change what differs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow apply nginx_logs.yaml --dry-run
  pipeline workflow apply nginx_logs.yaml
  pipeline workflow apply nginx_logs.yaml --restart --wait

Shows what will differ, then does it. Sends nothing if lint finds an error in the file, and changes \
nothing if nothing differs. ${NAME} in the file stands for a variable of the environment.

Nodes and edges that the file does not have are removed. That is shown and asked about first; without \
a terminal it needs --yes.

A workflow that runs is changed with --restart only: it is stopped, changed and started again. One \
that does not run stays as it is, and so does one that runs and need not be changed; --start leaves \
either running. If the command is interrupted or fails on the way, it says what was done, and how the \
rest is done.")]
pub(crate) struct Apply {
    /// Workflow file, `-` for stdin
    #[arg(value_name = "FILE", required_unless_present = "file")]
    path: Option<PathBuf>,

    /// The same by an option
    #[arg(short, long, value_name = "FILE", conflicts_with = "path")]
    file: Option<PathBuf>,

    /// Only show what would be done; end with code 10 if that is anything
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    allowed: Allowed,
}

impl Apply {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let path = self.path.as_ref().or(self.file.as_ref());
        // The parser demands one.
        let file = File::read(path.ok_or_else(|| Failure::usage("FILE is needed"))?)?;
        let definition = checked(&file)?;
        let name = definition
            .workflow_name()
            .map_err(|error| file.wrong(&error))?;
        let region = definition
            .checked_region()
            .map_err(|error| file.wrong(&error))?;

        let remote = global.remote()?;
        let there = remote.find(&name)?;
        let there = there.as_ref();
        let plan = Plan::new(name.clone(), region, definition, there, self.allowed);
        let report = Report {
            name: &name,
            action: match plan.steps.first() {
                None => "unchanged",
                Some(Step::Create) => "created",
                Some(_) if plan.steps.contains(&Step::Update) => "updated",
                Some(_) => "started",
            },
            dry_run: self.dry_run,
            steps: &plan.steps,
            diff: &plan.diff,
        };
        // People see it before it is done, programs when it is.
        let for_people = global.format().is_for_people();
        if for_people {
            output::text(&report.table())?;
        }
        if self.dry_run {
            if !plan.steps.is_empty() {
                let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
                note(format_args!("would be done: {}", steps.join(", ")));
            }
            if let Some(obstacle) = &plan.obstacle {
                note(format_args!("but {obstacle}"));
            }
        } else if let Some(obstacle) = plan.obstacle {
            return Err(obstacle);
        } else {
            if let Some(losses) = plan.losses() {
                let question = format!("Remove {losses} from {name}?");
                terminal::confirm(&question, global.yes)?;
            }
            plan.carry_out(&remote)?;
        }
        if plan.steps.is_empty() {
            note(format_args!("{name} is as the file says"));
        }
        if !for_people {
            global.format().write(&report)?;
        }
        let pending = self.dry_run && !plan.steps.is_empty();
        Ok(if pending { Exit::Changes } else { Exit::Done })
    }
}

/// The definition in a file without errors, its variables resolved.
fn checked(file: &File) -> Result<Definition, Failure> {
    let parsed = file.parse()?;
    let findings = lint_file(&parsed);
    let mut errors = findings
        .iter()
        .filter(|it| it.severity() == Severity::Error);
    if let Some(first) = errors.next() {
        let line = match errors.count() {
            0 => first.to_string(),
            more => format!("{first}; and {more} more, which lint shows"),
        };
        return Err(file.wrong(&line).with_exit(Exit::Service));
    }
    parsed
        .resolve(source::variable)
        .map_err(|error| file.wrong(&error))
}

#[derive(Serialize)]
struct Report<'a> {
    name: &'a WorkflowName,
    /// In the past tense; of a dry run, what it would have been.
    action: &'static str,
    dry_run: bool,
    steps: &'a [Step],
    diff: &'a Diff,
}

impl Show for Report<'_> {
    fn names(&self) -> Vec<&str> {
        changed_nodes(self.diff)
    }

    fn table(&self) -> String {
        coloured(self.diff)
    }
}
