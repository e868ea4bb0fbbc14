//! The examples of `docs/workflow-file.md` are files, and the JSON Schema allows what lint does.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use pipeline_graph::{
    file::{Format, ResourceFile, Secrets, Variable, WorkflowFile, json_schema},
    lint::lint_text,
};
use pipeline_proto::model::NodeType;
use regex_lite::Regex;
use serde_json::Value;

#[allow(dead_code, reason = "the table is read, not run")]
mod mistakes;

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
    let types: BTreeSet<_> = file.nodes().into_values().map(|it| it.node_type).collect();
    assert_eq!(types.len(), NodeType::KNOWN.len());
    let healthy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lint/healthy.yaml");
    assert_eq!(*example, std::fs::read_to_string(healthy).unwrap());
}

#[test]
fn the_smaller_examples_can_be_read() {
    for example in &examples()[1..] {
        let read = match example
            .strip_prefix("kind: ")
            .and_then(|rest| rest.split_once('\n'))
        {
            Some((kind, rest)) => ResourceFile::parse(rest, Format::Yaml, kind, &["name"])
                .and_then(|file| file.resolve(|_| Variable::Unset).map(drop)),
            None => WorkflowFile::parse(example, Format::Yaml)
                .and_then(|file| file.resolve(|_| None).map(drop)),
        };
        read.unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

/// Whether a schema allows a value, by the keywords that ours has and no others.
fn allows(root: &Value, schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else {
        return schema != &Value::Bool(false);
    };
    let all = |schemas: &Value| -> Vec<bool> {
        let schemas = schemas.as_array().unwrap().iter();
        schemas.map(|schema| allows(root, schema, value)).collect()
    };
    let list = |keyword: &str| keywords.get(keyword).and_then(Value::as_array);
    let bound = |keyword: &str| keywords[keyword].as_u64().unwrap();
    let length = || match value {
        Value::String(text) => Some(text.chars().count() as u64),
        Value::Array(list) => Some(list.len() as u64),
        _ => None,
    };
    keywords
        .iter()
        .all(|(keyword, argument)| match keyword.as_str() {
            "$schema" | "$comment" | "$defs" | "title" | "description" | "default" | "readOnly" => {
                true
            }
            "then" | "else" => keywords.contains_key("if"),
            "$ref" => {
                let target = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                assert!(target.chars().all(plain), "a reference is a URI: {target}");
                allows(root, root["$defs"].get(target).expect(target), value)
            }
            "if" => {
                let branch = if allows(root, argument, value) {
                    "then"
                } else {
                    "else"
                };
                keywords
                    .get(branch)
                    .is_none_or(|branch| allows(root, branch, value))
            }
            "allOf" => !all(argument).contains(&false),
            "anyOf" => all(argument).contains(&true),
            "not" => !allows(root, argument, value),
            "const" => value == argument,
            "enum" => argument.as_array().unwrap().contains(value),
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "string" => value.is_string(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("{other}"),
                };
                argument
                    .as_array()
                    .map_or_else(|| is(argument), |names| names.iter().any(is))
            }
            "pattern" => value
                .as_str()
                .is_none_or(|text| matches(argument.as_str().unwrap(), text)),
            "minLength" | "minItems" => length().is_none_or(|length| length >= bound(keyword)),
            "maxLength" | "maxItems" => length().is_none_or(|length| length <= bound(keyword)),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= argument.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= argument.as_i64().unwrap()),
            "items" => value
                .as_array()
                .is_none_or(|list| list.iter().all(|part| allows(root, argument, part))),
            "required" => value.as_object().is_none_or(|members| {
                list(keyword)
                    .unwrap()
                    .iter()
                    .all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|members| {
                let declared = argument.as_object().unwrap().iter();
                declared
                    .filter_map(|(name, schema)| Some((schema, members.get(name)?)))
                    .all(|(schema, value)| allows(root, schema, value))
            }),
            "patternProperties" => value.as_object().is_none_or(|members| {
                let each = argument.as_object().unwrap().iter();
                let pairs = each.flat_map(|(pattern, schema)| {
                    members
                        .iter()
                        .filter(move |(name, _)| matches(pattern, name))
                        .map(move |(_, value)| (schema, value))
                });
                pairs
                    .into_iter()
                    .all(|(schema, value)| allows(root, schema, value))
            }),
            "additionalProperties" => value.as_object().is_none_or(|members| {
                let declared = |name: &str| {
                    let patterns = keywords.get("patternProperties").and_then(Value::as_object);
                    keywords
                        .get("properties")
                        .is_some_and(|known| known.get(name).is_some())
                        || patterns
                            .is_some_and(|known| known.keys().any(|pattern| matches(pattern, name)))
                };
                members
                    .iter()
                    .filter(|(name, _)| !declared(name))
                    .all(|(_, value)| allows(root, argument, value))
            }),
            other => panic!("the test does not know {other:?}"),
        })
}

fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static READ: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    READ.with_borrow_mut(|read| {
        let known = read.entry(pattern.to_owned());
        known
            .or_insert_with(|| Regex::new(pattern).unwrap())
            .is_match(text)
    })
}

