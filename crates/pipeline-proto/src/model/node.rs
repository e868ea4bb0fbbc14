use std::{borrow::Borrow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::json::{RawJson, object, open_enum};
use crate::name::NodeName;

open_enum! {
    /// What a node of a workflow is. Six are known from the API page; the set is open.
    ///
    /// ```
    /// use pipeline_proto::model::NodeType;
    ///
    /// assert_eq!(NodeType::ExportBatch.as_str(), "exportBatch");
    /// // One that is not known is kept as it came.
    /// assert_eq!(NodeType::from("lake").as_str(), "lake");
    /// ```
    pub enum NodeType {
        /// A message queue.
        Repo = "repo",
        /// A stream computation.
        Transform = "transform",
        /// The export of a message queue.
        Export = "export",
        /// A batch data source.
        Datasource = "datasource",
        /// A batch computation.
        Job = "job",
        /// The export of a batch computation.
        ExportBatch = "exportBatch",
    }
}

impl NodeType {
    /// Whether one node of this type is enough for a workflow to be startable. The API page names
    /// a stream computation, an export of a message queue and an export of a batch computation; a
    /// batch computation without an export is not among them.
    pub fn makes_startable(&self) -> bool {
        matches!(self, Self::Transform | Self::Export | Self::ExportBatch)
    }
}

/// The key of a node in a workflow: `<name>-<type>`, since no name has a `-`.
///
/// Kept as the service wrote it, legal or not; [`parts`](NodeId::parts) takes it apart.
///
/// ```
/// use pipeline_proto::model::{NodeId, NodeType};
///
/// let id = NodeId::of("clicks", &NodeType::Repo);
/// assert_eq!(id.as_str(), "clicks-repo");
/// assert_eq!(id.parts(), Some(("clicks", NodeType::Repo)));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Box<str>);

impl NodeId {
    /// The key for a node of this name and type.
    pub fn of(name: &str, node_type: &NodeType) -> Self {
        Self(format!("{name}-{node_type}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name and type, if the text has a `-` between two parts.
    pub fn parts(&self) -> Option<(&str, NodeType)> {
        let (name, node_type) = self.0.split_once('-')?;
        (!name.is_empty() && !node_type.is_empty()).then(|| (name, NodeType::from(node_type)))
    }
}

impl From<&str> for NodeId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for NodeId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The graph of a workflow: its nodes by [`NodeId`].
///
/// ```
/// use pipeline_proto::NodeName;
/// use pipeline_proto::model::{Node, NodeType, Nodes};
///
/// let mut queue = Node::new(NodeName::from_static("clicks"), NodeType::Repo, r#"{"region":"nb"}"#.parse()?);
/// let mut archive = Node::new(NodeName::from_static("archive"), NodeType::Export, r#"{"type":"kodo"}"#.parse()?);
/// queue.children.push(archive.to_ref());
/// archive.parents.push(queue.to_ref());
/// let nodes: Nodes = [queue, archive].into_iter().map(|node| (node.id(), node)).collect();
/// assert!(nodes.contains_key("clicks-repo"));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub type Nodes = BTreeMap<NodeId, Node>;

object! {
    /// A neighbour of a node, one end of an edge.
    pub struct NodeRef {
        /// The neighbour's name.
        "name" => name: String,
        /// The neighbour's type.
        "type" => node_type: NodeType,
    }
}

impl NodeRef {
    /// A reference to a node of this name and type.
    pub fn new(name: impl Into<String>, node_type: NodeType) -> Self {
        Self {
            name: name.into(),
            node_type,
            ..Self::default()
        }
    }

    /// The key of the node that is meant.
    pub fn id(&self) -> NodeId {
        NodeId::of(&self.name, &self.node_type)
    }
}

object! {
    /// A node of a workflow. Edges are stored at both ends.
    pub struct Node {
        /// The node's name; legal names are those of [`NodeName`](crate::NodeName).
        "name" => name: String,
        /// What the node is.
        "type" => node_type: NodeType,
        /// The node's configuration as the service's JSON text; [`spec`](Node::spec) reads it.
        "data" => data: Option<RawJson>,
        /// Where its data comes from.
        "parents" => parents: Vec<NodeRef>,
        /// Where its data goes.
        "children" => children: Vec<NodeRef>,
    }
}

impl Node {
    /// A node without neighbours.
    pub fn new(name: NodeName, node_type: NodeType, data: RawJson) -> Self {
        Self {
            name: name.into(),
            node_type,
            data: Some(data),
            ..Self::default()
        }
    }

    /// The key under which this node belongs into [`Nodes`].
    pub fn id(&self) -> NodeId {
        NodeId::of(&self.name, &self.node_type)
    }

    /// A reference to this node.
    pub fn to_ref(&self) -> NodeRef {
        NodeRef::new(self.name.clone(), self.node_type.clone())
    }
}
