//! The offline tools and the service agree on what a legal graph is.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use pipeline_emulator::{Authentication, Emulator};
use pipeline_graph::{
    Definition, Graph, Severity,
    diff::diff,
    file::{Format, Secrets, WorkflowFile},
    lint::lint_nodes,
};
use pipeline_proto::{
    Now, WorkflowName,
    model::{Node, NodeRef, NodeType, Nodes},
    operation::Operation as _,
    resource::workflow::UpdateWorkflow,
    strategies,
};
use proptest::{prelude::*, sample::Index};

/// What can be wrong with a graph, done to a legal one.
#[derive(Debug, Clone, Copy)]
enum Damage {
    None,
    EdgeAtOneEnd,
    EdgeToNowhere,
    OtherKey,
    OtherType,
    BackEdge,
    RepeatedEdge,
    Orphan,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        Just(Damage::EdgeAtOneEnd),
        Just(Damage::EdgeToNowhere),
        Just(Damage::OtherKey),
        Just(Damage::OtherType),
        Just(Damage::BackEdge),
        Just(Damage::RepeatedEdge),
        Just(Damage::Orphan),
    ]
}

fn damaged(mut nodes: Nodes, damage: Damage, at: Index, other: Index) -> Nodes {
    if nodes.is_empty() {
        return nodes;
    }
    let id = at.get(&nodes.keys().cloned().collect::<Vec<_>>()).clone();
    let target: NodeRef = other
        .get(&nodes.values().cloned().collect::<Vec<Node>>())
        .to_ref();
    let Some(mut node) = nodes.remove(&id) else {
        return nodes;
    };
    let mut key = id;
    match damage {
        Damage::None => {}
        Damage::EdgeAtOneEnd => {
            node.children.pop();
        }
        Damage::EdgeToNowhere => node.children.push(NodeRef::new("nowhere", NodeType::Repo)),
        Damage::OtherKey => key = "another-key".into(),
        Damage::OtherType => node.node_type = NodeType::from("lake"),
        Damage::BackEdge => node.children.push(target),
        Damage::RepeatedEdge => node.children.extend(node.children.first().cloned()),
        Damage::Orphan => {
            node.parents.clear();
            node.children.clear();
        }
    }
    nodes.insert(key, node);
    nodes
}

/// What the service says to a workflow with this graph.
fn update(nodes: Nodes) -> (StatusCode, Bytes) {
    let mut emulator = Emulator::builder()
        .authentication(Authentication::Off)
        .build();
    let now = Now::new(
        SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30),
        Duration::ZERO,
    );
    let uri = "/v2/workflows/w";
    let create = Request::post(uri)
        .body(Bytes::from_static(br#"{"region":"nb"}"#))
        .unwrap();
    assert_eq!(emulator.handle(create, now).status(), StatusCode::OK);
    let operation = UpdateWorkflow::new(WorkflowName::from_static("w"), nodes);
    assert_eq!(operation.template().unwrap().target(), uri);
    let body = serde_json::json!({ "name": "w", "region": "nb", "nodes": operation.nodes });
    let answer = emulator.handle(
        Request::put(uri).body(body.to_string().into()).unwrap(),
        now,
    );
    (answer.status(), answer.into_body())
}

proptest! {
    #[test]
    fn what_lint_lets_pass_the_service_takes(
        nodes in strategies::nodes(0..=20),
        damage in damage(),
        at in any::<Index>(),
        other in any::<Index>(),
    ) {
        let nodes = damaged(nodes, damage, at, other);
        let errors: Vec<_> =
            lint_nodes(&nodes).into_iter().filter(|finding| finding.severity() == Severity::Error).collect();
        let valid = Graph::new(&nodes);
        let (status, body) = update(nodes);
        prop_assert_eq!(valid.is_ok(), status == StatusCode::OK, "{:?}: {:?}", valid, body);
        prop_assert!(status == StatusCode::OK || !errors.is_empty(), "{:?} refused, but lint is silent", body);
    }

    #[test]
    fn generated_graphs_are_legal_and_survive_a_file(nodes in strategies::nodes(0..=20), name in strategies::workflow_name()) {
        prop_assert!(Graph::new(&nodes).is_ok());
        let findings = lint_nodes(&nodes);
        let errors: Vec<_> = findings.iter().filter(|finding| finding.severity() == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}");
        let definition = Definition::new(name.as_str(), nodes);
        for format in [Format::Yaml, Format::Json] {
            let text = definition.write(format, Secrets::Show).unwrap().text;
            let read = WorkflowFile::parse(&text, format).unwrap().resolve(|_| None).unwrap();
            prop_assert!(diff(&definition, &read).is_empty(), "{}", text);
        }
    }
}