/// A file as the JSON that an editor sees; references to the environment stay.
fn value(text: &str) -> Value {
    let file = WorkflowFile::parse(text, Format::Yaml).unwrap();
    let definition = file.resolve(|name| Some(format!("${{{name}}}"))).unwrap();
    let text = definition.write(Format::Json, Secrets::Show).unwrap().text;
    serde_json::from_str(&text).unwrap()
}

/// What a schema cannot say, or does not: it is a warning, or concerns several members or nodes.
const ONLY_LINT: &[&str] = &[
    "doubtful-value",
    "contradiction",
    "misplaced-member",
    "schema-duplicate-key",
    "duplicate-name",
    "unknown-source",
    "edge-mismatch",
    "destination-taken",
    "extra-edge",
    "unknown-field",
    "bare-field",
];

/// Mistakes of other rules that are between members of different objects.
const BETWEEN: &[(&str, &str)] = &[
    ("      code: select n from stream\n", ""),
    ("      container: {type: 1U2G, count: 100}\n", ""),
    ("spec: {crontab: 0 0 0/1 * *}", "spec: {}"),
    ("count: 12}", "count: 13}"),
];

#[test]
fn lint_and_the_schema_agree() {
    let schema = json_schema();
    let check = |text: &str| allows(&schema, &schema, &value(text));
    for example in [mistakes::EVERYTHING, &examples()[0]] {
        assert!(check(example));
    }
    for mistake in mistakes::MISTAKES {
        let only_lint = ONLY_LINT.contains(&mistake.rule) || BETWEEN.contains(&(mistake.from, mistake.wrong))
                // Nor has a pattern numbers.
                || (mistake.rule, mistake.from) == ("out-of-range", "crontab: 0 0 0/1 * *");
        assert_eq!(check(&mistake.wrong()), only_lint, "{mistake:?}");
        assert!(check(&mistake.right()), "{mistake:?}");
    }
    for line in mistakes::VENDOR.lines() {
        let (node_type, data) = line.split_once(' ').unwrap();
        let text = format!(r#"{{"nodes":{{"n-{node_type}":{{"data":{data}}}}}}}"#);
        assert!(
            allows(&schema, &schema, &serde_json::from_str(&text).unwrap()),
            "{line}"
        );
    }
    let listed = r#"{"nodes":[{"name":"n","type":"repo","data":{"schema":[{"key":"k","valtype":"long"}]}}]}"#;
    for (text, allowed) in [
        (listed.to_owned(), true),
        (listed.replace("long", "lang"), false),
        (listed.replace("repo", "lake"), false),
        (listed.replace("nodes", "node"), false),
    ] {
        assert_eq!(
            allows(&schema, &schema, &serde_json::from_str(&text).unwrap()),
            allowed,
            "{text}"
        );
    }
}
