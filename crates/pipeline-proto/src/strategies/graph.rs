//! Graphs as the service accepts them.

use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use super::{legal, text};
use crate::{
    model::{Node, NodeRef, NodeType, Nodes, RawJson},
    name::NodeName,
};

/// Legal graphs: keys made of name and type, no cycle, each edge at both its ends, and only edges
/// that the service's calls can make. From no node at all to about twenty.
///
/// A message queue is read by stream computations and exports, a stream computation reads one queue
/// and fills another; a batch computation reads batch data sources or other computations, and may
/// have exports. No queue is filled twice, and no job is manual: with a stream computation beside it
/// that would be refused (E18653).
pub fn nodes() -> impl Strategy<Value = Nodes> {
    let names = (any::<u16>(), any::<u16>());
    (plan(), names, vec(data(), 3)).prop_map(|(plan, (first, step), data)| {
        // An odd step does not meet the same number again before it has met all.
        let step = step | 1;
        let nodes = Vec::new();
        plan.build(Graph {
            nodes,
            first,
            step,
            data,
        })
    })
}

/// What is drawn: for each node where it hangs, among the nodes that come before it.
#[derive(Debug)]
struct Plan {
    /// For each queue the queue that a stream computation makes it from, if it is derived.
    repos: Vec<Option<Index>>,
    /// For each export its queue.
    exports: Vec<Index>,
    datasources: usize,
    /// For each batch computation its sources.
    jobs: Vec<Vec<Index>>,
    /// For each export of a batch computation that computation.
    job_exports: Vec<Index>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let index = any::<Index>;
    (
        vec(proptest::option::of(index()), 0..5),
        vec(index(), 0..4),
        0..3_usize,
        vec(vec(index(), 1..4), 0..4),
        vec(index(), 0..3),
    )
        .prop_map(|(repos, exports, datasources, jobs, job_exports)| Plan {
            repos,
            exports,
            datasources,
            jobs,
            job_exports,
        })
}

impl Plan {
    fn build(self, mut graph: Graph) -> Nodes {
        let mut repos: Vec<usize> = Vec::new();
        for derived_from in self.repos {
            let source = derived_from.and_then(|index| pick(index, &repos));
            let repo = graph.add(NodeType::Repo);
            repos.push(repo);
            if let Some(source) = source {
                let transform = graph.add(NodeType::Transform);
                graph.join(source, transform);
                graph.join(transform, repo);
            }
        }
        for index in self.exports {
            if let Some(repo) = pick(index, &repos) {
                let export = graph.add(NodeType::Export);
                graph.join(repo, export);
            }
        }
        let mut sources: Vec<usize> = (0..self.datasources)
            .map(|_| graph.add(NodeType::Datasource))
            .collect();
        let mut jobs = Vec::new();
        for indexes in self.jobs {
            // The same source may be drawn twice; an edge is there once.
            let chosen: BTreeSet<usize> = indexes
                .into_iter()
                .filter_map(|index| pick(index, &sources))
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let job = graph.add(NodeType::Job);
            for source in chosen {
                graph.join(source, job);
            }
            jobs.push(job);
            sources.push(job);
        }
        for index in self.job_exports {
            if let Some(job) = pick(index, &jobs) {
                let export = graph.add(NodeType::ExportBatch);
                graph.join(job, export);
            }
        }
        let data = graph.data.iter().cycle();
        let nodes = graph.nodes.into_iter().zip(data).map(|(mut node, data)| {
            node.data = Some(data.of(&node));
            (node.id(), node)
        });
        nodes.collect()
    }
}

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
