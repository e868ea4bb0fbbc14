//! Tokens for operations: each fits its own request and no other.

use std::time::SystemTime;

use crate::support::{NODES, Ran, Service, TemporaryFile, pipeline, run_with_input};
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
    let bundle = service.run("token bundle clicks --ttl 2h").json();
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

/// Each operation has names of its own, in the grammar of `token mint`; NAME is for the others.
#[test]
fn a_bundle_is_about_whatever_its_operations_name() {
    let service = Service::new();
    for (line, expected) in [
        (
            "token bundle --operation|push_points clicks|--operation|push_points errors,push_points clicks",
            Ok("null /v2/repos/clicks/data /v2/repos/errors/data"),
        ),
        (
            "token bundle w --operation|stop_workflow,get_export clicks save,list_repos",
            Ok("\"w\" /v2/workflows/w/stop /v2/repos/clicks/exports/save /v2/repos"),
        ),
        (
            "token bundle clicks --operation|push_points",
            Ok("null /v2/repos/clicks/data"),
        ),
        (
            "token bundle --operation|push_points",
            Err("--operation 'push_points NAME'"),
        ),
        (
            "token bundle clicks --operation|get_export",
            Err("get_export takes source, name"),
        ),
        (
            "token bundle --operation|get_export clicks",
            Err("get_export takes source, name"),
        ),
        ("token bundle --operation|push_points a-b", Err("a-b")),
        (
            "token bundle --operation|upload_plugin com.example.P",
            Err("`token mint upload_plugin NAME --jar FILE`"),
        ),
        ("token bundle", Err("<NAME>")),
    ] {
        let (first, rest) = line.split_once('|').unwrap_or((line, ""));
        let rest = rest.split('|').filter(|word| !word.is_empty());
        let ran = service.run(&first.split_whitespace().chain(rest).collect::<Vec<_>>());
        match expected {
            Ok(expected) => {
                let bundle = ran.json();
                let tokens = bundle["tokens"].as_array().unwrap().iter();
                let paths = tokens.map(|token| token["path"].as_str().unwrap());
                let paths: Vec<&str> = paths.collect();
                assert_eq!(
                    format!("{} {}", bundle["workflow"], paths.join(" ")),
                    expected,
                    "{line}"
                );
            }
            Err(says) => {
                ran.fails(2, [says]);
            }
        }
    }
}

/// Its digest is part of the token, so that it is for this very file.
#[test]
fn a_token_for_an_upload_is_for_one_jar() {
    let service = Service::new();
    let (jar, other) = (
        TemporaryFile::new("p.jar", "x"),
        TemporaryFile::new("o.jar", "y"),
    );
    let mint = ["token", "mint", "upload_plugin", "com.example.P"];
    assert!(service.run(&mint).failed(2).contains("--jar FILE"));
    let token = service
        .run(&[&mint[..], &["--jar", jar.path()]].concat())
        .ok();
    let upload = |jar: &TemporaryFile| {
        with_token(
            &service,
            token.trim_end(),
            &["plugin", "upload", "com.example.P", jar.path()],
        )
    };
    assert!(upload(&other).failed(4).contains("contentMD5"));
    upload(&jar).ok();
    let none = format!("token mint get_repo clicks --jar {}", jar.path());
    assert!(
        service
            .run(&none)
            .failed(2)
            .contains("get_repo sends no jar")
    );
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
    let decode = pipeline("token decode - -o json");
    run_with_input(decode, token.as_bytes()).json()
}
