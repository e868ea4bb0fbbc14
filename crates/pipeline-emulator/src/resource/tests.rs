use serde_json::{Value, json};

use crate::{Snapshot, testing::Fixture};

/// As the vendor's client sends them, with members that belong to no body.
const CREATE_REPO: &str = r#"{"RepoName":"orders","region":"nb","schema":[{"key":"host","valtype":"string","required":true,"description":"sender"},{"key":"geo","valtype":"map","required":false,"schema":[{"key":"city","valtype":"string","required":false,"description":null}],"description":null},{"key":"tags","valtype":"array","required":false,"elemtype":"long","description":null}],"options":null,"group":"","workflow":"","ruleNames":null,"description":null}"#;
const UPDATE_REPO: &str = r#"{"PipelineGetRepoToken":{},"RepoName":"orders","schema":[{"key":"host","valtype":"string"},{"key":"bytes","valtype":"long"}],"Option":null,"options":{"withIP":"ip","withTimestamp":"","unescapeLine":true},"ruleNames":["r1"],"description":"d"}"#;
const CREATE_TRANSFORM: &str = r#"{"plugin":{"name":"com.example.P","output":[{"name":"a","type":"long"},{"name":"b"}]},"mode":"sql","code":"select a from stream where a \u003c 3","interval":"1m","container":{"type":"1U2G","count":1},"whence":"newest","destrepo":[{"key":"a","valtype":"long"}]}"#;

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
fn every_operation_has_the_response_of_the_sources() {
    let mut service = Fixture::new();
    let spec: Value = serde_json::from_str(CREATE_TRANSFORM).unwrap();
    let mut changed = spec.clone();
    changed["code"] = "select 1".into();
    changed["interval"] = "5m".into();
    let transform = json!({"name": "t1", "to": "sums", "spec": changed, "workflow": ""});
    let created: Value = serde_json::from_str(CREATE_REPO).unwrap();
    let updated: Value = serde_json::from_str(UPDATE_REPO).unwrap();
    let rows = [
        ("POST", "/v2/repos/orders", CREATE_REPO, json!({})),
        (
            "GET",
            "/v2/repos/orders",
            "",
            json!({"region": "nb", "schema": created["schema"], "group": "", "options": null,
                "derivedFrom": "", "fromDag": false, "workflow": "", "ruleNames": null, "description": null}),
        ),
        ("PUT", "/v2/repos/orders", UPDATE_REPO, json!({})),
        (
            "GET",
            "/v2/repos/orders",
            "",
            json!({"region": "nb", "schema": updated["schema"], "group": "", "options": updated["options"],
                "derivedFrom": "", "fromDag": false, "workflow": "", "ruleNames": ["r1"], "description": "d"}),
        ),
        ("GET", "/v2/repos/orders/exists", "", json!({"exist": true})),
        ("GET", "/v2/repos/other/exists", "", json!({"exist": false})),
        (
            "GET",
            "/v2/repos/orders/data?count=3",
            "",
            json!({"records": []}),
        ),
        (
            "POST",
            "/v2/repos/orders/transforms/t1/to/sums",
            CREATE_TRANSFORM,
            json!({}),
        ),
        (
            "PUT",
            "/v2/repos/orders/transforms/t1",
            r#"{"code":"select 1","interval":"5m","whence":null}"#,
            json!({}),
        ),
        (
            "GET",
            "/v2/repos/orders/transforms/t1",
            "",
            transform.clone(),
        ),
        (
            "GET",
            "/v2/repos/orders/transforms",
            "",
            json!({"transforms": [transform]}),
        ),
        (
            "GET",
            "/v2/repos/sums/transforms",
            "",
            json!({"transforms": []}),
        ),
        (
            "GET",
            "/v2/repos/orders/transforms/t1/exists",
            "",
            json!({"exist": true}),
        ),
        (
            "GET",
            "/v2/repos/orders/transforms/t2/exists",
            "",
            json!({"exist": false}),
        ),
        (
            "GET",
            "/v2/repos",
            "",
            json!({"repos": [
                {"name": "orders", "region": "nb", "group": "", "derivedFrom": "", "fromDag": false,
                    "workflow": "", "ruleNames": ["r1"], "description": "d"},
                {"name": "sums", "region": "nb", "group": "", "derivedFrom": "t1", "fromDag": false,
                    "workflow": "", "ruleNames": null, "description": null},
            ]}),
        ),
        (
            "GET",
            "/v2/repos?withDag=true&sourceType=authorized",
            "",
            json!({"repos": []}),
        ),
        ("DELETE", "/v2/repos/orders/transforms/t1", "", json!({})),
        ("DELETE", "/v2/repos/orders", "", json!({})),
        ("GET", "/v2/repos", "", json!({"repos": []})),
    ];
    for (method, target, body, expected) in rows {
        assert_eq!(
            service.ok(method, target, body),
            expected,
            "{method} {target}"
        );
    }
}

