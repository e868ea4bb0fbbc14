//! Workflow files: what is read, what is written, and that the two fit.

use std::collections::HashMap;

use pipeline_graph::{
    Definition,
    diff::diff,
    file::{FileError, Format, Secrets, WorkflowFile},
    lint::Rule,
};
use pipeline_proto::model::{NodeId, Nodes, RawJson, Workflow};
use proptest::{collection, prelude::*, sample};

mod support;
use support::{join, node};

fn yaml(text: &str) -> Result<Definition, FileError> {
    WorkflowFile::parse(text, Format::Yaml)?.resolve(|_| None)
}

fn edges(nodes: &Nodes) -> Vec<String> {
    let each = nodes.iter().flat_map(|(id, node)| {
        let parents = node
            .parents
            .iter()
            .map(move |parent| format!("{id} reads {}", parent.id()));
        let children = node
            .children
            .iter()
            .map(move |child| format!("{id} feeds {}", child.id()));
        parents.chain(children)
    });
    each.collect()
}

#[test]
fn an_edge_is_written_once_at_either_end() {
    let expected = [
        "a-repo feeds e-export",
        "a-repo feeds t-transform",
        "e-export reads a-repo",
        "t-transform reads a-repo",
    ];
    let ways = [
        "nodes: {a-repo: {}, e-export: {parents: [a-repo]}, t-transform: {parents: [a-repo]}}",
        "nodes: {a-repo: {children: [e-export, t-transform]}, e-export: {}, t-transform: {}}",
        "nodes: {a-repo: {children: [e-export]}, e-export: , t-transform: {parents: [{name: a, type: repo}]}}",
        "nodes: {a-repo: {children: [e-export, t-transform]}, e-export: {parents: [a-repo]}, t-transform: {parents: [a-repo]}}",
        "nodes: [{name: a, type: repo}, {name: e, type: export, parents: [a-repo]}, {name: t, type: transform, parents: [a-repo]}]",
    ];
    for text in ways {
        assert_eq!(edges(&yaml(text).unwrap().nodes), expected, "{text}");
    }
}

#[test]
fn an_answer_of_the_service_is_a_file() {
    let answer = r#"{"schema_version":1,"name":"w","region":"nb","comment":"c","createTime":"2026-11-01T00:00:00Z","status":"Ready","canStart":false,
        "nodes":{"a-repo":{"name":"a","type":"repo","data":{"region": "nb"},"parents":null,"children":[]}}}"#;
    let workflow: Workflow = serde_json::from_str(answer).unwrap();
    let file = WorkflowFile::parse(answer, Format::Json).unwrap();
    let definition = file.resolve(|_| None).unwrap();
    assert!(diff(&Definition::from(&workflow), &definition).is_empty());
    assert!(
        pipeline_graph::lint::lint_file(&file)
            .iter()
            .all(|finding| finding.rule != Rule::UnknownMember)
    );
}

#[test]
fn what_is_missing_has_its_default() {
    let definition = yaml("nodes: {}\n").unwrap();
    assert_eq!(
        (definition.name.as_str(), definition.region.as_str()),
        ("", "nb")
    );
    assert!(definition.nodes.is_empty());
    assert_eq!(
        yaml("").unwrap_err().to_string(),
        "1:1: a workflow file is an object, not null"
    );
}

#[test]
fn values_come_from_the_environment() {
    let text = r#"
name: shop_${STAGE}
nodes:
  e-export:
    data: {spec: {secretKey: "${KEY}", code: "$${KEY} $(year)", list: ["a${STAGE}b"]}}
"#;
    let file = WorkflowFile::parse(text, Format::Yaml).unwrap();
    let set = HashMap::from([("STAGE", "live"), ("KEY", "${x}\"\n")]);
    let definition = file
        .resolve(|name| set.get(name).map(ToString::to_string))
        .unwrap();
    assert_eq!(definition.name, "shop_live");
    // What comes from the environment is not looked at again.
    assert_eq!(
        definition.nodes["e-export"].data.as_ref().unwrap().get(),
        r#"{"spec":{"secretKey":"${x}\"\n","code":"${KEY} $(year)","list":["aliveb"]}}"#
    );

    let error = file.resolve(|_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2:7: the environment variable STAGE is not set; and 2 more faults"
    );
    let found: Vec<_> = error
        .findings()
        .iter()
        .map(|finding| (finding.position.unwrap().to_string(), finding.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("2:7".to_owned(), "name"),
            ("5:30".to_owned(), "nodes['e-export'].data.spec.secretKey"),
            ("5:72".to_owned(), "nodes['e-export'].data.spec.list[0]"),
        ]
    );
}

