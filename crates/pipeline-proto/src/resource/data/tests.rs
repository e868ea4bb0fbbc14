use std::collections::BTreeSet;

use super::*;
use crate::{
    describe::{self, Fact, Shape},
    name::NodeName,
    resource::{
        export::{ExportSpec, ExportTarget},
        repo::RepoSpec,
    },
};

fn read(node_type: NodeType, data: &str) -> NodeSpec {
    let data = Some(data.parse().unwrap());
    Node {
        node_type,
        data,
        ..Node::default()
    }
    .spec()
    .unwrap()
}

#[test]
fn an_export_is_read_bare_and_wrapped() {
    let NodeSpec::Export(bare) = read(
        NodeType::Export,
        r#"{"type":"kodo","spec":{"bucket":"b"},"whence":"oldest"}"#,
    ) else {
        panic!()
    };
    let NodeSpec::Export(wrapped) = read(
        NodeType::Export,
        r#"{"name":"e","spec":{"type":"kodo","spec":{"bucket":"b"}}}"#,
    ) else {
        panic!()
    };
    assert_eq!(bare.spec, wrapped.spec);
    assert_eq!(wrapped.name.as_deref(), Some("e"));
    // Nothing says that this one is wrapped: it has no type.
    let NodeSpec::Export(bare) = read(NodeType::Export, r#"{"spec":{"bucket":"b"}}"#) else {
        panic!()
    };
    assert!(bare.r#type.is_empty() && bare.spec.is_some());
}

#[test]
fn nulls_unknown_members_and_unknown_types_are_no_errors() {
    let NodeSpec::Repo(repo) = read(
        NodeType::Repo,
        r#"{"schema":[{"key":"m","valtype":"map","schema":[{"key":"x","valtype":"lake","description":null}]}],
            "options":null,"ruleNames":null,"colour":"red"}"#,
    ) else {
        panic!()
    };
    let nested = repo.schema[0].schema.as_ref().unwrap();
    assert_eq!(nested[0].valtype.as_str(), "lake");
    assert_eq!(repo.options, None);
    assert_eq!(read(NodeType::from("lake"), "[1]"), NodeSpec::None);
    assert_eq!(Node::default().spec().unwrap(), NodeSpec::None);
}

#[test]
fn what_is_read_is_written_again_with_what_is_not_known() {
    let texts = [
        r#"{"schema":[{"key":"m","valtype":"lake","depth":7}],"colour":{"a":1e2}}"#,
        r#"{"schema":[{"key":"m","valtype":"map","schema":[{"key":"x","valtype":"long"}]}],"options":{"unescapeLine":false}}"#,
    ];
    for text in texts {
        let spec: RepoSpec = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    }
    let text = r#"{"type":"lake","spec":{"b":1.0,"a":[]},"whence":"middle"}"#;
    let spec: ExportSpec = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    let target = spec.target().unwrap();
    assert!(matches!(&target, ExportTarget::Other { r#type, .. } if r#type == "lake"));
    assert_eq!(ExportSpec::from(target).spec, spec.spec);
}

#[test]
fn what_is_in_a_spec_is_not_shown() {
    let text = r#"{"bucket":"b","exportSecretKey":"t0p"}"#;
    let kodo: export::KodoTarget = serde_json::from_str(text).unwrap();
    assert_eq!(
        format!("{kodo:?}"),
        r"KodoTarget { bucket: …, exportSecretKey: …, .. }"
    );
}

/// Every description that a node's data leads to.
fn descriptions() -> Vec<&'static Object> {
    let mut waiting: Vec<_> = NodeType::KNOWN
        .iter()
        .filter_map(NodeType::description)
        .collect();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    while let Some(object) = waiting.pop() {
        if !seen.insert(object.name) {
            continue;
        }
        all.push(object);
        for member in object.members {
            let mut shape = member.shape;
            while let Shape::List(part) | Shape::Map(part) = shape {
                shape = *part;
            }
            if let Shape::Object(description) = shape {
                waiting.push(description());
            }
            for fact in member.facts {
                if let Fact::ByType(specs) = fact {
                    waiting.extend(specs.iter().map(|(_, description)| description()));
                }
            }
        }
    }
    all
}

#[test]
fn every_member_is_described_and_known_once() {
    let all = descriptions();
    assert!(all.len() > 30, "{}", all.len());
    for object in all {
        assert!(!object.about().is_empty(), "{}", object.name);
        let mut names = BTreeSet::new();
        for member in object.members {
            let place = format!("{}: {}", object.name, member.name);
            assert!(names.insert(member.name), "{place} is there twice");
            assert!(
                member.about().ends_with('.') || member.about().ends_with('`'),
                "{place}"
            );
            for fact in member.facts {
                if let Fact::RequiredWith(other, value) = fact {
                    let words = object.member(other).and_then(describe::Member::words);
                    assert!(words.is_some_and(|words| words.contains(value)), "{place}");
                }
                if let Fact::Default(value) = fact {
                    let words = member.words();
                    assert!(words.is_none_or(|words| words.contains(value)), "{place}");
                }
            }
        }
    }
}

#[test]
fn the_form_of_names_is_that_of_node_names() {
    let error = NodeName::new("9").unwrap_err().to_string();
    assert!(Form::NAME.pattern.contains("{0,127}"), "{error}");
}
