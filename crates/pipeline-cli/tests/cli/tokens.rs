//! Tokens for operations: each fits its own request and no other.

use std::time::SystemTime;

use crate::support::{NODES, Ran, Service, pipeline, run, run_with_input};
use pipeline_blocking::Client;
use pipeline_proto::{
    Auth, CallOptions, Endpoint, Error, ErrorKind, Operation, Token, WorkflowName,
    model::Nodes,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};
use serde_json::{Value, json};

/// In an order in which each of them succeeds.
const OPERATIONS: [&str; 9] = [
    "create_workflow",
    "update_workflow",
    "get_workflow",
    "list_workflows",
    "get_workflow_status",
    "search_logs",
    "start_workflow",
    "stop_workflow",
    "delete_workflow",
];

fn mint(service: &Service, operation: &str, name: &str) -> String {
    let name = Some(name).filter(|_| operation != "list_workflows");
    let arguments = ["token", "mint", operation].into_iter().chain(name);
    let minted = service.run(&arguments.collect::<Vec<_>>()).ok();
    minted.trim_end().to_owned()
}

/// The command with nothing but a token.
fn with_token(service: &Service, token: &str, arguments: &[&str]) -> Ran {
    let mut command = pipeline(arguments);
    command
        .env("PANDORA_ENDPOINT", service.server.url())
        .env("PANDORA_TOKEN", token);
    run_with_input(command, NODES.as_bytes())
}

fn arguments<'a>(operation: &'a str, name: &'a str) -> Vec<&'a str> {
    match operation {
        "list_workflows" => vec!["workflow", "list"],
        "update_workflow" => vec!["workflow", "update", name, "-f", "-", "--yes"],
        "delete_workflow" => vec!["workflow", "delete", name, "--yes"],
        "get_workflow_status" => vec!["workflow", "status", name],
        "search_logs" => vec!["workflow", "search", name],
        _ => vec!["workflow", operation.trim_end_matches("_workflow"), name],
    }
}

#[test]
fn a_token_is_taken_for_its_own_call() {
    let service = Service::new();
    for operation in OPERATIONS {
        let token = mint(&service, operation, "clicks");
        with_token(&service, &token, &arguments(operation, "clicks")).ok();
        assert_eq!(service.asked().last(), Some(&operation));
    }
    assert_eq!(service.asked(), OPERATIONS);
}

#[test]
fn without_a_token_it_is_said_where_one_can_come_from() {
    for (arguments, says) in [
        (
            &["token", "verify"][..],
            "standard input is empty; a token is wanted",
        ),
        (
            &["token", "decode", "-"],
            "standard input is empty; a token is wanted",
        ),
        (&["token", "verify", "no-such-token"], "no-such-token: "),
    ] {
        let line = run(arguments).failed(2);
        assert!(
            line.contains(says) && line.contains("PANDORA_TOKEN"),
            "{line}"
        );
    }
}

#[test]
fn a_token_is_refused_for_any_other_call() {
    let service = Service::new().with_workflow("clicks");
    let tokens = OPERATIONS.map(|operation| (operation, mint(&service, operation, "clicks")));
    for (permitted, token) in &tokens {
        for operation in OPERATIONS {
            let error = call(&service, token, operation, "clicks").err();
            let refused = error.is_some_and(|error| error.kind() == ErrorKind::Unauthorized);
            // Some of the permitted ones fail for the state of the workflow, but none is refused.
            assert_eq!(refused, operation != *permitted, "{permitted}, {operation}");
        }
        // For another workflow not even the same operation.
        if *permitted != "list_workflows" {
            let error = call(&service, token, permitted, "others").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{permitted}");
        }
    }
    // As the command tells it.
    let line = with_token(&service, &tokens[2].1, &["workflow", "start", "clicks"]).failed(4);
    assert!(line.starts_with("clicks: the start failed: "), "{line}");
}

