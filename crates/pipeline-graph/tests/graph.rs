//! What `Graph::new` accepts and refuses, and what a graph then tells.

use petgraph::graph::{DiGraph, NodeIndex};
use pipeline_graph::{Graph, lint::Rule};
use pipeline_proto::{
    ErrorCode,
    model::{NodeId, NodeRef, NodeType, Nodes, RawJson},
};
use proptest::prelude::*;

mod support;
use support::{acyclic_edges, any_edges, join, node, nodes, untyped};

/// Two branches that join again, the batch side beside them.
const DIAMOND: &str = "src-repo > a-transform > x-repo > out-export, src-repo > b-transform > x-repo, \
                       d-datasource > j-job > k-job > save-exportBatch, d-datasource > k-job";

fn names<'a>(ids: impl IntoIterator<Item = &'a NodeId>) -> Vec<&'a str> {
    ids.into_iter().map(NodeId::as_str).collect()
}

fn faults(nodes: &Nodes) -> Vec<String> {
    let error = Graph::new(nodes).expect_err("a faulty graph");
    let messages = error.findings().iter().map(|it| it.message.clone());
    messages.collect()
}

#[test]
fn the_order_is_by_level_and_then_by_id() {
    let graph = Graph::new(&nodes(DIAMOND)).unwrap();
    let levels: Vec<Vec<&str>> = graph.levels().map(names).collect();
    assert_eq!(
        levels,
        [
            vec!["d-datasource", "src-repo"],
            vec!["a-transform", "b-transform", "j-job"],
            vec!["k-job", "x-repo"],
            vec!["out-export", "save-exportBatch"],
        ]
    );
    assert_eq!(names(graph.topological_order()), levels.concat());
    assert_eq!(names(graph.roots()), ["d-datasource", "src-repo"]);
    assert_eq!(names(graph.sinks()), ["out-export", "save-exportBatch"]);
    assert_eq!((graph.len(), graph.edge_count()), (9, 9));
}

#[test]
fn neighbours_and_reachability() {
    let graph = Graph::new(&nodes(DIAMOND)).unwrap();
    assert_eq!(
        names(graph.parents("x-repo")),
        ["a-transform", "b-transform"]
    );
    assert_eq!(
        names(graph.children("src-repo")),
        ["a-transform", "b-transform"]
    );
    assert_eq!(
        names(graph.ancestors("x-repo")),
        ["a-transform", "b-transform", "src-repo"]
    );
    assert_eq!(
        names(graph.descendants(&NodeId::from("d-datasource"))),
        ["j-job", "k-job", "save-exportBatch"]
    );
    assert!(graph.contains("j-job"));
    assert!(!graph.contains("j"));
    assert!(graph.ancestors("nobody-repo").is_empty());
}

#[test]
fn a_workflow_can_start_with_a_transform_or_an_export() {
    let can_start = |paths: &str| Graph::new(&nodes(paths)).unwrap().can_start();
    assert!(can_start("a-repo > t-transform > b-repo"));
    assert!(can_start("a-repo > e-export"));
    assert!(can_start("d-datasource > j-job > e-exportBatch"));
    assert!(!can_start("d-datasource > j-job"));
    assert!(!can_start("a-repo"));
}

#[test]
fn no_nodes_are_a_legal_graph_that_cannot_start() {
    let graph = Graph::new(&Nodes::new()).unwrap();
    assert!(graph.is_empty());
    assert_eq!(graph.levels().count(), 0);
    assert_eq!(graph.roots().count(), 0);
    assert!(!graph.can_start());
}

#[test]
fn edges_of_a_node_of_unknown_type_are_nobodys_business() {
    let graph = nodes("a-repo > l-lake > b-export, d-datasource > l-lake");
    assert!(Graph::new(&graph).is_ok());
}

#[test]
fn identity_is_checked() {
    let mut graph = nodes("a-repo > e-export");
    let moved = graph.remove("a-repo").unwrap();
    graph.insert("b-repo".into(), moved);
    let mut odd = node("x-repo");
    odd.name = "9".to_owned();
    graph.insert("9-repo".into(), odd);
    graph.insert("t-".into(), node("t-"));
    assert_eq!(
        faults(&graph),
        [
            "node \"9-repo\": the node name starts with '9'; it must start with a letter or '_'",
            "node \"b-repo\" must have the key \"a-repo\", which is <name>-<type>",
            "node \"t-\" has no type",
        ]
    );
}