#[test]
fn a_file_that_makes_no_sense_is_not_used() {
    let cases = [
        (
            "name: [w]\nnodes: {}",
            "1:7: \"name\" must be a string, not an array",
        ),
        (
            "nodes: {a-repo: {}, a-repo: {}}",
            "1:21: the key \"a-repo\" is there twice",
        ),
        (
            "nodes: {a-repo: {data: 1}, b-repo: 2}",
            "1:24: data must be an object, not a number; and one more fault",
        ),
        (
            "name: ${x y}\nnodes: {}",
            "1:7: '${' must be followed by the name of a variable and '}'; write '$${' for a literal '${'",
        ),
        (
            "name: w",
            "1:1: there is no `nodes`; write `nodes: {}` for a workflow without any",
        ),
        (
            "node: {a-repo: {}}\nnodes: {}",
            "1:1: the member \"node\" means nothing here; did you mean \"nodes\"?",
        ),
        (
            "nodes: {b-export: {parent: [a-repo]}}",
            "1:20: the member \"parent\" means nothing here; did you mean \"parents\"?",
        ),
        ("a: [", "1:4: unclosed bracket"),
    ];
    for (text, message) in cases {
        let error = yaml(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn the_notation_is_found() {
    assert_eq!(Format::from_extension("yml"), Some(Format::Yaml));
    assert_eq!(Format::from_extension("json"), Some(Format::Json));
    assert_eq!(Format::from_extension("toml"), None);
    assert_eq!(Format::guess("\u{feff} {\"name\": 1}"), Format::Json);
    assert_eq!(Format::guess("name: w"), Format::Yaml);
}

#[test]
fn a_file_is_written_for_people() {
    let text = r#"{"name":"w","region":"nb","comment":"Clicks: all of them","nodes":{
        "raw-repo":{"children":["save-export"],"data":{"schema":[{"key":"ip","valtype":"ip","required":true},{"key":"n","valtype":"long"}]}},
        "parse-transform":{"parents":["raw-repo"],"data":{"mode":"sql","code":"select *\nfrom stream\n"}},
        "save-export":{"data":{"type":"kodo","spec":{"exportSecretKey":"t0p","accessKey":"","pwd":["a","b"],"note":"${x}"}}}}}"#;
    let definition = WorkflowFile::parse(&text.replace("${x}", "$${x}"), Format::Json)
        .unwrap()
        .resolve(|_| None)
        .unwrap();
    let written = definition.write(Format::Yaml, Secrets::Mask).unwrap();
    assert_eq!(
        written.text,
        r#"name: w
region: nb
comment: "Clicks: all of them"
nodes:
  parse-transform:
    parents: [raw-repo]
    data:
      mode: sql
      code: |
        select *
        from stream
  raw-repo:
    data:
      schema:
        - {key: ip, valtype: ip, required: true}
        - {key: "n", valtype: long}
  save-export:
    parents: [raw-repo]
    data:
      type: kodo
      spec:
        exportSecretKey: "${SAVE_EXPORT_EXPORT_SECRET_KEY}"
        accessKey: ""
        pwd: ["${SAVE_EXPORT_PWD}", "${SAVE_EXPORT_PWD_2}"]
        note: "$${x}"
"#
    );
    let masked: Vec<_> = written
        .masked
        .iter()
        .map(|masked| (masked.variable.as_str(), masked.path.as_str()))
        .collect();
    assert_eq!(
        masked,
        [
            ("SAVE_EXPORT_EXPORT_SECRET_KEY", "data.spec.exportSecretKey"),
            ("SAVE_EXPORT_PWD", "data.spec.pwd[0]"),
            ("SAVE_EXPORT_PWD_2", "data.spec.pwd[1]"),
        ]
    );
    let json = definition.write(Format::Json, Secrets::Show).unwrap().text;
    assert!(json.contains("\"exportSecretKey\": \"t0p\""), "{json}");
    assert!(
        json.contains("\"parents\": [\n        \"raw-repo\"\n"),
        "{json}"
    );
}

#[test]
fn an_edge_stored_at_one_end_is_repaired_and_a_dangling_one_kept() {
    let mut definition = Definition::new("w", support::nodes("a-repo > e-export"));
    join(&mut definition.nodes, "a-repo", "gone-export");
    definition
        .nodes
        .get_mut("e-export")
        .unwrap()
        .parents
        .clear();
    let text = definition.write(Format::Yaml, Secrets::Mask).unwrap().text;
    let again = yaml(&text).unwrap();
    assert_eq!(
        edges(&again.nodes),
        [
            "a-repo feeds e-export",
            "a-repo feeds gone-export",
            "e-export reads a-repo"
        ]
    );
}

#[test]
fn nothing_shows_a_secret_unasked() {
    let text = "nodes: {e-export: {data: {password: t0p}}}";
    let file = WorkflowFile::parse(text, Format::Yaml).unwrap();
    let definition = file.resolve(|_| None).unwrap();
    let shown = definition.write(Format::Yaml, Secrets::Show).unwrap();
    assert!(shown.text.contains("t0p"));
    for debug in [
        format!("{file:?}"),
        format!("{definition:?}"),
        format!("{shown:?}"),
    ] {
        assert!(!debug.contains("t0p"), "{debug}");
    }
    assert!(
        !definition
            .write(Format::Yaml, Secrets::Mask)
            .unwrap()
            .text
            .contains("t0p")
    );
}

#[test]
fn data_that_no_reader_takes_back_is_not_written() {
    let mut definition = Definition::new("w", support::nodes("a-repo"));
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    definition.nodes.get_mut("a-repo").unwrap().data = Some(deep.parse().unwrap());
    let error = definition.write(Format::Yaml, Secrets::Show).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data of node \"a-repo\" cannot be written: nested deeper than 125 levels"
    );
}

