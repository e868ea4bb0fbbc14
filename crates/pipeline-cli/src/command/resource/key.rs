//! The names that say which resource it is.

use std::fmt::{self, Display};

use clap::{Arg, ArgMatches};
use pipeline_proto::operation::NameInfo;
use serde::{Serialize, Serializer};

use super::{Resource, operation};

/// The names of a resource: its own, and before it that of what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::command) struct Names(pub(super) Vec<String>);

impl Names {
    /// Of one that belongs to nothing.
    pub(in crate::command) fn of(name: &impl Display) -> Self {
        Self(vec![name.to_string()])
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// What it belongs to, if to anything.
    pub(super) fn parent(&self) -> Option<&str> {
        let [parent, _] = self.0.as_slice() else {
            return None;
        };
        Some(parent)
    }
}

/// As one word, which commands take as well.
impl Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a name of a path stands in the help.
pub(super) fn shown(key: &str) -> String {
    match key {
        "source" => "FROM".to_owned(),
        "destination" => "TO".to_owned(),
        key => key.to_ascii_uppercase(),
    }
}

/// How it stands above a column.
pub(super) fn heading(key: &str) -> &'static str {
    match key {
        "source" => "FROM",
        "job" => "JOB",
        _ => "NAME",
    }
}

/// The names that say which one it is.
pub(super) fn path(resource: &Resource) -> &'static [NameInfo] {
    operation(resource.operations.delete).names
}

/// An argument for a name.
pub(super) fn name(info: NameInfo) -> Arg {
    let check = move |text: &str| info.check(text).map(|()| text.to_owned());
    Arg::new(info.key)
        .value_name(shown(info.key))
        .value_parser(check)
}

/// An argument for one that belongs to another, as `FROM/NAME`, or for one of the two alone.
pub(super) fn name_or_both(parent: NameInfo, own: NameInfo, alone: NameInfo) -> Arg {
    let check = move |text: &str| match text.split_once('/') {
        Some((first, second)) => parent.check(first).and_then(|()| own.check(second)),
        None => alone.check(text),
    };
    name(alone).value_parser(move |text: &str| check(text).map(|()| text.to_owned()))
}

pub(super) fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.get_one::<String>(id).map(String::as_str)
}
