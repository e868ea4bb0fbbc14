//! JSON values that remember where they were written, whatever they were written in.

pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod yaml;
mod yaml_out;

use std::{collections::HashSet, fmt};

use pipeline_proto::model::RawJson;
use serde::Serialize;

use crate::{path::Path, secrets::Scope};

/// How deeply lists and objects may be nested. Walking a value recurses, so the depth is bounded
/// where values are made; 125 leaves room below the 128 levels at which JSON readers give up.
pub(crate) const MAX_DEPTH: usize = 125;

/// A place in a text, as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Position {
    /// The line; the first is 1.
    pub line: u32,
    /// The character within the line; the first is 1.
    pub column: u32,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// From counts that start at one.
    pub(crate) fn new(line: usize, column: usize) -> Self {
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            line: narrow(line),
            column: narrow(column),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Members that name an element of a list, so that it is known again at another place.
pub(crate) const IDENTITIES: [&str; 3] = ["key", "name", "tableName"];

/// A value and where it starts. Without `Debug`, since it may hold secrets.
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Tree {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number in JSON's notation, digit for digit as it was written.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Tree>),
    /// Members in their order, repetitions included.
    Map(Vec<Member>),
}

#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Member {
    pub(crate) name: Box<str>,
    /// Where the name starts.
    pub(crate) at: Position,
    pub(crate) tree: Tree,
}

impl Tree {
    /// Reads a value that came as JSON text; its positions mean nothing.
    pub(crate) fn of(raw: &RawJson) -> Result<Self, json::SyntaxError> {
        json::read(raw.get())
    }

    pub(crate) fn text(text: impl Into<Box<str>>) -> Self {
        Self::unplaced(Value::Text(text.into()))
    }

    /// A value that was not read from anywhere.
    pub(crate) fn unplaced(value: Value) -> Self {
        Self {
            at: Position::START,
            value,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Tree]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Map(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What tells it from other elements of a list: one of these members, and its text.
    pub(crate) fn identity(&self) -> Option<(&'static str, &str)> {
        let of = |name: &'static str| Some((name, self.get(name)?.as_text()?));
        IDENTITIES.into_iter().find_map(of)
    }

    /// Whether both are the same, wherever they stand.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b))
            }
            (Value::Map(a), Value::Map(b)) => {
                let same = |(a, b): (&Member, &Member)| a.name == b.name && a.tree.is_same(&b.tree);
                a.len() == b.len() && a.iter().zip(b).all(same)
            }
            (a, b) => a == b,
        }
    }

    /// The member of this name that counts: the last one, as in the service's language.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree> {
        find(self.as_map()?, name)
    }

    /// What the value is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Map(_) => "an object",
        }
    }

    /// Visits the value and all its parts, each after what encloses it, with what its place tells of it.
    pub(crate) fn walk<'a>(
        &'a self,
        path: &mut Path,
        scope: Scope<'_>,
        visit: &mut dyn FnMut(&'a Tree, &mut Path, Scope<'_>),
    ) {
        visit(self, path, scope);
        match &self.value {
            Value::List(list) => {
                for (index, element) in list.iter().enumerate() {
                    path.in_element(index, |path| element.walk(path, scope, visit));
                }
            }
            Value::Map(members) => {
                for Member { name, tree, .. } in members {
                    path.in_member(name, |path| tree.walk(path, scope.member(name), visit));
                }
            }
            _ => {}
        }
    }

    /// Visits what is neither a list nor an object.
    pub(crate) fn change_leaves(
        &mut self,
        path: &mut Path,
        scope: Scope<'_>,
        change: &mut dyn FnMut(&mut Tree, &Path, Scope<'_>),
    ) {
        match &mut self.value {
            Value::List(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    path.in_element(index, |path| element.change_leaves(path, scope, change));
                }
            }
            Value::Map(members) => {
                for Member { name, tree, .. } in members {
                    path.in_member(name, |path| {
                        tree.change_leaves(path, scope.member(name), change);
                    });
                }
            }
            _ => change(self, path, scope),
        }
    }

    /// Reports each member whose object has had one of the same name before.
    pub(crate) fn repetitions(&self, path: &mut Path, report: &mut dyn FnMut(&Member, &Path)) {
        self.walk(path, Scope::default(), &mut |tree, path, _| {
            let members = tree.as_map().unwrap_or_default();
            let mut seen = HashSet::with_capacity(members.len());
            for member in members {
                if !seen.insert(&*member.name) {
                    path.in_member(&member.name, |path| report(member, path));
                }
            }
        });
    }

    /// The value as compact JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a tree holds valid numbers")
    }

    pub(crate) fn to_raw(&self) -> RawJson {
        let json = self.to_json();
        json.parse()
            .expect("a tree holds valid numbers and its writer writes valid JSON")
    }
}

/// The member of this name that counts.
pub(crate) fn find<'a>(members: &'a [Member], name: &str) -> Option<&'a Tree> {
    let mut same = members.iter().rev().filter(|member| &*member.name == name);
    same.next().map(|member| &member.tree)
}
