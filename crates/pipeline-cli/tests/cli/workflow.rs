//! Each workflow command in each form of output.

use crate::support::Service;
use pipeline_emulator::Transition;
use serde_json::{Value, json};

/// Runs a command in every form and checks that each can be read as what it claims to be.
fn in_every_form(service: &Service, arguments: &[&str]) -> (String, Value, String, String) {
    let run = |form| service.run(&[arguments, &["-o", form]].concat()).ok();
    let json = run("json");
    let json = serde_json::from_str(&json).expect(&json);
    (run("table"), json, run("yaml"), run("name"))
}

#[test]
fn list_shows_every_workflow() {
    let service = Service::new().with_workflow("clicks");
    service
        .run(&[
            "workflow",
            "create",
            "archive",
            "--comment",
            "旧日志: \"old\"",
        ])
        .ok();
    let (table, json, yaml, names) = in_every_form(&service, &["workflow", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("NAME     STATUS  CAN START  REGION  UPDATED"),
        "{table}"
    );
    assert!(
        lines[1].starts_with("archive  Ready   no         nb"),
        "{table}"
    );
    assert!(lines[1].ends_with("旧日志: \"old\""), "{table}");
    assert!(
        lines[2].starts_with("clicks   Ready   yes        nb"),
        "{table}"
    );
    assert_eq!(json["items"][0]["comment"], "旧日志: \"old\"");
    assert_eq!(json["items"][1]["name"], "clicks");
    assert!(
        yaml.starts_with("schema_version: 1\nitems:\n  - name: archive\n    region: nb\n    comment: \"旧日志: \\\"old\\\"\"\n"),
        "{yaml}"
    );
    assert_eq!(names, "archive\nclicks\n");
}

#[test]
fn an_empty_list_is_no_data_and_a_hint() {
    let service = Service::new();
    let ran = service.run(&["workflow", "list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert!(ran.stderr.contains("pipeline workflow create NAME"));
    assert_eq!(
        service.run(&["workflow", "list", "-o", "json"]).json(),
        json!({"schema_version": 1, "items": []})
    );
}

#[test]
fn get_shows_a_workflow_with_its_nodes() {
    let service = Service::new().with_workflow("clicks");
    let (table, json, yaml, names) = in_every_form(&service, &["workflow", "get", "clicks"]);
    assert!(table.contains("Status     Ready"), "{table}");
    assert!(table.contains("clicks"), "{table}");
    assert!(table.contains("save"), "{table}");
    assert_eq!(
        json["nodes"]["clicks-repo"]["data"]["schema"][0]["key"],
        "ip"
    );
    assert!(
        yaml.contains("      schema:\n        - {key: ip, valtype: string}\n"),
        "{yaml}"
    );
    assert_eq!(names, "clicks\n");
}

#[test]
fn what_get_prints_can_be_sent_back() {
    let service = Service::new().with_workflow("clicks");
    let text = service
        .run(&["workflow", "get", "clicks", "-o", "json"])
        .ok();
    service
        .run_with_input(&["workflow", "update", "clicks", "-f", "-"], &text)
        .ok();
    let nodes = |text: &str| serde_json::from_str::<Value>(text).unwrap()["nodes"].clone();
    let again = service
        .run(&["workflow", "get", "clicks", "-o", "json"])
        .ok();
    assert_eq!(nodes(&text), nodes(&again));
}

#[test]
fn create_update_start_stop_and_delete_say_what_they_did() {
    let service = Service::new();
    let file = crate::support::TemporaryFile::new("nodes.json", crate::support::NODES);
    let steps: [(&[&str], &str, &str); 7] = [
        (&["create", "w"], "created w", "created"),
        (&["update", "w", "-f", file.path()], "updated w", "updated"),
        (&["start", "w"], "starting w", "starting"),
        (
            &["wait", "w", "--for", "started"],
            "w is started",
            "started",
        ),
        (&["stop", "w"], "stopping w", "stopping"),
        (
            &["wait", "w", "--for", "stopped"],
            "w is stopped",
            "stopped",
        ),
        (&["delete", "w", "--yes"], "deleted w", "deleted"),
    ];
    for (arguments, line, action) in steps {
        let arguments = [&["workflow"], arguments].concat();
        // For people a line on stderr.
        let ran = service.run(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
        // How long a wait took is not for a test to say.
        let said = ran.stderr.split(" (waited ").next().unwrap();
        assert_eq!(said.trim_end(), line);
        // In a fresh service, as data.
        let other = Service::new();
        for before in steps.iter().take_while(|step| step.2 != action) {
            other.run(&[&["workflow"], before.0].concat()).ok();
        }
        let json = other
            .run(&[&arguments[..], &["-o", "json"]].concat())
            .json();
        assert_eq!(
            (&json["name"], &json["action"]),
            (&json!("w"), &json!(action))
        );
    }
    assert_eq!(
        service.run(&["workflow", "create", "w", "-o", "name"]).ok(),
        "w\n"
    );
}

#[test]
fn create_sends_region_and_comment() {
    let service = Service::new();
    service
        .run(&[
            "workflow",
            "create",
            "w",
            "--region",
            "jjh",
            "--comment",
            "two words",
        ])
        .ok();
    let json = service.run(&["workflow", "get", "w", "-o", "json"]).json();
    assert_eq!(
        (&json["region"], &json["comment"]),
        (&json!("jjh"), &json!("two words"))
    );
}

#[test]
fn start_and_stop_with_wait_are_right_from_any_state() {
    let service =
        Service::with(|builder| builder.transitions(Transition::AfterReads(2))).with_workflow("w");
    for _ in 0..2 {
        let json = service
            .run(&["workflow", "start", "w", "--wait", "-o", "json"])
            .json();
        assert_eq!(
            (&json["action"], &json["status"]),
            (&json!("started"), &json!("Started"))
        );
        assert!(json["waited_seconds"].is_number());
    }
    service.run(&["workflow", "stop", "w", "--wait"]).ok();
    service.run(&["workflow", "stop", "w", "--wait"]).ok();
    let asked = service.asked();
    let count = |kind| asked.iter().filter(|asked| **asked == kind).count();
    assert_eq!((count("start_workflow"), count("stop_workflow")), (1, 1));
}

#[test]
fn status_shows_every_node() {
    let service = Service::new().with_workflow("w");
    service.run(&["workflow", "start", "w", "--wait"]).ok();
    let (table, json, yaml, names) = in_every_form(&service, &["workflow", "status", "w"]);
    assert!(table.contains("clicks  repo    Started"), "{table}");
    assert_eq!(json["status"], "Started");
    assert!(yaml.contains("status: Started\n"));
    assert_eq!(names, "w\n");
}

#[test]
fn search_shows_logs() {
    let service = Service::new().with_workflow("w");
    service.run(&["workflow", "start", "w", "--wait"]).ok();
    let (table, json, _, names) = in_every_form(&service, &["workflow", "search", "w"]);
    assert!(
        table.contains("REASON") && table.contains("save"),
        "{table}"
    );
    assert!(!json["log"].as_array().unwrap().is_empty());
    assert_eq!(names, "clicks\nsave\n");

    let narrowed = [
        "--type", "export", "--node", "save", "--size", "1", "--from", "1h",
    ];
    let arguments = [&["workflow", "search", "w"][..], &narrowed].concat();
    let (_, json, _, names) = in_every_form(&service, &arguments);
    assert_eq!(json["log"].as_array().unwrap().len(), 1);
    assert_eq!(names, "save\n");

    let nothing = service.run(&["workflow", "search", "w", "--until", "2001-01-01T00:00:00Z"]);
    assert_eq!(nothing.stdout, "");
    assert_eq!(nothing.stderr, "nothing was found\n");
}

#[test]
fn another_account_can_be_named() {
    let service =
        Service::with(|builder| builder.account(pipeline_emulator::Account::new("1380000000")));
    let owner = ["--resource-owner", "1380000000"];
    service
        .run(&[&["workflow", "create", "theirs"][..], &owner].concat())
        .ok();
    assert_eq!(service.run(&["workflow", "list", "-o", "name"]).ok(), "");
    let theirs = service.run(&[&["workflow", "list", "-o", "name"][..], &owner].concat());
    assert_eq!(theirs.ok(), "theirs\n");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let service = Service::new().with_workflow("w");
    let list = |extra: &[&str]| service.run(&[&["workflow", "list"], extra].concat()).ok();
    assert!(!list(&[]).contains('\x1b'));
    assert!(list(&["--color", "always"]).contains("\x1b[36mReady"));
    assert!(!list(&["--color", "never"]).contains('\x1b'));
    let forced = |name: &str, arguments: &[&str]| {
        let output = service.command(arguments).env(name, "1").output().unwrap();
        crate::support::Ran::of(output).ok()
    };
    assert!(forced("CLICOLOR_FORCE", &["workflow", "list"]).contains('\x1b'));
    assert!(!forced("NO_COLOR", &["workflow", "list"]).contains('\x1b'));
}
