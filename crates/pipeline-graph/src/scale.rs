//! Whether work grows with the size of a definition and not with its square: counted, not timed.

use std::{cell::Cell, fmt::Write as _};

use pipeline_proto::model::Nodes;

use crate::{Definition, Graph, diff::diff, draw::Picture, file, lint::lint_nodes};

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Notes that this many elementary steps were taken.
pub(crate) fn count(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

fn steps_of<T>(work: impl FnOnce() -> T) -> usize {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}

/// Streams one behind the other, each also reading from earlier ones: two edges for each node.
fn definition(streams: usize) -> Definition {
    let mut text = String::from("{\"name\":\"w\",\"region\":\"nb\",\"nodes\":{");
    for at in 0..streams {
        let sources = [at, at / 2, at.saturating_sub(3)];
        let mut sources: Vec<String> = sources.iter().map(|at| format!("\"r{at}-repo\"")).collect();
        sources.sort();
        sources.dedup();
        let data = format!(
            r#"{{"schema":[{{"key":"a","valtype":"long"}},{{"key":"b{at}","valtype":"string"}}]}}"#
        );
        let _ = write!(
            text,
            r#""r{at}-repo":{{"data":{data}}},"t{at}-transform":{{"parents":[{}],"children":["r{}-repo"],"data":{{"mode":"sql","code":"select"}}}},"#,
            sources.join(","),
            at + 1,
        );
    }
    let _ = write!(text, "\"r{streams}-repo\":{{}}}}}}");
    let file = file::WorkflowFile::parse(&text, file::Format::Json).unwrap();
    file.resolve(|_| None).unwrap()
}

/// The steps that some work takes for a definition of ten times the size must be ten times as many.
fn assert_linear(what: &str, work: impl Fn(&Definition)) {
    let sizes = [100, 1_000, 10_000];
    let steps = sizes.map(|streams| {
        let definition = definition(streams);
        steps_of(|| work(&definition))
    });
    assert!(steps[0] > sizes[0], "{what} is not counted: {steps:?}");
    for pair in steps.windows(2) {
        assert!(
            pair[1] < pair[0] * 11,
            "{what}: {steps:?} steps for {sizes:?} streams"
        );
    }
}

#[test]
fn order_grows_with_the_graph() {
    assert_linear("order", |definition| {
        let graph = Graph::new(&definition.nodes).unwrap();
        assert_eq!(graph.topological_order().len(), definition.nodes.len());
        assert!(!graph.ancestors(graph.sinks().next().unwrap()).is_empty());
    });
}

#[test]
fn lint_grows_with_the_graph() {
    assert_linear("lint", |definition| drop(lint_nodes(&definition.nodes)));
}

#[test]
fn lint_of_a_broken_graph_grows_with_the_graph() {
    assert_linear("lint of faults", |definition| {
        let mut nodes = definition.nodes.clone();
        for node in nodes.values_mut() {
            // Every edge is at one end only, and every cycle is closed.
            node.children.clone_from(&node.parents);
        }
        assert!(lint_nodes(&nodes).len() > nodes.len());
    });
}

#[test]
fn comparison_grows_with_the_definitions() {
    assert_linear("diff", |definition| {
        let mut other = definition.clone();
        for node in other.nodes.values_mut() {
            node.parents.reverse();
            node.data = Some(r#"{"schema":[{"key":"a","valtype":"float"}]}"#.parse().unwrap());
        }
        assert_eq!(diff(definition, &other).nodes.len(), definition.nodes.len());
    });
}

#[test]
fn a_hub_costs_no_more_than_its_edges() {
    let hub = |leaves: usize| {
        let mut nodes = Nodes::new();
        let mut text =
            String::from("{\"hub-lake\":{\"name\":\"hub\",\"type\":\"lake\",\"children\":[");
        for at in 0..leaves {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{{\"name\":\"l{at}\",\"type\":\"lake\"}}");
        }
        text.push_str("]}}");
        nodes.extend(serde_json::from_str::<Nodes>(&text).unwrap());
        for at in 0..leaves {
            let leaf = format!("{{\"l{at}-lake\":{{\"name\":\"l{at}\",\"type\":\"lake\"}}}}");
            nodes.extend(serde_json::from_str::<Nodes>(&leaf).unwrap());
        }
        nodes
    };
    let steps = [1_000, 10_000].map(|leaves| {
        let nodes = hub(leaves);
        // Every edge is at one end only, so that each of them is a fault.
        assert_eq!(Graph::new(&nodes).unwrap_err().faults().len(), leaves);
        steps_of(|| drop(lint_nodes(&nodes)))
    });
    assert!(steps[1] < steps[0] * 11, "{steps:?}");
}

#[test]
fn two_hundred_nodes_are_a_small_picture() {
    let definition = definition(100);
    let steps = steps_of(|| assert!(Picture::new(&definition.nodes).svg().len() < 400_000));
    assert!(steps < 10_000_000, "{steps}");
}
