//! A workflow that is named on the command line: one of the service, or a file.

use std::{
    collections::{HashMap, HashSet},
    env,
    ffi::{OsStr, OsString},
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};
use pipeline_graph::{
    Definition, Finding, HIDDEN_SECRET, Position,
    file::{FileError, Filled, Format, ResourceFile, Variable, WorkflowFile},
    lint::Rule,
};
use pipeline_proto::{WorkflowName, model::Workflow, resource::workflow::GetWorkflow};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    command::many::listed, failure::Failure, file, file::read, options::Global, output::note,
    remote::Remote, variables,
};

/// The rule for help texts.
pub(in crate::command) const RULE: &str = "\
A file that exists, and anything with a dot or a slash in it, is taken as a file, `-` as stdin; any \
other word is the name of a workflow of the service.";

/// What the word on the command line means.
#[derive(Debug, Clone)]
pub(in crate::command) enum Source {
    File(PathBuf),
    Service(WorkflowName),
    /// A folder that has no workflow file, or that cannot be read, and why.
    Nothing(PathBuf, String),
}

impl Source {
    /// For a command that draws one workflow.
    pub(in crate::command) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|word| Self::parse(word, Path::is_file))
    }

    /// For a command that takes folders as well.
    pub(in crate::command) fn parser_with_folders() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|word| Self::parse(word, Path::exists))
    }

    fn parse(word: OsString, exists: fn(&Path) -> bool) -> Result<Self, String> {
        let path = PathBuf::from(word);
        let Some(text) = path.to_str() else {
            return Ok(Self::File(path));
        };
        if text == "-" || exists(&path) || text.contains(['.', '/', '\\']) {
            return Ok(Self::File(path));
        }
        let name = WorkflowName::new(text)
            .map_err(|error| format!("there is no such file, and as a name {error}"))?;
        Ok(Self::Service(name))
    }

    /// The file, which it has to be.
    pub(in crate::command) fn path(&self) -> Result<&Path, Failure> {
        match self {
            Self::File(path) => Ok(path),
            Self::Service(_) => Err(Failure::usage("it is a name; this takes files")),
            Self::Nothing(_, why) => Err(Failure::usage(why)),
        }
    }

    /// What it is known by, however it is called.
    fn identity(&self) -> Identity {
        match self {
            Self::File(path) => file::id_of(path).map(Identity::File),
            _ => None,
        }
        .unwrap_or_else(|| Identity::Word(self.to_string()))
    }

    pub(in crate::command) fn is_folder(&self) -> bool {
        matches!(self, Self::File(path) if path.is_dir())
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Identity {
    File(file::Id),
    Word(String),
}

/// How it is called in what is written.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Nothing(path, _) => f.write_str(&label(path)),
            Self::Service(name) => name.fmt(f),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn label(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Files on a command line.
#[derive(Debug, Args)]
pub(in crate::command) struct Files {
    /// Files, or folders of them; `-` for stdin
    #[arg(value_name = "FILE", required_unless_present = "file")]
    paths: Vec<PathBuf>,

    /// The same by an option; may be given several times
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Look in folders within folders, too
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl Files {
    /// All of them, and whether that is one that was named, and no folder.
    pub(in crate::command) fn sources(&self) -> (Vec<Source>, bool) {
        let paths = self.paths.iter().chain(&self.file);
        let sources: Vec<Source> = paths.cloned().map(Source::File).collect();
        let one = sources.len() == 1 && !sources[0].is_folder();
        (expanded(sources, self.recursive), one)
    }
}

/// The sources, with the files of a folder in its place, each file once whatever names it has.
pub(in crate::command) fn expanded(sources: Vec<Source>, recursive: bool) -> Vec<Source> {
    let mut all = Vec::new();
    for source in sources {
        match source {
            Source::File(path) if path.is_dir() => {
                let before = all.len();
                files_in(&path, recursive, &mut all);
                if all.len() == before {
                    let hint = if recursive {
                        ""
                    } else {
                        "; -R looks in folders within it, too"
                    };
                    let why = format!(
                        "there are no workflow files (.yaml, .yml, .json) in this folder{hint}"
                    );
                    all.push(Source::Nothing(path, why));
                }
            }
            source => all.push(source),
        }
    }
    let mut seen = HashSet::new();
    all.retain(|source| seen.insert(source.identity()));
    all
}

/// The workflow files in a folder, by name. Hidden ones are left out, as a shell's `*` does.
fn files_in(folder: &Path, recursive: bool, all: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect);
    let mut entries: Vec<fs::DirEntry> = match entries {
        Ok(entries) => entries,
        Err(error) => {
            all.push(Source::Nothing(folder.to_owned(), error.to_string()));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a folder may lead back up, and so is not followed.
        let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
        let format = path
            .extension()
            .and_then(OsStr::to_str)
            .and_then(Format::from_extension);
        if is_folder && recursive && !hidden {
            files_in(&path, recursive, all);
        } else if format.is_some() && path.is_file() && !hidden {
            all.push(Source::File(path));
        }
    }
}

/// Which file is about which workflow: no two of several may be about the same.
#[derive(Default)]
pub(in crate::command) struct Owners(Mutex<HashMap<String, String>>);

impl Owners {
    /// `written` is the name as it is shown.
    pub(in crate::command) fn claim(
        &self,
        name: &str,
        written: &str,
        source: &Source,
    ) -> Result<(), Failure> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match owners.insert(name.to_owned(), source.to_string()) {
            Some(other) => Err(Failure::usage(format!(
                "it is about {written}, and so is {other}"
            ))),
            None => Ok(()),
        }
    }
}

/// A workflow file, read.
pub(in crate::command) struct File {
    label: String,
    text: String,
    format: Format,
}

impl File {
    pub(in crate::command) fn read(path: &Path) -> Result<Self, Failure> {
        let text = read::text(path)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = extension
            .and_then(Format::from_extension)
            .unwrap_or_else(|| Format::guess(&text));
        Ok(Self {
            label: label(path),
            text,
            format,
        })
    }

    /// A part of it, by itself.
    pub(in crate::command) fn part(&self, value: &Value) -> Self {
        Self {
            label: self.label.clone(),
            text: value.to_string(),
            format: Format::Json,
        }
    }

    pub(in crate::command) fn parse(&self) -> Result<WorkflowFile, Failure> {
        self.try_parse().map_err(|error| self.unusable(&error))
    }

    pub(in crate::command) fn try_parse(&self) -> Result<WorkflowFile, FileError> {
        WorkflowFile::parse(&self.text, self.format)
    }

    pub(in crate::command) fn label(&self) -> &str {
        &self.label
    }

    /// The name of the workflow that it is about, with its variables and as it is written; none if it has
    /// none, or it cannot be told.
    pub(in crate::command) fn name(
        parsed: &WorkflowFile,
        filled: &Filled<'_>,
    ) -> Option<(String, String)> {
        let written = parsed.name().filter(|name| !name.is_empty())?.to_owned();
        let definition = filled.clone().leave_unset().definition();
        let name = definition.map_or_else(|_| written.clone(), |definition| definition.name);
        Some((name, written))
    }

    /// The same about one resource of this kind; members of these names say which one.
    pub(in crate::command) fn resource(
        &self,
        kind: &str,
        names: &[&str],
    ) -> Result<ResourceFile, Failure> {
        let file = ResourceFile::parse(&self.text, self.format, kind, names);
        file.map_err(|error| self.unusable(&error))
    }

    /// What is wrong with the file, on one line.
    pub(in crate::command) fn wrong(&self, what: &dyn std::fmt::Display) -> Failure {
        self.wrong_at(None, what)
    }

    /// The same as compilers write it: `file:line:column: what`.
    pub(in crate::command) fn wrong_at(
        &self,
        at: Option<Position>,
        what: &dyn std::fmt::Display,
    ) -> Failure {
        let at = at.map(|at| format!(":{at}")).unwrap_or_default();
        Failure::usage(what).about(format_args!("{}{at}", self.label))
    }

    /// That it cannot be read, or not be filled in.
    pub(in crate::command) fn unusable(&self, error: &FileError) -> Failure {
        let (line, at) = (error.to_string(), error.findings()[0].position);
        let place = at.map(|at| format!("{at}: ")).unwrap_or_default();
        self.wrong_at(at, &line.strip_prefix(&place).unwrap_or(&line))
    }
}

/// The value of a variable for `${NAME}` in a file. A file may come from anybody: what this program
/// reads for itself, its keys above all, is not for it.
pub(in crate::command) fn variable(name: &str) -> Variable {
    if variables::is_own_variable(name) {
        return Variable::Refused("this program reads it for itself");
    }
    // What stands for a secret that `get` has hidden is never a value, whatever is in the environment.
    if name == HIDDEN_SECRET {
        return Variable::Unset;
    }
    match env::var(name) {
        Ok(value) => Variable::Set(value),
        Err(env::VarError::NotPresent) => Variable::Unset,
        Err(env::VarError::NotUnicode(_)) => Variable::Refused("its value is not valid Unicode"),
    }
}

/// Refuses a file that asks for a variable of this program, even where no value is shown: what draws
/// today is applied tomorrow.
pub(in crate::command) fn refuse_own_variables(
    file: &File,
    parsed: &WorkflowFile,
) -> Result<(), Failure> {
    let findings = parsed.fill(without_values).lint();
    let refused = findings.iter().find(|it| it.rule == Rule::RefusedVariable);
    refused.map_or(Ok(()), |finding| {
        Err(file.wrong_at(finding.position, &on_one_line(finding)))
    })
}

/// What [`variable`] refuses; all others stand for themselves.
pub(in crate::command) fn without_values(name: &str) -> Variable {
    match variable(name) {
        Variable::Set(_) | Variable::Unset => Variable::Elsewhere,
        variable => variable,
    }
}

/// A finding without its severity and place, for a line that begins with "error" already.
pub(in crate::command) fn on_one_line(finding: &Finding) -> String {
    format!("{} [{}]", finding.message, finding.rule)
}

/// The definition in a file, with its variables resolved.
pub(in crate::command) fn from_file(path: &Path) -> Result<Definition, Failure> {
    let file = File::read(path)?;
    let definition = file.parse()?.fill(variable).definition();
    definition.map_err(|error| file.unusable(&error))
}

/// Says which variables are not set, and what is taken for their values.
pub(in crate::command) fn tell_unset(label: &str, filled: &Filled<'_>) {
    let unset = filled.unset();
    let (is, values) = match unset.len() {
        0 => return,
        1 => ("is", "its value is"),
        _ => ("are", "their values are"),
    };
    note(format_args!(
        "{label}: {} {is} not set; {values} taken to be as the service has it",
        listed(unset)
    ));
}

/// The service, connected to when it is first needed: files alone need no credentials.
pub(in crate::command) struct Service<'a> {
    global: &'a Global,
    remote: OnceLock<Remote>,
}

impl<'a> Service<'a> {
    pub(in crate::command) fn new(global: &'a Global) -> Self {
        Self {
            global,
            remote: OnceLock::new(),
        }
    }

    pub(in crate::command) fn remote(&self) -> Result<&Remote, Failure> {
        if let Some(remote) = self.remote.get() {
            return Ok(remote);
        }
        let remote = self.global.remote()?;
        Ok(self.remote.get_or_init(|| remote))
    }

    pub(in crate::command) fn get(&self, name: &WorkflowName) -> Result<Workflow, Failure> {
        self.remote()?.send(GetWorkflow::new(name.clone()))
    }
}
