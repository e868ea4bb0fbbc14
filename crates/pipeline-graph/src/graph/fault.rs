use std::fmt;

use pipeline_proto::{
    ErrorCode, NameError,
    model::{Node, NodeId, NodeRef, NodeType},
};

use crate::finding::and_more;

/// Which list of a node an edge is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The node's `parents`.
    Parents,
    /// The node's `children`.
    Children,
}

impl Side {
    /// The name of the member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parents => "parents",
            Self::Children => "children",
        }
    }

    /// The list at the other end of the edge.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Parents => Self::Children,
            Self::Children => Self::Parents,
        }
    }

    /// The place of this side where both sides are in one array.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Parents => 0,
            Self::Children => 1,
        }
    }

    /// The node's list on this side.
    pub(crate) fn of(self, node: &Node) -> &[NodeRef] {
        match self {
            Self::Parents => &node.parents,
            Self::Children => &node.children,
        }
    }

    const fn one(self) -> &'static str {
        match self {
            Self::Parents => "parent",
            Self::Children => "child",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One reason why nodes do not form a legal graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A node's name breaks the naming rules.
    #[non_exhaustive]
    NodeName {
        /// The node's key.
        node: NodeId,
        /// What is wrong with the name.
        error: NameError,
    },
    /// A node's key is not `<name>-<type>`, or the node has no type.
    #[non_exhaustive]
    NodeKey {
        /// The node's key.
        node: NodeId,
        /// The node's type; empty when it has none.
        node_type: NodeType,
        /// The key that name and type call for.
        expected: NodeId,
    },
    /// An edge leads to a node that is not there.
    #[non_exhaustive]
    DanglingEdge {
        /// The node that has the edge.
        node: NodeId,
        /// The list it is written in.
        side: Side,
        /// Its place in the list.
        index: usize,
        /// The node that is missing.
        neighbour: NodeId,
    },
    /// An edge is written in the same list more than once.
    #[non_exhaustive]
    DuplicateEdge {
        /// The node that has the edge.
        node: NodeId,
        /// The list it is written in.
        side: Side,
        /// The place of the repetition in the list.
        index: usize,
        /// The other end.
        neighbour: NodeId,
    },
    /// An edge is stored at one end only.
    #[non_exhaustive]
    OneSidedEdge {
        /// The node that has the edge.
        node: NodeId,
        /// The list it is written in.
        side: Side,
        /// Its place in the list.
        index: usize,
        /// The node that lacks it.
        neighbour: NodeId,
    },
    /// An edge joins two types that cannot be joined.
    #[non_exhaustive]
    IllegalEdge {
        /// Where the edge starts.
        parent: NodeId,
        /// Where it ends.
        child: NodeId,
        /// The type at the start.
        parent_type: NodeType,
        /// The type at the end.
        child_type: NodeType,
        /// The list it is written in; of an edge that is at both ends, the child's.
        side: Side,
        /// Its place in the list.
        index: usize,
    },
    /// Edges lead back to where they started. One cycle is named for each group of nodes that are
    /// on cycles together: the shortest through the group's first node.
    #[non_exhaustive]
    Cycle {
        /// The nodes of the cycle in its direction; the first follows the last.
        nodes: Vec<NodeId>,
    },
    /// Scheduled work (stream computations, batch computations with a plan) and manually run batch
    /// computations in one workflow.
    #[non_exhaustive]
    MixedSchedules {
        /// The first scheduled node.
        scheduled: NodeId,
        /// The first manually run job.
        manual: NodeId,
    },
}

impl Fault {
    /// The code with which the service refuses this.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::MixedSchedules { .. } => ErrorCode::SCHEDULED_AND_MANUAL_JOBS_MIXED,
            _ => ErrorCode::INVALID_WORKFLOW_GRAPH,
        }
    }

    /// The node at which to look first.
    pub fn node(&self) -> &NodeId {
        match self {
            Self::NodeName { node, .. }
            | Self::NodeKey { node, .. }
            | Self::DanglingEdge { node, .. }
            | Self::DuplicateEdge { node, .. }
            | Self::OneSidedEdge { node, .. } => node,
            Self::IllegalEdge {
                parent,
                child,
                side,
                ..
            } => match side {
                Side::Parents => child,
                Side::Children => parent,
            },
            Self::Cycle { nodes } => &nodes[0],
            Self::MixedSchedules { manual, .. } => manual,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeName { node, error } => write!(f, "node {node:?}: {error}"),
            Self::NodeKey {
                node,
                node_type,
                expected,
            } => {
                if node_type.as_str().is_empty() {
                    write!(f, "node {node:?} has no type")
                } else {
                    write!(
                        f,
                        "node {node:?} must have the key {expected:?}, which is <name>-<type>"
                    )
                }
            }
            Self::DanglingEdge {
                node,
                side,
                neighbour,
                ..
            } => write!(
                f,
                "node {node:?} names the {} {neighbour:?}, which is not there",
                side.one()
            ),
            Self::DuplicateEdge {
                node,
                side,
                neighbour,
                ..
            } => write!(f, "node {node:?} has {neighbour:?} among its {side} twice"),
            Self::OneSidedEdge {
                node,
                side,
                neighbour,
                ..
            } => write!(
                f,
                "node {node:?} has {neighbour:?} among its {side}, but {neighbour:?} does not have {node:?} among its {}",
                side.other()
            ),
            Self::IllegalEdge {
                parent,
                child,
                parent_type,
                child_type,
                ..
            } => write!(
                f,
                "the edge {parent:?} -> {child:?} is not possible: no {parent_type} can feed a {child_type}"
            ),
            Self::Cycle { nodes } => {
                f.write_str("the nodes form a cycle: ")?;
                for node in nodes {
                    write!(f, "{node} -> ")?;
                }
                write!(f, "{}", nodes[0])
            }
            Self::MixedSchedules { scheduled, manual } => write!(
                f,
                "scheduled work ({scheduled:?}) and manually run jobs ({manual:?}) cannot share a workflow"
            ),
        }
    }
}

/// Nodes that do not form a legal graph, with every reason.
///
/// `Display` is one line: the first fault and how many more there are.
///
/// ```
/// use pipeline_graph::Graph;
/// use pipeline_proto::{ErrorCode, model::Nodes};
///
/// let nodes: Nodes = serde_json::from_str(r#"{
///     "raw-repo": {"name": "raw", "type": "repo", "children": [{"name": "gone", "type": "export"}]}}"#)?;
/// let error = Graph::new(&nodes).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::INVALID_WORKFLOW_GRAPH);
/// assert_eq!(error.faults()[0].node().as_str(), "raw-repo");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    /// Never empty.
    faults: Vec<Fault>,
}

impl GraphError {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self { faults }
    }

    /// All faults: by node, then cycles, then what concerns the workflow as a whole.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The code with which the service refuses the nodes: that of the first fault.
    pub fn code(&self) -> ErrorCode {
        self.faults[0].code()
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.faults[0])?;
        and_more(f, self.faults.len())
    }
}

impl std::error::Error for GraphError {}
