//! Which JSON type each known member of a node's data has, as in `pipeline_proto::model::spec`.
//! A table instead of the typed view itself, because it can say which member is wrong.

use pipeline_proto::model::NodeType;

use crate::{
    path::Path,
    tree::{Member, Tree, Value, find},
};

/// The type of a member. `null` stands for a missing member everywhere but in lists.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Bool,
    Integer,
    /// Any object.
    Object,
    Members(&'static [(&'static str, Shape)]),
    List(&'static Shape),
    /// The list of a schema's fields, which nest.
    Schema,
}

use Shape::{Bool, Integer, List, Members, Object, Schema, Text};

const CONTAINER: Shape = Members(&[("type", Text), ("count", Integer), ("status", Text)]);

const FIELD: Shape = Members(&[
    ("key", Text),
    ("valtype", Text),
    ("required", Bool),
    ("elemtype", Text),
    ("schema", Schema),
    ("description", Text),
]);

const REPO: Shape = Members(&[
    ("region", Text),
    ("schema", Schema),
    (
        "options",
        Members(&[
            ("withIP", Text),
            ("withTimestamp", Text),
            ("unescapeLine", Bool),
        ]),
    ),
    ("group", Text),
    ("workflow", Text),
    ("ruleNames", List(&Text)),
    ("description", Text),
    ("derivedFrom", Text),
    ("fromDag", Bool),
]);

const TRANSFORM: Shape = Members(&[
    (
        "plugin",
        Members(&[
            ("name", Text),
            ("output", List(&Members(&[("name", Text), ("type", Text)]))),
        ]),
    ),
    ("mode", Text),
    ("code", Text),
    ("interval", Text),
    ("container", CONTAINER),
    ("whence", Text),
    ("destrepo", Schema),
    ("to", Text),
    ("workflow", Text),
]);

const EXPORT: Shape = Members(&[
    ("type", Text),
    ("spec", Object),
    ("whence", Text),
    ("name", Text),
    ("workflow", Text),
]);

const DATASOURCE: Shape = Members(&[
    ("region", Text),
    ("type", Text),
    ("spec", Object),
    ("schema", Schema),
    ("noVerifySchema", Bool),
    ("workflow", Text),
    ("fromDag", Bool),
]);

const JOB: Shape = Members(&[
    (
        "srcs",
        List(&Members(&[
            ("name", Text),
            ("type", Text),
            ("tableName", Text),
            ("fileFilter", Text),
        ])),
    ),
    ("computation", Members(&[("code", Text), ("type", Text)])),
    ("container", CONTAINER),
    (
        "scheduler",
        Members(&[
            ("type", Text),
            ("spec", Members(&[("crontab", Text), ("loop", Text)])),
        ]),
    ),
    (
        "params",
        List(&Members(&[
            ("name", Text),
            ("default", Text),
            ("value", Text),
        ])),
    ),
    ("workflow", Text),
    ("schema", Schema),
]);

const EXPORT_BATCH: Shape = Members(&[
    ("type", Text),
    ("spec", Object),
    ("name", Text),
    ("workflow", Text),
]);

/// A node's data, whether the spec stands in it or in its member `spec`; see
/// `pipeline_proto::model::spec`.
pub(super) struct Spec<'a> {
    outer: &'a [Member],
    inner: Option<&'a [Member]>,
    shape: &'static [(&'static str, Shape)],
}

impl<'a> Spec<'a> {
    /// The data of a node of a known type.
    pub(super) fn new(node_type: &NodeType, data: &'a Tree) -> Option<Self> {
        let (shape, marks): (Shape, &[&str]) = match node_type {
            NodeType::Repo => (REPO, &["schema"]),
            NodeType::Transform => (TRANSFORM, &["plugin", "mode", "code"]),
            NodeType::Export => (EXPORT, &["type"]),
            NodeType::Datasource => (DATASOURCE, &["type"]),
            NodeType::Job => (JOB, &["srcs", "computation", "scheduler"]),
            NodeType::ExportBatch => (EXPORT_BATCH, &["type"]),
            _ => return None,
        };
        let Members(shape) = shape else { return None };
        let outer = data.as_map()?;
        let bare = marks.iter().any(|mark| find(outer, mark).is_some());
        let inner = find(outer, "spec").and_then(Tree::as_map);
        Some(Self {
            outer,
            inner: inner.filter(|_| !bare),
            shape,
        })
    }

    /// Does something with a member, and with its path if it starts at the data.
    pub(super) fn member<T>(
        &self,
        name: &str,
        path: &mut Path,
        work: impl FnOnce(&'a Tree, &mut Path) -> T,
    ) -> Option<T> {
        if let Some(inner) = self.inner {
            if let Some(tree) = find(inner, name) {
                return Some(
                    path.in_member("spec", |path| path.in_member(name, |path| work(tree, path))),
                );
            }
            // The envelope's own member `spec` is not one of the spec.
            if name == "spec" {
                return None;
            }
        }
        let tree = find(self.outer, name)?;
        Some(path.in_member(name, |path| work(tree, path)))
    }

    /// A member, wherever it stands.
    pub(super) fn get(&self, name: &str) -> Option<&'a Tree> {
        self.member(name, &mut Path::default(), |tree, _| tree)
    }

    /// Reports every known member of the wrong type.
    pub(super) fn check(&self, path: &mut Path, report: &mut dyn FnMut(&Tree, &str, String)) {
        for (name, shape) in self.shape {
            self.member(name, path, |tree, path| shape.check(tree, path, report));
        }
    }
}

impl Shape {
    fn check(self, tree: &Tree, path: &mut Path, report: &mut dyn FnMut(&Tree, &str, String)) {
        if !tree.is_null() {
            self.check_present(tree, path, report);
        }
    }

    fn check_present(
        self,
        tree: &Tree,
        path: &mut Path,
        report: &mut dyn FnMut(&Tree, &str, String),
    ) {
        let wanted = match (self, &tree.value) {
            (Text, Value::Text(_)) | (Bool, Value::Bool(_)) | (Object, Value::Map(_)) => return,
            (Integer, Value::Number(digits)) if digits.parse::<i64>().is_ok() => return,
            (Members(shapes), Value::Map(members)) => {
                for (name, shape) in shapes {
                    if let Some(tree) = find(members, name) {
                        path.in_member(name, |path| shape.check(tree, path, report));
                    }
                }
                return;
            }
            (List(part), Value::List(list)) => {
                for (index, tree) in list.iter().enumerate() {
                    path.in_element(index, |path| part.check_present(tree, path, report));
                }
                return;
            }
            (Schema, Value::List(_)) => return List(&FIELD).check_present(tree, path, report),
            (Text, _) => "a string",
            (Bool, _) => "true or false",
            (Integer, _) => "an integer",
            (Object | Members(_), _) => "an object",
            (List(_) | Schema, _) => "an array",
        };
        let message = match (self, &tree.value) {
            (Integer, Value::Number(_)) => "this must be an integer of at most 64 bits".to_owned(),
            _ => format!("this must be {wanted}, not {}", tree.kind()),
        };
        report(tree, path.as_str(), message);
    }
}
