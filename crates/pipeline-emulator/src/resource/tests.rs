//! What becomes of snapshots. The rules stand in the lifecycles in `tests`.

use serde_json::{Value, json};

use crate::{Snapshot, route::OPERATIONS, testing::Fixture};

const REPO: &str = r#"{"region":"nb","schema":[{"key":"a","valtype":"long"}]}"#;
const SQL: &str = r#"{"mode":"sql","code":"select a from stream"}"#;

/// With a repo `r`, a repo `own`, and a transform `t` from `r` to a repo `made` by it.
fn with_transform() -> Fixture {
    let mut service = Fixture::new();
    service.ok("POST", "/v2/repos/r", REPO);
    service.ok("POST", "/v2/repos/own", REPO);
    service.ok("POST", "/v2/repos/r/transforms/t/to/made", SQL);
    service
}

#[test]
fn accounts_do_not_see_the_repos_of_others_and_snapshots_have_them_all() {
    let mut service = with_transform();
    let before = service.emulator.snapshot(service.now);
    let text = serde_json::to_string(&before).unwrap();
    let shown = service.ok("GET", "/v2/repos", "");
    service.emulator.reset();
    assert_eq!(service.ok("GET", "/v2/repos", ""), json!({"repos": []}));
    let read: Snapshot = serde_json::from_str(&text).unwrap();
    service.emulator.restore(&read, service.now);
    assert_eq!(service.ok("GET", "/v2/repos", ""), shown);
    assert_eq!(service.emulator.snapshot(service.now), before);

    let others = text.replace(r#""owner":"development""#, r#""owner":"another""#);
    assert_ne!(others, text);
    let others: Snapshot = serde_json::from_str(&others).unwrap();
    service.emulator.restore(&others, service.now);
    assert_eq!(service.ok("GET", "/v2/repos", ""), json!({"repos": []}));

    for (from, to, why) in [
        (
            r#""kind":"repo""#,
            r#""kind":"workflow""#,
            "no other resource",
        ),
        (r#""kind":"repo""#, r#""kind":"exports""#, "exports"),
        (r#""path":"made""#, r#""path":"own""#, "twice"),
    ] {
        assert!(text.contains(from), "{text}");
        let error = serde_json::from_str::<Snapshot>(&text.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A snapshot may have been written by hand.
#[test]
fn members_that_are_missing_from_a_snapshot_do_no_harm() {
    let mut service = with_transform();
    let snapshot = serde_json::to_string(&service.emulator.snapshot(service.now)).unwrap();
    let mut value: Value = serde_json::from_str(&snapshot).unwrap();
    for resource in value["resources"].as_array_mut().unwrap() {
        resource["members"] = json!({});
    }
    let bare: Snapshot = serde_json::from_value(value).unwrap();
    for operation in OPERATIONS {
        let names = ["r", "t", "made"].into_iter();
        let target = names.fold(operation.path.to_owned(), |path, name| {
            path.replacen("{}", name, 1)
        });
        for body in ["", "[]", "{}", REPO, SQL] {
            service.emulator.restore(&bare, service.now);
            service.send(operation.method.as_str(), &target, body);
        }
    }
    service.emulator.restore(&bare, service.now);
    service.ok("PUT", "/v2/repos/r", REPO);
    service.ok("PUT", "/v2/repos/r/transforms/t", SQL);
}
