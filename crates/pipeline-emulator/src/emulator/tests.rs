use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use pipeline_graph::Definition;
use pipeline_proto::{ErrorCode, model::Nodes};

use crate::{
    Account, ClockSkew, DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_ACCOUNT, DEVELOPMENT_SECRET_KEY,
    Emulator, FaultReport, InjectedFault, Interruption, NetworkFault,
    testing::{Fixture, NODES},
};

const CREATE: &str = r#"{"region":"nb"}"#;

fn message(response: &Response<Bytes>) -> String {
    let value: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    value["error"].as_str().unwrap().to_owned()
}

#[test]
fn every_answer_has_a_date_a_type_and_a_request_id() {
    let mut service = Fixture::new();
    let mut ids = Vec::new();
    for (method, target, body, status) in [
        ("POST", "/v2/workflows/w", CREATE, 200),
        ("POST", "/v2/workflows/w", CREATE, 409),
        ("GET", "/v2/workflows", "", 200),
        ("DELETE", "/v2/workflows", "", 405),
        ("GET", "/v2/queues", "", 404),
        ("GET", "/v2/%", "", 400),
    ] {
        let response = service.send(method, target, body);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["date"], "Sun, 06 Nov 1994 08:49:37 GMT");
        ids.push(response.headers()["x-reqid"].to_str().unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| id.len() == 16));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_wrong_method_is_refused_with_the_right_ones() {
    let response = Fixture::new().send("HEAD", "/v2/workflows/w", "");
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, POST, PUT, DELETE");
}

#[test]
fn the_same_requests_get_the_same_answers() {
    let run = |seed| {
        let mut service = Fixture::with(Emulator::builder().seed(seed)).ready();
        ["/v2/workflows", "/v2/workflows/w", "/v2/workflows/x"]
            .map(|target| format!("{:?}", service.send("GET", target, "")))
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2), "the request ids differ");
}

#[test]
fn a_clone_is_a_snapshot() {
    let mut service = Fixture::new().ready();
    let snapshot = service.emulator.clone();
    service.ok("DELETE", "/v2/workflows/w", "");
    service.emulator = snapshot;
    service.ok("GET", "/v2/workflows/w", "");
}