fn any_data() -> impl Strategy<Value = RawJson> {
    use serde_json::Value;
    let text = prop_oneof!["[ -~\n\t]{0,10}", "\\$?\\$?\\{?[A-Z]?\\}?", any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let name = prop_oneof![
        text,
        sample::select(vec!["secretKey", "token", "fields", "doc", "schema"])
            .prop_map(str::to_owned),
    ];
    let object = leaf.prop_recursive(4, 30, 5, move |part| {
        prop_oneof![
            collection::vec(part.clone(), 0..4).prop_map(Value::from),
            collection::hash_map(name.clone(), part, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    object.prop_map(|value| match value {
        Value::Object(_) => RawJson::from_value(&value).unwrap(),
        other => RawJson::from_value(&serde_json::json!({ "only": other })).unwrap(),
    })
}

fn any_definition() -> impl Strategy<Value = Definition> {
    let id = ("[a-c]{1,2}", "repo|transform|export|lake")
        .prop_map(|(name, node_type)| format!("{name}-{node_type}"));
    let ids = collection::btree_map(id, proptest::option::of(any_data()), 0..6);
    let edges = collection::vec((any::<sample::Index>(), any::<sample::Index>()), 0..6);
    let text = || prop_oneof!["[ -~]{1,8}", "[a-z$\\{\\}\\PC]{1,8}"];
    (text(), text(), any::<String>(), ids, edges, any::<bool>()).prop_map(
        |(name, region, comment, ids, edges, extra)| {
            let mut nodes = Nodes::new();
            for (id, data) in &ids {
                let mut one = node(id);
                one.data.clone_from(data);
                if extra {
                    one.extra.insert("weight", "[1.50]".parse().unwrap());
                }
                nodes.insert(NodeId::from(id.as_str()), one);
            }
            let ids: Vec<&String> = ids.keys().collect();
            if !ids.is_empty() {
                let edges = edges
                    .iter()
                    .map(|(from, to)| (*from.get(&ids), *to.get(&ids)));
                let edges: std::collections::BTreeSet<_> = edges.collect();
                for (parent, child) in edges {
                    join(&mut nodes, parent, child);
                }
            }
            let mut definition = Definition::new(name, nodes);
            definition.region = region;
            definition.comment = comment;
            definition
        },
    )
}

/// What stands in the second value where the first one has the name of a variable.
fn secrets(
    masked: &serde_json::Value,
    shown: &serde_json::Value,
    found: &mut HashMap<String, serde_json::Value>,
) {
    use serde_json::Value;
    match (masked, shown) {
        (Value::Array(a), Value::Array(b)) => {
            a.iter().zip(b).for_each(|(a, b)| secrets(a, b, found));
        }
        (Value::Object(a), Value::Object(b)) => {
            a.values()
                .zip(b.values())
                .for_each(|(a, b)| secrets(a, b, found));
        }
        (Value::String(name), secret) if masked != shown => {
            assert_eq!(found.insert(name.clone(), secret.clone()), None);
        }
        (a, b) => assert_eq!(a, b),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(definition in any_definition()) {
        for format in [Format::Yaml, Format::Json] {
            let text = definition.write(format, Secrets::Show).unwrap().text;
            let file = WorkflowFile::parse(&text, format).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            let again = file.resolve(|_| None).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(&again, &definition, "{}", text);
            prop_assert_eq!(again.write(format, Secrets::Show).unwrap().text, text);
        }
    }

    #[test]
    fn a_masked_file_and_the_secrets_give_the_workflow(definition in any_definition()) {
        let written = definition.write(Format::Yaml, Secrets::Mask).unwrap();
        let file = WorkflowFile::parse(&written.text, Format::Yaml).unwrap();
        let names = file.resolve(|name| Some(name.to_owned())).unwrap();
        let mut found = HashMap::new();
        let [masked, shown] = [&names.nodes, &definition.nodes].map(|nodes| serde_json::to_value(nodes).unwrap());
        secrets(&masked, &shown, &mut found);
        prop_assert_eq!(found.len(), written.masked.len());
        prop_assert!(written.masked.iter().all(|masked| found.contains_key(&masked.variable)));
        // A secret that is a number comes back as text: the environment knows nothing else.
        if found.values().all(serde_json::Value::is_string) {
            let again = file.resolve(|name| Some(found[name].as_str()?.to_owned())).unwrap();
            prop_assert_eq!(again, definition, "{}", written.text);
        }
    }
}
