use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use pipeline_graph::{
    Definition,
    file::{Format, Secrets, Written},
};
use pipeline_proto::{WorkflowName, resource::workflow::GetWorkflow};
use serde::Serialize;

use super::Targets;
use crate::{
    command::{
        Run,
        many::{Many, listed},
    },
    exit::Exit,
    failure::Failure,
    file::{self, Readers, Target},
    options::Global,
    output::{self, Show, note},
    remote::Remote,
    terminal,
};

/// Write workflows as files that `apply` reads
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow export nginx_logs > nginx_logs.yaml
  pipeline workflow export nginx_logs --out nginx_logs.json
  pipeline workflow export --all --dir workflows

In place of each secret in the nodes' data stands ${NAME}, and stderr says which variables `apply` will \
need. With --with-secrets they are written out; the file is then readable for its owner only.

With --dir, each workflow gets a file NAME.yaml in that folder, or NAME.json. Files that are there are \
replaced only after a question or with --yes.")]
pub(crate) struct Export {
    #[command(flatten)]
    targets: Targets,

    /// File to write instead of stdout; asks if there is one, unless --yes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Folder for a file of each workflow; made if it is not there
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "out")]
    dir: Option<PathBuf>,

    /// What --out was called once.
    #[arg(short, long, value_name = "FILE", hide = true, conflicts_with = "dir")]
    file: Option<PathBuf>,

    /// Write secrets out
    #[arg(long)]
    with_secrets: bool,

    /// Notation [default: that of -o, else by the ending of the file's name, else yaml]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Notation>,
}

/// The notation of a workflow file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Notation {
    Yaml,
    Json,
}

impl Notation {
    fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

impl From<Notation> for Format {
    fn from(notation: Notation) -> Self {
        match notation {
            Notation::Yaml => Self::Yaml,
            Notation::Json => Self::Json,
        }
    }
}

impl Run for Export {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        if let Some(path) = &self.file {
            return Err(Failure::usage(format!(
                "-f names a file to read: to write one, give --out {}",
                path.display()
            )));
        }
        match (&self.dir, self.targets.one()?) {
            (Some(dir), _) => self.many(global, dir),
            (None, Some(name)) => self.one(global, &name),
            (None, None) => Err(Failure::usage(
                "several workflows need a folder for their files: give --dir FOLDER",
            )),
        }
    }
}

impl Export {
    fn one(&self, global: &Global, name: &WorkflowName) -> Result<Exit, Failure> {
        let path = self.out.as_deref().unwrap_or(Path::new("-"));
        let target = Target::ask(path, global.yes)?;
        let written = self.text(&global.remote()?, name, self.format(global))?;
        target.write(written.text.as_bytes(), self.readers())?;
        tell_variables("file", &variables(&written));
        Ok(Exit::Done)
    }

    fn many(&self, global: &Global, dir: &Path) -> Result<Exit, Failure> {
        let notation = self.format.unwrap_or(Notation::Yaml);
        let remote = global.remote()?;
        let chosen = self.targets.chosen(&remote)?;
        let names = &chosen.names;
        let path = |name: &WorkflowName| dir.join(format!("{name}.{}", notation.extension()));
        file::create_folder(dir)?;
        let there = |name: &WorkflowName| {
            Target::find(&path(name)).is_ok_and(|target| target.holds_something())
        };
        let old: Vec<&WorkflowName> = names.iter().filter(|name| there(name)).collect();
        if !old.is_empty() {
            let question = format!(
                "Replace what is in {} of {}?",
                dir.display(),
                listed(old.iter().copied())
            );
            terminal::confirm(&question, global.yes)?;
        }
        let replace = global.yes || !old.is_empty();
        let many = Many::run(names, chosen.parallel, "exported", |name| {
            if let Some(other) = namesake(name, names) {
                let line = format!(
                    "its file would be that of {other} where case does not count: export it to another folder"
                );
                return Err(Failure::new(Exit::Conflict, line));
            }
            let written = self.text(&remote, name, notation.into())?;
            let path = path(name);
            let file = path.display().to_string();
            let target = Target::find(&path)?;
            if !replace && target.holds_something() {
                let line = format!("{file} has come into being meanwhile");
                return Err(Failure::new(Exit::Conflict, line));
            }
            target.write(written.text.as_bytes(), self.readers())?;
            Ok(Exported {
                name: name.clone(),
                action: "exported",
                file,
                variables: variables(&written),
            })
        });
        let mut seen = HashSet::new();
        let variables = many.successes().flat_map(|exported| &exported.variables);
        let variables: Vec<&String> = variables.filter(|name| seen.insert(*name)).collect();
        tell_variables("files", &variables);
        many.report(global)
    }

    /// The workflow as a file.
    fn text(
        &self,
        remote: &Remote,
        name: &WorkflowName,
        format: Format,
    ) -> Result<Written, Failure> {
        let workflow = remote.send(GetWorkflow::new(name.clone()))?;
        let secrets = if self.with_secrets {
            Secrets::Show
        } else {
            Secrets::Mask
        };
        Definition::from(&workflow)
            .write(format, secrets)
            .map_err(|error| Failure::new(Exit::Service, error))
    }

    fn readers(&self) -> Readers {
        if self.with_secrets {
            Readers::Owner
        } else {
            Readers::Usual
        }
    }

    fn format(&self, global: &Global) -> Format {
        let extension = self.out.as_deref().and_then(Path::extension);
        let by_name = || Format::from_extension(extension?.to_str()?);
        match (self.format, global.format()) {
            (Some(notation), _) => notation.into(),
            (None, output::Format::Json) => Format::Json,
            (None, output::Format::Yaml) => Format::Yaml,
            (None, _) => by_name().unwrap_or(Format::Yaml),
        }
    }
}

/// The first of several names that differ in nothing but case, if this is another one of them. Where
/// files are told apart without it, one would take the place of the other.
fn namesake<'a>(name: &WorkflowName, names: &'a [WorkflowName]) -> Option<&'a WorkflowName> {
    let same = |other: &&WorkflowName| other.as_str().eq_ignore_ascii_case(name.as_str());
    names.iter().find(same).filter(|first| *first != name)
}

/// The variables that stand in place of secrets.
fn variables(written: &Written) -> Vec<String> {
    let variables = written.masked.iter().map(|masked| masked.variable.clone());
    variables.collect()
}

fn tell_variables<T: AsRef<str>>(what: &str, variables: &[T]) {
    if !variables.is_empty() {
        let variables: Vec<&str> = variables.iter().map(AsRef::as_ref).collect();
        note(format_args!(
            "secrets were left out; to apply the {what}, set {}",
            variables.join(", ")
        ));
    }
}

#[derive(Serialize)]
struct Exported {
    name: WorkflowName,
    action: &'static str,
    file: String,
    /// What has to be set to apply the file.
    variables: Vec<String>,
}

impl Show for Exported {
    fn names(&self) -> Vec<&str> {
        vec![self.name.as_str()]
    }

    /// People get the summary.
    fn table(&self) -> String {
        String::new()
    }
}