#[test]
fn the_length_rule_is_that_of_the_wire() {
    let mut service = Fixture::with(Emulator::builder().max_body(20)).ready_empty();
    let length = |value| Some(("content-length", value));
    let chunked = Some(("transfer-encoding", "chunked"));
    let (start, long) = ("/v2/workflows/w/start", r#"{"a":"12345678901234567890"}"#);
    for (target, header, body, status, code) in [
        (start, None, "", 411, "E18003"),
        (start, length("0"), "", 400, "E18650"),
        (start, length("3"), "", 400, "E18004"),
        (start, chunked, "{}", 411, "E18003"),
        (start, None, long, 413, "E18005"),
        // Jars, of which other rules hold.
        ("/v2/plugins/p", length("3"), "jar.", 400, "E18219"),
        ("/v2/plugins/p", length("x"), "jar.", 400, "E18219"),
        ("/v2/udf/jars/j", length("5"), "jar.", 400, "E18219"),
        ("/v2/plugins/p", None, "", 411, "E18003"),
    ] {
        let response = service.request("POST", target, &Vec::from_iter(header), body);
        assert_eq!(response.status(), status, "{target} {header:?} {body}");
        assert_eq!(message(&response)[..6], *code, "{target} {header:?} {body}");
    }
}

#[test]
fn without_authentication_the_access_key_still_tells_the_account() {
    let builder = Emulator::builder()
        .account(Account::new("a").key("a-key", "s"))
        .account(Account::new("b").key("b-key", "s"));
    let mut service = Fixture::with(builder);
    let mut create = |authorization: &str| {
        let headers = [("authorization", authorization)];
        let response = service.request("POST", "/v2/workflows/w", &headers, CREATE);
        response.status().as_u16()
    };
    assert_eq!(create("Pandora b-key:any"), 200);
    assert_eq!(create("Pandora b-key:other:words"), 409);
    assert_eq!(create("Pandora a-key:any"), 200);
    // Whoever is not known acts for the first account.
    assert_eq!(create("Pandora c-key:any"), 409);
    assert_eq!(create("nonsense"), 409);
}

#[test]
fn a_resource_owner_is_another_account() {
    let builder = Emulator::builder()
        .account(Account::new("9"))
        .account(Account::new("10"));
    let mut service = Fixture::with(builder);
    let mut get = |method: &str, owner: &str| {
        let body = if method == "POST" { CREATE } else { "" };
        let headers = [("x-resource-owner", owner)];
        let response = service.request(method, "/v2/workflows/w", &headers, body);
        let body = String::from_utf8_lossy(response.body()).into_owned();
        (response.status().as_u16(), body)
    };
    assert_eq!(get("POST", "10").0, 200);
    assert_eq!(get("GET", "10").0, 200);
    assert_eq!(get("GET", "9").0, 404);
    assert_eq!(get("GET", "").0, 404, "an empty header is no header");
    let (status, body) = get("GET", "11");
    assert_eq!(status, 404);
    assert!(body.contains("E18664: "), "{body}");
}

#[test]
fn an_unknown_owner_is_the_caller_for_whoever_asks_for_that() {
    let builder = || Emulator::builder().account(Account::new("9"));
    for (builder, status) in [(builder(), 404), (builder().any_owner(), 200)] {
        let mut service = Fixture::with(builder);
        let headers = [("x-resource-owner", "somebody")];
        let response = service.request("GET", "/v2/workflows", &headers, "");
        assert_eq!(response.status(), status);
    }
}

#[test]
fn a_path_that_is_not_there_has_a_code_of_the_service() {
    let mut service = Fixture::new();
    for target in [
        "/",
        "/v2/queues/q",
        "/v2/repos/r/exports/e/to",
        "/v2/workflows/w/exists",
        "/pipeline/v2/workflows",
    ] {
        let response = service.send("GET", target, "");
        assert_eq!(response.status(), 404);
        let body = String::from_utf8_lossy(response.body());
        assert!(body.starts_with(r#"{"error":"E9001: "#), "{body}");
    }
}

/// Pages of a trusted origin can read everything, refusals included; others are told nothing.
#[test]
fn pages_of_an_origin_that_was_named_may_read_responses() {
    const PAGE: &str = "http://localhost:3000";
    const OTHER: &str = "http://evil.example";
    let named = || Emulator::builder().cors_origin(PAGE).unwrap();
    let any = || Emulator::builder().cors_origin("*").unwrap();
    for (builder, origin, is_allowed) in [
        (Emulator::builder(), PAGE, false),
        (named(), PAGE, true),
        (named(), OTHER, false),
        (named(), "null", false),
        (any(), OTHER, true),
    ] {
        let mut service = Fixture::with(builder);
        let mut send = |method: &str, more: &[(&str, &str)]| {
            let headers = [&[("origin", origin)], more].concat();
            let response = service.request(method, "/v2/workflows/w", &headers, "");
            let header = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
            (
                response.status().as_u16(),
                header("access-control-allow-origin"),
                header("access-control-allow-headers"),
                header("access-control-expose-headers").is_some(),
            )
        };
        let shared = is_allowed.then(|| origin.to_owned());
        let missing = send("GET", &[]);
        assert_eq!(missing, (404, shared.clone(), None, is_allowed), "{origin}");
        let asked = [
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "authorization,content-type",
            ),
        ];
        let status = if is_allowed { 204 } else { 405 };
        let wanted = is_allowed.then(|| asked[1].1.to_owned());
        let preflight = send("OPTIONS", &asked);
        assert_eq!(preflight, (status, shared, wanted, is_allowed), "{origin}");
        assert_eq!(send("OPTIONS", &[]).0, 405, "no question of a browser");
    }
}

#[test]
fn the_clock_of_the_service_may_be_off() {
    let offset = ClockSkew::Behind(Duration::from_secs(37));
    let mut service = Fixture::with(Emulator::builder().clock_offset(offset));
    let response = service.send("POST", "/v2/workflows/w", CREATE);
    assert_eq!(response.headers()["date"], "Sun, 06 Nov 1994 08:49:00 GMT");
    let shown = service.ok("GET", "/v2/workflows/w", "");
    assert_eq!(shown["createTime"], "1994-11-06T08:49:00Z");
    service.emulator.set_clock_offset(ClockSkew::default());
    let shown = service.ok("GET", "/v2/workflows/w", "");
    assert_eq!(shown["createTime"], "1994-11-06T08:49:37Z");
}

#[test]
fn a_fault_answers_in_place_of_the_service() {
    let mut service = Fixture::new();
    service.emulator.inject(
        InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
            .retry_after(Duration::from_secs(2))
            .on("create_workflow")
            .times(2),
    );
    for _ in 0..2 {
        let response = service.send("POST", "/v2/workflows/w", CREATE);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(message(&response), "Service Unavailable");
        assert!(response.headers().contains_key("x-reqid"));
    }
    service.ok("POST", "/v2/workflows/w", CREATE);
    let report = service.emulator.faults().next().unwrap();
    assert_eq!((report.served(), report.left()), (2, Some(0)));
    service.emulator.clear_faults();
    assert_eq!(service.emulator.faults().count(), 0);
}

#[test]
fn a_fault_may_hide_that_the_request_took_effect() {
    let mut service = Fixture::new();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let gateway = InjectedFault::status(StatusCode::BAD_GATEWAY).body(html, "<h1>Bad Gateway</h1>");
    service.emulator.inject(gateway.after_effect());
    let response = service.send("POST", "/v2/workflows/w", CREATE);
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert_eq!(response.body(), "<h1>Bad Gateway</h1>");
    service.ok("GET", "/v2/workflows/w", "");
}

#[test]
fn a_fault_may_carry_any_header_and_a_code() {
    let mut service = Fixture::new();
    let date = HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
    service.emulator.inject(
        InjectedFault::code(ErrorCode::REPO_BEING_CREATED)
            .header(HeaderName::from_static("date"), date.clone())
            .header(
                HeaderName::from_static("x-reqid"),
                HeaderValue::from_static("mine"),
            ),
    );
    let response = service.send("GET", "/v2/nowhere", "");
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["date"], date);
    assert_eq!(response.headers()["x-reqid"], "mine");
    assert!(message(&response).starts_with("E18124: "));
    assert_eq!(
        service.emulator.requests().last().unwrap().request_id,
        "mine"
    );
}

#[test]
fn a_fault_may_spoil_the_true_answer() {
    let mut service = Fixture::new();
    let wrong_type = HeaderValue::from_static("text/plain");
    service.emulator.inject(
        InjectedFault::pass()
            .with_status(StatusCode::ACCEPTED)
            .header(HeaderName::from_static("content-type"), wrong_type)
            .skew_date(ClockSkew::Behind(Duration::from_secs(37)))
            .latency(Duration::from_secs(2))
            .reset_at(1),
    );
    let response = service.send("POST", "/v2/workflows/w", CREATE);
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (202, &b"{}"[..])
    );
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.headers()["date"], "Sun, 06 Nov 1994 08:49:00 GMT");
    assert!(response.headers().contains_key("x-reqid"));
    let network = response.extensions().get::<NetworkFault>().unwrap();
    assert_eq!(network.latency, Duration::from_secs(2));
    assert_eq!(network.interruption, Some(Interruption::ResetAt { at: 1 }));
    let recorded = service.emulator.requests().last().unwrap();
    assert_eq!(recorded.status, StatusCode::ACCEPTED);
    // It took effect, and what follows is as ever.
    let response = service.send("GET", "/v2/workflows/w", "");
    assert_eq!(response.status(), 200);
    assert_eq!(response.extensions().get::<NetworkFault>(), None);
}

