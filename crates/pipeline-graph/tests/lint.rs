//! One small file per rule and way to break it: exactly one finding each, at the right place.

use std::collections::BTreeSet;

use pipeline_graph::{
    Definition, Graph,
    file::{Format, Secrets, WorkflowFile},
    lint::{Finding, Rule, Severity, lint_file, lint_nodes, lint_text},
};
use pipeline_proto::model::{NodeId, NodeType, Nodes, RawJson};
use proptest::{collection, prelude::*, sample};

mod mistakes;
mod support;
use support::{join, node, nodes};

fn lint(file: &str) -> Vec<Finding> {
    let path = format!("{}/tests/lint/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let extension = file.rsplit('.').next().unwrap();
    lint_text(&text, Format::from_extension(extension).unwrap())
}

/// File, rule, line, column.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, u32, u32)] = &[
    ("bare-field.yaml", "bare-field", 8, 55),
    ("cycle-of-one.yaml", "cycle", 4, 3),
    ("cycle.yaml", "cycle", 6, 3),
    ("dangling-edge-child.yaml", "dangling-edge", 6, 9),
    ("dangling-edge.json", "dangling-edge", 9, 9),
    ("dangling-edge.yaml", "dangling-edge", 7, 25),
    ("duplicate-edge.yaml", "duplicate-edge", 7, 25),
    ("duplicate-key-data.json", "duplicate-key", 8, 56),
    ("duplicate-key-node.yaml", "duplicate-key", 9, 3),
    ("duplicate-key.yaml", "duplicate-key", 3, 1),
    ("duplicate-node.yaml", "duplicate-node", 6, 5),
    ("illegal-edge.yaml", "illegal-edge", 12, 9),
    ("leading-zeros.yaml", "leading-zeros", 8, 47),
    ("malformed-reference.yaml", "malformed-reference", 8, 39),
    ("missing-child.yaml", "missing-child", 6, 3),
    ("missing-data.yaml", "missing-data", 6, 3),
    ("missing-name.yaml", "missing-name", 1, 1),
    ("missing-nodes-null.yaml", "missing-nodes", 1, 1),
    ("missing-nodes.yaml", "missing-nodes", 1, 1),
    ("missing-parent-job.yaml", "missing-parent", 4, 3),
    ("missing-parent.yaml", "missing-parent", 4, 3),
    ("missing-region.yaml", "missing-region", 1, 1),
    ("missing-schema.yaml", "missing-schema", 5, 11),
    ("missing-type.yaml", "missing-type", 9, 3),
    ("misspelled-member.yaml", "misspelled-member", 9, 5),
    ("mixed-schedules-transform.yaml", "mixed-schedules", 14, 3),
    ("mixed-schedules.yaml", "mixed-schedules", 9, 3),
    ("node-id.yaml", "node-id", 6, 3),
    ("node-name-explicit.yaml", "node-name", 8, 11),
    ("node-name.yaml", "node-name", 6, 3),
    ("nothing-startable-empty.json", "nothing-startable", 1, 1),
    ("nothing-startable.yaml", "nothing-startable", 1, 1),
    ("orphan.yaml", "orphan", 9, 3),
    ("region.yaml", "region", 2, 9),
    ("schema-depth.yaml", "schema-depth", 23, 31),
    ("schema-destination.yaml", "schema-valtype", 14, 20),
    ("schema-duplicate-key.yaml", "schema-duplicate-key", 8, 17),
    ("schema-elemtype-missing.yaml", "schema-elemtype", 8, 11),
    ("schema-elemtype.yaml", "schema-elemtype", 8, 48),
    ("schema-empty.yaml", "schema-empty", 5, 20),
    ("schema-key-missing.yaml", "schema-key", 8, 11),
    ("schema-key.yaml", "schema-key", 8, 17),
    ("schema-valtype-missing.json", "schema-valtype", 7, 9),
    ("schema-valtype.yaml", "schema-valtype", 7, 30),
    ("secret-in-clear-url.json", "secret-in-clear", 9, 17),
    ("secret-in-clear.yaml", "secret-in-clear", 8, 59),
    ("syntax.json", "syntax", 5, 1),
    ("syntax.yaml", "syntax", 6, 3),
    ("unknown-field-doc.yaml", "unknown-field", 13, 37),
    ("unknown-field-timestamp.yaml", "unknown-field", 10, 80),
    ("unknown-field.yaml", "unknown-field", 8, 55),
    ("unknown-member-of-node.yaml", "unknown-member", 9, 5),
    ("unknown-top-level.yaml", "unknown-top-level", 3, 1),
    ("unknown-type-dash.yaml", "unknown-type", 9, 3),
    ("unknown-type.yaml", "unknown-type", 10, 3),
    ("workflow-name.yaml", "workflow-name", 1, 7),
    ("wrong-type-data.yaml", "wrong-type", 11, 11),
    ("wrong-type-file.yaml", "wrong-type", 1, 1),
    ("wrong-type-member.json", "wrong-type", 11, 48),
    ("wrong-type-member.yaml", "wrong-type", 5, 58),
    ("wrong-type-neighbour.yaml", "wrong-type", 7, 15),
    ("wrong-type-neighbours.yaml", "wrong-type", 7, 14),
    ("wrong-type-node.yaml", "wrong-type", 9, 14),
    ("wrong-type-nodes.yaml", "wrong-type", 3, 8),
    ("wrong-type-region.yaml", "wrong-type", 2, 9),
];

