//! What counts as a difference, and how it is shown.

use pipeline_graph::{
    Definition,
    diff::{Change, diff},
};
use pipeline_proto::model::{NodeId, NodeRef, NodeType, Nodes, RawJson};
use proptest::{collection, prelude::*};

mod support;
use support::{join, node, nodes};

fn with_data(id: &str, data: &str) -> Definition {
    let mut one = node(id);
    one.data = Some(data.parse::<RawJson>().unwrap());
    Definition::new("w", Nodes::from([(NodeId::from(id), one)]))
}

/// The changes of the data of one node, a line each.
fn changes(id: &str, old: &str, new: &str) -> Vec<String> {
    let diff = diff(&with_data(id, old), &with_data(id, new));
    let shown = diff.to_string();
    assert_eq!(shown.is_empty(), diff.is_empty());
    shown
        .lines()
        .skip(1)
        .map(|line| line.trim_start().to_owned())
        .collect()
}

#[test]
fn what_means_the_same_is_no_difference() {
    let same = [
        (
            "repo",
            r#"{"a":1,"b":{"c":[1,2],"d":null}}"#,
            r#"{ "b": {"c": [1.0, 2e0]}, "a": 10e-1 }"#,
        ),
        (
            "repo",
            r#"{"schema":[]}"#,
            r#"{"schema":[],"fromDag":true,"derivedFrom":""}"#,
        ),
        (
            "export",
            r#"{"type":"kodo"}"#,
            r#"{"type":"kodo","name":"e","workflow":"w"}"#,
        ),
        (
            "transform",
            r#"{"container":{"type":"1U2G"}}"#,
            r#"{"container":{"type":"1U2G","status":"Started"}}"#,
        ),
        ("repo", r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ("repo", "{}", r#"{"x":null}"#),
    ];
    for (node_type, old, new) in same {
        assert_eq!(
            changes(&format!("a-{node_type}"), old, new),
            [""; 0],
            "{old} {new}"
        );
        assert_eq!(
            changes(&format!("a-{node_type}"), new, old),
            [""; 0],
            "{new} {old}"
        );
    }
}

#[test]
fn differences_are_named_by_path() {
    let cases: &[(&str, &str, &[&str])] = &[
        (r#"{"a":1}"#, r#"{"a":2}"#, &["~ data.a: 1 -> 2"]),
        (r#"{"a":"1"}"#, r#"{"a":1}"#, &["~ data.a: \"1\" -> 1"]),
        (
            r#"{"a":{"b":[1,{"c":true}]}}"#,
            r#"{"a":{"b":[1,{"c":false}]}}"#,
            &["~ data.a.b[1].c: true -> false"],
        ),
        (
            r#"{"a":[1]}"#,
            r#"{"a":[1,2]}"#,
            &["~ data.a: [1] -> [1,2]"],
        ),
        (
            r#"{"a":[null,1]}"#,
            r#"{"a":[2,1]}"#,
            &["~ data.a[0]: null -> 2"],
        ),
        (
            r#"{"a":9007199254740993}"#,
            r#"{"a":9007199254740992}"#,
            &["~ data.a: 9007199254740993 -> 9007199254740992"],
        ),
        (
            r#"{"it's":1,"b":2}"#,
            r#"{"c":3}"#,
            &["- data.b: 2", "+ data.c: 3", "- data['it\\'s']: 1"],
        ),
        (
            r#"{"derivedFrom":"t"}"#,
            r#"{"derivedFrom":"u"}"#,
            &["~ data.derivedFrom: \"t\" -> \"u\""],
        ),
    ];
    for (old, new, expected) in cases {
        assert_eq!(changes("a-repo", old, new), *expected, "{old} {new}");
    }
}

#[test]
fn fields_of_a_schema_are_known_by_their_keys() {
    let old = r#"{"schema":[{"key":"a","valtype":"long"},{"key":"b","valtype":"map","schema":[{"key":"x","valtype":"ip"}]}]}"#;
    let new = r#"{"schema":[{"key":"new","valtype":"date"},{"key":"b","valtype":"map","schema":[{"key":"x","valtype":"string"}]}]}"#;
    assert_eq!(
        changes("a-repo", old, new),
        [
            r#"- data.schema[?@.key=='a']: {"key":"a","valtype":"long"}"#,
            r#"~ data.schema[?@.key=='b'].schema[?@.key=='x'].valtype: "ip" -> "string""#,
            r#"+ data.schema[?@.key=='new']: {"key":"new","valtype":"date"}"#,
        ]
    );
    // Another order is another schema.
    let turned = r#"{"schema":[{"key":"b"},{"key":"a"}]}"#;
    assert_eq!(
        changes("a-repo", r#"{"schema":[{"key":"a"},{"key":"b"}]}"#, turned),
        [r#"~ data.schema: [{"key":"a"},{"key":"b"}] -> [{"key":"b"},{"key":"a"}]"#]
    );
}

#[test]
fn texts_of_several_lines_are_compared_by_line() {
    let old = r#"{"code":"select a\nfrom x\nwhere 1\n"}"#;
    let new = r#"{"code":"select a\nfrom y\nfrom z\nwhere 1\n"}"#;
    assert_eq!(
        changes("t-transform", old, new),
        [
            "~ data.code:",
            "select a",
            "- from x",
            "+ from y",
            "+ from z",
            "where 1"
        ]
    );
}

#[test]
fn a_secret_is_compared_and_not_shown() {
    let old = r#"{"spec":{"secretKey":"t0p","host":"http://u:old@h"},"list":[{"pwd":"x1"}]}"#;
    let new = r#"{"spec":{"secretKey":"n3w","host":"http://u:new@h"},"list":[{"pwd":"x2"},{"pwd":"x3"}]}"#;
    assert_eq!(
        changes("e-export", old, new),
        [
            r#"~ data.list: [{"pwd":"***"}] -> [{"pwd":"***"},{"pwd":"***"}]"#,
            r#"~ data.spec.host: "***" -> "***" (secret)"#,
            r#"~ data.spec.secretKey: "***" -> "***" (secret)"#,
        ]
    );
    let diff = diff(&with_data("e-export", old), &with_data("e-export", new));
    let all = format!("{diff:?} {diff} {}", serde_json::to_string(&diff).unwrap());
    for secret in ["t0p", "n3w", "u:old", "u:new", "x1", "x2", "x3"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn nodes_and_edges_are_compared() {
    let mut old = Definition::new("w", nodes("a-repo > e-export, a-repo > f-export"));
    let mut new = Definition::new("v", nodes("b-repo > f-export, a-repo > e-export"));
    old.comment = "old".to_owned();
    new.nodes.get_mut("b-repo").unwrap().data = Some(r#"{"region":"nb","x":[1]}"#.parse().unwrap());
    new.nodes
        .get_mut("a-repo")
        .unwrap()
        .extra
        .insert("weight", "2".parse().unwrap());
    new.nodes
        .get_mut("a-repo")
        .unwrap()
        .extra
        .insert("status", "\"Started\"".parse().unwrap());
    let diff = diff(&old, &new);
    assert_eq!(
        diff.to_string(),
        "\
~ name: \"w\" -> \"v\"
- comment: \"old\"
~ node a-repo
    + weight: 2
+ node b-repo
    + data.region: \"nb\"
    + data.x: [1]
- edge a-repo -> f-export
+ edge b-repo -> f-export
"
    );
    assert_eq!(diff.nodes[1].change, Change::Added);
    assert_eq!(
        serde_json::to_value(&diff.nodes[0]).unwrap(),
        serde_json::json!({"change": "changed", "node": "a-repo", "members": [{"change": "added", "path": "weight", "new": 2}]})
    );
}

#[test]
fn the_end_at_which_an_edge_is_written_does_not_count() {
    let both = nodes("a-repo > e-export, a-repo > f-export");
    let mut one = both.clone();
    one.get_mut("e-export").unwrap().parents.clear();
    one.get_mut("a-repo").unwrap().children.remove(1);
    let mut turned = both.clone();
    turned.get_mut("a-repo").unwrap().children.reverse();
    let twice = NodeRef::new("e", NodeType::Export);
    turned.get_mut("a-repo").unwrap().children.push(twice);
    for other in [one, turned] {
        assert!(
            diff(
                &Definition::new("w", both.clone()),
                &Definition::new("w", other)
            )
            .is_empty()
        );
    }
}

#[test]
fn missing_data_is_empty_data() {
    let mut without = with_data("a-repo", "{}");
    without.nodes.get_mut("a-repo").unwrap().data = None;
    assert!(diff(&without, &with_data("a-repo", "{}")).is_empty());
    assert!(!diff(&without, &with_data("a-repo", r#"{"x":1}"#)).is_empty());
}

#[test]
fn data_too_deep_to_compare_is_compared_as_text() {
    let deep = |depth| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(changes("a-repo", &deep(1000), &deep(1000)).is_empty());
    assert_eq!(
        changes("a-repo", &deep(1000), &deep(1001)),
        ["~ data: \"(nested too deeply)\" -> \"(nested too deeply)\""]
    );
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let mut new = Definition::new("w\u{1b}[2J", nodes("a-repo"));
    join(&mut new.nodes, "a-repo", "b\u{1b}[2J-export");
    let shown = diff(&Definition::new("w", Nodes::new()), &new).to_string();
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        "[ab]{0,1}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 4, |part| {
        prop_oneof![
            collection::vec(part.clone(), 0..4).prop_map(Value::from),
            collection::btree_map("key|name|b", part, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The value without members that are null.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        serde_json::Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn there_is_a_difference_exactly_where_the_values_differ(old in any_value(), new in any_value()) {
        let data = |value: &serde_json::Value| serde_json::json!({ "x": value }).to_string();
        let same = without_nulls(old.clone()) == without_nulls(new.clone());
        let [old, new] = [old, new].map(|value| with_data("a-lake", &data(&value)));
        prop_assert!(diff(&old, &old).is_empty());
        let (there, back) = (diff(&old, &new), diff(&new, &old));
        prop_assert_eq!(there.is_empty(), same);
        prop_assert_eq!(there.is_empty(), back.is_empty());
    }
}
