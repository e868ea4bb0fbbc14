//! What changes from one definition to another, as a tree of nodes, edges and members.
//!
//! Compared is what the definitions mean: the order of members, nodes and edges does not count,
//! nor at which end an edge is written, nor the notation of a number; `null` and a missing member
//! are the same. Times and states are left out, and so is what the service adds on reading if the
//! other side does not have it. The order of fields in a schema counts. A [`Diff`] never holds a
//! secret, only the fact that one changes.
//!
//! ```
//! use pipeline_graph::{Definition, diff::diff};
//!
//! let old = Definition::new("w", serde_json::from_str(r#"{
//!     "a-repo": {"name": "a", "type": "repo", "data": {"schema": [{"key": "n", "valtype": "long"}]}}}"#)?);
//! let new = Definition::new("w", serde_json::from_str(r#"{
//!     "a-repo": {"name": "a", "type": "repo", "data": {"schema": [{"key": "n", "valtype": "float"}]},
//!                "children": [{"name": "e", "type": "export"}]},
//!     "e-export": {"name": "e", "type": "export"}}"#)?);
//! assert_eq!(
//!     diff(&old, &new).to_string(),
//!     "\
//! ~ node a-repo
//!     ~ data.schema[?@.key=='n'].valtype: \"long\" -> \"float\"
//! + node e-export
//! + edge a-repo -> e-export
//! "
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::collections::BTreeSet;

use pipeline_proto::model::{Extra, Node, NodeId, Nodes, RawJson};
use serde::Serialize;

use crate::definition::Definition;

mod lines;
mod show;
mod value;

pub use show::Line;

use value::Comparison;

/// What happens to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Only the new definition has it.
    Added,
    /// Only the old definition has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

/// The difference between two definitions. `Display` is an indented text for people, serde's form
/// is for programs; both are empty of secrets.
///
/// ```
/// use pipeline_graph::{Definition, diff::{Change, diff}};
/// use pipeline_proto::model::Nodes;
///
/// let old = Definition::new("w", Nodes::new());
/// let mut new = old.clone();
/// new.comment = "Clicks of the shop".into();
/// let diff = diff(&old, &new);
/// assert_eq!((diff.members[0].path.as_str(), diff.members[0].change), ("comment", Change::Added));
/// assert!(diff.nodes.is_empty() && !diff.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// Name, region and comment.
    pub members: Vec<MemberChange>,
    /// Nodes, by id.
    pub nodes: Vec<NodeChange>,
    /// Edges, by the ids of their ends; never [`Change::Changed`].
    pub edges: Vec<EdgeChange>,
}

impl Diff {
    /// Whether both definitions mean the same.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.nodes.is_empty() && self.edges.is_empty()
    }
}

/// A node that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeChange {
    /// What happens to the node.
    pub change: Change,
    /// The node.
    pub node: NodeId,
    /// What happens to its members; of an added or removed node, all of them.
    pub members: Vec<MemberChange>,
}

/// An edge that only one definition has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EdgeChange {
    /// What happens to the edge.
    pub change: Change,
    /// Where it starts.
    pub parent: NodeId,
    /// Where it ends.
    pub child: NodeId,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemberChange {
    /// What happens to the value.
    pub change: Change,
    /// Where it is: a JSON path (RFC 9535) without the leading `$.`, from the definition or the
    /// node. Fields of a schema are named by their key, so that the path fits both definitions.
    pub path: String,
    /// The old value, if there is one; secrets in it read `***`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<RawJson>,
    /// The new value, if there is one; secrets in it read `***`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<RawJson>,
    /// Whether the value is a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Members of a node that say when or in which state it is.
const STATE: [&str; 3] = ["status", "createTime", "updateTime"];

type TextOf = fn(&Definition) -> &str;

/// Compares two definitions, in time linear in their size.
pub fn diff(old: &Definition, new: &Definition) -> Diff {
    let mut members = Comparison::new(None);
    let texts: [(&str, TextOf); 3] = [
        ("name", |it| &it.name),
        ("region", |it| &it.region),
        ("comment", |it| &it.comment),
    ];
    for (name, text) in texts {
        let [old, new] = [old, new].map(|it| (text(it), text(it.written())));
        members.texts(name, old, new);
    }
    Diff {
        members: members.changes,
        nodes: nodes(old, new),
        edges: edges(&old.nodes, &new.nodes),
    }
}

fn nodes(old: &Definition, new: &Definition) -> Vec<NodeChange> {
    let ids: BTreeSet<&NodeId> = old.nodes.keys().chain(new.nodes.keys()).collect();
    let mut changes = Vec::new();
    for id in ids {
        let [old, new] = [old, new].map(|side| {
            let node = side.nodes.get(id)?;
            // A node that is not written anywhere shows nothing.
            Some((node, side.written().nodes.get(id)))
        });
        let members = node(old, new);
        let change = match (old, new) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ if members.is_empty() => continue,
            _ => Change::Changed,
        };
        changes.push(NodeChange {
            change,
            node: id.clone(),
            members,
        });
    }
    changes
}

/// A node, and what may be shown of it.
type Shown<'a> = (&'a Node, Option<&'a Node>);

/// Either node may be missing, but not both.
fn node(old: Option<Shown<'_>>, new: Option<Shown<'_>>) -> Vec<MemberChange> {
    let node_type = new.or(old).map(|(node, _)| &node.node_type);
    let mut comparison = Comparison::new(node_type);
    if let (Some((old, _)), Some((new, _))) = (old, new) {
        // Otherwise the id says it. Neither comes from the environment.
        let names = [old, new].map(|node| node.name.as_str());
        let types = [old, new].map(|node| node.node_type.as_str());
        for (member, [old, new]) in [("name", names), ("type", types)] {
            comparison.texts(member, (old, old), (new, new));
        }
    }
    let mut raws = |name: &str, raw: &dyn Fn(&Node) -> Option<&RawJson>| {
        let [old, new] = [old, new].map(|side| {
            let (node, written) = side?;
            Some((raw(node)?, written.and_then(raw)))
        });
        comparison.raws(name, old, new);
    };
    raws("data", &|node| node.data.as_ref());
    let extras = [old, new]
        .into_iter()
        .flatten()
        .map(|(node, _)| &node.extra);
    let names: BTreeSet<&str> = extras.flat_map(Extra::iter).map(|(name, _)| name).collect();
    for name in names.into_iter().filter(|name| !STATE.contains(name)) {
        raws(name, &|node| node.extra.get(name));
    }
    comparison.changes
}

fn edges(old: &Nodes, new: &Nodes) -> Vec<EdgeChange> {
    let (old, new) = (ends(old), ends(new));
    let change = |change| {
        move |(parent, child): &(NodeId, NodeId)| EdgeChange {
            change,
            parent: parent.clone(),
            child: child.clone(),
        }
    };
    let removed = old.difference(&new).map(change(Change::Removed));
    let mut changes: Vec<_> = removed.collect();
    changes.extend(new.difference(&old).map(change(Change::Added)));
    changes.sort_by(|a, b| (&a.parent, &a.child).cmp(&(&b.parent, &b.child)));
    changes
}

/// Parent and child of every edge, whether it is written at one end or at both.
fn ends(nodes: &Nodes) -> BTreeSet<(NodeId, NodeId)> {
    let mut ends = BTreeSet::new();
    for (id, node) in nodes {
        ends.extend(node.parents.iter().map(|parent| (parent.id(), id.clone())));
        ends.extend(node.children.iter().map(|child| (id.clone(), child.id())));
    }
    ends
}