/// A request to the service of [`with_transform`], and the code and status of the refusal.
const REFUSED: &[(&str, &str, &str, u16, &str)] = &[
    ("POST", "/v2/repos/r", REPO, 409, "E18101"),
    ("GET", "/v2/repos/x", "", 404, "E18102"),
    ("PUT", "/v2/repos/x", REPO, 404, "E18102"),
    ("DELETE", "/v2/repos/x", "", 404, "E18102"),
    ("GET", "/v2/repos/x/data", "", 404, "E18102"),
    ("GET", "/v2/repos/x/transforms", "", 404, "E18102"),
    ("GET", "/v2/repos/x/transforms/t/exists", "", 404, "E18102"),
    ("POST", "/v2/repos/x/transforms/t/to/y", SQL, 404, "E18102"),
    ("POST", "/v2/repos/a-b", REPO, 400, "E18103"),
    ("GET", "/v2/repos/", "", 400, "E18103"),
    ("GET", "/v2/repos/a-b/exists", "", 400, "E18103"),
    (
        "POST",
        "/v2/repos/r/transforms/u/to/a-b",
        SQL,
        400,
        "E18103",
    ),
    ("POST", "/v2/repos/x", "[]", 400, "E18109"),
    (
        "POST",
        "/v2/repos/x",
        r#"{"schema":[{"key":"a","valtype":"long"}]}"#,
        400,
        "E18212",
    ),
    (
        "POST",
        "/v2/repos/x",
        r#"{"region":null,"schema":[{"key":"a","valtype":"long"}]}"#,
        400,
        "E18212",
    ),
    ("PUT", "/v2/repos/r", "{}", 400, "E18105"),
    (
        "PUT",
        "/v2/repos/r",
        r#"{"schema":[{"key":"a","valtype":"string"}]}"#,
        409,
        "E18128",
    ),
    ("DELETE", "/v2/repos/r", "", 400, "E18112"),
    ("DELETE", "/v2/repos/made", "", 400, "E18206"),
    ("POST", "/v2/repos/r/transforms/t/to/x", SQL, 409, "E18201"),
    ("GET", "/v2/repos/r/transforms/u", "", 404, "E18202"),
    ("PUT", "/v2/repos/r/transforms/u", SQL, 404, "E18202"),
    ("DELETE", "/v2/repos/r/transforms/u", "", 404, "E18202"),
    ("GET", "/v2/repos/own/transforms/t", "", 404, "E18202"),
    ("POST", "/v2/repos/r/transforms/u/to/r", SQL, 409, "E18204"),
    (
        "POST",
        "/v2/repos/own/transforms/t/to/made",
        SQL,
        409,
        "E18205",
    ),
    ("GET", "/v2/repos/r/transforms/a-b", "", 400, "E18207"),
    ("PUT", "/v2/repos/r/transforms/t", "{}", 400, "E18207"),
    (
        "PUT",
        "/v2/repos/r/transforms/t",
        r#"{"unknown":1,"code":null}"#,
        400,
        "E18207",
    ),
];

