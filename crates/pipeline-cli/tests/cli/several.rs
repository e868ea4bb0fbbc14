//! Verbs over several workflows: restart, wait, and starts and stops of what is already so.

use http::StatusCode;
use pipeline_emulator::{Emulator, InjectedFault};
use serde_json::{Value, json};

use crate::support::Service;

/// Workflows, of which those that begin with `on` run.
fn service(names: &[&str]) -> Service {
    let fill = |service: Service, name: &&str| service.with_workflow(name);
    let service = names.iter().fold(Service::new(), fill);
    for name in names.iter().filter(|name| name.starts_with("on")) {
        service.run(&["workflow", "start", name]).ok();
    }
    service.server.with(Emulator::clear_requests);
    service
}

fn statuses(service: &Service) -> Vec<(String, String)> {
    let list = service.run(&["workflow", "list", "-o", "json"]).json();
    let items = list["items"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = items
        .iter()
        .map(|it| (text(&it["name"]), text(&it["status"])));
    pairs.collect()
}

#[test]
fn a_restart_of_several_says_what_came_back_and_what_did_not() {
    let service = service(&["on_a", "on_b", "off_c", "on_d"]);
    let refused = InjectedFault::status(StatusCode::FORBIDDEN)
        .on("start_workflow")
        .on_workflow("on_b")
        .always();
    service.server.with(|emulator| emulator.inject(refused));
    let restart = [
        "workflow",
        "restart",
        "-l",
        "name=*_?,status=Started,name!=on_d",
        "-o",
        "json",
    ];
    let ran = service.run(&restart);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(said.len(), 2, "{ran:?}");
    assert!(
        said[0].starts_with("error: on_b: the start failed: "),
        "{ran:?}"
    );
    assert!(said[0].contains("; on_b was stopped before"), "{ran:?}");
    assert_eq!(said[1], "restarted 1 of 2; 1 failed: on_b");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let item = &report["items"][0];
    assert_eq!(
        (&item["name"], &item["action"], &item["status"]),
        (&json!("on_a"), &json!("restarted"), &json!("Started"))
    );
    assert_eq!(report["items"][1]["error"]["exit_code"], 1);
    let asked = service.asked();
    let count = |kind| asked.iter().filter(|asked| **asked == kind).count();
    assert_eq!(count("stop_workflow"), 2);
    let expected = [
        ("off_c", "Ready"),
        ("on_a", "Started"),
        ("on_b", "Stopped"),
        ("on_d", "Started"),
    ];
    let expected = expected.map(|(name, status)| (name.to_owned(), status.to_owned()));
    assert_eq!(statuses(&service), expected);
    // What does not run is started by a restart that names it.
    let ran = service.run(&["workflow", "restart", "off_c", "on_a", "--parallel", "2"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(0), "restarted 2 of 2\n")
    );
}

#[test]
fn a_wait_for_several_goes_on_when_one_fails() {
    let service = service(&["on_a", "off_b", "on_c"]);
    let wait = [
        "workflow", "wait", "on_a", "off_b", "gone", "on_c", "--for", "started",
    ];
    let ran = service.run(&[&wait[..], &["-o", "json"]].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr
            .ends_with("started 2 of 4; 2 failed: off_b, gone\n"),
        "{ran:?}"
    );
    assert!(
        ran.stderr
            .contains("error: off_b: will not be started by itself"),
        "{ran:?}"
    );
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["items"][0]["action"], "started");
    assert_eq!(report["items"][1]["error"]["exit_code"], 7);
    assert_eq!(report["items"][2]["error"]["exit_code"], 3);
    let all = [
        "workflow",
        "wait",
        "--all",
        "--for",
        "stopped",
        "--timeout",
        "200ms",
    ];
    assert_eq!(service.run(&all).code, Some(7));
}

#[test]
fn what_was_never_seen_is_not_called_deleted() {
    let service = service(&["w"]);
    let wait = ["workflow", "wait", "mistyped", "--for", "deleted"];
    let ran = service.run(&[&wait[..], &["-o", "json"]].concat());
    assert_eq!(
        ran.stderr,
        "there is no workflow mistyped, and there was none when the wait began\n"
    );
    assert_eq!(ran.json()["action"], "absent");
    // Deleted between two looks.
    service.server.with(Emulator::clear_requests);
    let child = service
        .command(&["workflow", "wait", "w", "--for", "deleted"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    service.when_asked(1);
    service.run(&["workflow", "delete", "w", "--yes"]).ok();
    let ran = crate::support::Ran::of(child.wait_with_output().unwrap());
    assert!(ran.stderr.starts_with("w is deleted (waited "), "{ran:?}");
}

#[test]
fn what_is_already_so_is_one_line_for_each_reason() {
    let service = service(&["on_a", "on_b", "off_c", "off_d"]);
    let ran = service.run(&["workflow", "start", "on_a", "off_c", "on_b", "gone"]);
    let mut said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(said.len(), 3, "{ran:?}");
    assert!(
        said.remove(0)
            .starts_with("error: gone: the start failed: E18641, "),
        "{ran:?}"
    );
    assert_eq!(
        said,
        [
            "error: on_a, on_b: the start failed: it is started already (E18644)",
            "starting 1 of 4; 3 failed: on_a, on_b, gone",
        ]
    );
    let ran = service.run(&["workflow", "stop", "--all"]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(
        ran.stderr.lines().count(),
        2,
        "off_d alone is told in its own words: {ran:?}"
    );
    assert!(
        ran.stderr
            .starts_with("error: off_d: the stop failed: it is stopped already"),
        "{ran:?}"
    );
}