/// The operation by the blocking client, with a token for its only credentials.
fn call(service: &Service, token: &str, operation: &str, name: &str) -> Result<(), Error> {
    fn send<O: Operation>(client: &Client, auth: Auth, operation: O) -> Result<(), Error> {
        let options = CallOptions::new().auth(auth);
        client.send_with(operation, options).map(|_| ())
    }
    let endpoint: Endpoint = service.server.url().parse().unwrap();
    let client = Client::builder()
        .endpoint(endpoint)
        .no_proxy()
        .build()
        .unwrap();
    let auth = Auth::from(token.parse::<Token>().unwrap());
    let name = WorkflowName::new(name).unwrap();
    match operation {
        "list_workflows" => send(&client, auth, ListWorkflows::new()),
        "get_workflow" => send(&client, auth, GetWorkflow::new(name)),
        "create_workflow" => send(&client, auth, CreateWorkflow::new(name)),
        "update_workflow" => send(&client, auth, UpdateWorkflow::new(name, Nodes::new())),
        "delete_workflow" => send(&client, auth, DeleteWorkflow::new(name)),
        "start_workflow" => send(&client, auth, StartWorkflow::new(name)),
        "stop_workflow" => send(&client, auth, StopWorkflow::new(name)),
        "get_workflow_status" => send(&client, auth, GetWorkflowStatus::new(name)),
        "search_logs" => send(&client, auth, SearchLogs::new(name)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_bundle_looks_and_runs() {
    let service = Service::new().with_workflow("clicks");
    let before = seconds_now();
    let bundle = service
        .run(&["token", "bundle", "clicks", "--ttl", "2h"])
        .json();
    let after = seconds_now();
    assert_eq!(bundle["workflow"], "clicks");
    let expires = bundle["expires"].as_i64().unwrap();
    assert!((before + 7200..=after + 7200).contains(&expires));
    let tokens = bundle["tokens"].as_array().unwrap();
    let described: Vec<Value> = tokens.iter().map(without_token).collect();
    let expected = [
        ("get_workflow", "GET", "/v2/workflows/clicks"),
        ("get_workflow_status", "GET", "/v2/workflows/clicks/status"),
        ("start_workflow", "POST", "/v2/workflows/clicks/start"),
        ("stop_workflow", "POST", "/v2/workflows/clicks/stop"),
    ]
    .map(|(operation, method, path)| {
        json!({"operation": operation, "method": method, "path": path, "content_type": ""})
    });
    assert_eq!(described, expected);
    for token in tokens {
        let text = token["token"].as_str().unwrap();
        let operation = token["operation"].as_str().unwrap();
        call(&service, text, operation, "clicks").unwrap();
        let decoded = decoded(text);
        assert_eq!(decoded["expires"], bundle["expires"]);
        assert_eq!(decoded["expires_at"], bundle["expires_at"]);
        assert_eq!(decoded["resource"], token["path"]);
    }
    assert_eq!(service.asked().len(), 4);
}

fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

fn without_token(entry: &Value) -> Value {
    let mut entry = entry.clone();
    assert!(entry["token"].as_str().unwrap().starts_with("Pandora "));
    entry.as_object_mut().unwrap().remove("token");
    entry
}

fn decoded(token: &str) -> Value {
    let decode = pipeline(&["token", "decode", "-", "-o", "json"]);
    run_with_input(decode, token.as_bytes()).json()
}

#[test]
fn a_bundle_permits_what_was_chosen() {
    let service = Service::new();
    let bundle = |more: &[&str]| {
        let ran = service.run(&[&["token", "bundle", "clicks"], more].concat());
        let tokens = ran.json()["tokens"].clone();
        let tokens = tokens.as_array().unwrap();
        tokens.iter().map(without_token).collect::<Vec<_>>()
    };
    let chosen = bundle(&[
        "--operation",
        "search_logs,list_workflows",
        "--operation",
        "search_logs",
    ]);
    assert_eq!(
        chosen,
        [
            json!({"operation": "search_logs", "method": "POST", "path": "/v2/workflows/clicks/search",
                "content_type": "application/json"}),
            json!({"operation": "list_workflows", "method": "GET", "path": "/v2/workflows",
                "content_type": ""}),
        ]
    );
    let all = bundle(&["--operation", &OPERATIONS.join(",")]);
    assert_eq!(all.len(), 9);
}

#[test]
fn the_forms_for_people_do_not_show_the_tokens_of_a_bundle() {
    let service = Service::new();
    let bundle = |format| {
        let arguments = ["token", "bundle", "clicks", "--expires", "4102444800"];
        service.run(&[&arguments[..], format].concat()).ok()
    };
    let full = bundle(&[]);
    assert!(
        full.contains("\"expires_at\": \"2100-01-01T00:00:00Z\""),
        "{full}"
    );
    assert_eq!(full, bundle(&["-o", "json"]));
    assert!(bundle(&["-o", "yaml"]).contains("Pandora access-key-for-tests:"));
    assert_eq!(
        bundle(&["-o", "name"]),
        "get_workflow\nget_workflow_status\nstart_workflow\nstop_workflow\n"
    );
    let table = bundle(&["-o", "table"]);
    assert!(
        !table.contains("Pandora") && !table.contains("access-key"),
        "{table}"
    );
    assert!(
        table.contains("2100-01-01 00:00:00 +00:00, good for another"),
        "{table}"
    );
    assert!(
        table.contains("start_workflow       POST    /v2/workflows/clicks/start"),
        "{table}"
    );
    // The option counts before the command's name as well.
    let before = service.run(&["-o", "table", "token", "bundle", "clicks"]);
    assert!(!before.ok().contains("Pandora"));
}

#[test]
fn a_minted_token_is_described_as_data() {
    let service = Service::new();
    let minted = service.run(&[
        "token",
        "mint",
        "create_workflow",
        "w",
        "--expires",
        "0",
        "-o",
        "json",
    ]);
    assert_eq!(minted.stderr, "the token has expired already\n");
    let minted = minted.json();
    assert_eq!(minted["expires_at"], "1970-01-01T00:00:00Z");
    assert_eq!(
        (&minted["operation"], &minted["method"], &minted["path"]),
        (
            &json!("create_workflow"),
            &json!("POST"),
            &json!("/v2/workflows/w")
        )
    );
    assert_eq!(minted["content_type"], "application/json");
    let decoded = decoded(minted["token"].as_str().unwrap());
    assert_eq!(
        (&decoded["expired"], &decoded["expires"]),
        (&json!(true), &json!(0))
    );
}

#[test]
fn an_operation_and_options_do_not_mix() {
    let service = Service::new();
    for (arguments, expected) in [
        (&["mint", "start_workflow"][..], "start_workflow takes name"),
        (
            &["mint", "list_workflows", "clicks"],
            "list_workflows takes no name",
        ),
        (
            &["mint", "start", "clicks"],
            "there is start_workflow, start_job, ",
        ),
        (
            &["mint", "strt_workflow", "clicks"],
            "there is start_workflow",
        ),
        (&["mint", "x"], "--help` lists"),
        (&["mint", "start_workflow", "a-b"], "contains '-'"),
        (
            &["mint", "start_workflow", "clicks", "-X", "GET"],
            "cannot be used with",
        ),
        (
            &["mint", "start_workflow", "clicks", "--batch"],
            "cannot be used with",
        ),
        (
            &[
                "mint",
                "start_workflow",
                "clicks",
                "--ttl",
                "1h",
                "--expires",
                "0",
            ],
            "cannot be used with",
        ),
        (&["mint", "-X", "GET"], "--resource"),
        (
            &["mint", "-X", "GET", "--resource", "/v2"],
            "--ttl or --expires",
        ),
        (
            &["bundle", "clicks", "--operation", "begin"],
            "invalid value 'begin'",
        ),
        (&["bundle"], "<NAME>"),
    ] {
        let line = service.run(&[&["token"], arguments].concat()).failed(2);
        assert!(line.contains(expected), "{arguments:?}: {line}");
    }
    assert_eq!(
        service.server.with(|emulator| emulator.requests().count()),
        0
    );
    let line = run(&["token", "bundle", "clicks"]).failed(4);
    assert!(line.contains("PANDORA_ACCESS_KEY"), "{line}");
}
