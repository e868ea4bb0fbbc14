//! Commands that look again and again.

use http::{HeaderValue, StatusCode};
use pipeline_emulator::{Fault, Transition};
use serde_json::{Value, json};

use crate::support::{Ran, Service, signal};

fn service() -> Service {
    Service::with(|builder| builder.transitions(Transition::AfterReads(2))).with_workflow("w")
}

#[test]
fn restart_stops_and_starts() {
    let service = service();
    service.run(&["workflow", "start", "w", "--wait"]).ok();
    service
        .server
        .with(pipeline_emulator::Emulator::clear_requests);
    let report = service
        .run(&["workflow", "restart", "w", "-o", "json"])
        .json();
    assert_eq!(
        (&report["action"], &report["status"]),
        (&json!("restarted"), &json!("Started"))
    );
    let asked = service.asked();
    let acts: Vec<_> = asked
        .iter()
        .filter(|kind| **kind != "get_workflow_status")
        .collect();
    assert_eq!(acts, [&"stop_workflow", &"start_workflow"]);
}

#[test]
fn a_restart_that_fails_says_in_which_state_the_workflow_is() {
    let service = service();
    service.run(&["workflow", "start", "w", "--wait"]).ok();
    service
        .server
        .with(|emulator| emulator.set_start_transition(Transition::Stuck));
    let line = service
        .run(&["workflow", "restart", "w", "--timeout", "900ms"])
        .failed(6);
    assert!(
        line.contains("; w was stopped before; see: pipeline workflow search w"),
        "{line}"
    );
    let service = self::service();
    service.run(&["workflow", "start", "w", "--wait"]).ok();
    service
        .server
        .with(|emulator| emulator.set_stop_transition(Transition::Stuck));
    let line = service
        .run(&["workflow", "restart", "w", "--timeout", "100ms"])
        .failed(6);
    assert!(line.contains("w was not started again"), "{line}");
}

#[test]
fn watch_writes_each_change_once() {
    let service = service();
    service.run(&["workflow", "start", "w"]).ok();
    let lines = service
        .run(&["workflow", "watch", "w", "--for", "started"])
        .ok();
    let expected = "\
w  Starting
w/clicks-repo  Starting
w/save-export  Starting
w  Started
w/clicks-repo  Started
w/save-export  Started
";
    assert_eq!(lines, expected);
    service.run(&["workflow", "stop", "w"]).ok();
    let lines = service
        .run(&["workflow", "watch", "w", "--for", "stopped", "-o", "json"])
        .ok();
    let changes: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        changes[0],
        json!({"schema_version": 1, "name": "w", "node": null, "status": "Stopping"})
    );
    assert_eq!(
        changes[5],
        json!({"schema_version": 1, "name": "w", "node": "save-export", "status": "Stopped"})
    );
}

#[test]
fn watch_ends_as_wait_does() {
    let service = service();
    service.run(&["workflow", "watch", "v"]).failed(3);
    let ran = service.run(&["workflow", "watch", "w", "--for", "started"]);
    assert_eq!(ran.code, Some(7));
    assert_eq!(
        ran.stderr,
        "error: w: will not be started by itself: its status is Ready; see: pipeline workflow start w\n"
    );
}

#[cfg(unix)]
#[test]
fn watch_goes_on_until_it_is_interrupted() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = service();
    let child = service
        .command(&["workflow", "watch", "w", "--interval", "1ms"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    service.when_asked(5);
    signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(130), "error: interrupted\n")
    );
    assert_eq!(
        ran.stdout,
        "w  Ready\nw/clicks-repo  Ready\nw/save-export  Ready\n"
    );
}

#[test]
fn an_installation_without_status_is_waited_for_by_get() {
    for status in [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED] {
        let service = service();
        let missing = Fault::status(status)
            .body(HeaderValue::from_static("text/plain"), "no such page")
            .on("get_workflow_status")
            .always();
        service.server.with(|emulator| emulator.inject(missing));
        service.run(&["workflow", "start", "w", "--wait"]).ok();
        let asked = service.asked();
        let looks = asked.iter().filter(|kind| **kind == "get_workflow_status");
        assert_eq!(looks.count(), 1, "{asked:?}");
        service.run(&["workflow", "restart", "w"]).ok();
        let lines = service
            .run(&["workflow", "watch", "w", "--for", "started"])
            .ok();
        assert_eq!(lines, "w  Started\n");
        let shown = service
            .run(&["workflow", "status", "w", "-o", "json"])
            .json();
        assert_eq!(shown["status"], "Started");
        service
            .run(&["workflow", "watch", "v", "--for", "started"])
            .failed(3);
    }
}
