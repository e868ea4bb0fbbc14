use std::fmt;

use pipeline_proto::{
    ErrorCode,
    model::{Node, NodeId, NodeRef},
};

use crate::{
    finding::{Finding, Rule, and_more},
    path::Path,
};

/// Which list of a node an edge is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Parents,
    Children,
}

impl Side {
    /// The name of the member.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Parents => "parents",
            Self::Children => "children",
        }
    }

    /// The list at the other end of the edge.
    pub(crate) const fn other(self) -> Self {
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

    pub(crate) fn list(self, node: &mut Node) -> &mut Vec<NodeRef> {
        match self {
            Self::Parents => &mut node.parents,
            Self::Children => &mut node.children,
        }
    }

    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::Parents => "parent",
            Self::Children => "child",
        }
    }
}

/// One reason why nodes do not form a legal graph.
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    /// The node at which to look first.
    pub(crate) node: NodeId,
    /// The entry in one of its lists, if it is about one.
    pub(crate) edge: Option<(Side, usize)>,
    pub(crate) message: String,
}

impl Fault {
    pub(super) fn new(rule: Rule, node: &NodeId, message: String) -> Self {
        Self {
            rule,
            node: node.clone(),
            edge: None,
            message,
        }
    }

    pub(super) fn at(self, side: Side, index: usize) -> Self {
        Self {
            edge: Some((side, index)),
            ..self
        }
    }

    fn into_finding(self) -> Finding {
        let mut path = Path::inside("nodes", self.node.as_str());
        let path = match self.edge {
            Some((side, index)) => path.in_member(side.as_str(), |path| {
                path.in_element(index, |path| path.as_str().to_owned())
            }),
            None => path.as_str().to_owned(),
        };
        Finding::new(self.rule, self.message)
            .node(&self.node)
            .path(path)
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
/// assert_eq!(error.findings()[0].path, "nodes['raw-repo'].children[0]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    /// Never empty.
    findings: Vec<Finding>,
}

impl GraphError {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    pub(super) fn of(faults: Vec<Fault>) -> Self {
        Self::new(faults.into_iter().map(Fault::into_finding).collect())
    }

    /// All faults, of severity error: by node, then cycles, then what concerns the workflow as a whole.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The code with which the service refuses the nodes, by the first fault.
    pub fn code(&self) -> ErrorCode {
        let code = self.findings[0].rule.code();
        code.unwrap_or(ErrorCode::INVALID_WORKFLOW_GRAPH)
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { node, message, .. } = &self.findings[0];
        if let Some(node) = node
            .as_ref()
            .filter(|node| !message.contains(node.as_str()))
        {
            write!(f, "node {node:?}: ")?;
        }
        f.write_str(message)?;
        and_more(f, self.findings.len())
    }
}

impl std::error::Error for GraphError {}
