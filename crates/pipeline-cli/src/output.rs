//! What goes to stdout: data, in one of four forms.

mod json;
mod table;
mod yaml;

use std::io::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::{exit::Exit, failure::Failure};

pub(crate) use table::{Cell, Table, plain, status};

/// The form in which data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Names only, one on a line
    Name,
}

/// A thing that can be shown in every form.
pub(crate) trait Show: Serialize {
    /// For `-o name`.
    fn names(&self) -> Vec<&str>;

    /// For people, with ANSI colours, which are taken out again where they are not wanted.
    fn table(&self) -> String;
}

impl Format {
    /// Writes a thing to stdout.
    pub(crate) fn write<T: Show + ?Sized>(self, thing: &T) -> Result<(), Failure> {
        match self {
            Self::Table => text(&thing.table()),
            Self::Name => {
                let mut lines = String::new();
                for name in thing.names() {
                    lines.push_str(&plain(name));
                    lines.push('\n');
                }
                raw(lines.as_bytes())
            }
            Self::Json => raw(json::pretty(&compact(thing)?).as_bytes()),
            Self::Yaml => raw(yaml::write(&compact(thing)?).as_bytes()),
        }
    }
}

fn compact<T: Serialize + ?Sized>(thing: &T) -> Result<String, Failure> {
    serde_json::to_string(thing)
        .map_err(|error| Failure::new(Exit::Service, format!("cannot be written as JSON: {error}")))
}

/// Writes text for people to stdout.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    written(anstream::stdout().lock().write_all(text.as_bytes())).map(|_| ())
}

/// Writes bytes to stdout as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush())).map(|_| ())
}

/// Writes a line to stdout at once. False if nobody reads it any more.
pub(crate) fn line(text: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    written(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// A reader that has seen enough, such as `head`, is no error.
fn written(result: io::Result<()>) -> Result<bool, Failure> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::io("standard output", &error)),
    }
}

/// Says something on stderr that is not data.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Nothing can be done about a stderr that cannot be written to.
    let _ = writeln!(anstream::stderr(), "{text}");
}
