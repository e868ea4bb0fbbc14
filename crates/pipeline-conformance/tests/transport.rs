//! The one suite that both clients pass.

use std::{io::Write as _, net::TcpListener, time::Duration};

use flate2::{Compression, write::GzEncoder};
use http::StatusCode;
use pipeline_conformance::{BlockingDriver, Driver, Events, Reply, Request, Script, cases};
use pipeline_proto::{
    CallOptions, Cause, Effect, ErrorKind, FaultKind, RetryPolicy, StopReason, WorkflowName,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, ListWorkflows, StartWorkflow,
    },
    wait::{Goal, WaitOptions},
};

pipeline_conformance::suite! {
    a_get_answered_503_twice_makes_three_attempts
    a_create_whose_connection_breaks_makes_one_attempt
    a_refused_connection_was_not_sent_and_is_tried_again
    an_unknown_host_was_not_sent
    no_redirect_is_followed
    connections_are_used_again
    a_body_of_declared_excess_is_refused
    a_body_of_undeclared_excess_is_refused
    a_body_cut_short_is_asked_for_again
    an_empty_post_has_a_length_and_nothing_else
    a_get_has_no_body_headers
    a_clock_that_is_off_is_corrected_and_remembered
    the_total_time_bounds_all_attempts
    a_proxy_is_asked_for_a_tunnel
    an_observer_is_told_what_happens
    a_compressed_body_is_read_within_the_limit
    a_missing_status_is_seen_by_get_and_the_start_is_sent
}

fn name() -> WorkflowName {
    WorkflowName::from_static("wf")
}

const WORKFLOW: &str = r#"{"name":"wf","region":"nb","status":"Ready","canStart":false}"#;

fn a_get_answered_503_twice_makes_three_attempts<D: Driver>() {
    let busy = Reply::json("503 Service Unavailable", r#"{"error":"busy"}"#);
    let script = Script::play([busy.clone(), busy, Reply::json("200 OK", WORKFLOW)]);
    let client = D::new(script.url(), |settings| settings);
    assert_eq!(client.send(GetWorkflow::new(name())).unwrap().name, "wf");
    let requests = script.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| {
        request
            .header("authorization")
            .unwrap()
            .starts_with("Pandora ak:")
    }));
}

fn a_create_whose_connection_breaks_makes_one_attempt<D: Driver>() {
    let script = Script::play([Reply::Close(Vec::new())]);
    let client = D::new(script.url(), |settings| settings);
    let error = client.send(CreateWorkflow::new(name())).unwrap_err();
    assert_eq!(script.requests().len(), 1);
    assert_eq!(
        (error.attempts(), error.effect(), error.stop_reason()),
        (1, Effect::Possible, StopReason::NotRepeatable)
    );
    assert_eq!(error.kind(), ErrorKind::Network);
}

fn a_refused_connection_was_not_sent_and_is_tried_again<D: Driver>() {
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = D::new(&format!("http://{unused}"), |settings| settings);
    let error = client.send(CreateWorkflow::new(name())).unwrap_err();
    assert_eq!(
        (error.attempts(), error.effect(), error.stop_reason()),
        (3, Effect::None, StopReason::AttemptsExhausted)
    );
    assert!(matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::NotSent));
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("refused"),
        "{error:?}"
    );
}

fn an_unknown_host_was_not_sent<D: Driver>() {
    // A name that no resolver may know (RFC 2606).
    let client = D::new("http://pipeline.invalid", |mut settings| {
        settings.retry = RetryPolicy::none();
        settings
    });
    let error = client.send(CreateWorkflow::new(name())).unwrap_err();
    assert_eq!(error.effect(), Effect::None);
    assert!(
        matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::NotSent),
        "{error:?}"
    );
}

fn no_redirect_is_followed<D: Driver>() {
    let elsewhere = Script::play([Reply::json("200 OK", WORKFLOW)]);
    let location = format!("location: {}/v2/workflows/wf\r\n", elsewhere.url());
    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let script = Script::play([Reply::with(status, &location, "")]);
        let client = D::new(script.url(), |settings| settings);
        let error = client.send(GetWorkflow::new(name())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert!(error.to_string().contains("not followed"), "{error}");
        assert_eq!(error.attempts(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

fn connections_are_used_again<D: Driver>() {
    let script = Script::play(vec![Reply::json("200 OK", "[]"); 5]);
    let client = D::new(script.url(), |settings| settings);
    for _ in 0..5 {
        client.send(ListWorkflows::new()).unwrap();
    }
    assert_eq!((script.requests().len(), script.connections()), (5, 1));
}

fn a_body_of_declared_excess_is_refused<D: Driver>() {
    let script = Script::play([Reply::Stall(
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec(),
    )]);
    let client = D::new(script.url(), |settings| settings);
    let error = client.send(ListWorkflows::new()).unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::BodyTooLarge),
        "{error:?}"
    );
    assert_eq!(error.attempts(), 1);
}

fn a_body_of_undeclared_excess_is_refused<D: Driver>() {
    let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        answer.extend_from_slice(b"40\r\n");
        answer.extend_from_slice(&[b' '; 64]);
        answer.extend_from_slice(b"\r\n");
    }
    let script = Script::play([Reply::Stall(answer)]);
    let client = D::new(script.url(), |mut settings| {
        settings.max_response_size = 1000;
        settings
    });
    let error = client.send(ListWorkflows::new()).unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::BodyTooLarge),
        "{error:?}"
    );
}

