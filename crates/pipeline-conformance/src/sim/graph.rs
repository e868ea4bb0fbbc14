use std::sync::Arc;

use pipeline_proto::model::{Node, NodeRef, NodeType, Nodes, RawJson};

/// What a graph looks like, and what is known of it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Empty,
    /// Legal, but nothing in it can run.
    Queue,
    Export,
    Transform,
    /// Ends by itself after a while.
    Manual,
    Dangling,
    Cycle,
    Mixed,
    /// Cannot be sent at all.
    IllegalName,
}

impl Shape {
    /// The more useful ones more often.
    pub(super) const DRAWN: &[Self] = &[
        Self::Export,
        Self::Export,
        Self::Export,
        Self::Export,
        Self::Export,
        Self::Transform,
        Self::Transform,
        Self::Transform,
        Self::Transform,
        Self::Transform,
        Self::Manual,
        Self::Manual,
        Self::Manual,
        Self::Queue,
        Self::Empty,
        Self::Dangling,
        Self::Cycle,
        Self::Mixed,
        Self::IllegalName,
    ];

    /// The code with which the service refuses it.
    pub(super) const fn refusal(self) -> Option<u32> {
        match self {
            Self::Dangling | Self::Cycle => Some(18646),
            Self::Mixed => Some(18653),
            _ => None,
        }
    }

    pub(super) const fn can_start(self) -> bool {
        matches!(self, Self::Export | Self::Transform | Self::Manual)
    }
}

/// A graph that a client sends.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) shape: Shape,
    pub(super) nodes: Arc<Nodes>,
}

impl Graph {
    /// The version stands in the data, so that two graphs of one shape can be told apart.
    pub(super) fn new(shape: Shape, version: u64) -> Self {
        use NodeType::{Datasource, Export, ExportBatch, Job, Repo, Transform};
        let mut nodes = Nodes::new();
        let mut add = |name: &str, node_type: NodeType, data: String| -> NodeRef {
            let mut node = Node::default();
            node.name = name.into();
            node.node_type = node_type;
            node.data = data.parse::<RawJson>().ok();
            let reference = node.to_ref();
            nodes.insert(node.id(), node);
            reference
        };
        let data = || format!(r#"{{"version":{version}}}"#);
        let manual = || r#"{"scheduler":{"type":"manual"}}"#.to_owned();
        let mut edges: Vec<(NodeRef, NodeRef)> = Vec::new();
        match shape {
            Shape::Empty => {}
            Shape::Queue => drop(add("clicks", Repo, data())),
            Shape::Export => {
                edges.push((add("clicks", Repo, data()), add("save", Export, data())));
            }
            Shape::Transform => {
                let clicks = add("clicks", Repo, data());
                let clean = add("clean", Transform, data());
                let cleaned = add("cleaned", Repo, data());
                edges.push((clicks, clean.clone()));
                edges.push((clean, cleaned));
            }
            Shape::Manual => {
                let archive = add("archive", Datasource, data());
                let count = add("count", Job, manual());
                let report = add("report", ExportBatch, data());
                edges.push((archive, count.clone()));
                edges.push((count, report));
            }
            Shape::Dangling => {
                let clicks = add("clicks", Repo, data());
                edges.push((clicks, NodeRef::new("gone", Export)));
            }
            Shape::Cycle => {
                let clicks = add("clicks", Repo, data());
                let clean = add("clean", Transform, data());
                edges.push((clicks.clone(), clean.clone()));
                edges.push((clean, clicks));
            }
            Shape::Mixed => {
                add("clean", Transform, data());
                add("count", Job, manual());
            }
            Shape::IllegalName => drop(add("9 lives", Repo, data())),
        }
        for (from, to) in edges {
            if let Some(node) = nodes.get_mut(&from.id()) {
                node.children.push(to.clone());
            }
            if let Some(node) = nodes.get_mut(&to.id()) {
                node.parents.push(from);
            }
        }
        Self {
            shape,
            nodes: Arc::new(nodes),
        }
    }
}
