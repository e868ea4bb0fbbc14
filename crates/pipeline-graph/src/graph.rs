//! A workflow's nodes as a graph that was checked: order, levels, neighbours, reachability.
//!
//! ```
//! use pipeline_graph::Graph;
//! use pipeline_proto::model::Nodes;
//!
//! let nodes: Nodes = serde_json::from_str(
//!     r#"{
//!         "clicks-repo": {"name": "clicks", "type": "repo", "children": [{"name": "save", "type": "export"}]},
//!         "save-export": {"name": "save", "type": "export", "parents": [{"name": "clicks", "type": "repo"}]}
//!     }"#,
//! )?;
//! let graph = Graph::new(&nodes).unwrap();
//! let order: Vec<_> = graph.topological_order().map(|id| id.as_str()).collect();
//! assert_eq!(order, ["clicks-repo", "save-export"]);
//! assert!(graph.can_start());
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::borrow::Borrow;

use pipeline_proto::model::{NodeId, Nodes};

use crate::build::GraphBuilder;

mod adjacency;
mod check;
mod cycle;
mod fault;

pub(crate) use adjacency::{Adjacency, position};
pub(crate) use check::{check, complete_edges, may_feed};
pub(crate) use cycle::levels;
pub use fault::GraphError;
pub(crate) use fault::{Fault, Side};

/// A workflow's nodes that form a legal graph: acyclic, every edge stored at both ends.
///
/// Whatever it lists comes in one fixed order, which depends on nothing but the set of nodes and
/// edges.
///
/// ```
/// use pipeline_graph::Graph;
/// use pipeline_proto::model::Nodes;
///
/// let nodes: Nodes = serde_json::from_str(r#"{
///     "raw-repo": {"name": "raw", "type": "repo", "children": [{"name": "save", "type": "export"}]},
///     "save-export": {"name": "save", "type": "export", "parents": [{"name": "raw", "type": "repo"}]}}"#)?;
/// let graph = Graph::new(&nodes)?;
/// let order: Vec<_> = graph.topological_order().map(|id| id.as_str()).collect();
/// assert_eq!(order, ["raw-repo", "save-export"]);
/// assert_eq!(graph.descendants("raw-repo").len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Graph {
    /// Ascending; all other members speak of positions in this list.
    ids: Vec<NodeId>,
    parents: Adjacency,
    children: Adjacency,
    levels: Levels,
    sinks: Vec<u32>,
    can_start: bool,
}

/// Every node once, by level and then by id.
#[derive(Debug, Clone)]
struct Levels {
    order: Vec<u32>,
    /// Where in `order` each level starts, plus the length of `order`.
    starts: Vec<usize>,
}

impl Graph {
    /// Checks the nodes and builds the graph, in time linear in nodes and edges.
    ///
    /// The empty graph is legal: a new workflow has no nodes.
    ///
    /// # Errors
    ///
    /// All faults that were found, in a fixed order.
    pub fn new(nodes: &Nodes) -> Result<Self, GraphError> {
        let checked = check(nodes);
        if !checked.faults.is_empty() {
            return Err(GraphError::of(checked.faults));
        }
        let children = checked.children;
        let parents = children.transpose();
        let sinks = children
            .positions()
            .filter(|at| children.of(*at).is_empty());
        Ok(Self {
            ids: nodes.keys().cloned().collect(),
            sinks: sinks.collect(),
            levels: Levels::new(&checked.levels),
            parents,
            children,
            can_start: nodes.values().any(|node| node.node_type.makes_startable()),
        })
    }

    /// Nodes that are put together by a program.
    pub fn builder() -> GraphBuilder {
        GraphBuilder::default()
    }

