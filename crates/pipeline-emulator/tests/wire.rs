//! The workflow requests of the vendor's Go client, as recorded on the wire, signed anew.
//!
//! Requests, bodies and headers are the record's; the responses are those the service would give in the
//! situation of each request. Numbers in `X-Resource-Owner` are account ids.

mod support;

use pipeline_emulator::{
    Account, DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, Transition,
    server::{Limits, ServerThread},
};
use serde_json::{Value, json};
use support::{send, serve};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const OWNER: (&str, &str) = ("X-Resource-Owner", "9");

const WF: &str = "/v2/workflows/wf";
const START: &str = "/v2/workflows/wf/start";
const STOP: &str = "/v2/workflows/wf/stop";
const STATUS: &str = "/v2/workflows/wf/status";

const CREATE: &str = r#"{"name":"wf","region":"nb","comment":"a\u003cb\u003e\u0026c"}"#;
const UPDATE_NIL: &str = r#"{"name":"wf","region":"nb","nodes":null}"#;
const UPDATE_DANGLING: &str = r#"{"name":"wf","region":"nb","nodes":{"r-repo":{"name":"r","type":"repo","children":[{"name":"e","type":"export"}],"data":{"x":1}}}}"#;
const NAME: &str = r#"{"name":"wf"}"#;
const SEARCH: &str = r#"{"type":"export","name":"e","reponame":"r","query":"*","size":10,"region":"nb","startTime":1,"endTime":2}"#;

/// A caller's own account, and the account 9.
fn start() -> ServerThread {
    let caller = Account::new("1").key(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY);
    let builder = Emulator::builder()
        .account(caller)
        .account(Account::new("9"))
        .transitions(Transition::Immediate);
    serve(builder, Limits::default()).0
}

/// Sends a request and checks status and code of the response; no code stands for a success.
#[track_caller]
fn expect(
    server: &ServerThread,
    (method, target, headers, body): (&str, &str, &[(&str, &str)], &str),
    status: u16,
    code: Option<&str>,
) -> Value {
    let answer = send(server.addr(), method, target, headers, body);
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (status, code),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-type"), ["application/json"]);
    answer.json()
}

#[test]
fn each_recorded_request_is_answered_as_the_service_would() {
    let server = start();
    // The client drops `X-Resource-Owner` on create only, so account 9 needs a workflow first.
    expect(&server, ("POST", WF, &[JSON, OWNER], CREATE), 200, None);

    let nothing = json!({});
    let created = expect(&server, ("POST", WF, &[JSON], CREATE), 200, None);
    assert_eq!(created, nothing);
    let updated = expect(&server, ("PUT", WF, &[JSON, OWNER], UPDATE_NIL), 200, None);
    assert_eq!(updated, nothing);
    // The record's graph has an edge to a node that is not there.
    expect(
        &server,
        ("PUT", WF, &[JSON], UPDATE_DANGLING),
        400,
        Some("E18646"),
    );
    let workflow = expect(&server, ("GET", WF, &[OWNER], ""), 200, None);
    assert_eq!(workflow["comment"], "a<b>&c");
    assert_eq!(
        (&workflow["status"], &workflow["nodes"]),
        (&json!("Ready"), &json!({}))
    );
    let state = expect(&server, ("GET", STATUS, &[], ""), 200, None);
    assert_eq!(
        state,
        json!({"name": "wf", "region": "nb", "status": "Ready", "nodes": []})
    );
    let list = expect(&server, ("GET", "/v2/workflows", &[], ""), 200, None);
    assert_eq!(list.as_array().unwrap().len(), 1);
    // There is nothing in it that could run, and nothing that runs.
    expect(
        &server,
        ("POST", START, &[OWNER], NAME),
        400,
        Some("E18650"),
    );
    expect(&server, ("POST", STOP, &[], NAME), 400, Some("E18645"));
    let deleted = expect(&server, ("DELETE", WF, &[OWNER], ""), 200, None);
    assert_eq!(deleted, nothing);
    let found = expect(
        &server,
        ("POST", "/v2/workflows/wf/search", &[], SEARCH),
        200,
        None,
    );
    assert_eq!(
        found,
        json!({"status": [], "log": [], "recommend": [], "metric": []})
    );

    // Account 9 has none left, the caller still has its own.
    expect(&server, ("GET", STATUS, &[OWNER], ""), 404, Some("E18641"));
    expect(&server, ("GET", STATUS, &[], ""), 200, None);
}

#[test]
fn the_same_requests_drive_a_workflow_that_can_run() {
    let server = start();
    let whole = UPDATE_DANGLING.replace(
        r#""data":{"x":1}}"#,
        r#""data":{"x":1}},"e-export":{"name":"e","type":"export","parents":[{"name":"r","type":"repo"}],"data":{"y":2}}"#,
    );
    expect(&server, ("POST", WF, &[JSON], CREATE), 200, None);
    expect(&server, ("PUT", WF, &[JSON], &whole), 200, None);
    let workflow = expect(&server, ("GET", WF, &[], ""), 200, None);
    assert_eq!(workflow["nodes"]["r-repo"]["data"], json!({"x": 1}));
    expect(&server, ("POST", START, &[], NAME), 200, None);
    assert_eq!(
        expect(&server, ("GET", STATUS, &[], ""), 200, None)["status"],
        "Started"
    );
    expect(
        &server,
        ("PUT", WF, &[JSON], UPDATE_NIL),
        400,
        Some("E18643"),
    );
    expect(&server, ("POST", START, &[], NAME), 400, Some("E18644"));
    expect(&server, ("POST", STOP, &[], NAME), 200, None);
    // The times of the record's search are the first two milliseconds of 1970.
    let found = expect(
        &server,
        ("POST", "/v2/workflows/wf/search", &[], SEARCH),
        200,
        None,
    );
    assert_eq!(found["log"], json!([]));
    let at_any_time = SEARCH.replace(
        r#""startTime":1,"endTime":2"#,
        r#""startTime":0,"endTime":0"#,
    );
    let found = expect(
        &server,
        ("POST", "/v2/workflows/wf/search", &[], &at_any_time),
        200,
        None,
    );
    assert_eq!(found["status"][0]["status"], "Stopped");
    expect(&server, ("DELETE", WF, &[], ""), 200, None);
}

/// The vendor's Java client: no nodes in an update, an empty body and an empty Content-Type with
/// start and stop.
#[test]
fn the_java_clients_forms_are_taken_too() {
    let server = start();
    let whole = r#"{"name":"wf","region":"nb","nodes":{
        "r-repo":{"name":"r","type":"repo","children":[{"name":"e","type":"export"}]},
        "e-export":{"name":"e","type":"export","parents":[{"name":"r","type":"repo"}]}}}"#;
    expect(
        &server,
        ("POST", WF, &[JSON], r#"{"name":"wf","region":"nb"}"#),
        200,
        None,
    );
    expect(
        &server,
        ("PUT", WF, &[JSON], r#"{"name":"wf","region":"nb"}"#),
        200,
        None,
    );
    expect(&server, ("PUT", WF, &[JSON], whole), 200, None);
    expect(
        &server,
        ("POST", START, &[("Content-Type", "")], ""),
        200,
        None,
    );
    expect(
        &server,
        ("POST", STOP, &[("Content-Type", "")], ""),
        200,
        None,
    );
}
