//! Time per node of each tool at 1,000, 10,000 and 100,000 nodes and twice as many edges.
//!
//! `cargo bench -p pipeline-graph` prints a table. A row that stays level shows linear work; it fails where a node of
//! the largest size costs much more than one of the smallest, as it does when something is looked for in a list.

use std::{fmt::Write as _, hint::black_box, time::Instant};

use pipeline_proto::model::{Node, NodeRef, NodeType, Nodes};

use pipeline_graph::{
    Definition, Graph,
    diff::diff,
    draw::{Charset, Picture},
    file::{Format, Secrets, WorkflowFile},
    lint::lint_nodes,
};

fn main() {
    let sizes = [1_000, 10_000, 100_000];
    println!(
        "nanoseconds per node{:>14}{:>10}{:>10}",
        sizes[0], sizes[1], sizes[2]
    );
    let texts = sizes.map(|nodes| workflow(nodes / 2));
    let definitions = [0, 1, 2].map(|at| read(&texts[at]));
    let others = [0, 1, 2].map(|at| read(&texts[at].replace("\"long\"", "\"float\"")));
    let pairs: Vec<_> = definitions.iter().zip(&others).collect();
    row("read a file", &texts, |text| drop(black_box(read(text))));
    row("write a file", &definitions, |definition| {
        black_box(definition.write(Format::Yaml, Secrets::Mask)).expect("readable data");
    });
    row("order", &definitions, |definition| {
        let graph = Graph::new(&definition.nodes).expect("a legal graph");
        black_box(graph.topological_order().count());
    });
    row("lint", &definitions, |definition| {
        drop(black_box(lint_nodes(&definition.nodes)));
    });
    row("diff, everything changed", &pairs, |(old, new)| {
        drop(black_box(diff(old, new)));
    });
    row("diff, nothing changed", &definitions, |old| {
        drop(black_box(diff(old, old)));
    });
    row("tree", &definitions, |definition| {
        drop(black_box(
            Picture::new(&definition.nodes).tree(Charset::Unicode),
        ));
    });
    row("lint, every edge broken", &definitions, |definition| {
        let mut nodes = definition.nodes.clone();
        for node in nodes.values_mut() {
            // Every edge is at one end only, and every cycle is closed.
            node.children.clone_from(&node.parents);
        }
        drop(black_box(lint_nodes(&nodes)));
    });
    row("lint of a hub", &sizes.map(hub), |nodes| {
        drop(black_box(lint_nodes(nodes)));
    });
    row("svg", &definitions[..2], |definition| {
        drop(black_box(Picture::new(&definition.nodes).svg()));
    });
}

/// A node with so many children, none of which knows it.
fn hub(leaves: usize) -> Nodes {
    let mut nodes = Nodes::new();
    let mut hub = Node::default();
    (hub.name, hub.node_type) = ("hub".to_owned(), NodeType::from("lake"));
    for at in 0..leaves {
        let leaf = NodeRef::new(format!("l{at}"), hub.node_type.clone());
        let mut node = Node::default();
        (node.name, node.node_type) = (leaf.name.clone(), leaf.node_type.clone());
        nodes.insert(node.id(), node);
        hub.children.push(leaf);
    }
    nodes.insert(hub.id(), hub);
    nodes
}

/// Measures the same work at each size, the best of three.
fn row<T>(what: &str, inputs: &[T], work: impl Fn(&T)) {
    print!("{what:<24}");
    let mut nodes = 1_000;
    let mut costs = Vec::new();
    for input in inputs {
        let best = (0..3).map(|_| {
            let start = Instant::now();
            work(input);
            start.elapsed().as_nanos()
        });
        let cost = best.min().unwrap_or(0) / nodes;
        print!("{cost:>10}");
        costs.push(cost);
        nodes *= 10;
    }
    println!();
    // Caches account for a factor of two or three, a search in a list for one of a hundred.
    if let [first, .., last] = costs[..] {
        assert!(
            last <= 10 * first.max(1),
            "{what} grows with more than its input"
        );
    }
}

fn read(text: &str) -> Definition {
    let file = WorkflowFile::parse(text, Format::Json).expect("a workflow file");
    file.resolve(|_| None).expect("no references")
}

/// Streams one behind the other, each also reading from earlier ones.
fn workflow(streams: usize) -> String {
    let mut text = String::from("{\"name\":\"w\",\"region\":\"nb\",\"nodes\":{");
    for at in 0..streams {
        let sources = [at, at.saturating_sub(2), at.saturating_sub(5)];
        let mut sources: Vec<String> = sources.iter().map(|at| format!("\"r{at}-repo\"")).collect();
        sources.dedup();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            r#""r{at}-repo":{{"data":{{"schema":[{{"key":"a","valtype":"long"}},{{"key":"b","valtype":"string"}}]}}}},
            "t{at}-transform":{{"parents":[{}],"children":["r{}-repo"],"data":{{"mode":"sql","code":"select"}}}},"#,
            sources.join(","),
            at + 1,
        );
    }
    let _ = write!(text, "\"r{streams}-repo\":{{}}}}}}");
    text
}