fn a_body_cut_short_is_asked_for_again<D: Driver>() {
    let cut = Reply::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"name\":".to_vec());
    let script = Script::play([cut, Reply::json("200 OK", WORKFLOW)]);
    let client = D::new(script.url(), |settings| settings);
    assert_eq!(client.send(GetWorkflow::new(name())).unwrap().name, "wf");
    assert_eq!(script.requests().len(), 2);
}

fn an_empty_post_has_a_length_and_nothing_else<D: Driver>() {
    let script = Script::play([Reply::json("200 OK", "{}")]);
    let client = D::new(script.url(), |settings| settings);
    client.send(StartWorkflow::new(name())).unwrap();
    let request = &script.requests()[0];
    assert_eq!(
        (request.method(), request.target()),
        ("POST", "/v2/workflows/wf/start")
    );
    assert_eq!(
        request.header_names(),
        [
            "accept-encoding",
            "authorization",
            "content-length",
            "date",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(request.header("content-length"), Some("0"));
}

fn a_get_has_no_body_headers<D: Driver>() {
    let script = Script::play([Reply::json("200 OK", "[]"), Reply::json("200 OK", "{}")]);
    let client = D::new(script.url(), |settings| settings);
    client.send(ListWorkflows::new()).unwrap();
    client.send(DeleteWorkflow::new(name())).unwrap();
    for request in script.requests() {
        assert_eq!(
            request.header_names(),
            [
                "accept-encoding",
                "authorization",
                "date",
                "host",
                "user-agent"
            ],
            "{}",
            request.method()
        );
    }
}

fn a_clock_that_is_off_is_corrected_and_remembered<D: Driver>() {
    let ahead = std::time::SystemTime::now() + Duration::from_secs(20 * 60);
    let date = format!("date: {}\r\n", httpdate::fmt_http_date(ahead));
    let script = Script::play([
        Reply::with("401 Unauthorized", &date, r#"{"error":"bad token"}"#),
        Reply::json("200 OK", "[]"),
        Reply::json("200 OK", "[]"),
    ]);
    let client = D::new(script.url(), |settings| settings);
    client.send(ListWorkflows::new()).unwrap();
    client.send(ListWorkflows::new()).unwrap();
    let dates: Vec<_> = script
        .requests()
        .iter()
        .map(|request| httpdate::parse_http_date(request.header("date").unwrap()).unwrap())
        .collect();
    for date in &dates[1..] {
        let moved = date.duration_since(dates[0]).unwrap().as_secs();
        assert!((1190..=1260).contains(&moved), "{moved}");
    }
    assert!(client.context().clock_offset().magnitude() > Duration::from_secs(1190));
}

fn the_total_time_bounds_all_attempts<D: Driver>() {
    let script = Script::play(vec![Reply::Stall(Vec::new()); 10]);
    let client = D::new(script.url(), |mut settings| {
        settings.attempt_timeout = Duration::from_millis(80);
        settings.retry = RetryPolicy::default()
            .max_attempts(100)
            .base_delay(Duration::from_millis(1));
        settings
    });
    let options = CallOptions::new().total_timeout(Duration::from_millis(200));
    let error = client.send_with(ListWorkflows::new(), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        (1..=4).contains(&script.requests().len()),
        "{}",
        script.requests().len()
    );
}

fn a_proxy_is_asked_for_a_tunnel<D: Driver>() {
    let tunnel = Reply::Bytes(b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec());
    let proxy = Script::play([tunnel, Reply::json("200 OK", "[]")]);
    let with_password = proxy.url().replace("http://", "http://user:secret@");
    let client = D::new("http://pipeline.test", |mut settings| {
        settings.proxy = Some(with_password);
        settings
    });
    client.send(ListWorkflows::new()).unwrap();
    let requests = proxy.requests();
    assert_eq!(
        (requests[0].method(), requests[0].target()),
        ("CONNECT", "pipeline.test:80")
    );
    assert_eq!(
        requests[0].header("proxy-authorization"),
        Some("Basic dXNlcjpzZWNyZXQ=")
    );
    assert_eq!(
        (requests[1].method(), requests[1].target()),
        ("GET", "/v2/workflows")
    );
    assert_eq!(requests[1].header("host"), Some("pipeline.test"));
}

#[test]
fn the_statuses_of_errors_reach_the_caller() {
    let script = Script::play([Reply::json("409 Conflict", r#"{"error":"E18640: exists"}"#)]);
    let client = BlockingDriver::new(script.url(), |settings| settings);
    let error = client.send(CreateWorkflow::new(name())).unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

fn an_observer_is_told_what_happens<D: Driver>() {
    let script = Script::play([
        Reply::json("503 Service Unavailable", r#"{"error":"busy"}"#),
        Reply::json("200 OK", WORKFLOW),
        Reply::Close(Vec::new()),
    ]);
    let events = Events::default();
    let client = D::new(script.url(), |mut settings| {
        settings.events = Some(events.clone());
        settings
    });
    client.send(GetWorkflow::new(name())).unwrap();
    client.send(CreateWorkflow::new(name())).unwrap_err();
    assert_eq!(
        events.lines(),
        [
            "get_workflow 1: 1 GET /v2/workflows/wf",
            "get_workflow 1: 1 answered 503",
            "get_workflow 1: again after 1: HTTP 503",
            "get_workflow 1: 2 GET /v2/workflows/wf",
            "get_workflow 1: 2 answered 200",
            "get_workflow 1: done after 2",
            "create_workflow 2: 1 POST /v2/workflows/wf",
            "create_workflow 2: 1 the connection broke before the response was complete",
            "create_workflow 2: failed after 1: network",
        ]
    );
}

fn a_missing_status_is_seen_by_get_and_the_start_is_sent<D: Driver>() {
    let missing = Reply::with("404 Not Found", "", "404 page not found");
    let started = WORKFLOW.replace("Ready", "Started");
    let script = Script::play([
        missing,
        Reply::json("200 OK", WORKFLOW),
        Reply::json("200 OK", "{}"),
        Reply::json("200 OK", &started),
    ]);
    let client = D::new(script.url(), |settings| settings);
    let options = WaitOptions::default().interval(Duration::from_millis(1));
    client.ensure(&name(), Goal::Started, options).unwrap();
    let requests = script.requests();
    let targets: Vec<_> = requests.iter().map(Request::target).collect();
    let get = "/v2/workflows/wf";
    let [status, start] = ["status", "start"].map(|last| format!("{get}/{last}"));
    assert_eq!(targets, [&*status, get, &*start, get]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn a_compressed_body_is_read_within_the_limit<D: Driver>() {
    const LIMIT: usize = 50_000;
    let text = |size: usize| {
        [WORKFLOW, &" ".repeat(size - WORKFLOW.len())]
            .concat()
            .into_bytes()
    };
    let (start, end) = WORKFLOW.as_bytes().split_at(10);
    let (read, too_large, damaged) = ("wf", "larger than allowed", "as gzip, and damaged");
    for (name, coding, body, expected) in cases! {
        "up to the limit" => "gzip", gzip(&text(LIMIT)), read;
        "beyond the limit" => "gzip", gzip(&text(LIMIT + 1)), too_large;
        "a bomb" => "gzip", gzip(&text(20 << 20)), too_large;
        "a bomb in a bomb" => "gzip", gzip(&gzip(&text(20 << 20))), too_large;
        "twice" => "gzip, gzip", gzip(&gzip(WORKFLOW.as_bytes())), read;
        "in two members" => "gzip", [gzip(start), gzip(end)].concat(), read;
        "and not said" => "identity", gzip(WORKFLOW.as_bytes()), read;
        "said, and not done" => "gzip", WORKFLOW.into(), read;
        "cut short" => "gzip", gzip(&text(100))[..30].to_vec(), damaged;
        "changed" => "gzip", [&gzip(start)[..15], &gzip(end)[15..]].concat(), damaged;
        "of another kind" => "br", b"\x0b\x02\x80".to_vec(), "as br, which was not asked for";
    } {
        let header = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let script = Script::play([Reply::Close([header.into_bytes(), body].concat())]);
        let client = D::new(script.url(), |mut settings| {
            settings.max_response_size = LIMIT;
            settings
        });
        let result = client.send(GetWorkflow::new(WorkflowName::from_static("wf")));
        let outcome =
            result.map_or_else(|error| error.to_string(), |workflow| workflow.name.into());
        assert!(outcome.contains(expected), "{name}: {outcome}");
        assert_eq!(script.requests().len(), 1, "{name}");
        let request = &script.requests()[0];
        assert_eq!(request.header("accept-encoding"), Some("identity"));
    }
}