#[test]
fn edges_are_checked_at_both_ends() {
    let mut graph = nodes("a-repo > e-export, a-repo > f-export");
    join(&mut graph, "a-repo", "gone-export");
    join(&mut graph, "gone-repo", "e-export");
    graph.get_mut("f-export").unwrap().parents.clear();
    let e = NodeRef::new("e", NodeType::Export);
    graph.get_mut("a-repo").unwrap().children.push(e);
    assert_eq!(
        faults(&graph),
        [
            "node \"a-repo\" has \"f-export\" among its children, but \"f-export\" does not have \"a-repo\" among its parents",
            "node \"a-repo\" names the child \"gone-export\", which is not there",
            "node \"a-repo\" has \"e-export\" among its children twice",
            "node \"e-export\" names the parent \"gone-repo\", which is not there",
        ]
    );
    let error = Graph::new(&graph).unwrap_err();
    let of = |at: usize| {
        (
            error.findings()[at].rule,
            error.findings()[at].path.as_str(),
        )
    };
    assert_eq!(of(1), (Rule::DanglingEdge, "nodes['a-repo'].children[2]"));
    assert_eq!(of(2), (Rule::DuplicateEdge, "nodes['a-repo'].children[3]"));
    assert!(error.to_string().ends_with("; and 3 more faults"));
}

#[test]
fn only_the_edges_of_the_services_own_calls_are_legal() {
    let legal = [
        ("repo", "transform"),
        ("repo", "export"),
        ("transform", "repo"),
        ("datasource", "job"),
        ("job", "job"),
        ("job", "exportBatch"),
    ];
    for parent in NodeType::KNOWN {
        for child in NodeType::KNOWN {
            let edge = (parent.as_str(), child.as_str());
            let graph = nodes(&format!("a-{} > b-{}", edge.0, edge.1));
            match Graph::new(&graph) {
                Ok(_) => assert!(legal.contains(&edge), "{edge:?}"),
                Err(error) => {
                    assert!(!legal.contains(&edge), "{edge:?}");
                    let rules: Vec<Rule> = error.findings().iter().map(|it| it.rule).collect();
                    assert_eq!(rules, [Rule::IllegalEdge]);
                }
            }
        }
    }
}

#[test]
fn a_cycle_is_named_by_its_nodes() {
    assert_eq!(
        faults(&nodes(
            "a-repo > t-transform > b-repo > u-transform > a-repo"
        )),
        ["the nodes form a cycle: a-repo -> t-transform -> b-repo -> u-transform -> a-repo"]
    );
    assert_eq!(
        faults(&nodes("j-job > j-job")),
        ["the nodes form a cycle: j-job -> j-job"]
    );
    // The shortest one through the first node, once for each knot; what hangs on it is not named.
    assert_eq!(
        faults(&nodes(
            "d-datasource > a-job > b-job > c-job > a-job, b-job > a-job, c-job > e-exportBatch, x-job > y-job > x-job"
        )),
        [
            "the nodes form a cycle: a-job -> b-job -> a-job",
            "the nodes form a cycle: x-job -> y-job -> x-job",
        ]
    );
}

