//! Graphs as the service accepts them.

use std::collections::BTreeSet;

use proptest::{
    collection::{SizeRange, vec},
    prelude::*,
    sample::{Index, select},
};

use super::{legal, text};
use crate::{
    model::{Node, NodeRef, NodeType, Nodes, RawJson},
    name::NodeName,
};

/// Legal graphs of so many nodes: keys made of name and type, no cycle, each edge at both its ends, and only
/// edges that the service's calls can make.
///
/// A message queue is read by stream computations and exports, a stream computation reads one queue
/// and fills another; a batch computation reads batch data sources or other computations, and may
/// have exports. No queue is filled twice, and no job is manual: with a stream computation beside it
/// that would be refused (E18653).
///
/// ```
/// use pipeline_proto::strategies::nodes;
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn a_graph_has_as_many_nodes_as_were_asked_for(nodes in nodes(1..=50), none in nodes(0)) {
///         prop_assert!((1..=50).contains(&nodes.len()) && none.is_empty());
///     }
/// }
/// # a_graph_has_as_many_nodes_as_were_asked_for();
/// ```
pub fn nodes(size: impl Into<SizeRange>) -> impl Strategy<Value = Nodes> {
    let names = (any::<u16>(), any::<u16>());
    let steps = vec((0..6_u8, vec(any::<Index>(), 1..4)), size);
    (steps, names, vec(data(), 3)).prop_map(|(steps, (first, step), data)| {
        // An odd step does not meet the same number again before it has met all.
        let step = step | 1;
        let nodes = Vec::new();
        Graph {
            nodes,
            first,
            step,
            data,
        }
        .build(&steps)
    })
}

/// What a node is to be, and where it hangs among those that come before it.
type Step = (u8, Vec<Index>);

fn pick(index: Index, from: &[usize]) -> Option<usize> {
    (!from.is_empty()).then(|| from[index.index(from.len())])
}

/// Nodes in the order they were added, and what names and data are made from.
struct Graph {
    nodes: Vec<Node>,
    first: u16,
    step: u16,
    data: Vec<Data>,
}

impl Graph {
    /// Adds a node for each step; one that there is nothing for to hang on is one that needs nothing.
    fn build(mut self, steps: &[Step]) -> Nodes {
        let (mut repos, mut sources, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, hangs) in steps {
            let left = steps.len() - self.nodes.len();
            let repo = pick(hangs[0], &repos);
            match (kind, repo, left) {
                (_, _, 0) => break,
                // With the queue that it fills.
                (1, Some(source), 2..) => {
                    let transform = self.add(NodeType::Transform);
                    let repo = self.add(NodeType::Repo);
                    self.join(source, transform);
                    self.join(transform, repo);
                    repos.push(repo);
                }
                (2, Some(repo), _) => {
                    let export = self.add(NodeType::Export);
                    self.join(repo, export);
                }
                (0..=2, ..) => repos.push(self.add(NodeType::Repo)),
                (4, ..) if !sources.is_empty() => {
                    // The same source may be drawn twice; an edge is there once.
                    let chosen: BTreeSet<usize> =
                        hangs.iter().filter_map(|at| pick(*at, &sources)).collect();
                    let job = self.add(NodeType::Job);
                    for source in chosen {
                        self.join(source, job);
                    }
                    jobs.push(job);
                    sources.push(job);
                }
                (5, ..) if !jobs.is_empty() => {
                    let export = self.add(NodeType::ExportBatch);
                    self.join(jobs[hangs[0].index(jobs.len())], export);
                }
                _ => sources.push(self.add(NodeType::Datasource)),
            }
        }
        let data = self.data.iter().cycle();
        let nodes = self.nodes.into_iter().zip(data).map(|(mut node, data)| {
            node.data = Some(data.of(&node));
            (node.id(), node)
        });
        nodes.collect()
    }

    fn add(&mut self, node_type: NodeType) -> usize {
        let at = self.nodes.len();
        let number = legal(u16::try_from(at));
        let name = name(self.first.wrapping_add(self.step.wrapping_mul(number)));
        self.nodes.push(Node {
            name: name.into(),
            node_type,
            ..Node::default()
        });
        at
    }

    fn join(&mut self, parent: usize, child: usize) {
        let (above, below) = (self.nodes[parent].to_ref(), self.nodes[child].to_ref());
        self.nodes[parent].children.push(below);
        self.nodes[child].parents.push(above);
    }
}

/// Another name for each number.
fn name(mut number: u16) -> NodeName {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    let mut text = String::new();
    loop {
        text.push(char::from(LETTERS[usize::from(number) % LETTERS.len()]));
        number /= 53;
        if number == 0 {
            return legal(NodeName::new(text));
        }
    }
}

/// What the data of a node is made from, whatever its type turns out to be.
#[derive(Debug, Clone)]
struct Data {
    text: String,
    count: u8,
    kind: &'static str,
}

fn data() -> impl Strategy<Value = Data> {
    let kind = select(vec!["kodo", "logdb", "http", "tsdb"]);
    (text(), 1..10_u8, kind).prop_map(|(text, count, kind)| Data { text, count, kind })
}

impl Data {
    /// The members that a call creating such a node would use.
    fn of(&self, node: &Node) -> RawJson {
        let Self { text, count, kind } = self;
        let sources = node.parents.iter().map(|parent| source(parent, &node.name));
        let sources: Vec<_> = sources.collect();
        let value = match node.node_type {
            NodeType::Repo => serde_json::json!({
                "region": "nb",
                "schema": [{"key": "f1", "valtype": "string", "required": true}],
                "description": text,
            }),
            NodeType::Transform => serde_json::json!({
                "mode": "sql",
                "code": format!("select '{text}'"),
                "interval": "1m",
                "container": {"type": "1U2G", "count": count},
            }),
            NodeType::Datasource => serde_json::json!({
                "region": "nb",
                "type": "kodo",
                "spec": {"bucket": "clicks", "keyPrefixes": ["p"], "fileType": "json"},
                "schema": [{"key": "f1", "valtype": "string", "required": true}],
            }),
            NodeType::Job => serde_json::json!({
                "srcs": sources,
                "computation": {"code": format!("select '{text}'"), "type": "sql"},
                "container": {"type": "1U2G", "count": count},
                "scheduler": {"type": "loop", "spec": {"loop": format!("{count}m")}},
            }),
            _ => serde_json::json!({"type": kind, "spec": target(kind, text)}),
        };
        legal(RawJson::from_value(&value))
    }
}

/// What a job says of one that it reads.
fn source(parent: &NodeRef, reader: &str) -> serde_json::Value {
    let NodeRef {
        name, node_type, ..
    } = parent;
    // No job before this one may use the same name.
    let table = format!("t_{name}_{node_type}_{reader}");
    serde_json::json!({"name": name, "type": node_type, "tableName": table})
}

/// Where an export writes to.
fn target(kind: &str, text: &str) -> serde_json::Value {
    let fields = serde_json::json!({"f1": "#f1"});
    match kind {
        "kodo" => serde_json::json!({"bucket": "clicks", "format": "json", "fields": fields}),
        "logdb" => serde_json::json!({"destRepoName": "clicks", "doc": fields}),
        "tsdb" => {
            serde_json::json!({"destRepoName": "clicks", "series": format!("s{text}"), "fields": fields})
        }
        _ => serde_json::json!({"host": "example.com", "uri": "/clicks"}),
    }
}