#[test]
fn what_is_against_the_rules_has_its_code_and_changes_nothing() {
    let mut service = with_transform();
    let before = service.emulator.snapshot(service.now);
    for &(method, target, body, status, code) in REFUSED {
        let refused = service.refused(method, target, body);
        assert_eq!(
            refused,
            (status, code.to_owned()),
            "{method} {target} {body}"
        );
    }
    assert_eq!(service.emulator.snapshot(service.now), before);
}

fn maps(depth: usize) -> String {
    (0..depth).fold(
        r#"[{"key":"a","valtype":"long"}]"#.to_owned(),
        |inner, _| format!(r#"[{{"key":"m","valtype":"map","schema":{inner}}}]"#),
    )
}

#[test]
fn a_schema_is_judged_by_its_fields() {
    let mut service = Fixture::new();
    let (deep, too_deep) = (maps(5), maps(6));
    for (schema, code) in [
        ("null", "E18105"),
        ("[]", "E18105"),
        ("5", "E18105"),
        ("[5]", "E18109"),
        (r#"[{"valtype":"long"}]"#, "E18106"),
        (r#"[{"key":"a-b","valtype":"long"}]"#, "E18106"),
        (r#"[{"key":"a"}]"#, "E18107"),
        (r#"[{"key":"a","valtype":"int"}]"#, "E18107"),
        (r#"[{"key":"a","valtype":"array"}]"#, "E18107"),
        (
            r#"[{"key":"a","valtype":"array","elemtype":"map"}]"#,
            "E18107",
        ),
        (
            r#"[{"key":"a","valtype":"map","schema":[{"key":"b","valtype":"int"}]}]"#,
            "E18107",
        ),
        (
            r#"[{"key":"a","valtype":"long"},{"key":"a","valtype":"ip"}]"#,
            "E18104",
        ),
        (too_deep.as_str(), "E18109"),
        (deep.as_str(), ""),
        (r#"[{"key":"a","valtype":"map","schema":null}]"#, ""),
        (
            r#"[{"key":"a","valtype":"array","elemtype":"float"},{"key":"b","valtype":"ip"}]"#,
            "",
        ),
    ] {
        let body = format!(r#"{{"region":"nb","schema":{schema}}}"#);
        if code.is_empty() {
            service.ok("POST", "/v2/repos/r", &body);
            service.ok("DELETE", "/v2/repos/r", "");
        } else {
            let refused = service.refused("POST", "/v2/repos/r", &body);
            assert_eq!(refused, (400, code.to_owned()), "{schema}");
        }
    }
}

#[test]
fn a_spec_is_judged_by_its_members() {
    let mut service = with_transform();
    for (more, status, code) in [
        (r#""code":"""#, 400, "E18207"),
        (r#""mode":null"#, 400, "E18207"),
        (r#""mode":null,"code":null"#, 400, "E18207"),
        (r#""mode":"flink""#, 415, "E18203"),
        (r#""interval":"7m""#, 400, "E18208"),
        (r#""whence":"middle""#, 400, "E18207"),
        (
            r#""plugin":{"name":"p","output":[{"name":"a","type":"date"}]}"#,
            400,
            "E18211",
        ),
        (r#""container":{"count":1}"#, 400, "E18213"),
        (r#""container":{"type":"3U3G","count":1}"#, 400, "E18213"),
        (r#""container":{"type":"1U2G","count":0}"#, 400, "E18214"),
        (r#""container":5"#, 400, "E18213"),
        (r#""destrepo":[]"#, 400, "E18229"),
        (r#""destrepo":[{"key":"a","valtype":"int"}]"#, 400, "E18229"),
    ] {
        let mut body: Value = serde_json::from_str(SQL).unwrap();
        let more: Value = serde_json::from_str(&format!("{{{more}}}")).unwrap();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = service.refused("POST", "/v2/repos/r/transforms/u/to/x", &body.to_string());
        assert_eq!(refused, (status, code.to_owned()), "{body}");
    }
    let plugin = r#"{"plugin":{"name":"p","output":null}}"#;
    service.ok("POST", "/v2/repos/r/transforms/u/to/x", plugin);
}

/// The sources say "created if absent", so that a destination may be there.
#[test]
fn a_destination_is_made_if_it_is_not_there_and_then_goes_with_its_transform() {
    let mut service = with_transform();
    let made = service.ok("GET", "/v2/repos/made", "");
    assert_eq!(made["derivedFrom"], "t");
    assert_eq!(made["schema"], json!([{"key": "a", "valtype": "long"}]));
    let with_fields = SQL.replace('}', r#","destrepo":[{"key":"b","valtype":"ip"}]}"#);
    service.ok(
        "POST",
        "/v2/repos/r/transforms/fields/to/other",
        &with_fields,
    );
    let other = service.ok("GET", "/v2/repos/other", "");
    assert_eq!(other["schema"], json!([{"key": "b", "valtype": "ip"}]));

    service.ok("POST", "/v2/repos/r/transforms/into/to/own", &with_fields);
    let own = service.ok("GET", "/v2/repos/own", "");
    assert_eq!(own["derivedFrom"], "");
    assert_eq!(own["schema"], json!([{"key": "a", "valtype": "long"}]));
    let refused = service.refused("DELETE", "/v2/repos/own", "");
    assert_eq!(refused, (400, "E18206".to_owned()));
    service.ok("DELETE", "/v2/repos/r/transforms/into", "");
    service.ok("DELETE", "/v2/repos/own", "");

    service.ok("POST", "/v2/repos/made/transforms/next/to/last", SQL);
    let refused = service.refused("DELETE", "/v2/repos/r/transforms/t", "");
    assert_eq!(refused, (400, "E18112".to_owned()));
    service.ok("DELETE", "/v2/repos/made/transforms/next", "");
    service.ok("DELETE", "/v2/repos/r/transforms/t", "");
    service.ok("DELETE", "/v2/repos/r/transforms/fields", "");
    let left = service.ok("GET", "/v2/repos", "");
    assert_eq!(left["repos"].as_array().unwrap().len(), 1, "{left}");
    service.ok("DELETE", "/v2/repos/r", "");
}

#[test]
fn a_repo_of_a_workflow_is_bound_to_its_state_and_listed_when_asked_for() {
    let mut service = Fixture::new();
    let repo = REPO.replacen('{', r#"{"workflow":"w","#, 1);
    let refused = service.refused("POST", "/v2/repos/r", &repo);
    assert_eq!(refused, (404, "E18641".to_owned()));
    let mut service = service.ready();
    service.ok("POST", "/v2/repos/r", &repo);
    for (target, length) in [("/v2/repos", 0), ("/v2/repos?withDag=true", 2)] {
        let list = service.ok("GET", target, "");
        assert_eq!(list["repos"].as_array().unwrap().len(), length, "{target}");
    }
    let shown = service.ok("GET", "/v2/repos/r", "");
    assert_eq!(
        (&shown["workflow"], &shown["fromDag"]),
        (&"w".into(), &true.into())
    );
    service.ok("POST", "/v2/workflows/w/start", "");
    for (method, target) in [
        ("PUT", "/v2/repos/r"),
        ("POST", "/v2/repos/s"),
        ("DELETE", "/v2/repos/r"),
    ] {
        let refused = service.refused(method, target, &repo);
        assert_eq!(refused, (400, "E18643".to_owned()), "{method}");
    }
    service.ok("DELETE", "/v2/workflows/w", "");
    assert_eq!(
        service.ok("GET", "/v2/repos?withDag=true", ""),
        json!({"repos": []})
    );
}

#[test]
fn a_workflow_and_a_repo_of_one_name_are_two_things() {
    let mut service = Fixture::new().ready_empty();
    service.ok("POST", "/v2/repos/w", REPO);
    service.ok("DELETE", "/v2/workflows/w", "");
    service.ok("GET", "/v2/repos/w", "");
    let list = service.ok("GET", "/v2/workflows", "");
    assert_eq!(list, json!([]));
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
    for &(method, target, body, ..) in REFUSED {
        service.emulator.restore(&bare, service.now);
        service.send(method, target, body);
    }
    service.emulator.restore(&bare, service.now);
    service.ok("PUT", "/v2/repos/r", REPO);
    service.ok("PUT", "/v2/repos/r/transforms/t", SQL);
}
