//! What the lifecycles in `tests` cannot write as texts.

use crate::testing::Fixture;

const W: &str = "/v2/workflows/w";

#[test]
fn node_data_and_unknown_members_of_nodes_are_kept_verbatim() {
    let mut service = Fixture::new().ready_empty();
    let node = r#"{"name":"r","type":"repo","data":{"b": 1e400, "a":"\u4ed3" },"colour":[1, 2]}"#;
    let update = format!(r#"{{"region":"nb","nodes":{{"r-repo":{node}}},"x":1}}"#);
    service.ok("PUT", W, &update);
    let response = service.send("GET", W, "");
    let text = std::str::from_utf8(response.body()).unwrap();
    let end = format!(r#""nodes":{{"r-repo":{node}}}}}"#);
    assert!(text.ends_with(&end), "{text}");
}

#[test]
fn a_comment_is_no_longer_than_it_may_be_and_a_name_is_read_without_its_escapes() {
    let mut service = Fixture::new();
    let with = |length| {
        format!(
            r#"{{"region":"nb","comment":"{}","name":""}}"#,
            "字".repeat(length)
        )
    };
    let refused = service.refused("POST", W, &with(super::MAX_COMMENT + 1));
    assert_eq!(refused, (400, "E18008".to_owned()));
    service.ok("POST", W, &with(super::MAX_COMMENT));
    let refused = service.refused("POST", "/v2/workflows/a%0a", r#"{"region":"nb"}"#);
    assert_eq!(refused, (400, "E18639".to_owned()));
}