#[test]
fn each_broken_file_has_exactly_its_one_finding() {
    for (file, rule, line, column) in BROKEN {
        let found: Vec<_> = lint(file)
            .iter()
            .map(|finding| {
                let at = finding.position.unwrap();
                (finding.rule.as_str(), at.line, at.column)
            })
            .collect();
        assert_eq!(found, [(*rule, *line, *column)], "{file}");
    }
}

#[test]
fn every_rule_has_a_file_that_breaks_it() {
    let mistakes = mistakes::MISTAKES.iter().map(|mistake| mistake.rule);
    let broken: BTreeSet<&str> = BROKEN.iter().map(|row| row.1).chain(mistakes).collect();
    // Files may write an edge once, and only the environment can lack a variable.
    let elsewhere = [
        Rule::OneSidedEdge,
        Rule::UnsetVariable,
        Rule::RefusedVariable,
    ];
    for rule in Rule::ALL {
        let expected = !elsewhere.contains(rule);
        assert_eq!(broken.contains(rule.as_str()), expected, "{rule}");
    }
}

#[test]
fn every_fixture_is_listed() {
    let folder = format!("{}/tests/lint", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "healthy.yaml" || BROKEN.iter().any(|row| row.0 == name),
            "{name}"
        );
    }
}

#[test]
fn a_healthy_file_is_silent() {
    assert_eq!(lint("healthy.yaml"), []);
}

#[test]
fn a_finding_speaks_to_people_and_to_programs() {
    let finding = &lint("unknown-field.yaml")[0];
    assert_eq!(finding.severity(), Severity::Error);
    assert_eq!(
        finding.to_string(),
        "8:55: error: raw-repo has no field \"#pi\"; it has ip [unknown-field]"
    );
    assert_eq!(
        serde_json::to_string(finding).unwrap(),
        r##"{"rule":"unknown-field","severity":"error","message":"raw-repo has no field \"#pi\"; it has ip","node":"save-export","path":"nodes['save-export'].data.spec.fields.ip","line":8,"column":55}"##
    );
}

#[test]
fn a_secret_is_never_repeated() {
    for file in ["secret-in-clear.yaml", "secret-in-clear-url.json"] {
        let text = format!("{:?}", lint(file));
        assert!(!text.contains("t0p") && !text.contains("pass@"), "{text}");
    }
}

fn rules(nodes: &Nodes) -> Vec<String> {
    let findings = lint_nodes(nodes);
    assert!(findings.iter().all(|finding| finding.position.is_none()));
    let one = |finding: &Finding| format!("{} {}", finding.rule, finding.path);
    findings.iter().map(one).collect()
}

