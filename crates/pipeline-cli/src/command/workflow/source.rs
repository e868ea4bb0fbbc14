//! A workflow that is named on the command line: one of the service, or a file.

use std::{
    cell::OnceCell,
    env,
    path::{Path, PathBuf},
};

use pipeline_graph::{
    Definition,
    file::{Format, WorkflowFile},
};
use pipeline_proto::{WorkflowName, model::Workflow, operation::GetWorkflow};

use crate::{app::Global, failure::Failure, input, remote::Remote};

/// The rule for help texts.
pub(super) const RULE: &str = "\
A file that exists, and anything with a dot or a slash in it, is taken as a file, `-` as stdin; any \
other word is the name of a workflow of the service.";

/// What the word on the command line means.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(PathBuf),
    Service(WorkflowName),
}

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        if text == "-" || path.is_file() || text.contains(['.', '/', '\\']) {
            return Ok(Self::File(path));
        }
        let name = WorkflowName::new(text)
            .map_err(|error| format!("there is no such file, and as a name {error}"))?;
        Ok(Self::Service(name))
    }

    /// How it is called in what is written.
    pub(super) fn label(&self) -> String {
        match self {
            Self::File(path) if path.as_os_str() == "-" => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Service(name) => name.to_string(),
        }
    }
}

/// A workflow file, read.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) format: Format,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = input::read(path)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = extension
            .and_then(Format::from_extension)
            .unwrap_or_else(|| Format::guess(&text));
        Ok(Self {
            path: path.to_owned(),
            text,
            format,
        })
    }

    pub(super) fn parse(&self) -> Result<WorkflowFile, Failure> {
        WorkflowFile::parse(&self.text, self.format).map_err(|error| self.wrong(&error))
    }

    /// What is wrong with the file, on one line.
    pub(super) fn wrong(&self, what: &dyn std::fmt::Display) -> Failure {
        let label = Source::File(self.path.clone()).label();
        Failure::usage(format!("{label}: {what}"))
    }
}

/// The value of a variable for `${NAME}` in a file.
pub(in crate::command) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// The definition in a file, with its variables resolved.
pub(in crate::command) fn from_file(
    path: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Definition, Failure> {
    let file = File::read(path)?;
    file.parse()?
        .resolve(variable)
        .map_err(|error| file.wrong(&error))
}

/// The definition that a source stands for, with the variables of a file resolved. The service is
/// asked for only if a source needs it.
pub(super) fn definition(
    service: &Service<'_>,
    source: &Source,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Definition, Failure> {
    match source {
        Source::Service(name) => Ok(Definition::from(&service.get(name)?)),
        Source::File(path) => from_file(path, variable),
    }
}

/// The service, connected to when it is first needed: files alone need no credentials.
pub(super) struct Service<'a> {
    global: &'a Global,
    remote: OnceCell<Remote>,
}

impl<'a> Service<'a> {
    pub(super) fn new(global: &'a Global) -> Self {
        Self {
            global,
            remote: OnceCell::new(),
        }
    }

    pub(super) fn get(&self, name: &WorkflowName) -> Result<Workflow, Failure> {
        let remote = if let Some(remote) = self.remote.get() {
            remote
        } else {
            let remote = self.global.remote()?;
            self.remote.get_or_init(|| remote)
        };
        remote.send(GetWorkflow::new(name.clone()))
    }
}