    /// Whether the service would let a workflow of these nodes start: it needs a stream computation,
    /// an export of a message queue, or an export of a batch computation.
    pub fn can_start(&self) -> bool {
        self.can_start
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Number of edges.
    pub fn edge_count(&self) -> usize {
        self.children.edge_count()
    }

    /// Whether there is such a node.
    pub fn contains<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> bool {
        self.position(id).is_some()
    }

    /// All nodes, each after all of its parents; by level, then by id.
    pub fn topological_order(&self) -> impl ExactSizeIterator<Item = &NodeId> {
        self.named(&self.levels.order)
    }

    /// The nodes by level, each level by id. The level of a node is the length of the longest path
    /// that leads to it; roots have level 0.
    pub fn levels(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = &NodeId>> {
        let order = &self.levels.order;
        self.levels
            .starts
            .windows(2)
            .map(move |ends| self.named(&order[ends[0]..ends[1]]))
    }

    /// Nodes without parents, by id.
    pub fn roots(&self) -> impl ExactSizeIterator<Item = &NodeId> {
        let level_0 = self.levels.starts.get(1).copied().unwrap_or(0);
        self.named(&self.levels.order[..level_0])
    }

    /// Nodes without children, by id.
    pub fn sinks(&self) -> impl ExactSizeIterator<Item = &NodeId> {
        self.named(&self.sinks)
    }

    /// The nodes that the node reads from directly, by id; none for a node that is not there.
    pub fn parents<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> Vec<&NodeId> {
        self.neighbours(id, &self.parents)
    }

    /// The nodes that read from the node directly, by id; none for a node that is not there.
    pub fn children<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> Vec<&NodeId> {
        self.neighbours(id, &self.children)
    }

    /// All nodes from which a path leads to the node, by id, without the node itself.
    pub fn ancestors<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> Vec<&NodeId> {
        self.reachable(id, &self.parents)
    }

    /// All nodes to which a path leads from the node, by id, without the node itself.
    pub fn descendants<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> Vec<&NodeId> {
        self.reachable(id, &self.children)
    }

    fn position<Q: Borrow<str> + ?Sized>(&self, id: &Q) -> Option<u32> {
        let at = self
            .ids
            .binary_search_by(|known| known.as_str().cmp(id.borrow()));
        at.ok().map(adjacency::position)
    }

    fn named<'a>(&'a self, positions: &'a [u32]) -> impl ExactSizeIterator<Item = &'a NodeId> {
        positions.iter().map(|at| &self.ids[*at as usize])
    }

    fn neighbours<Q: Borrow<str> + ?Sized>(&self, id: &Q, edges: &Adjacency) -> Vec<&NodeId> {
        let positions = self.position(id).map_or(&[][..], |at| edges.of(at));
        positions.iter().map(|at| &self.ids[*at as usize]).collect()
    }

    fn reachable<Q: Borrow<str> + ?Sized>(&self, id: &Q, edges: &Adjacency) -> Vec<&NodeId> {
        let mut seen = vec![false; self.len()];
        let mut waiting: Vec<u32> = self.position(id).into_iter().collect();
        while let Some(at) = waiting.pop() {
            for next in edges.of(at) {
                if !std::mem::replace(&mut seen[*next as usize], true) {
                    waiting.push(*next);
                }
            }
        }
        let ids = self.ids.iter().zip(seen);
        ids.filter_map(|(id, seen)| seen.then_some(id)).collect()
    }
}

impl Levels {
    /// Sorts by counting, so that ties stay in the order of ids and the time stays linear.
    fn new(level_of: &[u32]) -> Self {
        let count = level_of.iter().max().map_or(0, |top| *top as usize + 1);
        let by_level = Adjacency::new(
            count,
            level_of
                .iter()
                .enumerate()
                .map(|(at, level)| (*level, adjacency::position(at))),
        );
        let mut starts = vec![0];
        let mut order = Vec::with_capacity(level_of.len());
        for level in by_level.positions() {
            order.extend_from_slice(by_level.of(level));
            starts.push(order.len());
        }
        Self { order, starts }
    }
}
