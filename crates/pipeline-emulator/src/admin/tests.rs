use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{ENDPOINTS, PREFIX};
use crate::{
    Account, ClockSkew, Emulator, Interruption, NetworkFault, Transition, testing::Fixture,
};

impl Fixture {
    fn administer(&mut self, method: &str, path: &str, body: &str) -> Response<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{PREFIX}{path}"))
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.emulator.handle_admin(request, self.now)
    }

    #[track_caller]
    fn admin(&mut self, method: &str, path: &str, body: &str) -> Value {
        let response = self.administer(method, path, body);
        let value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(response.status(), 200, "{value}");
        assert_eq!(response.headers()["content-type"], "application/json");
        value
    }

    #[track_caller]
    fn admin_refuses(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let response = self.administer(method, path, body);
        let value: Value = serde_json::from_slice(response.body()).unwrap();
        let message = value["error"].as_str().expect("an error object");
        (response.status().as_u16(), message.to_owned())
    }
}

#[test]
fn the_list_of_endpoints_has_what_there_is() {
    let mut service = Fixture::new();
    let listed = service.admin("GET", "", "");
    let listed = listed["endpoints"].as_array().unwrap();
    assert_eq!(listed.len(), ENDPOINTS.len());
    for (endpoint, (method, path, _)) in listed.iter().zip(ENDPOINTS) {
        assert_eq!(endpoint["path"], format!("{PREFIX}{path}"));
        // Refused for its body or its id at most.
        let status = service.administer(method, path, "x").status().as_u16();
        let expected = match (*method, *path) {
            (_, "/faults/{id}") => 404,
            ("PUT", _) | ("POST", "/restore" | "/faults") => 400,
            _ => 200,
        };
        assert_eq!(status, expected, "{method} {path}");
    }
}

#[test]
fn other_paths_and_methods_are_refused_with_the_way_on() {
    let mut service = Fixture::new();
    for path in ["/nowhere", "/faults/1/2", "//", "x"] {
        let (status, message) = service.admin_refuses("GET", path, "");
        assert!(status == 404 || path.starts_with("/faults"), "{path}");
        assert!(message.contains("methods") || message.contains("/_emulator/ lists"));
    }
    for (method, path, allow) in [
        ("POST", "/health", "GET"),
        ("PATCH", "/faults", "GET, POST, DELETE"),
        ("GET", "/faults/7", "DELETE"),
        ("GET", "/reset", "POST"),
    ] {
        let response = service.administer(method, path, "");
        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()["allow"], allow);
    }
    // The service itself does not have these paths, nor the interface those of the service.
    assert_eq!(service.send("GET", "/_emulator/health", "").status(), 404);
    let request = Request::get("/v2/workflows").body(Bytes::new()).unwrap();
    let response = service.emulator.handle_admin(request, service.now);
    assert_eq!(response.status(), 404);
}

#[test]
fn health_tells_the_time_and_counts_resources() {
    let builder = Emulator::builder()
        .account(Account::new("a"))
        .account(Account::new("b"))
        .clock_offset(ClockSkew::Ahead(Duration::from_secs(60)));
    let mut service = Fixture::with(builder).ready();
    let health = service.admin("GET", "/health", "");
    assert_eq!(health["status"], "ok");
    assert_eq!(health["time"], "1994-11-06T08:50:37.000Z");
    assert_eq!(health["workflows"], json!({"a": 1, "b": 0}));
    let resources = json!({"a": {"workflow": 1, "repo": 1, "export": 1}, "b": {}});
    assert_eq!(health["resources"], resources);
}

