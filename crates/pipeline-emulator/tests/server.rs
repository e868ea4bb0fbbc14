//! The emulator over real sockets, as its clients see it.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    panic::AssertUnwindSafe,
    time::Duration,
};

use pipeline_emulator::{
    Emulator, Transition,
    server::{Limits, Server, ServerThread},
};
use support::{LIST, bind, connect, exchange, head, list, open, read_answer, send, send_on, serve};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const CREATE: &str = r#"{"region":"nb","comment":"c"}"#;
const NODES: &str = r#"{"region":"nb","nodes":{
    "r-repo":{"name":"r","type":"repo","children":[{"name":"e","type":"export"}]},
    "e-export":{"name":"e","type":"export","parents":[{"name":"r","type":"repo"}]}}}"#;

fn plain() -> ServerThread {
    Server::on_loopback(open().build()).unwrap()
}

#[test]
fn a_client_of_the_standard_library_takes_a_workflow_through_its_life() {
    let second = Duration::from_secs(1);
    let builder = Emulator::builder().transitions(Transition::After(second));
    let (server, clock) = serve(builder, Limits::default());
    let workflow = "/v2/workflows/logs";
    let send = |method, path: &str, headers, body| {
        let answer = send(server.addr(), method, path, headers, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let status = || send("GET", "/v2/workflows/logs/status", &[], "")["status"].clone();
    assert_eq!(send("POST", workflow, JSON, CREATE), serde_json::json!({}));
    assert_eq!(send("GET", workflow, &[], "")["comment"], "c");
    send("PUT", workflow, JSON, NODES);
    assert_eq!(send("GET", "/v2/workflows", &[], "")[0]["canStart"], true);
    send("POST", "/v2/workflows/logs/start", &[], "");
    assert_eq!(status(), "Starting");
    clock.advance(second);
    assert_eq!(status(), "Started");
    send("POST", "/v2/workflows/logs/stop", &[], "");
    assert_eq!(status(), "Stopping");
    clock.advance(second);
    assert_eq!(status(), "Stopped");
    send("DELETE", workflow, &[], "");
    assert_eq!(send("GET", "/v2/workflows", &[], ""), serde_json::json!([]));
}

#[test]
fn an_answer_has_what_the_vendors_clients_insist_on() {
    let (server, _) = serve(Emulator::builder(), Limits::default());
    let missing = send(server.addr(), "GET", "/v2/workflows/logs", &[], "");
    assert_eq!(missing.status, 404);
    assert!(
        missing.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("E18641: ")
    );
    let unsigned = exchange(
        server.addr(),
        b"GET /v2/workflows HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    assert!(unsigned.starts_with("HTTP/1.1 401 "), "{unsigned}");
    assert!(unsigned.ends_with(r#"{"error":"bad token: there is no Authorization header"}"#));
    assert_eq!(missing.header("content-type"), ["application/json"]);
    assert_eq!(missing.header("date"), ["Sun, 06 Nov 1994 08:49:37 GMT"]);
    assert_eq!(missing.header("x-reqid").len(), 1);
    assert_eq!(missing.header("x-reqid")[0].len(), 16);
    // The Java client starts and stops with a type that is there and empty, and signs it so.
    let target = "/v2/workflows/logs/start";
    let untyped = send(server.addr(), "POST", target, &[("Content-Type", "")], "");
    assert_eq!(untyped.code().as_deref(), Some("E18641"), "{untyped:?}");
}

#[test]
fn a_clock_that_is_off_is_told_in_the_answer() {
    let (server, clock) = serve(Emulator::builder(), Limits::default());
    clock.advance(Duration::from_secs(20 * 60));
    let answer = send(server.addr(), "GET", "/v2/workflows", &[], "");
    assert_eq!(answer.status, 401);
    let json = answer.json();
    let message = json["error"].as_str().unwrap();
    assert!(
        message.starts_with("bad token: ") && message.contains("1200 s behind"),
        "{message}"
    );
    assert_eq!(answer.header("date"), ["Sun, 06 Nov 1994 09:09:37 GMT"]);
}

#[test]
fn a_connection_serves_many_requests() {
    let (server, _) = serve(Emulator::builder(), Limits::default());
    let mut stream = connect(server.addr());
    for _ in 0..3 {
        assert_eq!(
            send_on(&mut stream, "GET", "/v2/workflows", &[], "").status,
            200
        );
        assert_eq!(
            send_on(&mut stream, "POST", "/v2/workflows/9", JSON, CREATE).status,
            400
        );
    }
    // Two at once are answered in their order.
    let two =
        head("GET", "/v2/workflows", &[]) + "\r\n" + &head("GET", "/v2/workflows/w", &[]) + "\r\n";
    stream.write_all(two.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    assert_eq!(read_answer(&mut stream).unwrap().status, 404);
}

#[test]
fn old_and_odd_but_legal_http_is_understood() {
    let server = plain();
    let create = |path: &str, version: &str| {
        let length = CREATE.len();
        format!(
            "POST {path} HTTP/{version}\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{CREATE}"
        )
    };
    let absolute = format!("{}/v2/workflows/absolute", server.url());
    for (request, status) in [
        (create("/v2/workflows/old", "1.0"), "HTTP/1.0 200 "),
        (create(&absolute, "1.1"), "HTTP/1.1 200 "),
        (
            create("/v2/workflows/escap%65d?a=b", "1.1"),
            "HTTP/1.1 200 ",
        ),
        // Equal lengths are one length.
        (
            create("/v2/workflows/twice", "1.1")
                .replace("Content", "Content-Length: 29\r\nContent"),
            "HTTP/1.1 200 ",
        ),
    ] {
        let answer = exchange(server.addr(), request.as_bytes());
        assert!(answer.starts_with(status), "{request}\n{answer}");
    }
    let list = list(server.addr());
    for name in ["old", "absolute", "escaped", "twice"] {
        assert!(list.contains(&format!(r#""name":"{name}""#)), "{list}");
    }
}

#[test]
fn a_client_may_close_its_side_after_the_request() {
    let server = plain();
    let mut stream = connect(server.addr());
    stream.write_all(LIST).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().body, "[]");
}

#[test]
fn the_length_must_be_given_in_a_header() {
    let server = plain();
    let post = |rest: &str| {
        let request = format!(
            "POST /v2/workflows/w/start HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{rest}"
        );
        exchange(server.addr(), request.as_bytes())
    };
    for (rest, status, code) in [
        ("\r\n", 411, "E18003"),
        (
            "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            411,
            "E18003",
        ),
        ("Transfer-Encoding: chunked\r\n\r\nno chunk", 411, "E18003"),
        ("Content-Length: 0\r\n\r\n", 404, "E18641"),
    ] {
        let answer = post(rest);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{rest:?} {answer}"
        );
        assert!(
            answer.contains(&format!(r#"{{"error":"{code}: "#)),
            "{rest:?} {answer}"
        );
    }
    // These never get as far as the service: the message itself is ambiguous.
    for rest in [
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "Content-Length: x\r\n\r\n",
    ] {
        assert!(post(rest).starts_with("HTTP/1.1 400 "), "{rest:?}");
    }
}

#[test]
fn a_client_may_ask_before_it_sends_a_body() {
    let server = Server::on_loopback(open().max_body(64).build()).unwrap();
    let ask = |length: usize| {
        let mut stream = connect(server.addr());
        let head = format!(
            "POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        (stream, answer)
    };
    let (mut stream, interim) = ask(CREATE.len());
    assert_eq!(interim.status, 100);
    stream.write_all(CREATE.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    let (_, refusal) = ask(65);
    assert_eq!(
        (refusal.status, refusal.code().as_deref()),
        (413, Some("E18005"))
    );
}

#[test]
fn other_methods_are_refused() {
    let server = plain();
    for method in ["HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let request =
            format!("{method} /v2/workflows/w HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = exchange(server.addr(), request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(
            answer.contains("allow: GET, POST, PUT, DELETE\r\n"),
            "{answer}"
        );
        assert_eq!(
            answer.ends_with("\r\n\r\n"),
            method == "HEAD",
            "only HEAD has no body"
        );
    }
    let connect = exchange(
        server.addr(),
        b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    assert!(connect.starts_with("HTTP/1.1 404 "), "{connect}");
}

#[test]
fn a_dropped_server_is_gone_even_while_clients_hold_connections() {
    let server = plain();
    let addr = server.addr();
    let mut idle = connect(addr);
    let mut used = connect(addr);
    used.write_all(LIST).unwrap();
    read_answer(&mut used).unwrap();
    drop(server);
    for stream in [&mut idle, &mut used] {
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn a_shutdown_does_not_wait_for_ever_for_an_unfinished_request() {
    let mut limits = Limits::default();
    limits.shutdown_time = Duration::from_millis(50);
    let (server, _) = serve(Emulator::builder(), limits);
    let mut stream = connect(server.addr());
    stream
        .write_all(b"POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    drop(server);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn async_code_starts_and_stops_a_server_on_its_own_runtime() {
    let error = bind().start(open().build()).unwrap_err();
    assert!(error.to_string().contains("start_on_thread"), "{error}");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let server = {
        let _entered = runtime.enter();
        bind().start(open().build()).unwrap()
    };
    let addr = server.addr();
    assert_eq!(server.url(), format!("http://{addr}"));
    let list = list(addr);
    assert!(list.ends_with("[]"), "{list}");
    assert_eq!(server.with(|emulator| emulator.requests().count()), 1);
    runtime.block_on(server.shutdown()).unwrap();
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn a_panicking_assertion_leaves_the_emulator_usable() {
    let server = plain();
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        server.with(|_| panic!("an assertion of a test"));
    }));
    assert!(panicked.is_err());
    assert!(list(server.addr()).ends_with("[]"));
}

#[test]
fn debug_of_a_server_shows_no_secret() {
    let server = bind();
    let shown = format!("{server:?}");
    assert!(shown.contains("127.0.0.1"), "{shown}");
    let server = server.start_on_thread(Emulator::builder().build()).unwrap();
    let shown = format!("{server:?} {:?}", server.with(|emulator| emulator.clone()));
    assert!(
        !shown.contains(pipeline_emulator::DEVELOPMENT_SECRET_KEY),
        "{shown}"
    );
    assert!(server.now().mono < Duration::from_secs(3_600));
}
