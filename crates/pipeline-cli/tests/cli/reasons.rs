//! The line of an error: the workflow first, plain words, the reason that applies, and what to type next.

use std::time::Duration;

use pipeline_emulator::{InjectedFault, Transition};

use crate::support::{NODES, Service};

/// The line, with what differs from run to run taken out.
#[track_caller]
fn line(service: &Service, arguments: &[&str], code: i32) -> String {
    let line = service.run(arguments).failed(code);
    let mut parts = line.split(", request ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| {
        line + part.trim_start_matches(|c: char| c != ')')
    })
}

#[test]
fn an_error_says_which_reason_applies_and_what_to_type_next() {
    let service = Service::new().with_workflow("on").with_workflow("off");
    service.run(&["workflow", "start", "on"]).ok();
    service.run(&["workflow", "create", "empty"]).ok();
    let file = crate::support::TemporaryFile::new("nodes.json", NODES);
    for (arguments, code, expected) in [
        (
            &["start", "on"][..],
            5,
            "on: the start failed: it is started already (E18644, HTTP 400); see: pipeline workflow status on",
        ),
        (
            &["stop", "off"],
            5,
            "off: the stop failed: it is stopped already (E18645, HTTP 400); see: pipeline workflow status off",
        ),
        (
            &["update", "on", "-f", file.path()],
            5,
            "on: the update failed: it is Started, and can be changed only while it is stopped \
             (E18643, HTTP 400); see: pipeline workflow stop on --wait",
        ),
        (
            &["start", "empty", "--wait"],
            5,
            "empty: the start failed: E18650, the workflow contains nothing that could run, such as a \
             transform: it needs a node of type transform, export or exportBatch (HTTP 400); see: pipeline workflow get empty",
        ),
        (
            &["get", "gone"],
            3,
            "gone: E18641, the workflow does not exist: \"gone\" (HTTP 404); see: pipeline workflow list",
        ),
        (
            &["create", "on"],
            5,
            "on: the creation failed: E18640, a workflow of this name is there already: \"on\" \
             (HTTP 409); see: pipeline workflow get on",
        ),
        (
            &["wait", "off", "--for", "started"],
            7,
            "off: will not be started by itself: its status is Ready; see: pipeline workflow start off",
        ),
        (
            &["wait", "on", "--for", "stopped"],
            7,
            "on: will not be stopped by itself: its status is Started; see: pipeline workflow stop on",
        ),
    ] {
        let arguments = [&["workflow"], arguments].concat();
        assert_eq!(line(&service, &arguments, code), expected);
    }
}

#[test]
fn trouble_on_the_way_points_to_the_doctor() {
    let service = Service::new();
    let elsewhere = format!("{}/elsewhere", service.server.url());
    for (endpoint, code) in [("http://127.0.0.1:1", 8), (elsewhere.as_str(), 1)] {
        let get = [
            "workflow",
            "get",
            "w",
            "--retries",
            "0",
            "--endpoint",
            endpoint,
        ];
        let line = line(&service, &get, code);
        assert!(line.starts_with("w: "), "{line}");
        assert!(line.ends_with("; see: pipeline doctor"), "{line}");
    }
    let wrong = service
        .command(&["workflow", "list"])
        .env("PANDORA_SECRET_KEY", "wrong")
        .output();
    let line = crate::support::Ran::of(wrong.unwrap()).failed(4);
    assert!(line.starts_with("the list of workflows failed: "), "{line}");
    assert!(line.ends_with("; see: pipeline doctor"), "{line}");
}

#[test]
fn what_may_have_taken_effect_can_be_looked_at() {
    let service = Service::new().with_workflow("w");
    let broken = InjectedFault::pass().after_effect().reset();
    service.server.with(|emulator| emulator.inject(broken));
    let line = line(&service, &["workflow", "start", "w"], 8);
    assert!(line.starts_with("w: the start failed: "), "{line}");
    let end = "; it may have taken effect";
    assert!(
        line.contains(end) && line.ends_with("; see: pipeline workflow status w"),
        "{line}"
    );
}

#[test]
fn a_start_that_fails_names_its_nodes_and_the_reason_in_the_logs() {
    let falls = Transition::FallsBack(Duration::ZERO);
    let service = Service::with(|builder| builder.transitions(falls)).with_workflow("w");
    let failed = "w: the start failed: it is Stopped again; not started: clicks-repo (Stopped), \
                  save-export (Stopped); the logs say of clicks-repo: the start failed; \
                  see: pipeline workflow search w";
    assert_eq!(
        line(&service, &["workflow", "start", "w", "--wait"], 7),
        failed
    );
    // An installation without logs fails in the same way, with less to say.
    let unknown = InjectedFault::code(pipeline_proto::ErrorCode::NOT_IMPLEMENTED);
    let unknown = unknown.on("search_logs").always();
    service.server.with(|emulator| emulator.inject(unknown));
    let line = line(&service, &["workflow", "start", "w", "--wait"], 7);
    assert!(!line.contains("the logs say"), "{line}");
    // Several have one name in a line, once.
    let ran = service.run(&["workflow", "start", "w", "gone", "--wait"]);
    assert!(
        ran.stderr.contains("error: w: the start failed: it is"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("error: gone: E18641, "), "{ran:?}");
}

#[test]
fn the_reason_is_in_chinese_as_well() {
    let service = Service::new().with_workflow("w");
    let stop = ["workflow", "stop", "w", "--lang", "zh"];
    let ran = service.run(&stop);
    assert!(
        ran.stderr
            .starts_with("错误：w：停止失败：它已经停止 (E18645, HTTP 400, "),
        "{ran:?}"
    );
    assert!(
        ran.stderr
            .ends_with("；请运行：pipeline workflow status w\n"),
        "{ran:?}"
    );
}