#[test]
fn the_log_of_requests_is_told_and_forgotten() {
    let mut service = Fixture::new().ready_empty();
    service.send("GET", "/v2/workflows/x?y=z", "");
    service.send("GET", "/v2/repos/r/exports/e", "");
    service.send("GET", "/v2/repos", "");
    let log = service.admin("GET", "/requests", "");
    let [create, get, export, list] = &log["requests"].as_array().unwrap()[..] else {
        panic!("{log}");
    };
    for (request, member, value) in [
        (create, "workflow", json!("w")),
        (create, "kind", json!("workflow")),
        (create, "name", json!("w")),
        (create, "method", json!("POST")),
        (create, "operation", json!("create_workflow")),
        (create, "owner", json!("development")),
        (create, "status", json!(200)),
        (create, "body", json!(r#"{"region":"nb"}"#)),
        (create, "headers", json!({"content-length": "15"})),
        (get, "target", json!("/v2/workflows/x?y=z")),
        (get, "at", json!("1994-11-06T08:49:37.000Z")),
        (export, "workflow", json!(null)),
        (export, "kind", json!("export")),
        (export, "name", json!("r/e")),
        (list, "workflow", json!(null)),
        (list, "kind", json!("repo")),
        (list, "name", json!(null)),
    ] {
        assert_eq!(request[member], value, "{member}");
    }
    service.admin("DELETE", "/requests", "");
    assert_eq!(
        service.admin("GET", "/requests", "")["requests"],
        json!([]),
        "the interface itself is not in it"
    );
}

#[test]
fn odd_requests_can_be_told_too() {
    let mut service = Fixture::new();
    let request = Request::post("/v2/workflows/w")
        .header("x-a", "1")
        .header("x-a", "2")
        .body(Bytes::from_static(b"\xff\xfe"))
        .unwrap();
    service.emulator.handle(request, service.now);
    let log = service.admin("GET", "/requests", "");
    let request = &log["requests"][0];
    assert_eq!(request["headers"]["x-a"], json!(["1", "2"]));
    assert_eq!(request["body_base64"], "//4=");
    assert_eq!(request.get("body"), None);
}

#[test]
fn a_snapshot_can_be_restored() {
    let mut service = Fixture::new().ready();
    let snapshot = service.admin("GET", "/snapshot", "").to_string();
    service.admin("POST", "/reset", "");
    assert_eq!(service.ok("GET", "/v2/workflows", ""), json!([]));
    service.admin("POST", "/restore", &snapshot);
    assert_eq!(service.ok("GET", "/v2/workflows/w", "")["comment"], "c");
    let (status, message) =
        service.admin_refuses("POST", "/restore", r#"{"version":9,"workflows":[]}"#);
    assert_eq!(status, 400);
    assert!(message.contains("version 9"), "{message}");
    let deep = "[".repeat(1_000_000);
    assert_eq!(service.admin_refuses("POST", "/restore", &deep).0, 400);
    service.ok("GET", "/v2/workflows/w", "");
}

#[test]
fn what_was_pushed_is_counted_by_account_and_queue() {
    let mut service = Fixture::new();
    assert_eq!(service.admin("GET", "/data", ""), json!({"queues": []}));
    let repo = r#"{"region":"nb","schema":[{"key":"a","valtype":"long"}]}"#;
    service.ok("POST", "/v2/repos/r", repo);
    service.ok("POST", "/v2/repos/r/data", "a=1\na=2\n");
    let counted = json!({"owner": "development", "repo": "r", "records": 2, "bytes": 8});
    assert_eq!(
        service.admin("GET", "/data", ""),
        json!({"queues": [counted]})
    );
}

#[test]
fn the_clock_can_be_set() {
    let mut service = Fixture::new();
    let clock = service.admin("PUT", "/clock", r#"{"offset_ms": -1000}"#);
    assert_eq!(
        clock,
        json!({"offset_ms": -1000, "time": "1994-11-06T08:49:36.000Z"})
    );
    assert_eq!(service.admin("GET", "/clock", ""), clock);
    let response = service.send("GET", "/v2/workflows", "");
    assert_eq!(response.headers()["date"], "Sun, 06 Nov 1994 08:49:36 GMT");
    for offset in [i64::MIN, i64::MAX, 0] {
        service.admin("PUT", "/clock", &json!({ "offset_ms": offset }).to_string());
    }
    assert_eq!(service.emulator.clock_offset(), ClockSkew::default());
    for body in ["", "{}", r#"{"offset_ms":"1"}"#, r#"{"offset_ms":1,"x":1}"#] {
        assert_eq!(
            service.admin_refuses("PUT", "/clock", body).0,
            400,
            "{body}"
        );
    }
}

#[test]
fn transitions_can_be_set() {
    let mut service = Fixture::new();
    let millis = Duration::from_millis;
    for (spec, transition) in [
        (json!("immediate"), Transition::Immediate),
        (json!({"after_ms": 5}), Transition::After(millis(5))),
        (json!({"after_reads": 2}), Transition::AfterReads(2)),
        (json!("stuck"), Transition::Stuck),
        (
            json!({"falls_back_ms": 7}),
            Transition::FallsBack(millis(7)),
        ),
    ] {
        let set = service.admin("PUT", "/transitions", &json!({ "start": spec }).to_string());
        assert_eq!(set, json!({"start": spec, "stop": "immediate"}));
        assert_eq!(service.emulator.start_transition(), transition);
    }
    service.admin("PUT", "/transitions", r#"{"stop":"stuck"}"#);
    assert_eq!(
        service.admin("GET", "/transitions", ""),
        json!({"start": {"falls_back_ms": 7}, "stop": "stuck"})
    );
    for body in [r#"{"start":"soon"}"#, r#"{"begin":"stuck"}"#, "[]"] {
        assert_eq!(service.admin_refuses("PUT", "/transitions", body).0, 400);
    }
}

#[test]
fn faults_are_added_counted_and_removed() {
    let mut service = Fixture::new();
    let added = service.admin(
        "POST",
        "/faults",
        r#"{"operation":"get_workflow","workflow":"w","code":"E18124","times":2,"retry_after_s":3}"#,
    );
    assert_eq!((&added["id"], &added["left"]), (&json!(0), &json!(2)));
    service.admin("POST", "/faults", r#"{"status":503,"times":"always"}"#);
    let response = service.send("GET", "/v2/workflows/w", "");
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["retry-after"], "3");
    assert_eq!(service.send("GET", "/v2/workflows", "").status(), 503);
    let faults = service.admin("GET", "/faults", "");
    assert_eq!(faults["faults"][0]["served"], 1);
    assert_eq!(faults["faults"][0]["left"], 1);
    assert_eq!(faults["faults"][1]["served"], 1);
    assert_eq!(faults["faults"][1]["left"], "always");
    service.admin("DELETE", "/faults/1", "");
    let (status, message) = service.admin_refuses("DELETE", "/faults/1", "");
    assert_eq!(status, 404);
    assert!(message.contains("no fault \"1\""), "{message}");
    assert_eq!(service.emulator.faults().count(), 1);
    service.admin("DELETE", "/faults", "");
    assert_eq!(service.emulator.faults().count(), 0);
}

/// What is listed can be added again, but for how far it has been used up.
#[test]
fn a_fault_is_told_in_the_terms_in_which_it_was_asked_for() {
    let mut service = Fixture::new();
    for body in [
        json!({"status": 502, "after_effect": true, "body": "<h1>", "headers": {"content-type": "text/html", "x-a": "b"}}),
        json!({"operation": "list_workflows", "after_effect": true, "headers": {"content-type": "text/plain"}}),
        json!({"workflow": "w", "after_effect": true, "date_skew_ms": -5, "latency_ms": 9}),
        json!({"resource": {"kind": "export", "name": "clicks/save"}, "after_effect": true, "latency_ms": 9}),
        json!({"after_effect": true, "stall_at": 1}),
        json!({"after_effect": true, "truncate_at": 2}),
        json!({"after_effect": true, "reset_at": 3}),
        json!({"after_effect": true, "reset": true}),
        json!({"after_effect": true, "body": "{}", "headers": {"content-type": "application/json"}}),
    ] {
        let mut added = service.admin("POST", "/faults", &body.to_string());
        let members = added.as_object_mut().unwrap();
        for name in ["id", "served", "left"] {
            members.remove(name);
        }
        assert_eq!(added, body);
    }
}

#[test]
fn without_a_status_the_true_answer_is_spoiled() {
    let mut service = Fixture::new().ready();
    let fault =
        r#"{"content_type":"text/plain","date_skew_ms":60000,"latency_ms":5,"truncate_at":9}"#;
    service.admin("POST", "/faults", fault);
    let response = service.send("DELETE", "/v2/workflows/w", "");
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (200, &b"{}"[..])
    );
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.headers()["date"], "Sun, 06 Nov 1994 08:50:37 GMT");
    let network = response.extensions().get::<NetworkFault>().unwrap();
    assert_eq!(network.latency, Duration::from_millis(5));
    assert_eq!(network.interruption, Some(Interruption::Truncate { at: 9 }));
    let next = service.send("GET", "/v2/workflows/w", "");
    assert_eq!(next.status(), 404, "it took effect");
    assert_eq!(next.extensions().get::<NetworkFault>(), None);
}

#[test]
fn a_connection_may_break_before_the_service_has_seen_the_request() {
    let mut service = Fixture::new().ready();
    service.admin("POST", "/faults", r#"{"reset":true,"after_effect":false}"#);
    let response = service.send("DELETE", "/v2/workflows/w", "");
    let network = response.extensions().get::<NetworkFault>().unwrap();
    assert_eq!(network.interruption, Some(Interruption::Reset));
    service.ok("GET", "/v2/workflows/w", "");
}

#[test]
fn a_fault_that_makes_no_sense_is_refused_with_the_reason() {
    let mut service = Fixture::new();
    for (body, reason) in [
        ("", "EOF"),
        ("[]", "cannot be used"),
        (r#"{"state":503}"#, "unknown field `state`"),
        (r#"{"status":199}"#, "at least 200"),
        (r#"{"status":1000}"#, "at most 999"),
        (r#"{"status":"503"}"#, "invalid type"),
        (r#"{"code":"E1"}"#, "write it as E18641"),
        (
            r#"{"operation":"conjure"}"#,
            "only list_workflows, get_workflow, create_workflow",
        ),
        (
            r#"{"operation":"create"}"#,
            "did you mean \"create_workflow\"?",
        ),
        (
            r#"{"operation":"status"}"#,
            "did you mean \"get_workflow_status\"?",
        ),
        (r#"{"operation":"search"}"#, "did you mean \"search_logs\"?"),
        (
            r#"{"resource":{"kind":"reop","name":"r"}}"#,
            "no kind \"reop\", only workflow, repo",
        ),
        (
            r#"{"workflow":"w","resource":{"kind":"repo","name":"r"}}"#,
            "one address",
        ),
        (r#"{"times":"twice"}"#, "a number or \"always\""),
        (r#"{"times":-1}"#, "times"),
        (r#"{"after_effect":false}"#, "give a status or a code"),
        (r#"{"stall_at":1,"reset":true}"#, "give one of"),
        (r#"{"headers":{"a b":"c"}}"#, "\"a b\" cannot be the name"),
        (r#"{"content_type":"a\nb"}"#, "cannot be the value"),
    ] {
        let (status, message) = service.admin_refuses("POST", "/faults", body);
        assert_eq!(status, 400, "{body}");
        assert!(
            message.contains(reason) || reason == "times",
            "{body}: {message}"
        );
    }
    assert_eq!(service.emulator.faults().count(), 0);
}

#[test]
fn every_operation_can_be_addressed() {
    let mut service = Fixture::new();
    for operation in crate::route::OPERATIONS {
        let fault = json!({"operation": operation.name, "status": 500});
        let added = service.admin("POST", "/faults", &fault.to_string());
        assert_eq!(added["operation"], operation.name);
    }
}
