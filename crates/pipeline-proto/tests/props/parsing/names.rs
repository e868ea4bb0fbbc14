//! Names and other short texts.

use pipeline_proto::{
    Endpoint, ErrorCode, NodeName, Region, ResourceOwner, WorkflowName,
    model::{NodeId, NodeType, Timestamp},
    name::{PluginName, kind},
    resource::schema::Schema,
    strategies,
};
use proptest::prelude::*;

const WORD: &str = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The rules of `^[a-zA-Z_][a-zA-Z0-9_]{0,127}$` and, `dotted`, of
/// `^[a-zA-Z][a-zA-Z0-9_.]{0,127}[a-zA-Z0-9_]$` over the whole text, written down a second time.
fn is_name(text: &str, dotted: bool) -> bool {
    let (from, lengths) = if dotted { (1, 2..=129) } else { (0, 1..=128) };
    let first = text
        .get(..1)
        .is_some_and(|first| WORD[from..53].contains(first));
    let inner = text
        .chars()
        .all(|c| WORD.contains(c) || (dotted && c == '.'));
    first && inner && !text.ends_with('.') && lengths.contains(&text.len())
}

/// Near the border: a few characters, some of which no name has, and lengths about the limit.
fn almost_a_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_]{0,4}[-./ \\\\n\u{e9}\u{4e2d}\u{660}A-Z]?[a-zA-Z0-9_]{0,4}",
        "[a-z0-9_.]{120,136}",
        "[a-z0-9_]{120,136}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn a_text_is_a_name_if_and_only_if_the_rule_says_so(text in almost_a_name()) {
        let legal = is_name(&text, false);
        prop_assert_eq!(WorkflowName::new(text.as_str()).is_ok(), legal);
        prop_assert_eq!(NodeName::new(text.as_str()).is_ok(), legal);
        prop_assert_eq!(text.parse::<WorkflowName>().is_ok(), legal);
        let json = serde_json::Value::from(text.as_str());
        prop_assert_eq!(serde_json::from_value::<WorkflowName>(json).is_ok(), legal);
        prop_assert_eq!(PluginName::new(text.as_str()).is_ok(), is_name(&text, true));
    }

    #[test]
    fn legal_names_are_legal(
        name in strategies::workflow_name(),
        plugin in strategies::name::<kind::Plugin>(),
    ) {
        prop_assert!(is_name(name.as_str(), false) && is_name(plugin.as_str(), true));
        prop_assert_eq!(name.to_string().parse::<WorkflowName>().unwrap(), name);
    }

    #[test]
    fn illegal_names_are_refused_on_one_line(
        text in strategies::illegal_name::<kind::Workflow>(),
        dotted in strategies::illegal_name::<kind::Plugin>(),
    ) {
        prop_assert!(!is_name(&text, false) && !is_name(&dotted, true));
        for error in [WorkflowName::new(text).unwrap_err(), PluginName::new(dotted).unwrap_err()] {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }

    #[test]
    fn regions_survive_as_they_are(region in strategies::region()) {
        prop_assert_eq!(Region::new(region.as_str()).unwrap(), region);
    }

    #[test]
    fn a_node_id_comes_apart_as_it_was_put_together(
        name in strategies::node_name(),
        node_type in "[a-zA-Z]{1,12}",
    ) {
        let node_type = NodeType::from(node_type);
        let id = NodeId::of(name.as_str(), &node_type);
        prop_assert_eq!(id.parts(), Some((name.as_str(), node_type)));
    }

    #[test]
    fn a_schema_is_read_as_it_is_printed(schema in strategies::schema()) {
        prop_assert_eq!(schema.to_string().parse::<Schema>(), Ok(schema));
    }

    #[test]
    fn whatever_is_read_as_a_schema_can_be_printed(text in "([a-d] ?|[*,(){}\n\u{e9}]|long){0,12}") {
        if let Ok(schema) = text.parse::<Schema>() {
            prop_assert_eq!(schema.to_string().parse::<Schema>(), Ok(schema));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), more in "[ -~]{0,40}") {
        for text in [&text, &more] {
            let _ = NodeId::from(text.as_str()).parts();
            let _ = Timestamp::from(text.as_str()).to_system_time();
            let _ = text.parse::<ErrorCode>();
            let _ = text.parse::<ResourceOwner>();
            let _ = text.parse::<Schema>();
            if let Some(code) = ErrorCode::from_message(text) {
                prop_assert!(text.trim_start().starts_with(&code.to_string()));
            }
        }
    }

    #[test]
    fn an_endpoint_prints_as_it_is_read(
        text in "https?://([a-z0-9.-]{1,12}|\\[::1\\])(:[0-9]{1,6})?(/[a-zA-Z0-9_.~-]{0,5}){0,3}",
    ) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let printed = endpoint.to_string();
            prop_assert_eq!(printed.as_str(), text.trim_end_matches('/'));
            prop_assert_eq!(printed.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn any_endpoint_is_read_or_refused(
        text in prop_oneof![any::<String>(), any::<String>().prop_map(|text| "https://".to_owned() + &text)],
    ) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert!(!endpoint.host().is_empty());
            prop_assert!(!endpoint.to_string().contains(['@', '?', '#', ' ']));
        }
    }
}
