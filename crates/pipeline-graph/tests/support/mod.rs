//! Shared by the integration tests: small graphs from short texts, and random ones.

#![allow(dead_code, reason = "each test binary uses its own part")]

use pipeline_proto::model::{Node, NodeId, NodeRef, NodeType, Nodes};
use proptest::prelude::*;

/// A node for an id like `clicks-repo`.
pub(crate) fn node(id: &str) -> Node {
    let (name, node_type) = id.split_once('-').expect("an id is <name>-<type>");
    let mut node = Node::default();
    name.clone_into(&mut node.name);
    node.node_type = NodeType::from(node_type);
    node
}

/// Adds an edge at both ends, or nothing at an end that is not there.
pub(crate) fn join(nodes: &mut Nodes, parent: &str, child: &str) {
    let reference = |id: &str| NodeRef::new(node(id).name, node(id).node_type);
    if let Some(node) = nodes.get_mut(parent) {
        node.children.push(reference(child));
    }
    if let Some(node) = nodes.get_mut(child) {
        node.parents.push(reference(parent));
    }
}

/// A graph written as paths: `"a-repo > t-transform > b-repo, a-repo > e-export"`.
pub(crate) fn nodes(paths: &str) -> Nodes {
    let mut nodes = Nodes::new();
    for path in paths.split(',') {
        let ids: Vec<&str> = path.split('>').map(str::trim).collect();
        for id in &ids {
            nodes.entry(NodeId::from(*id)).or_insert_with(|| node(id));
        }
        for edge in ids.windows(2) {
            join(&mut nodes, edge[0], edge[1]);
        }
    }
    nodes
}

/// `count` nodes `n0-lake`, `n1-lake`, … of an unknown type, so that any edge is legal.
pub(crate) fn untyped(count: usize, edges: &[(usize, usize)]) -> Nodes {
    let id = |at: usize| format!("n{at}-lake");
    let mut nodes: Nodes = (0..count)
        .map(|at| (NodeId::from(id(at)), node(&id(at))))
        .collect();
    for (parent, child) in edges {
        join(&mut nodes, &id(*parent), &id(*child));
    }
    nodes
}

/// Numbers of nodes and distinct edges between them, cycles and loops included.
pub(crate) fn any_edges() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1..24_usize).prop_flat_map(|count| {
        let edge = (0..count, 0..count);
        let edges = proptest::collection::btree_set(edge, 0..2 * count);
        (Just(count), edges.prop_map(|set| set.into_iter().collect()))
    })
}

/// The same without cycles.
pub(crate) fn acyclic_edges() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    any_edges().prop_map(|(count, edges)| {
        // Numbers are shuffled, so that the order of ids says nothing about the order of edges.
        let shuffled = |at: usize| (at * 7 + 3) % count;
        let injective = count % 7 != 0;
        let place = |at| if injective { shuffled(at) } else { at };
        let edges = edges.into_iter().filter(|(from, to)| from < to);
        let edges = edges.map(|(from, to)| (place(from), place(to)));
        (count, edges.collect())
    })
}