#[test]
fn faults_are_removed_by_their_id() {
    let mut service = Fixture::new();
    for _ in 0..3 {
        service.emulator.inject(InjectedFault::pass());
    }
    assert!(service.emulator.remove_fault(1));
    assert!(!service.emulator.remove_fault(1));
    service.emulator.clear_faults();
    service.emulator.inject(InjectedFault::pass());
    let ids: Vec<_> = service.emulator.faults().map(FaultReport::id).collect();
    assert_eq!(ids, [3], "no id comes back");
}

#[test]
fn a_workflow_is_added_by_the_services_rules() {
    let mut service = Fixture::with(Emulator::builder().regions(["nb"]));
    let nodes: Nodes = serde_json::from_str(NODES).unwrap();
    let good = Definition::new("w", nodes);
    let now = service.now;
    let mut add = |account: &str, definition: &Definition| {
        let added = service.emulator.add_workflow(account, definition, now);
        added.map_err(|error| error.code().unwrap().number())
    };
    let with = |change: fn(&mut Definition)| {
        let mut definition = good.clone();
        definition.name = "v".into();
        change(&mut definition);
        definition
    };
    assert_eq!(add(DEVELOPMENT_ACCOUNT, &good), Ok(()));
    assert_eq!(add(DEVELOPMENT_ACCOUNT, &good), Err(18640));
    assert_eq!(add("nobody", &good), Err(18664));
    for (definition, code) in [
        (with(|it| it.name = "v-1".into()), 18639),
        (with(|it| it.region = "xx".into()), 18642),
        (with(|it| it.comment = "c".repeat(10_001)), 18008),
        (with(|it| drop(it.nodes.pop_first())), 18646),
    ] {
        assert_eq!(add(DEVELOPMENT_ACCOUNT, &definition), Err(code));
    }
    let list = service.ok("GET", "/v2/workflows", "");
    assert_eq!(
        list.as_array().unwrap().len(),
        1,
        "a refused one leaves nothing"
    );
    assert_eq!(list[0]["canStart"], true);
    service.ok("POST", "/v2/workflows/w/start", "");
}

