//! From a definition to a workflow file.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use pipeline_proto::model::{Node, NodeId, NodeRef};

use super::Format;
use crate::{
    definition::Definition,
    path::Path,
    references,
    secrets::{self, Scope},
    tree::{Member, Position, Tree, Value, json},
};

/// How many objects of a file enclose a node's data: the file, its nodes, the node.
const LEVELS: usize = 3;

/// What becomes of secrets in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secrets {
    /// A reference to the environment stands in place of each.
    Mask,
    /// They are written out.
    Show,
}

/// A workflow file that was written.
///
/// ```
/// use pipeline_graph::{Definition, file::{Format, Secrets}};
///
/// let definition = Definition::new("clicks", serde_json::from_str(r#"{
///     "save-export": {"name": "save", "type": "export",
///                     "data": {"type": "mongo", "spec": {"host": "mongodb://user:password@host/"}}}}"#)?);
/// let written = definition.write(Format::Yaml, Secrets::Mask)?;
/// assert!(!written.text.contains("password"));
/// assert_eq!(written.masked[0].path, "data.spec.host");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The text of the file.
    pub text: String,
    /// The secrets that are not in it. Whoever applies the file must set these variables.
    pub masked: Vec<Masked>,
}

impl fmt::Debug for Written {
    /// Without the text, which may hold secrets that were asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("bytes", &self.text.len())
            .field("masked", &self.masked)
            .finish_non_exhaustive()
    }
}

/// A secret that was left out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Masked {
    /// The variable that the file refers to instead.
    pub variable: String,
    /// The node that has the secret.
    pub node: NodeId,
    /// Where in the node: a JSON path without the leading `$.`.
    pub path: String,
}

/// A definition that no file can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    node: NodeId,
    reason: String,
}

impl WriteError {
    /// The node whose data it is.
    pub fn node(&self) -> &NodeId {
        &self.node
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, reason } = self;
        write!(f, "the data of node {node:?} cannot be written: {reason}")
    }
}

impl std::error::Error for WriteError {}

impl Definition {
    /// Writes a workflow file. The same definition always gives the same text, and reading the
    /// text gives the definition, except that each edge is then at both ends.
    ///
    /// # Errors
    ///
    /// When the data of a node is nested too deeply.
    pub fn write(&self, format: Format, secrets: Secrets) -> Result<Written, WriteError> {
        let mut writer = Writer {
            secrets,
            masked: Vec::new(),
            taken: HashSet::new(),
        };
        let tree = writer.file(self)?;
        Ok(Written {
            text: format.write(&tree),
            masked: writer.masked,
        })
    }
}

struct Writer {
    secrets: Secrets,
    masked: Vec<Masked>,
    /// Variables that stand for a secret already.
    taken: HashSet<String>,
}

impl Writer {
    fn file(&mut self, definition: &Definition) -> Result<Tree, WriteError> {
        let mut members = Vec::new();
        for (name, text) in [
            ("name", &definition.name),
            ("region", &definition.region),
            ("comment", &definition.comment),
        ] {
            if !text.is_empty() {
                members.push(member(name, Tree::text(references::escape(text))));
            }
        }
        let below = children_that_say_so(definition);
        let mut nodes = Vec::with_capacity(definition.nodes.len());
        for (id, node) in &definition.nodes {
            nodes.push(member(id.as_str(), self.node(id, node, &below)?));
        }
        members.push(member("nodes", Tree::unplaced(Value::Map(nodes))));
        Ok(Tree::unplaced(Value::Map(members)))
    }

