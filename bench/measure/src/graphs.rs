//! The offline tools over so many nodes.

use std::hint::black_box;

use pipeline_graph::{Definition, diff, lint::lint_nodes};
use pipeline_proto::model::Nodes;

use crate::{cases::AnyCase, fixtures};

fn nodes(size: usize) -> Nodes {
    serde_json::from_str(&fixtures::nodes(size)).expect("the fixture is JSON")
}

pub(crate) fn lint(size: usize) -> AnyCase {
    let nodes = nodes(size);
    Box::new(move || {
        black_box(lint_nodes(&nodes));
    })
}

/// Every tenth node is gone, and every tenth has other data.
fn two_definitions(size: usize) -> (Definition, Definition) {
    let old = nodes(size);
    let mut new = old.clone();
    let other: pipeline_proto::model::RawJson = r#"{"region":"z2"}"#.parse().expect("JSON");
    for (at, id) in old.keys().enumerate() {
        if at % 10 == 3 {
            new.remove(id);
        } else if at % 10 == 7
            && let Some(node) = new.get_mut(id)
        {
            node.data = Some(other.clone());
        }
    }
    (Definition::new("w", old), Definition::new("w", new))
}

pub(crate) fn diff(size: usize) -> AnyCase {
    let (old, new) = two_definitions(size);
    Box::new(move || {
        black_box(diff::diff(&old, &new));
    })
}