#[test]
fn requests_are_recorded_without_their_signatures() {
    let mut service = Fixture::new();
    let authorization = format!("Pandora {DEVELOPMENT_ACCESS_KEY}:canary=");
    let headers = [("authorization", &*authorization)];
    let response = service.request("POST", "/v2/workflows/w?x=y", &headers, CREATE);
    service.send("GET", "/v2/nowhere", "");
    let [create, nowhere] = service.emulator.requests().collect::<Vec<_>>()[..] else {
        panic!("two requests were sent");
    };
    assert_eq!(create.operation, Some("create_workflow"));
    assert_eq!(create.workflow.as_deref(), Some("w"));
    assert_eq!(create.owner.as_deref(), Some("development"));
    assert_eq!(
        (create.uri.query(), create.status),
        (Some("x=y"), StatusCode::OK)
    );
    assert_eq!(create.body, CREATE);
    assert_eq!(
        create.request_id,
        response.headers()["x-reqid"].to_str().unwrap()
    );
    assert_eq!((nowhere.operation, nowhere.owner.as_deref()), (None, None));
    let shown = format!("{create:?} {:?}", service.emulator);
    assert!(
        !shown.contains("canary") && !shown.contains(DEVELOPMENT_SECRET_KEY),
        "{shown}"
    );
    service.emulator.clear_requests();
    assert_eq!(service.emulator.requests().count(), 0);
}

#[test]
fn reset_forgets_workflows_faults_and_requests() {
    let mut service = Fixture::new().ready();
    service
        .emulator
        .inject(InjectedFault::status(StatusCode::BAD_GATEWAY));
    service.emulator.reset();
    assert_eq!(
        service.ok("GET", "/v2/workflows", ""),
        serde_json::json!([])
    );
    assert_eq!(service.emulator.requests().count(), 1);
}
