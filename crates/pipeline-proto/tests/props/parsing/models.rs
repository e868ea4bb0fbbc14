//! What the models read, they write again.

use std::fmt::Debug;

use pipeline_proto::{
    model::{LogSearch, Nodes, RawJson, Workflow, WorkflowState},
    strategies,
};
use proptest::{collection::vec, prelude::*};
use serde::{Serialize, de::DeserializeOwned};

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    value: &T,
) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&read, value);
    prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
    Ok(())
}

/// Adds a member to an object, in front of the others or behind them.
fn with_member(object: &str, name: &str, value: &str, in_front: bool) -> String {
    let inner = object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap();
    let name = serde_json::Value::from(name);
    match (inner.is_empty(), in_front) {
        (true, _) => format!("{{{name}:{value}}}"),
        (false, true) => format!("{{{name}:{value},{inner}}}"),
        (false, false) => format!("{{{inner},{name}:{value}}}"),
    }
}

proptest! {
    #[test]
    fn workflows_are_read_as_they_are_written(workflow in strategies::workflow()) {
        round_trip(&workflow)?;
    }

    #[test]
    fn states_are_read_as_they_are_written(state in strategies::workflow_state()) {
        round_trip(&state)?;
    }

    #[test]
    fn logs_are_read_as_they_are_written(found in strategies::log_search()) {
        round_trip(&found)?;
    }

    #[test]
    fn graphs_are_read_as_they_are_written(nodes in strategies::nodes(0..=20)) {
        round_trip(&nodes)?;
    }

    #[test]
    fn members_that_nobody_knows_survive_byte_by_byte(
        workflow in strategies::workflow(),
        name in "new[ -~\u{e9}]{0,8}",
        value in strategies::raw_json(),
        in_front: bool,
    ) {
        let text = serde_json::to_string(&workflow).unwrap();
        let newer = with_member(&text, &name, value.get(), in_front);
        let read: Workflow = serde_json::from_str(&newer).unwrap();
        prop_assert_eq!(read.extra.get(&name), Some(&value));
        let written = serde_json::to_string(&read).unwrap();
        prop_assert!(written.contains(value.get()));
        let again: Workflow = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(again, read);
    }

    #[test]
    fn of_a_repeated_member_the_last_value_counts_in_the_place_of_the_first(
        members in vec(("new[ab]{0,2}", "[0-9]"), 0..8),
    ) {
        let text: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let read: Workflow = serde_json::from_str(&format!("{{{}}}", text.join(","))).unwrap();

        let mut expected: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &members {
            match expected.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = value,
                None => expected.push((name, value)),
            }
        }
        let found: Vec<(&str, &str)> =
            read.extra.iter().map(|(name, value)| (name, value.get())).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn node_data_is_kept_as_the_text_it_came_as(data in strategies::raw_json()) {
        let text = format!(r#"{{"a-repo":{{"name":"a","type":"repo","data":{}}}}}"#, data.get());
        let nodes: Nodes = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(nodes["a-repo"].data.as_ref().map(RawJson::get), Some(data.get()));
        prop_assert_eq!(serde_json::to_string(&nodes).unwrap(), text);
        // Whatever is in it, looking at it as a spec is a value or an error.
        for node_type in pipeline_proto::model::NodeType::KNOWN {
            let mut node = nodes["a-repo"].clone();
            node.node_type = node_type.clone();
            let _ = node.spec();
        }
    }

    #[test]
    fn any_json_is_a_model_or_an_error(json in strategies::raw_json(), name in "name|status|nodes|log|x") {
        for text in [json.get().to_owned(), format!("{{\"{name}\":{}}}", json.get())] {
            let _ = serde_json::from_str::<Workflow>(&text);
            let _ = serde_json::from_str::<WorkflowState>(&text);
            let _ = serde_json::from_str::<LogSearch>(&text);
            let _ = serde_json::from_str::<Nodes>(&text);
        }
    }
}