fn set_data(nodes: &mut Nodes, id: &str, data: &str) {
    nodes.get_mut(id).unwrap().data = Some(data.parse::<RawJson>().unwrap());
}

#[test]
fn nodes_of_the_service_are_checked_without_positions() {
    let mut graph = nodes("raw-repo > save-export, raw-repo > other-export");
    set_data(
        &mut graph,
        "raw-repo",
        r#"{"schema":[{"key":"ip","valtype":"ip","valtype":"text"}]}"#,
    );
    set_data(
        &mut graph,
        "save-export",
        r##"{"spec":{"type":"kodo","spec":{"bucket":"b","fields":{"x":"#pi"},"exportSecretKey":"${A}"}}}"##,
    );
    set_data(&mut graph, "other-export", "[1]");
    graph.get_mut("other-export").unwrap().parents.clear();
    assert_eq!(
        rules(&graph),
        [
            "wrong-type nodes['other-export'].data",
            "duplicate-key nodes['raw-repo'].data.schema[0].valtype",
            "one-sided-edge nodes['raw-repo'].children[1]",
            "schema-valtype nodes['raw-repo'].data.schema[0].valtype",
            "unknown-field nodes['save-export'].data.spec.spec.fields.x",
        ]
    );
}

#[test]
fn data_of_any_depth_is_refused_not_walked() {
    let mut graph = nodes("raw-repo > save-export");
    let deep = format!(
        r#"{{"schema":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    set_data(&mut graph, "raw-repo", &deep);
    let http = r#"{"type":"http","spec":{"host":"h","uri":"/"}}"#;
    set_data(&mut graph, "save-export", http);
    assert_eq!(rules(&graph), ["wrong-type nodes['raw-repo'].data"]);
}

#[test]
fn fields_that_the_service_adds_can_be_read() {
    let mut graph = nodes("raw-repo > save-export");
    set_data(
        &mut graph,
        "save-export",
        r##"{"type":"kodo","spec":{"bucket":"b","fields":{"a":"#sender","b":"#at","c":"#ip"}}}"##,
    );
    let repo = r#"{"schema":[{"key":"ip","valtype":"ip"}],"options":{"withIP":"sender","withTimestamp":"at"}}"#;
    set_data(&mut graph, "raw-repo", repo);
    assert!(rules(&graph).is_empty());
}

/// Random nodes, some of them broken in one of a few ways.
fn any_nodes() -> impl Strategy<Value = Nodes> {
    let id = ("[ab]", sample::select(NodeType::KNOWN))
        .prop_map(|(name, node_type)| format!("{name}-{node_type}"));
    let ids = collection::btree_set(id, 1..8);
    let data = sample::select(vec![
        r#"{"schema":[{"key":"x","valtype":"long"}]}"#,
        r#"{"schema":[{"key":"9","valtype":"long"}]}"#,
        r#"{"scheduler":{"type":"manual"}}"#,
        r#"{"scheduler":{"type":"loop"}}"#,
        r#"{"scheduler":{"type":3}}"#,
        "{}",
    ]);
    let edges = collection::vec(
        (any::<sample::Index>(), any::<sample::Index>(), 0..8_u8),
        0..8,
    );
    (ids, collection::vec(data, 8), edges, 0..12_u8).prop_map(|(ids, data, edges, way)| {
        let ids: Vec<String> = ids.into_iter().collect();
        let mut graph = Nodes::new();
        for (id, data) in ids.iter().zip(data) {
            let mut one = node(id);
            one.data = Some(data.parse().unwrap());
            graph.insert(NodeId::from(id.as_str()), one);
        }
        for (from, to, way) in edges {
            let (parent, child) = (from.get(&ids), to.get(&ids));
            join(&mut graph, parent, child);
            match way {
                0 => drop(graph.get_mut(child.as_str()).unwrap().parents.pop()),
                1 => join(&mut graph, parent, "gone-export"),
                _ => {}
            }
        }
        let first = graph.values_mut().next().unwrap();
        match way {
            0 => "9x".clone_into(&mut first.name),
            1 => first.node_type = NodeType::from(""),
            2 => first.node_type = NodeType::from("lake"),
            _ => {}
        }
        graph
    })
}

/// Data made of members that a typed view knows, with values of any type.
fn any_data() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let names = "region schema options group workflow ruleNames description fromDag key valtype required elemtype \
        withIP unescapeLine plugin output mode code container count type status destrepo spec name srcs tableName \
        computation scheduler crontab params noVerifySchema other";
    let names: Vec<&str> = names.split(' ').collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        Just(Value::from(1.5)),
        "[a-z]{0,3}".prop_map(Value::from),
    ];
    let any_value = leaf.prop_recursive(4, 40, 6, move |part| {
        let members = collection::hash_map(sample::select(names.clone()), part.clone(), 0..6);
        prop_oneof![
            1 => collection::vec(part, 0..4).prop_map(Value::from),
            3 => members.prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    });
    any_value.prop_filter("data is an object", Value::is_object)
}

