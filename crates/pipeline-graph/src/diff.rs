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

mod show;
mod value;

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

/// Compares two definitions, in time linear in their size.
pub fn diff(old: &Definition, new: &Definition) -> Diff {
    let mut members = Comparison::new(None);
    members.texts("name", &old.name, &new.name);
    members.texts("region", &old.region, &new.region);
    members.texts("comment", &old.comment, &new.comment);
    Diff {
        members: members.changes,
        nodes: nodes(&old.nodes, &new.nodes),
        edges: edges(&old.nodes, &new.nodes),
    }
}

fn nodes(old: &Nodes, new: &Nodes) -> Vec<NodeChange> {
    let ids: BTreeSet<&NodeId> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for id in ids {
        let (old, new) = (old.get(id), new.get(id));
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

/// Either node may be missing, but not both.
fn node(old: Option<&Node>, new: Option<&Node>) -> Vec<MemberChange> {
    let node_type = new.or(old).map(|node| &node.node_type);
    let mut comparison = Comparison::new(node_type);
    if let (Some(old), Some(new)) = (old, new) {
        // Otherwise the id says it.
        comparison.texts("name", &old.name, &new.name);
        comparison.texts("type", old.node_type.as_str(), new.node_type.as_str());
    }
    let [old_data, new_data] = [old, new].map(|node| node.and_then(|node| node.data.as_ref()));
    comparison.raws("data", old_data, new_data);
    let [old, new] = [old, new].map(|node| node.map(|node| &node.extra));
    let names = [old, new].into_iter().flatten().flat_map(Extra::iter);
    let names: BTreeSet<&str> = names.map(|(name, _)| name).collect();
    for name in names.into_iter().filter(|name| !STATE.contains(name)) {
        let [old, new] = [old, new].map(|extra| extra.and_then(|extra| extra.get(name)));
        comparison.raws(name, old, new);
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
        crate::steps::count(1 + node.parents.len() + node.children.len());
        ends.extend(node.parents.iter().map(|parent| (parent.id(), id.clone())));
        ends.extend(node.children.iter().map(|child| (id.clone(), child.id())));
    }
    ends
}
