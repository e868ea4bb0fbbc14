//! Every way of failing: one line on stderr, nothing on stdout, and the code of the table.

use std::net::TcpListener;

use crate::support::{Service, TemporaryFile, pipeline, run};
use http::StatusCode;
use pipeline_emulator::{ClockSkew, InjectedFault, Transition};
use std::time::Duration;

const FORMS: [&str; 5] = ["table", "wide", "json", "yaml", "name"];

/// A failure is the same whatever form the data would have had.
fn fails_in_every_form(service: &Service, arguments: &[&str], code: i32, says: &str) {
    for form in FORMS {
        let line = service
            .run(&[arguments, &["-o", form]].concat())
            .failed(code);
        assert!(line.contains(says), "{line}");
    }
}

#[test]
fn an_error_of_the_service_is_1() {
    let service = Service::new();
    let fault = || InjectedFault::status(StatusCode::INTERNAL_SERVER_ERROR);
    service
        .server
        .with(|emulator| emulator.inject(fault().always()));
    for arguments in [
        &["workflow", "list", "--retries", "0"][..],
        &["workflow", "create", "w"],
        &["workflow", "start", "w"],
    ] {
        fails_in_every_form(&service, arguments, 1, "(HTTP 500, request ");
    }
}

#[test]
fn an_answer_that_is_none_of_the_services_is_1() {
    let service = Service::new();
    let html = http::HeaderValue::from_static("text/html");
    let page = InjectedFault::status(StatusCode::OK).body(html, "<h1>Welcome\n to the proxy</h1>");
    service
        .server
        .with(|emulator| emulator.inject(page.always()));
    let says = "not JSON, but text/html that begins with \"Welcome to the proxy\" (HTTP 200";
    fails_in_every_form(&service, &["workflow", "list"], 1, says);
}