#[test]
fn scheduled_and_manual_work_do_not_mix() {
    let with_jobs = |schedulers: &[(&str, &str)], more: &str| {
        let mut graph = nodes(more);
        for (id, scheduler) in schedulers {
            let job = graph.entry((*id).into()).or_insert_with(|| node(id));
            let data = format!(r#"{{"scheduler":{{"type":"{scheduler}"}}}}"#);
            job.data = Some(data.parse::<RawJson>().unwrap());
        }
        Graph::new(&graph).map(|_| ()).map_err(|error| error.code())
    };
    let mixed = Err(ErrorCode::SCHEDULED_AND_MANUAL_JOBS_MIXED);
    assert_eq!(
        with_jobs(&[("a-job", "loop"), ("b-job", "manual")], "r-repo"),
        mixed
    );
    assert_eq!(
        with_jobs(&[("a-job", "crontab"), ("b-job", "manual")], "r-repo"),
        mixed
    );
    assert_eq!(
        with_jobs(&[("a-job", "manual")], "r-repo > t-transform > s-repo"),
        mixed
    );
    assert_eq!(
        with_jobs(&[("a-job", "manual"), ("b-job", "depend")], "r-repo"),
        Ok(())
    );
    assert_eq!(
        with_jobs(&[("a-job", "loop"), ("b-job", "crontab")], "r-repo"),
        Ok(())
    );
    assert_eq!(
        with_jobs(&[("a-job", "manual")], "r-repo > e-export"),
        Ok(())
    );
}

#[test]
fn structure_is_refused_as_such() {
    let error = Graph::new(&nodes("a-repo > b-repo")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::INVALID_WORKFLOW_GRAPH);
    assert_eq!(error.findings()[0].path, "nodes['b-repo'].parents[0]");
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_does_not_exhaust_the_stack() {
    let count = 100_000;
    let mut edges: Vec<_> = (1..count).map(|at| (at - 1, at)).collect();
    let graph = Graph::new(&untyped(count, &edges)).unwrap();
    assert_eq!(graph.levels().count(), count);
    assert_eq!(graph.ancestors("n99999-lake").len(), count - 1);

    edges.push((count - 1, 0));
    let error = Graph::new(&untyped(count, &edges)).unwrap_err();
    let [fault] = error.findings() else {
        panic!("{error}")
    };
    assert_eq!(cycle(&fault.message).len(), count);
}

/// The nodes of a cycle, each once.
fn cycle(message: &str) -> Vec<usize> {
    let ids = message.strip_prefix("the nodes form a cycle: ").unwrap();
    let mut nodes: Vec<usize> = ids.split(" -> ").map(|id| number(&id.into())).collect();
    assert_eq!(nodes.pop(), nodes.first().copied());
    nodes
}

fn oracle(count: usize, edges: &[(usize, usize)]) -> DiGraph<(), ()> {
    let mut graph = DiGraph::new();
    for _ in 0..count {
        graph.add_node(());
    }
    for (from, to) in edges {
        graph.add_edge(NodeIndex::new(*from), NodeIndex::new(*to), ());
    }
    graph
}

fn number(id: &NodeId) -> usize {
    id.parts().unwrap().0[1..].parse().unwrap()
}

proptest! {
    #[test]
    fn cycles_are_found_where_petgraph_finds_them((count, edges) in any_edges()) {
        let oracle = oracle(count, &edges);
        let knots = petgraph::algo::kosaraju_scc(&oracle)
            .into_iter()
            .filter(|knot| knot.len() > 1 || oracle.contains_edge(knot[0], knot[0]))
            .map(|knot| knot.iter().map(|at| at.index()).collect::<Vec<_>>())
            .collect::<Vec<_>>();
        match Graph::new(&untyped(count, &edges)) {
            Ok(_) => prop_assert!(knots.is_empty()),
            Err(error) => {
                prop_assert_eq!(error.findings().len(), knots.len());
                for fault in error.findings() {
                    let cycle = cycle(&fault.message);
                    let next = cycle.iter().cycle().skip(1);
                    prop_assert!(cycle.iter().zip(next).all(|(from, to)| edges.contains(&(*from, *to))));
                    let knot = knots.iter().find(|knot| knot.contains(&cycle[0])).unwrap();
                    prop_assert!(cycle.iter().all(|at| knot.contains(at)));
                }
            }
        }
    }

    #[test]
    fn order_and_levels_respect_every_edge((count, edges) in acyclic_edges()) {
        let nodes = untyped(count, &edges);
        let graph = Graph::new(&nodes).unwrap();
        let order: Vec<usize> = graph.topological_order().map(number).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        let place = |at: usize| order.iter().position(|other| *other == at).unwrap();
        prop_assert!(edges.iter().all(|(from, to)| place(*from) < place(*to)));

        let mut longest = vec![0; count];
        for at in petgraph::algo::toposort(&oracle(count, &edges), None).unwrap() {
            for (_, to) in edges.iter().filter(|(from, _)| *from == at.index()) {
                longest[*to] = longest[*to].max(longest[at.index()] + 1);
            }
        }
        for (level, ids) in graph.levels().enumerate() {
            for id in ids {
                prop_assert_eq!(longest[number(id)], level);
            }
        }
    }

    #[test]
    fn reachability_is_that_of_petgraph((count, edges) in acyclic_edges()) {
        let graph = Graph::new(&untyped(count, &edges)).unwrap();
        let oracle = oracle(count, &edges);
        for from in graph.topological_order() {
            let start = NodeIndex::new(number(from));
            for to in graph.topological_order().filter(|to| *to != from) {
                let end = NodeIndex::new(number(to));
                let reachable = petgraph::algo::has_path_connecting(&oracle, start, end, None);
                prop_assert_eq!(graph.descendants(from).contains(&to), reachable);
                prop_assert_eq!(graph.ancestors(to).contains(&from), reachable);
            }
        }
    }
}
