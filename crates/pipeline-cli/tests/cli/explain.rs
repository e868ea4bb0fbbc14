//! What the codes mean.

use crate::support::run;
use serde_json::json;

#[test]
fn a_code_is_explained_as_data() {
    let expected = json!({
        "schema_version": 1,
        "code": "E18641",
        "http_status": 404,
        "kind": "not-found",
        "meaning": "the workflow does not exist",
        "meaning_zh": "工作流不存在",
        "on_api_page": true,
        "exit_code": 3,
    });
    assert_eq!(run(&["-o", "json", "explain", "E18641"]).json(), expected);
    assert_eq!(run(&["explain", "18641", "-o", "json"]).json(), expected);
    assert_eq!(
        run(&["explain", "E18641: no such workflow", "-o", "json"]).json(),
        expected
    );
    for line in [
        "error: w: E18641, the workflow does not exist (HTTP 404, request 8xYAAE18)",
        r#"{"error":"E18641: the workflow does not exist"}"#,
        "pandora error: StatusCode=404, ErrorMessage=E18641: workflow not found, RequestId=E2E1",
        "2026-11-28T01:02:03Z e18641",
        "错误：w：E18641，工作流不存在（HTTP 404）",
    ] {
        let shown = run(&["explain", line, "-o", "json"]).json();
        assert_eq!(shown, expected, "{line}");
        // Pasted without quotes.
        let words: Vec<&str> = line.split(' ').collect();
        let shown = run(&[&["explain", "-o", "json"], words.as_slice()].concat()).json();
        assert_eq!(shown, expected, "{line}");
    }
    let sdk = run(&["explain", "E18643", "-o", "json"]).json();
    assert_eq!(
        (&sdk["http_status"], &sdk["on_api_page"]),
        (&json!(null), &json!(false))
    );
}

#[test]
fn a_code_is_explained_to_people() {
    let shown = run(&["explain", "e18650"]).ok();
    assert!(
        shown.contains("含义") && shown.contains("Exit code    5"),
        "{shown}"
    );
}

#[test]
fn all_codes_and_all_of_a_kind() {
    let all = run(&["explain", "--all", "-o", "json"]).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 172);
    let limits = run(&["explain", "limit", "-o", "name"]).ok();
    assert_eq!(limits.lines().count(), 5);
    assert_eq!(run(&["explain", "--all"]).ok().lines().count(), 173);
}
