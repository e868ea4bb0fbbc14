//! What goes to stdout: data, in one of five forms.

mod json;
mod table;

use std::io::{self, Write as _};

use clap::ValueEnum;
use pipeline_graph::file;
use serde::Serialize;

use crate::{exit::Exit, failure::Failure, interrupt, lang};

pub(crate) use json::{members, object};
pub(crate) use table::{Cell, Table, plain, status};

/// The form in which data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For people, with more columns
    Wide,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Names only, one on a line
    Name,
}

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Text for the terminal
    Tree,
    /// Text that Mermaid draws
    Mermaid,
    /// Text that Graphviz draws
    Dot,
    /// A picture for browsers
    Svg,
}

/// A thing that can be shown in every form.
pub(crate) trait Show: Serialize {
    /// For `-o name`.
    fn names(&self) -> Vec<&str>;

    /// For people, with ANSI colours, which are taken out again where they are not wanted.
    fn table(&self) -> String;

    /// The table with more columns, where there is more to show.
    fn wide(&self) -> String {
        self.table()
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn names(&self) -> Vec<&str> {
        (**self).names()
    }

    fn table(&self) -> String {
        (**self).table()
    }

    fn wide(&self) -> String {
        (**self).wide()
    }
}

/// What the shapes of JSON and YAML are called. A new member leaves the number as it is; a program
/// that reads the old shape and would fail on the new one is what raises it.
const SCHEMA_VERSION: u32 = 1;

impl Format {
    /// Whether a person is meant to read it.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    pub(crate) fn write<T: Show + ?Sized>(self, thing: &T) -> Result<(), Failure> {
        match self {
            Self::Table => text(&thing.table()),
            Self::Wide => text(&thing.wide()),
            Self::Name => {
                let mut lines = String::new();
                for name in thing.names() {
                    lines.push_str(&plain(name));
                    lines.push('\n');
                }
                raw(lines.as_bytes())
            }
            Self::Json => raw(file::Format::Json.lay_out(&document(thing)?).as_bytes()),
            Self::Yaml => raw(file::Format::Yaml.lay_out(&document(thing)?).as_bytes()),
        }
    }
}

/// A thing as a document on one line of JSON: an object that begins with `schema_version`. What is no
/// object, a list, becomes its `items`.
pub(crate) fn document<T: Serialize + ?Sized>(thing: &T) -> Result<String, Failure> {
    let json = serde_json::to_string(thing).map_err(|error| {
        Failure::new(Exit::Service, format!("cannot be written as JSON: {error}"))
    })?;
    Ok(versioned(&json))
}

fn versioned(json: &str) -> String {
    let version = ("schema_version".to_owned(), SCHEMA_VERSION.to_string());
    let members = match members(json) {
        // A workflow carries whatever the service says, and so could have such a member as well.
        Some(members) => (members.into_iter())
            .filter(|(name, _)| name != "schema_version")
            .map(|(name, value)| (name, value.to_string()))
            .collect(),
        None => vec![("items".to_owned(), json.to_owned())],
    };
    object([version].into_iter().chain(members))
}

/// Writes text for people to stdout, all at once: what takes colours out writes in pieces, and stdout by lines.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let choice = anstream::AutoStream::choice(&io::stdout());
    let mut fit = anstream::AutoStream::new(Vec::new(), choice);
    written(fit.write_all(text.as_bytes()))?;
    raw(&fit.into_inner())
}

pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush())).map(|_| ())
}

/// Writes a line to stdout at once. False if nobody reads it any more.
pub(crate) fn line(text: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    written(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Whether somebody may still read what is written to stdout. Said without writing, so that a reader
/// that leaves while nothing happens is noticed.
pub(crate) fn has_reader() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = io::stdout();
        let mut stdout = [PollFd::new(&stdout, PollFlags::empty())];
        let polled = poll(&mut stdout, Some(&Timespec::default()));
        polled.is_err()
            || !stdout[0]
                .revents()
                .intersects(PollFlags::ERR | PollFlags::HUP)
    }
    // Elsewhere the next write says it.
    #[cfg(not(unix))]
    true
}

/// A reader that has seen enough, such as `head`, is no error.
fn written(result: io::Result<()>) -> Result<bool, Failure> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(unwritten(&error)),
    }
}

/// The failure that it is when data cannot be written. It says whether the rest was done.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    let done = if interrupt::has_changed_something() {
        "done, but "
    } else {
        ""
    };
    Failure::new(
        Exit::Output,
        format!("{done}the output could not be written: {error}"),
    )
}

/// Writes the one line of an error.
pub(crate) fn report(failure: &dyn std::fmt::Display) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let (word, space) = lang::pick(("error:", " "), ("错误：", ""));
    let _ = writeln!(anstream::stderr(), "{red}{word}{red:#}{space}{failure}");
}

/// Says something on stderr that is not data.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Nothing can be done about a stderr that cannot be written to.
    let _ = writeln!(anstream::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_an_object_that_begins_with_the_version() {
        for (json, expected) in [
            ("{}", r#"{"schema_version":1}"#),
            (
                r#"{"b":{"c":1e400},"a":"\""}"#,
                r#"{"schema_version":1,"b":{"c":1e400},"a":"\""}"#,
            ),
            ("[]", r#"{"schema_version":1,"items":[]}"#),
            (r#"[{"a":1}]"#, r#"{"schema_version":1,"items":[{"a":1}]}"#),
            (
                r#"{"name":"w","schema_version":"theirs"}"#,
                r#"{"schema_version":1,"name":"w"}"#,
            ),
        ] {
            assert_eq!(versioned(json), expected);
        }
    }
}
