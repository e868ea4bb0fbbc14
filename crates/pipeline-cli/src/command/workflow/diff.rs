use std::{num::NonZeroUsize, path::PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Args;
use pipeline_graph::{
    Definition,
    diff::{self, Change, Diff, Line},
    file::Variable,
};
use serde::Serialize;

use super::source::{self, File, Owners, RULE, Service, Source};
use crate::{
    command::{Run, many::Many},
    exit::Exit,
    failure::Failure,
    options::Global,
    output::Show,
    terminal,
};

/// Show what differs between two workflows, or between files and the service
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow diff nginx_logs nginx_logs.yaml
  pipeline workflow diff before.yaml after.yaml --exit-code
  pipeline workflow diff nginx_logs.yaml
  pipeline workflow diff -R workflows/ --exit-code

Two workflows, files or of the service, are compared with one another. One file alone, more than two, \
the files of a folder, and those that -f names are each compared with the workflow of the service that \
they are about.

Compares what they mean: the order of things, times and states do not count. Secrets are not shown, nor \
are values of variables, only that they differ. A variable that is not set counts as what the service \
has in its place, which is said; between two files it stands for itself.

{RULE}"))]
pub(crate) struct DiffCommand {
    /// The old and the new one: workflow files, or names of workflows. Or files, and folders of them
    #[arg(
        value_name = "FILE|NAME",
        required_unless_present = "files",
        value_parser = Source::parser_with_folders()
    )]
    sources: Vec<Source>,

    /// File, or folder of files, to compare with the service; may be given several times
    #[arg(short, long = "file", id = "files", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Look in folders within folders, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// End with code 10 if they differ
    #[arg(long)]
    exit_code: bool,
}

impl Run for DiffCommand {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let service = Service::new(global);
        let folders = self.sources.iter().any(Source::is_folder);
        let (exit, differ) = match self.sources.as_slice() {
            [old, new] if !folders && self.files.is_empty() => {
                let difference = Difference::between(&service, old, new)?;
                global.format().write(&difference)?;
                (Exit::Done, !difference.diff.is_empty())
            }
            [source @ Source::File(_)] if !folders && self.files.is_empty() => {
                let difference = Difference::with_service(&service, source, &Owners::default())?;
                global.format().write(&difference)?;
                (Exit::Done, !difference.diff.is_empty())
            }
            _ => {
                let files = self.files.into_iter().map(Source::File);
                let all = self.sources.into_iter().chain(files).collect();
                let sources = source::expanded(all, self.recursive);
                let owners = Owners::default();
                let many = Many::run(&sources, NonZeroUsize::MIN, "compared", |source| {
                    let difference = Difference::with_service(&service, source, &owners)?;
                    Ok(Difference {
                        headed: true,
                        ..difference
                    })
                });
                let differ = many.successes().any(|it| !it.diff.is_empty());
                (many.show(global)?, differ)
            }
        };
        Ok(match exit {
            Exit::Done if self.exit_code && differ => Exit::Changes,
            exit => exit,
        })
    }
}

#[derive(Serialize)]
struct Difference {
    old: String,
    new: String,
    #[serde(flatten)]
    diff: Diff,
    /// One of several, for people.
    #[serde(skip)]
    headed: bool,
}

impl Difference {
    fn between(service: &Service<'_>, old: &Source, new: &Source) -> Result<Self, Failure> {
        let [old_one, new_one] = match (old, new) {
            (Source::Nothing(_, why), _) | (_, Source::Nothing(_, why)) => {
                return Err(Failure::usage(why));
            }
            (Source::File(old), Source::File(new)) => [old, new].map(|path| {
                let file = File::read(path)?;
                let unset = |name: &str| match source::variable(name) {
                    Variable::Unset => Variable::Elsewhere,
                    variable => variable,
                };
                let definition = file.parse()?.fill(unset).definition();
                definition.map_err(|error| file.unusable(&error))
            }),
            (Source::Service(old), Source::Service(new)) => {
                [old, new].map(|name| Ok(Definition::from(&service.get(name)?)))
            }
            (Source::Service(name), Source::File(path)) => {
                let (there, file) = beside(path, |_| Ok(Definition::from(&service.get(name)?)))?;
                [Ok(there), Ok(file)]
            }
            (Source::File(path), Source::Service(name)) => {
                let (there, file) = beside(path, |_| Ok(Definition::from(&service.get(name)?)))?;
                [Ok(file), Ok(there)]
            }
        };
        Ok(Self {
            old: old.to_string(),
            new: new.to_string(),
            diff: diff::diff(&old_one?, &new_one?),
            headed: false,
        })
    }

    /// With the workflow that the file is about; with nothing, if there is none.
    fn with_service(
        service: &Service<'_>,
        source: &Source,
        owners: &Owners,
    ) -> Result<Self, Failure> {
        let mut name = String::new();
        let (there, file) = beside(source.path()?, |file| {
            let wrong = |error| Failure::usage(error);
            let workflow = file.workflow_name().map_err(wrong)?;
            file.written().name.clone_into(&mut name);
            owners.claim(workflow.as_str(), &name, source)?;
            let there = service.remote()?.find(&workflow)?;
            Ok(there.as_ref().map(Definition::from).unwrap_or_default())
        })?;
        Ok(Self {
            old: name,
            new: source.to_string(),
            diff: diff::diff(&there, &file),
            headed: false,
        })
    }
}

/// What the service has, and a file that takes from it what the environment lacks.
fn beside(
    path: &std::path::Path,
    get: impl FnOnce(&Definition) -> Result<Definition, Failure>,
) -> Result<(Definition, Definition), Failure> {
    let file = File::read(path)?;
    let parsed = file.parse()?;
    let filled = parsed.fill(source::variable);
    let definition = || {
        let definition = filled.clone().leave_unset().definition();
        definition.map_err(|error| file.unusable(&error))
    };
    let there = get(&definition()?)?;
    source::tell_unset(file.label(), &filled);
    let kept = filled.keep(&there).leave_unset().definition();
    Ok((there, kept.map_err(|error| file.unusable(&error))?))
}

impl Show for Difference {
    fn names(&self) -> Vec<&str> {
        changed_nodes(&self.diff)
    }

    fn table(&self) -> String {
        let text = coloured(&self.diff);
        if self.headed && !text.is_empty() {
            format!("{}:\n{text}", crate::output::plain(&self.new))
        } else {
            text
        }
    }
}

/// The ids of the nodes that change.
pub(super) fn changed_nodes(diff: &Diff) -> Vec<&str> {
    diff.nodes.iter().map(|node| node.node.as_str()).collect()
}

/// A difference for people: green what comes, red what goes, yellow what changes.
pub(super) fn coloured(diff: &Diff) -> String {
    let line = |Line { change, text, .. }: Line| {
        let style = match change {
            Some(Change::Added) => AnsiColor::Green.on_default(),
            Some(Change::Removed) => AnsiColor::Red.on_default(),
            Some(Change::Changed) => AnsiColor::Yellow.on_default(),
            None => Style::new(),
        };
        format!("{style}{text}{style:#}\n")
    };
    let lines = diff.lines(terminal::columns());
    lines.into_iter().map(line).collect()
}
