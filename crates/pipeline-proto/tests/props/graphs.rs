//! The generated graphs are legal by a second statement of the rules.

use std::collections::BTreeSet;

use pipeline_proto::{
    NodeName,
    model::{Node, NodeId, NodeType, Nodes},
    resource::NodeSpec,
    strategies,
};
use proptest::prelude::*;

/// The edges that the service's calls can make, as pairs of types.
const LEGAL_EDGES: [(NodeType, NodeType); 6] = [
    (NodeType::Repo, NodeType::Transform),
    (NodeType::Transform, NodeType::Repo),
    (NodeType::Repo, NodeType::Export),
    (NodeType::Datasource, NodeType::Job),
    (NodeType::Job, NodeType::Job),
    (NodeType::Job, NodeType::ExportBatch),
];

fn parents(node: &Node) -> Vec<NodeId> {
    node.parents
        .iter()
        .map(pipeline_proto::model::NodeRef::id)
        .collect()
}

fn children(node: &Node) -> Vec<NodeId> {
    node.children
        .iter()
        .map(pipeline_proto::model::NodeRef::id)
        .collect()
}

/// Takes away nodes without parents until none is left; what remains is on a cycle or behind one.
fn is_acyclic(nodes: &Nodes) -> bool {
    let mut left: BTreeSet<&NodeId> = nodes.keys().collect();
    loop {
        let before = left.len();
        let rest = left.clone();
        left.retain(|id| {
            parents(&nodes[*id])
                .iter()
                .any(|parent| rest.contains(parent))
        });
        if left.len() == before {
            return left.is_empty();
        }
    }
}

proptest! {
    #[test]
    fn generated_graphs_are_legal(nodes in strategies::nodes(0..=20)) {
        for (id, node) in &nodes {
            prop_assert_eq!(id, &node.id());
            prop_assert!(NodeName::new(node.name.as_str()).is_ok());
            let spec = node.spec().unwrap();
            prop_assert!(!matches!(spec, NodeSpec::None));
            for child in children(node) {
                let child = &nodes[&child];
                prop_assert!(parents(child).contains(id), "{id} -> {}", child.id());
                let edge = (node.node_type.clone(), child.node_type.clone());
                prop_assert!(LEGAL_EDGES.contains(&edge), "{edge:?}");
            }
            for parent in parents(node) {
                prop_assert!(children(&nodes[&parent]).contains(id), "{parent} -> {id}");
            }
            let distinct: BTreeSet<NodeId> = parents(node).into_iter().collect();
            prop_assert_eq!(distinct.len(), node.parents.len());
            let sources = match node.node_type {
                NodeType::Datasource => 0..=0,
                NodeType::Repo => 0..=1,
                NodeType::Job => 1..=usize::MAX,
                _ => 1..=1,
            };
            prop_assert!(sources.contains(&node.parents.len()), "{id}");
        }
        prop_assert!(is_acyclic(&nodes));
    }
}