proptest! {
    #[test]
    fn whatever_the_graph_refuses_is_an_error_of_lint(graph in any_nodes()) {
        let error = |finding: &&Finding| finding.severity() == Severity::Error;
        let findings = lint_nodes(&graph);
        match Graph::new(&graph) {
            Ok(_) => {
                let structural = [
                    Rule::NodeName, Rule::NodeId, Rule::MissingType, Rule::DanglingEdge, Rule::OneSidedEdge,
                    Rule::DuplicateEdge, Rule::IllegalEdge, Rule::Cycle, Rule::MixedSchedules,
                ];
                prop_assert!(!findings.iter().any(|finding| structural.contains(&finding.rule)));
            }
            Err(refused) => {
                for fault in refused.findings() {
                    prop_assert!(findings.iter().filter(error).any(|finding| finding == fault), "{}", fault);
                }
            }
        }
    }

    #[test]
    fn a_file_without_errors_is_a_legal_graph(graph in any_nodes()) {
        let definition = Definition::new("w", graph);
        let text = definition.write(Format::Json, Secrets::Show).unwrap().text;
        let file = WorkflowFile::parse(&text, Format::Json).unwrap();
        let errors = lint_file(&file).iter().any(|finding| finding.severity() == Severity::Error);
        let resolved = file.resolve(|_| None);
        prop_assert!(errors || Graph::new(&resolved.unwrap().nodes).is_ok());
    }

    #[test]
    fn wrong_types_are_those_that_the_typed_view_refuses(
        node_type in sample::select(NodeType::KNOWN),
        data in any_data(),
    ) {
        let id = NodeId::of("a", &node_type);
        let mut one = node(id.as_str());
        one.data = Some(RawJson::from_value(&data).unwrap());
        let refused = one.spec().is_err();
        let mut findings = lint_nodes(&Nodes::from([(id, one)]));
        findings.retain(|finding| finding.rule == Rule::WrongType);
        // What goes with a type is read when it is asked for.
        findings.retain(|finding| refused || !finding.path.ends_with(".data.spec"));
        prop_assert_eq!(refused, !findings.is_empty(), "{}", data);
    }
}

#[test]
fn numbers_that_lose_their_zeros_are_a_warning() {
    for (written, expected) in [
        ("007123", true),
        ("0012", true),
        ("-007", true),
        ("00.5", true),
        ("\"007123\"", false),
        ("'0012'", false),
        ("0", false),
        ("0.5", false),
        ("-0.5", false),
        ("100", false),
        ("0012a", false),
    ] {
        let text = format!("name: w\nregion: nb\nnodes:\n  a-repo:\n    data: {{x: {written}}}\n");
        let findings = lint_file(&WorkflowFile::parse(&text, Format::Yaml).unwrap());
        let found = findings.iter().find(|it| it.rule == Rule::LeadingZeros);
        assert_eq!(found.is_some(), expected, "{written}: {findings:?}");
        if let Some(found) = found {
            assert!(found.message.starts_with(written), "{}", found.message);
        }
    }
}
