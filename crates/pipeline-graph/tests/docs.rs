//! `docs/workflow-file.md` and `docs/workflow-file.schema.json` say what the code does.

use std::path::PathBuf;

use pipeline_graph::{
    file::{Format, WorkflowFile},
    lint::{Rule, lint_text},
};
use serde_json::Value;

fn read(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// The examples in the document, the complete one first.
fn examples() -> Vec<String> {
    let text = read("workflow-file.md");
    let blocks = text.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_example_is_healthy_and_complete() {
    let example = &examples()[0];
    assert_eq!(lint_text(example, Format::Yaml), []);
    let file = WorkflowFile::parse(example, Format::Yaml).unwrap();
    let nodes = file.nodes();
    let mut types: Vec<&str> = nodes.values().map(|node| node.node_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(
        types,
        [
            "datasource",
            "export",
            "exportBatch",
            "job",
            "repo",
            "transform"
        ]
    );
    let healthy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lint/healthy.yaml");
    assert_eq!(*example, std::fs::read_to_string(healthy).unwrap());
}

#[test]
fn the_smaller_examples_can_be_read() {
    for example in &examples()[1..] {
        let file = WorkflowFile::parse(example, Format::Yaml).unwrap();
        assert!(file.resolve(|_| None).is_ok(), "{example}");
    }
}

#[test]
fn the_table_of_rules_is_that_of_the_code() {
    let text = read("workflow-file.md");
    let row = |rule: &Rule| format!("| `{rule}` | {} | {} |\n", rule.severity(), rule.meaning());
    let table: String = Rule::ALL.iter().map(row).collect();
    assert!(text.contains(&table), "the table should be\n{table}");
}

/// Looks up a member in a schema: in its own properties or behind references.
fn member<'a>(root: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    let schema = follow(root, schema);
    let pattern = |(pattern, schema): (&str, &'a Value)| {
        // The only patterns are `<name>-<type>`.
        let node_type = pattern.rsplit('-').next()?.strip_suffix('$')?;
        name.strip_suffix(node_type)?
            .strip_suffix('-')
            .map(|_| schema)
    };
    let patterns = schema["patternProperties"].as_object();
    schema["properties"].get(name).or_else(|| {
        patterns?
            .iter()
            .find_map(|(text, schema)| pattern((text, schema)))
    })
}

fn follow<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    // Conditions are for lists of nodes; the example has an object.
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["else"]["$ref"].as_str());
    match reference {
        Some(reference) => &root["$defs"][reference.strip_prefix("#/$defs/").unwrap()],
        None => schema,
    }
}

fn undeclared(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let schema = follow(root, schema);
    match value {
        Value::Array(list) => {
            for part in list {
                undeclared(root, &schema["items"], part, &format!("{path}[]"), found);
            }
        }
        Value::Object(members) => {
            // A mapping has members of any name.
            if schema["additionalProperties"].is_object()
                && schema["properties"].is_null()
                && schema["patternProperties"].is_null()
            {
                return;
            }
            for (name, part) in members {
                let path = format!("{path}.{name}");
                match member(root, schema, name) {
                    Some(schema) => undeclared(root, schema, part, &path, found),
                    None => found.push(path),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_schema_declares_every_member_of_the_example() {
    let schema: Value = serde_json::from_str(&read("workflow-file.schema.json")).unwrap();
    let file = WorkflowFile::parse(&examples()[0], Format::Yaml).unwrap();
    let definition = file.resolve(|name| Some(name.to_owned())).unwrap();
    let text = definition
        .write(Format::Json, pipeline_graph::file::Secrets::Show)
        .unwrap()
        .text;
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    undeclared(&schema, &schema, &value, "", &mut found);
    assert_eq!(found, [""; 0]);

    let mut with_slip = value;
    with_slip["nodes"]["clicks-repo"]["data"]["schema"][0]["typ"] = Value::Null;
    undeclared(&schema, &schema, &with_slip, "", &mut found);
    assert_eq!(found, [".nodes.clicks-repo.data.schema[].typ"]);
}
