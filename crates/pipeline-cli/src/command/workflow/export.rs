use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use pipeline_graph::{
    Definition,
    file::{Format, Secrets},
};
use pipeline_proto::{WorkflowName, operation::GetWorkflow};

use crate::{
    app::Global,
    exit::Exit,
    failure::Failure,
    output::{self, note},
};

/// Write a workflow as a file that `apply` reads
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow export nginx_logs > nginx_logs.yaml
  pipeline workflow export nginx_logs -f nginx_logs.json

In place of each secret in the nodes' data stands ${NAME}, and stderr says which variables `apply` will \
need. With --with-secrets they are written out; a new file is then readable for its owner only.")]
pub(crate) struct Export {
    /// Name of the workflow
    name: WorkflowName,

    /// File to write instead of stdout
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write secrets out
    #[arg(long)]
    with_secrets: bool,

    /// Notation [default: by the ending of the file's name, else yaml]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Notation>,
}

/// The notation of a workflow file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Notation {
    Yaml,
    Json,
}

impl Export {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let format = self.format(global);
        let workflow = global.remote()?.send(GetWorkflow::new(self.name.clone()))?;
        let secrets = if self.with_secrets {
            Secrets::Show
        } else {
            Secrets::Mask
        };
        let written = Definition::from(&workflow)
            .write(format, secrets)
            .map_err(|error| Failure::new(Exit::Service, error))?;
        match self.file.as_deref().filter(|path| path.as_os_str() != "-") {
            None => output::raw(written.text.as_bytes())?,
            Some(path) => write(path, &written.text, self.with_secrets)
                .map_err(|error| Failure::io(&path.display().to_string(), &error))?,
        }
        if !written.masked.is_empty() {
            let variables: Vec<&str> = written
                .masked
                .iter()
                .map(|masked| masked.variable.as_str())
                .collect();
            note(format_args!(
                "secrets were left out; to apply the file, set {}",
                variables.join(", ")
            ));
        }
        Ok(Exit::Done)
    }

    fn format(&self, global: &Global) -> Format {
        let extension = self.file.as_deref().and_then(Path::extension);
        let by_name = || Format::from_extension(extension?.to_str()?);
        match self.format {
            Some(Notation::Yaml) => Format::Yaml,
            Some(Notation::Json) => Format::Json,
            None if global.format() == output::Format::Json => Format::Json,
            None => by_name().unwrap_or(Format::Yaml),
        }
    }
}

/// Writes beside the file and then puts it in its place, so that there is never half a file.
fn write(path: &Path, text: &str, private: bool) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let result = options
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        // Nothing can be done about a file that cannot be removed either.
        let _ = fs::remove_file(&beside);
    }
    result
}