    fn node(
        &mut self,
        id: &NodeId,
        node: &Node,
        below: &HashSet<(&NodeId, NodeId)>,
    ) -> Result<Tree, WriteError> {
        let mut members = Vec::new();
        let given = id.parts();
        if given.as_ref().map(|(name, _)| *name) != Some(&*node.name) {
            members.push(member("name", Tree::text(&*node.name)));
        }
        if given.as_ref().map(|(_, node_type)| node_type) != Some(&node.node_type) {
            members.push(member("type", Tree::text(node.node_type.as_str())));
        }
        // One end is enough. The end that reads is the one that people ask about.
        let alone = |child: &&NodeRef| !below.contains(&(id, child.id()));
        for (name, neighbours) in [
            ("parents", node.parents.iter().collect::<Vec<_>>()),
            ("children", node.children.iter().filter(alone).collect()),
        ] {
            if !neighbours.is_empty() {
                let list = neighbours.into_iter().map(reference).collect();
                members.push(member(name, Tree::unplaced(Value::List(list))));
            }
        }
        let data = node.data.iter().map(|data| ("data", data));
        for (name, value) in data.chain(node.extra.iter()) {
            let mut value = json::read_inside(value.get(), LEVELS).map_err(|error| WriteError {
                node: id.clone(),
                reason: error.message,
            })?;
            let scope = Scope::default().member(name);
            value.change_leaves(
                &mut Path::to_member(name),
                scope,
                &mut |leaf, path, scope| {
                    self.mask(id, leaf, path, scope);
                },
            );
            members.push(member(name, value));
        }
        Ok(Tree::unplaced(Value::Map(members)))
    }

    /// Puts references in place of secrets and escapes what would look like one.
    fn mask(&mut self, id: &NodeId, leaf: &mut Tree, path: &Path, scope: Scope<'_>) {
        if self.secrets == Secrets::Mask && scope.holds_secret(&leaf.value) {
            let variable = self.variable(id, scope.name);
            leaf.value = Value::Text(format!("${{{variable}}}").into());
            self.masked.push(Masked {
                variable,
                node: id.clone(),
                path: path.as_str().to_owned(),
            });
        } else if let Value::Text(text) = &mut leaf.value {
            *text = references::escape(text).into();
        }
    }

    /// A name that nothing else in this file has, such as `SAVE_EXPORT_SECRET_KEY`.
    fn variable(&mut self, id: &NodeId, member: &str) -> String {
        let mut words = secrets::words(id.as_str());
        words.extend(secrets::words(member));
        let mut base = words.join("_").to_ascii_uppercase();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
            base.insert(0, '_');
        }
        let mut variable = base.clone();
        let mut number = 1;
        while !self.taken.insert(variable.clone()) {
            number += 1;
            variable = format!("{base}_{number}");
        }
        variable
    }
}

/// The edges that are written at their lower end: the parent and the child, by ids.
fn children_that_say_so(definition: &Definition) -> HashSet<(&NodeId, NodeId)> {
    let mut known = HashMap::with_capacity(definition.nodes.len());
    for id in definition.nodes.keys() {
        known.insert(id.as_str(), id);
    }
    let each = definition.nodes.iter().flat_map(|(id, node)| {
        let known = &known;
        let parents = node.parents.iter().map(NodeRef::id);
        parents.filter_map(move |parent| Some((*known.get(parent.as_str())?, id.clone())))
    });
    each.collect()
}

fn reference(neighbour: &NodeRef) -> Tree {
    let id = neighbour.id();
    let short = NodeRef::new(neighbour.name.as_str(), neighbour.node_type.clone());
    let same =
        |(name, node_type): (&str, _)| name == neighbour.name && node_type == short.node_type;
    if short == *neighbour && id.parts().is_some_and(same) {
        return Tree::text(id.as_str());
    }
    let mut members = vec![
        member("name", Tree::text(&*neighbour.name)),
        member("type", Tree::text(neighbour.node_type.as_str())),
    ];
    for (name, value) in neighbour.extra.iter() {
        if let Ok(value) = Tree::of(value) {
            members.push(member(name, value));
        }
    }
    Tree::unplaced(Value::Map(members))
}

fn member(name: &str, tree: Tree) -> Member {
    Member {
        name: name.into(),
        at: Position::START,
        tree,
    }
}
