use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Emulator, Transition,
    testing::{Fixture, NODES},
};

const W: &str = "/v2/workflows/w";
const START: &str = "/v2/workflows/w/start";
const STOP: &str = "/v2/workflows/w/stop";

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_workflow_lives_from_create_to_delete() {
    let mut service = Fixture::new();
    assert_eq!(service.ok("GET", "/v2/workflows", ""), json!([]));
    let comment = r#"{"name":"w","region":"nb","comment":"a<b>&c"}"#;
    assert_eq!(service.ok("POST", W, comment), json!({}));
    let created = json!({
        "name": "w", "region": "nb", "comment": "a<b>&c", "status": "Ready", "canStart": false,
        "isManualWorkflow": false, "createTime": "1994-11-06T08:49:37Z",
        "updateTime": "1994-11-06T08:49:37Z",
    });
    assert_eq!(service.ok("GET", "/v2/workflows", ""), json!([created]));
    let mut with_nodes = created;
    with_nodes["nodes"] = json!({});
    assert_eq!(service.ok("GET", W, ""), with_nodes);

    service.now = service.now + Duration::from_secs(60);
    let update = format!(r#"{{"region":"nb","nodes":{NODES}}}"#);
    assert_eq!(service.ok("PUT", W, &update), json!({}));
    let updated = service.ok("GET", W, "");
    assert_eq!(
        updated["nodes"],
        serde_json::from_str::<Value>(NODES).unwrap()
    );
    assert_eq!(updated["canStart"], true);
    assert_eq!(updated["updateTime"], "1994-11-06T08:50:37Z");
    assert_eq!(updated["createTime"], "1994-11-06T08:49:37Z");

    assert_eq!(service.ok("POST", START, ""), json!({}));
    let nodes = |status| {
        json!([
            {"name": "clicks", "type": "repo", "status": status},
            {"name": "save", "type": "export", "status": status},
        ])
    };
    assert_eq!(
        service.ok("GET", "/v2/workflows/w/status", ""),
        json!({"name": "w", "region": "nb", "status": "Started", "nodes": nodes("Started")})
    );
    assert_eq!(service.ok("POST", STOP, ""), json!({}));
    assert_eq!(service.status(), "Stopped");
    assert_eq!(service.ok("DELETE", W, ""), json!({}));
    assert_eq!(service.refused("GET", W, ""), error(404, "E18641"));
}

#[test]
fn node_data_and_unknown_members_of_nodes_are_kept_verbatim() {
    let mut service = Fixture::new();
    service.ok("POST", W, r#"{"region":"nb"}"#);
    let node = r#"{"name":"r","type":"repo","data":{"b": 1e400, "a":"\u4ed3" },"colour":[1, 2]}"#;
    service.ok(
        "PUT",
        W,
        &format!(r#"{{"region":"nb","nodes":{{"r-repo":{node}}},"x":1}}"#),
    );
    let answer = service.send("GET", W, "");
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(
        text.ends_with(&format!(r#""nodes":{{"r-repo":{node}}}}}"#)),
        "{text}"
    );
}

#[test]
fn create_refuses_what_the_service_refuses() {
    let mut service = Fixture::new();
    service.ok("POST", "/v2/workflows/taken", r#"{"region":"nb"}"#);
    let long = "字".repeat(super::MAX_COMMENT + 1);
    for (path, body, expected) in [
        ("taken", r#"{"region":"nb"}"#, error(409, "E18640")),
        ("9lives", r#"{"region":"nb"}"#, error(400, "E18639")),
        ("a-b", r#"{"region":"nb"}"#, error(400, "E18639")),
        ("", r#"{"region":"nb"}"#, error(400, "E18639")),
        ("a%0a", r#"{"region":"nb"}"#, error(400, "E18639")),
        ("w", "", error(400, "E18006")),
        (
            "w",
            r#"{"region":"nb","comment":"workflow_for_test",}"#,
            error(400, "E18007"),
        ),
        ("w", "[]", error(400, "E18642")),
        ("w", "{}", error(400, "E18642")),
        ("w", r#"{"region":null}"#, error(400, "E18642")),
        ("w", r#"{"region":""}"#, error(400, "E18642")),
        ("w", r#"{"region":7}"#, error(400, "E18642")),
        ("w", r#"{"region":"nb","comment":[]}"#, error(400, "E18642")),
        ("w", r#"{"region":"nb","name":"v"}"#, error(400, "E18642")),
        (
            "w",
            &format!(r#"{{"region":"nb","comment":"{long}"}}"#),
            error(400, "E18008"),
        ),
    ] {
        let target = format!("/v2/workflows/{path}");
        assert_eq!(
            service.refused("POST", &target, body),
            expected,
            "{path} {body}"
        );
    }
    let longest = "字".repeat(super::MAX_COMMENT);
    service.ok(
        "POST",
        W,
        &format!(r#"{{"region":"nb","comment":"{longest}","name":""}}"#),
    );
}

#[test]
fn regions_are_open_unless_listed() {
    let mut service = Fixture::new();
    service.ok("POST", W, r#"{"region":"anywhere"}"#);
    let mut service = Fixture::with(Emulator::builder().regions(["nb", "jjh"]));
    service.ok("POST", W, r#"{"region":"jjh"}"#);
    let refused = service.refused("POST", "/v2/workflows/v", r#"{"region":"anywhere"}"#);
    assert_eq!(refused, error(400, "E18642"));
}

#[test]
fn update_refuses_what_the_service_refuses() {
    let mut service = Fixture::new().ready();
    let before = service.ok("GET", W, "");
    for (body, expected) in [
        ("", "E18006"),
        ("{", "E18007"),
        (r#"{"nodes":{}}"#, "E18642"),
        (r#"{"region":"jjh","nodes":{}}"#, "E18642"),
        (r#"{"region":"nb","nodes":[]}"#, "E18642"),
        (r#"{"region":"nb","nodes":{"r-repo":{"name":1}}}"#, "E18642"),
        (r#"{"region":"nb","name":"v"}"#, "E18642"),
        (
            r#"{"region":"nb","nodes":{"r":{"name":"r","type":"repo"}}}"#,
            "E18646",
        ),
        (
            r#"{"region":"nb","nodes":{"a-b-repo":{"name":"a-b","type":"repo"}}}"#,
            "E18646",
        ),
        (
            r#"{"region":"nb","nodes":{"r-repo":{"name":"r","type":"repo","children":[{"name":"e","type":"export"}]}}}"#,
            "E18646",
        ),
        (
            r#"{"region":"nb","nodes":{
                "a-job":{"name":"a","type":"job","data":{"scheduler":{"type":"manual"}}},
                "b-job":{"name":"b","type":"job","data":{"scheduler":{"type":"loop"}}}}}"#,
            "E18653",
        ),
    ] {
        assert_eq!(
            service.refused("PUT", W, body),
            error(400, expected),
            "{body}"
        );
    }
    assert_eq!(
        service.refused("PUT", "/v2/workflows/v", r#"{"region":"nb"}"#),
        error(404, "E18641")
    );
    assert_eq!(
        service.ok("GET", W, ""),
        before,
        "a refused update changes nothing"
    );
}

#[test]
fn an_update_without_nodes_leaves_them() {
    let mut service = Fixture::new().ready();
    for body in [
        r#"{"name":"w","region":"nb","nodes":null}"#,
        r#"{"region":"nb"}"#,
    ] {
        service.ok("PUT", W, body);
        assert_eq!(
            service.ok("GET", W, "")["nodes"].as_object().unwrap().len(),
            2
        );
    }
    service.ok("PUT", W, r#"{"region":"nb","nodes":{}}"#);
    let emptied = service.ok("GET", W, "");
    assert_eq!(
        (&emptied["nodes"], &emptied["canStart"]),
        (&json!({}), &json!(false))
    );
}

/// Every operation that depends on the state, in every state.
#[test]
fn the_state_decides_what_is_allowed() {
    let (yes, forbidden) = (error(200, ""), |code| error(400, code));
    for (state, update, start, stop) in [
        ("Ready", yes.clone(), yes.clone(), forbidden("E18645")),
        (
            "Starting",
            forbidden("E18643"),
            forbidden("E18644"),
            forbidden("E18645"),
        ),
        (
            "Started",
            forbidden("E18643"),
            forbidden("E18644"),
            yes.clone(),
        ),
        (
            "Stopping",
            forbidden("E18643"),
            forbidden("E18644"),
            forbidden("E18645"),
        ),
        ("Stopped", yes.clone(), yes.clone(), forbidden("E18645")),
    ] {
        let mut service = Fixture::new().ready();
        if state == "Starting" {
            service.emulator.set_start_transition(Transition::Stuck);
        }
        if state != "Ready" {
            service.ok("POST", START, "");
        }
        if state == "Stopping" {
            service.emulator.set_stop_transition(Transition::Stuck);
        }
        if state.starts_with("Stopp") {
            service.ok("POST", STOP, "");
        }
        assert_eq!(service.status(), state);
        let snapshot = service.emulator.clone();
        for (method, target, body, expected) in [
            ("PUT", W, r#"{"region":"nb"}"#, update),
            ("POST", START, "", start),
            ("POST", STOP, "", stop),
            ("DELETE", W, "", yes.clone()),
        ] {
            service.emulator = snapshot.clone();
            if expected == yes {
                service.ok(method, target, body);
            } else {
                assert_eq!(
                    service.refused(method, target, body),
                    expected,
                    "{state} {target}"
                );
                assert_eq!(service.status(), state);
            }
        }
    }
}

#[test]
fn start_needs_something_to_run() {
    let mut service = Fixture::new();
    service.ok("POST", W, r#"{"region":"nb"}"#);
    assert_eq!(service.refused("POST", START, ""), error(400, "E18650"));
    // A batch computation alone is not enough.
    let nodes = r#"{"j-job":{"name":"j","type":"job"}}"#;
    service.ok("PUT", W, &format!(r#"{{"region":"nb","nodes":{nodes}}}"#));
    assert_eq!(service.refused("POST", START, ""), error(400, "E18650"));
}

#[test]
fn start_and_stop_take_the_bodies_of_the_vendors_clients() {
    let mut service = Fixture::new().ready();
    for body in ["", r#"{"name":"w"}"#, "{}", r#"{"name":null,"x":1}"#] {
        service.ok("POST", START, body);
        service.ok("POST", STOP, body);
    }
    for (body, code) in [
        ("x", "E18007"),
        ("[]", "E18642"),
        (r#"{"name":"v"}"#, "E18642"),
    ] {
        assert_eq!(
            service.refused("POST", START, body),
            error(400, code),
            "{body}"
        );
        assert_eq!(
            service.refused("POST", STOP, body),
            error(400, code),
            "{body}"
        );
    }
}

#[test]
fn every_operation_but_create_needs_the_workflow() {
    let mut service = Fixture::new();
    for (method, action, body) in [
        ("PUT", "", r#"{"region":"nb"}"#),
        ("GET", "", ""),
        ("GET", "/status", ""),
        ("POST", "/start", ""),
        ("POST", "/stop", ""),
        ("DELETE", "", ""),
        ("POST", "/search", "{}"),
    ] {
        let mut refused =
            |name: &str| service.refused(method, &format!("/v2/workflows/{name}{action}"), body);
        assert_eq!(refused("w"), error(404, "E18641"), "{method} {action}");
        assert_eq!(refused("w-1"), error(400, "E18639"), "{method} {action}");
    }
}

#[test]
fn each_kind_of_read_counts_for_a_transition_that_waits_for_reads() {
    let mut service =
        Fixture::with(Emulator::builder().transitions(Transition::AfterReads(3))).ready();
    service.ok("POST", START, "");
    assert_eq!(service.ok("GET", W, "")["status"], "Starting");
    assert_eq!(
        service.ok("GET", "/v2/workflows", "")[0]["status"],
        "Starting"
    );
    assert_eq!(service.status(), "Starting");
    assert_eq!(service.status(), "Started");
    service.ok("POST", STOP, "");
    for _ in 0..3 {
        assert_eq!(service.refused("POST", START, ""), error(400, "E18644"));
        assert_eq!(service.status(), "Stopping");
    }
    service.ok("POST", START, "");
}

#[test]
fn a_manual_workflow_is_marked_and_ends_by_itself() {
    let run = Duration::from_secs(30);
    let builder = Emulator::builder()
        .transitions(Transition::Immediate)
        .manual_run(run);
    let mut service = Fixture::with(builder);
    service.ok("POST", W, r#"{"region":"nb"}"#);
    let nodes = r#"{
        "d-datasource":{"name":"d","type":"datasource","children":[{"name":"j","type":"job"}]},
        "j-job":{"name":"j","type":"job","data":{"scheduler":{"type":"manual"}},
            "parents":[{"name":"d","type":"datasource"}],"children":[{"name":"e","type":"exportBatch"}]},
        "e-exportBatch":{"name":"e","type":"exportBatch","parents":[{"name":"j","type":"job"}]}}"#;
    service.ok("PUT", W, &format!(r#"{{"region":"nb","nodes":{nodes}}}"#));
    assert_eq!(service.ok("GET", W, "")["isManualWorkflow"], true);
    service.ok("POST", START, "");
    assert_eq!(service.status(), "Started");
    service.now = service.now + run;
    assert_eq!(service.status(), "Stopped");
}

#[test]
fn search_finds_what_the_emulator_did() {
    let mut service = Fixture::new().ready();
    service.ok("POST", START, "");
    let search = r#"{"type":"export","name":"save","reponame":"clicks","query":"*","size":2,"region":"nb","startTime":0,"endTime":0}"#;
    let found = service.ok("POST", "/v2/workflows/w/search", search);
    let timestamp = "1994-11-06T08:49:37.000Z";
    assert_eq!(
        found["status"],
        json!([
            {"type": "export", "name": "save", "timestamp": timestamp, "status": "Started", "reason": "started"},
            {"type": "export", "name": "save", "timestamp": timestamp, "status": "Starting", "reason": "a start was asked for"},
        ])
    );
    assert_eq!(found["log"].as_array().unwrap().len(), 2);
    for (body, code) in [
        ("", "E18006"),
        ("{", "E18007"),
        (r#"{"size":"10"}"#, "E18642"),
    ] {
        let refused = service.refused("POST", "/v2/workflows/w/search", body);
        assert_eq!(refused, error(400, code), "{body}");
    }
}
