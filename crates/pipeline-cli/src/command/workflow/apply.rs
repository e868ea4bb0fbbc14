use std::num::NonZeroUsize;

use clap::Args;
use pipeline_graph::{Definition, Severity, diff::Diff, file::Filled, lint::Rule};
use pipeline_proto::{WorkflowName, model::Workflow};
use serde::{Serialize, Serializer};

use super::{
    diff::{changed_nodes, coloured},
    plan::{Allowed, Plan, Step, confirm_losses},
    source::{self, File, Files, Owners, Source},
};
use crate::{
    command::{
        Run,
        many::{Many, listed},
    },
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, Show, note},
    remote::Remote,
};

/// Make workflows what files say: create them, or change what differs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow apply nginx_logs.yaml --dry-run
  pipeline workflow apply nginx_logs.yaml
  pipeline workflow apply nginx_logs.yaml --restart --wait
  pipeline workflow apply -R workflows/ --yes

Shows what will differ, then does it. Sends nothing if lint finds an error in the file, and changes \
nothing if nothing differs. Of several files and folders all are checked and compared first; if one of \
them cannot be applied, none is. Then one after the other is applied, and a failure keeps none of the \
others from it.

${NAME} in a file stands for a variable of the environment. Its value is not shown. Variables that this \
program reads for itself, such as its keys, cannot be used.

Nodes and edges that the file does not have are removed. That is shown and asked about first; without \
a terminal it needs --yes.

A workflow that runs is changed with --restart only: it is stopped, changed and started again. One \
that does not run stays as it is, and so does one that runs and need not be changed; --start leaves \
either running. If the command is interrupted or fails on the way, it says what was done, and how the \
rest is done.")]
pub(crate) struct Apply {
    #[command(flatten)]
    files: Files,

    /// Only show what would be done; end with code 10 if that is anything
    #[arg(long)]
    dry_run: bool,

    /// Leave what stands for a variable that is not set as the service has it
    #[arg(long)]
    keep_secrets: bool,

    #[command(flatten)]
    allowed: Allowed,
}

impl Run for Apply {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (sources, one) = self.files.sources();
        match sources.as_slice() {
            [source] if one => self.apply_one(source, global),
            sources => self.apply_all(sources, global),
        }
    }
}

impl Apply {
    fn apply_one(&self, source: &Source, global: &Global) -> Result<Exit, Failure> {
        let wanted = self.wanted(source)?;
        let remote = global.remote()?;
        let mut planned = self.plan(&wanted, &remote)?;
        // People see it before it is done, programs when it is.
        let for_people = global.format().is_for_people();
        if for_people {
            output::text(&planned.table())?;
        }
        if self.dry_run {
            planned.tell("");
        } else if let Some(obstacle) = planned.plan.obstacle.take() {
            return Err(obstacle);
        } else {
            let changes = [(planned.name.as_str(), &planned.plan.diff)];
            confirm_losses(changes, global.yes)?;
            planned.plan.carry_out(&remote, "")?;
        }
        if planned.plan.steps.is_empty() {
            note(format_args!("{} is as the file says", planned.name));
        }
        if !for_people {
            global.format().write(&planned)?;
        }
        Ok(planned.exit())
    }

    /// All are read before the service is asked, and all are compared before anything is changed.
    fn apply_all(&self, sources: &[Source], global: &Global) -> Result<Exit, Failure> {
        let refused = |exit| {
            note("nothing was sent, as not all of them can be applied");
            Ok(exit)
        };
        let at = |source: &Source| sources.iter().position(|it| std::ptr::eq(it, source));
        let owners = Owners::default();
        let checked = Many::run(sources, NonZeroUsize::MIN, "checked", |source| {
            let wanted = self.wanted(source)?;
            owners.claim(wanted.name.as_str(), &wanted.label(), source)?;
            Ok(wanted)
        });
        if checked.exit() != Exit::Done {
            return refused(checked.tell());
        }
        let wanted = checked.into_successes();
        let remote = global.remote()?;
        let planned = Many::run(sources, NonZeroUsize::MIN, "compared", |source| {
            let wanted = at(source).and_then(|at| wanted.get(at));
            let mut planned = self.plan(wanted.ok_or_else(no_such_file)?, &remote)?;
            planned.headed = true;
            match planned.plan.obstacle.take() {
                Some(obstacle) if !self.dry_run => Err(obstacle),
                obstacle => {
                    planned.plan.obstacle = obstacle;
                    Ok(planned)
                }
            }
        });
        let for_people = global.format().is_for_people();
        if self.dry_run || planned.exit() != Exit::Done {
            let exit = planned.show(global)?;
            if !self.dry_run {
                return refused(exit);
            }
            for planned in planned.successes() {
                planned.tell(&planned.name);
            }
            let pending = planned.successes().any(|it| it.exit() == Exit::Changes);
            return Ok(if exit == Exit::Done && pending {
                Exit::Changes
            } else {
                exit
            });
        }
        let planned = planned.into_successes();
        if for_people {
            let tables = planned.iter().map(Show::table);
            let tables: Vec<String> = tables.filter(|table| !table.is_empty()).collect();
            output::text(&tables.join("\n"))?;
        }
        let changes = planned.iter().map(|it| (it.name.as_str(), &it.plan.diff));
        confirm_losses(changes, global.yes)?;
        let applied = Many::run(sources, NonZeroUsize::MIN, "applied", |source| {
            let at = at(source).ok_or_else(no_such_file)?;
            let planned_one = planned.get(at).ok_or_else(no_such_file)?;
            let rest = listed(planned[at + 1..].iter().map(|it| &it.name));
            planned_one.plan.carry_out(&remote, &rest)?;
            Ok(planned_one)
        });
        if for_people {
            Ok(applied.tell())
        } else {
            applied.report(global)
        }
    }