#[test]
fn bad_usage_is_2_and_nothing_is_sent() {
    let service = Service::new();
    let no_nodes = TemporaryFile::new("no-nodes.json", r#"{"region":"nb"}"#);
    let no_json = TemporaryFile::new("no-json.json", "{nodes:}");
    let other = TemporaryFile::new("other.json", r#"{"name":"v","nodes":{}}"#);
    let bad_node = TemporaryFile::new(
        "bad-node.json",
        r#"{"nodes":{"a-b-repo":{"name":"a-b","type":"repo"}}}"#,
    );
    let long = "a".repeat(129);
    let cases: &[(&[&str], &str)] = &[
        (&["workflow", "get", "a-b"], "'-' at position 2"),
        (&["workflow", "get", ""], "the workflow name is empty"),
        (&["workflow", "delete", "../x", "--yes"], "'.'"),
        (&["workflow", "start", "w\n"], "'\\n' at position 2"),
        (&["workflow", "create", &long], "129 characters"),
        (&["workflow", "create", "w", "--region", "n b"], "region"),
        (&["workflow", "get"], "<NAME|--selector"),
        (
            &["workflow", "frobnicate"],
            "unrecognized subcommand 'frobnicate'",
        ),
        (
            &["workflow", "list", "--output", "xml"],
            "possible values: table, wide, json, yaml, name",
        ),
        (&["workflow", "list", "--timeout", "30"], "with its unit"),
        (
            &["workflow", "list", "--endpoint", "ftp://x"],
            "https:// or http://",
        ),
        (
            &["workflow", "list", "--resource-owner", "a b"],
            "visible ASCII",
        ),
        (
            &["workflow", "wait", "w", "--for", "done"],
            "started, stopped, deleted",
        ),
        (&["workflow", "search", "w", "--from", "yesterday"], "-15m"),
        (
            &["workflow", "search", "w", "--type", "exprot"],
            "the types are repo, transform, export",
        ),
        (
            &["workflow", "search", "w", "--from", "-1h", "--until", "-2h"],
            ") is after --until (",
        ),
        (
            &["workflow", "update", "w", "-f", "/nonexistent/file"],
            "/nonexistent/file: ",
        ),
        (
            &["workflow", "update", "w", "-f", no_nodes.path()],
            "no `nodes`",
        ),
        (&["workflow", "update", "w", "-f", no_json.path()], ":1:2: "),
        (
            &["workflow", "update", "w", "-f", other.path()],
            "about \"v\", not w",
        ),
        (
            &["workflow", "update", "w", "-f", bad_node.path()],
            "the node name contains '-'",
        ),
        (&["workflow", "list", "--ca-file", no_json.path()], "PEM"),
        (
            &["workflow", "list", "--token-file", "x", "--access-key", "y"],
            "cannot be used with",
        ),
        (&["explain", "E1"], "not-found"),
    ];
    for (arguments, says) in cases {
        let line = service.run(arguments).failed(2);
        assert!(line.contains(says), "{arguments:?}: {line}");
    }
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_delete_without_a_terminal_needs_yes() {
    let service = Service::new().with_workflow("w");
    fails_in_every_form(&service, &["workflow", "delete", "w"], 2, "--yes");
    assert_eq!(service.asked(), [""; 0]);
    service.run(&["workflow", "delete", "w", "-y"]).ok();
    assert_eq!(service.asked(), ["delete_workflow"]);
}

#[test]
fn what_does_not_exist_is_3() {
    let service = Service::new();
    for arguments in [
        &["workflow", "get", "w"][..],
        &["workflow", "status", "w"],
        &["workflow", "start", "w"],
        &["workflow", "start", "w", "--wait"],
        &["workflow", "stop", "w"],
        &["workflow", "delete", "w", "--yes"],
        &["workflow", "search", "w"],
        &["workflow", "wait", "w", "--for", "started"],
        &["workflow", "wait", "w", "--for", "stopped"],
    ] {
        fails_in_every_form(
            &service,
            arguments,
            3,
            "E18641, the workflow does not exist",
        );
    }
    run(&["explain", "E18999"]).failed(3);
    service
        .run(&["workflow", "wait", "w", "--for", "deleted"])
        .ok();
}

#[test]
fn refused_credentials_are_4() {
    let service = Service::new();
    for form in FORMS {
        let output = service
            .command(&["workflow", "list", "-o", form])
            .env("PANDORA_SECRET_KEY", "canary-secret-5b1c0e-but-wrong")
            .output()
            .unwrap();
        let line = crate::support::Ran::of(output).failed(4);
        assert!(
            line.contains("HTTP 401") && line.contains("check the access key"),
            "{line}"
        );
    }
}

#[test]
fn a_clock_that_is_off_is_corrected() {
    let offset = ClockSkew::Ahead(Duration::from_secs(1200));
    let service = Service::with(|builder| builder.clock_offset(offset));
    service.run(&["workflow", "list"]).ok();
}

#[test]
fn no_credentials_are_4_and_name_both_ways_on() {
    let service = Service::new();
    for form in FORMS {
        let mut command = pipeline(&["workflow", "list", "-o", form]);
        // An empty variable counts as not set.
        let output = command
            .env("PANDORA_ENDPOINT", service.server.url())
            .env("PANDORA_ACCESS_KEY", "")
            .output();
        let line = crate::support::Ran::of(output.unwrap()).failed(4);
        assert!(
            line.contains("PANDORA_SECRET_KEY") && line.contains("pipeline demo"),
            "{line}"
        );
    }
    for (name, missing) in [
        ("PANDORA_ACCESS_KEY", "PANDORA_SECRET_KEY"),
        ("PANDORA_SECRET_KEY", "PANDORA_ACCESS_KEY"),
    ] {
        let output = pipeline(&["workflow", "list"]).env(name, "x").output();
        let line = crate::support::Ran::of(output.unwrap()).failed(4);
        assert!(line.contains(&format!("set {missing}")), "{line}");
    }
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_taken_name_and_a_forbidding_state_are_5() {
    let service = Service::new().with_workflow("w");
    fails_in_every_form(&service, &["workflow", "create", "w"], 5, "E18640");
    fails_in_every_form(&service, &["workflow", "stop", "w"], 5, "E18645");
    service.run(&["workflow", "start", "w"]).ok();
    fails_in_every_form(&service, &["workflow", "start", "w"], 5, "E18644");
    service.run(&["workflow", "create", "empty"]).ok();
    fails_in_every_form(
        &service,
        &["workflow", "start", "empty", "--wait"],
        5,
        "E18650",
    );
}

#[test]
fn a_wait_that_times_out_is_6() {
    let service =
        Service::with(|builder| builder.transitions(Transition::Stuck)).with_workflow("w");
    let wait = ["workflow", "start", "w", "--wait", "--timeout", "100ms"];
    fails_in_every_form(&service, &wait, 6, "its status is Starting");
    let wait = [
        "workflow",
        "wait",
        "w",
        "--for",
        "stopped",
        "--timeout",
        "100ms",
    ];
    fails_in_every_form(&service, &wait, 6, "w: not stopped after 0 s");
}

#[test]
fn a_wait_that_cannot_succeed_is_7() {
    let service = Service::new().with_workflow("w");
    let wait = ["workflow", "wait", "w", "--for", "started"];
    fails_in_every_form(
        &service,
        &wait,
        7,
        "w: will not be started by itself: its status is Ready; see: pipeline workflow start w",
    );
}

#[test]
fn a_service_that_cannot_be_reached_is_8() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = format!("http://{free}");
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for (endpoint, says) in [(&refused, "no connection"), (&silent_url, "timed out")] {
        for form in FORMS {
            let mut command = pipeline(&["workflow", "list", "--timeout", "200ms", "-o", form]);
            let output = command
                .args(["--endpoint", endpoint, "--access-key", "x"])
                .env("PANDORA_SECRET_KEY", crate::support::SECRET_KEY)
                .output();
            let line = crate::support::Ran::of(output.unwrap()).failed(8);
            assert!(
                line.contains(says) && line.contains(endpoint.as_str()),
                "{line}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_is_130() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service =
        Service::with(|builder| builder.transitions(Transition::Stuck)).with_workflow("w");
    service.run(&["workflow", "start", "w"]).ok();
    let child = service
        .command(&["workflow", "wait", "w", "--for", "started"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    service.when_asked(2);
    crate::support::signal(&child, "INT");
    let ran = crate::support::Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.failed(130), "interrupted: waiting for w to be started");
}

#[test]
fn help_and_version_are_data() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["workflow", "start", "--help"],
        &["--version"],
        &[],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.stderr, "");
        assert!(ran.ok().contains("pipeline"));
    }
    let ran = run(&["workflow"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: pipeline workflow"));
}

#[cfg(unix)]
#[test]
fn a_question_that_is_not_answered_with_yes_has_its_own_code() {
    use crate::support::Terminal;

    let service = Service::new().with_workflow("clicks");
    let delete = |typed: &str| {
        let command = service.command(&["workflow", "delete", "clicks"]);
        Terminal::new().run(command, typed)
    };
    // The last one is the end of the input, Ctrl-D.
    for no in ["n\n", "\n", "nonsense\n", "\u{4}"] {
        let ran = delete(no);
        assert_eq!(ran.code, Some(9), "{ran:?}");
        assert!(ran.stderr.contains("nothing was done"), "{ran:?}");
    }
    let ran = delete("y\n");
    assert!(
        ran.stderr.contains("Delete clicks with its nodes? [y/N]"),
        "{ran:?}"
    );
    ran.ok();
}

#[test]
fn a_response_beyond_the_limit_is_refused_and_the_option_named() {
    let service = Service::new().with_workflow("w");
    let get = ["workflow", "get", "w", "--max-response-size"];
    let line = service.run(&[&get[..], &["100B"]].concat()).failed(1);
    assert!(
        line.contains("--max-response-size SIZE allows more"),
        "{line}"
    );
    service.run(&[&get[..], &["1MiB"]].concat()).ok();
    let line = service.run(&[&get[..], &["100"]].concat()).failed(2);
    assert!(line.contains("500KiB"), "{line}");
}