    /// What a file wants, if it has no error with the values of its variables.
    fn wanted(&self, source: &Source) -> Result<Wanted, Failure> {
        let file = File::read(source.path()?)?;
        let parsed = file.parse()?;
        let filled = parsed.fill(source::variable);
        check(&file, &filled, self.keep_secrets)?;
        let definition = filled.clone().leave_unset().definition();
        let definition = definition.map_err(|error| file.unusable(&error))?;
        let name = definition.workflow_name();
        Ok(Wanted {
            name: name.map_err(|error| file.wrong(&error))?,
            definition,
            file,
        })
    }

    /// What has to be done for it.
    fn plan(&self, wanted: &Wanted, remote: &Remote) -> Result<Planned, Failure> {
        let there = remote.find(&wanted.name)?;
        let definition = definition(wanted, there.as_ref())?;
        let region = definition.checked_region();
        let region = region.map_err(|error| wanted.file.wrong(&error))?;
        let name = wanted.name.clone();
        Ok(Planned {
            name: wanted.label(),
            dry_run: self.dry_run,
            headed: false,
            plan: Plan::new(name, region, definition, there.as_ref(), self.allowed),
        })
    }
}

/// The definition, with what the service has in place of variables that are not set.
fn definition(wanted: &Wanted, there: Option<&Workflow>) -> Result<Definition, Failure> {
    let file = &wanted.file;
    let parsed = file.parse()?;
    let filled = parsed.fill(source::variable);
    if filled.unset().is_empty() {
        return Ok(wanted.definition.clone());
    }
    source::tell_unset(file.label(), &filled);
    let filled = filled.keep(&there.map(Definition::from).unwrap_or_default());
    check(file, &filled, true)?;
    filled.definition().map_err(|error| {
        file.unusable(&error)
            .and("the service has nothing that fits in its place")
    })
}

fn no_such_file() -> Failure {
    Failure::usage("it was not there before")
}

/// Refuses a file with errors. Those of variables that are not set can be left for later.
fn check(file: &File, filled: &Filled<'_>, without_unset: bool) -> Result<(), Failure> {
    let findings = filled.lint();
    let left = |rule| rule == Rule::UnsetVariable && without_unset;
    let mut errors = findings
        .iter()
        .filter(|it| it.severity() == Severity::Error && (!left(it.rule) || it.path == "name"));
    let Some(first) = errors.next() else {
        return Ok(());
    };
    let line = match errors.count() {
        0 => source::on_one_line(first),
        more => format!(
            "{}; and {more} more, which lint shows",
            source::on_one_line(first)
        ),
    };
    let failure = file.wrong_at(first.position, &line);
    Err(match first.rule {
        // It is the caller's environment that lacks it.
        Rule::UnsetVariable if first.path != "name" => {
            failure.and("--keep-secrets leaves what the service has in its place")
        }
        Rule::UnsetVariable | Rule::RefusedVariable => failure,
        Rule::MissingNodes => failure
            .with_exit(Exit::Service)
            .and("a resource by itself is for `pipeline apply`"),
        _ => failure.with_exit(Exit::Service),
    })
}

/// A file that can be applied, as far as can be known without the service.
struct Wanted {
    name: WorkflowName,
    definition: Definition,
    file: File,
}

impl Wanted {
    /// The name as it is written, which may have variables in it.
    fn label(&self) -> String {
        self.definition.written().name.clone()
    }
}

struct Planned {
    /// As it is written.
    name: String,
    dry_run: bool,
    /// One of several, for people.
    headed: bool,
    plan: Plan,
}

impl Planned {
    /// Says what would be done.
    fn tell(&self, name: &str) {
        let name = if name.is_empty() {
            String::new()
        } else {
            format!("{name}: ")
        };
        if !self.plan.steps.is_empty() {
            note(format_args!(
                "{name}would be done: {}",
                listed(&self.plan.steps)
            ));
        }
        if let Some(obstacle) = &self.plan.obstacle {
            note(format_args!("{name}but {obstacle}"));
        }
    }

    fn exit(&self) -> Exit {
        if self.dry_run && !self.plan.steps.is_empty() {
            Exit::Changes
        } else {
            Exit::Done
        }
    }
}

impl Serialize for Planned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Report<'a> {
            name: &'a str,
            /// In the past tense; of a dry run, what it would have been.
            action: &'static str,
            dry_run: bool,
            steps: &'a [Step],
            diff: &'a Diff,
        }
        let Self { name, plan, .. } = self;
        let report = Report {
            name,
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
        report.serialize(serializer)
    }
}

impl Show for Planned {
    fn names(&self) -> Vec<&str> {
        changed_nodes(&self.plan.diff)
    }

    fn table(&self) -> String {
        let text = coloured(&self.plan.diff);
        if self.headed && !text.is_empty() {
            format!("{}:\n{text}", output::plain(&self.name))
        } else {
            text
        }
    }
}
