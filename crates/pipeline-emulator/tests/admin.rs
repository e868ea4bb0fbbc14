//! The admin interface over real sockets.

mod support;

use std::net::SocketAddr;

use pipeline_emulator::server::{Limits, Server, ServerThread};
use support::{Answer, bind, connect, open, read_answer, unsigned};

use std::io::Write as _;

fn ask(addr: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = connect(addr);
    let request = unsigned(method, path, body);
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream).unwrap()
}

/// With the interface on the port of the service.
fn with_admin(limits: Limits) -> ServerThread {
    let server = bind().limits(limits).admin();
    server.start_on_thread(open().build()).unwrap()
}

fn health(addr: SocketAddr) -> u16 {
    ask(addr, "GET", "/_emulator/health", "").status
}

#[test]
fn the_interface_is_off_unless_it_is_asked_for() {
    let server = Server::on_loopback(open().build()).unwrap();
    assert_eq!(server.admin_url(), None);
    assert_eq!(health(server.addr()), 404);
    assert_eq!(server.with(|emulator| emulator.requests().count()), 1);
}

#[test]
fn the_interface_may_share_the_port_of_the_service() {
    let server = with_admin(Limits::default());
    let url = format!("{}/_emulator", server.url());
    assert_eq!(server.admin_url(), Some(url));
    assert_eq!(health(server.addr()), 200);
    assert_eq!(ask(server.addr(), "GET", "/v2/workflows", "").body, "[]");
    assert_eq!(ask(server.addr(), "GET", "/_emulator", "").status, 200);
    assert_eq!(ask(server.addr(), "GET", "/_emulators", "").status, 404);
    // Only what is meant for the service stands in the log.
    assert_eq!(server.with(|emulator| emulator.requests().count()), 2);
}

#[test]
fn the_interface_may_have_a_port_of_its_own() {
    let server = bind().admin_on("127.0.0.1:0").unwrap();
    let url = server.admin_url().unwrap();
    let server = server.start_on_thread(open().build()).unwrap();
    assert_eq!(server.admin_url(), Some(url.clone()));
    let addr = url.strip_prefix("http://").unwrap();
    let addr = addr.strip_suffix("/_emulator").unwrap().parse().unwrap();
    assert_ne!(server.addr(), addr);
    assert_eq!(health(addr), 200);
    assert_eq!(health(server.addr()), 404);
    assert_eq!(ask(addr, "GET", "/v2/workflows", "").status, 404);
    drop(server);
    assert!(std::net::TcpStream::connect(addr).is_err());
}

/// A test in any language: prepare, act, look, begin anew.
#[test]
fn a_test_in_another_language_needs_nothing_but_http() {
    let server = with_admin(Limits::default());
    let ask = |method, path, body| ask(server.addr(), method, path, body);
    let create = || ask("POST", "/v2/workflows/w", r#"{"region":"nb"}"#).status;
    let fault = ask(
        "POST",
        "/_emulator/faults",
        r#"{"operation":"create_workflow","status":503}"#,
    );
    assert_eq!(fault.status, 200);
    assert_eq!((create(), create(), create()), (503, 200, 409));
    let faults = ask("GET", "/_emulator/faults", "").json();
    assert_eq!(faults["faults"][0]["left"], 0);
    let requests = ask("GET", "/_emulator/requests", "").json();
    assert_eq!(requests["requests"].as_array().unwrap().len(), 3);
    let snapshot = ask("GET", "/_emulator/snapshot", "").body;
    assert_eq!(ask("POST", "/_emulator/reset", "").status, 200);
    assert_eq!(ask("GET", "/v2/workflows", "").body, "[]");
    assert_eq!(ask("POST", "/_emulator/restore", &snapshot).status, 200);
    assert_eq!(create(), 409);
}

/// A snapshot may be larger than what a client may send to the service.
#[test]
fn the_interface_has_a_limit_of_its_own() {
    let mut limits = Limits::default();
    limits.admin_body = 3 * 1024 * 1024;
    let server = with_admin(limits);
    let body = " ".repeat(3 * 1024 * 1024);
    let answer = ask(server.addr(), "PUT", "/_emulator/clock", &body);
    assert_eq!(answer.status, 400, "{answer:?}");
    let answer = ask(server.addr(), "PUT", "/_emulator/clock", &(body + " "));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("connection"), ["close"]);
    assert_eq!(health(server.addr()), 200);
}

/// What a page could send without a word from the server.
#[test]
fn a_foreign_page_cannot_use_the_interface() {
    let server = with_admin(Limits::default());
    create(server.addr());
    let host = server.addr().to_string();
    for (host, more, status) in [
        ("evil.example", "", 403),
        ("", "", 400),
        (&host, "Host: 127.0.0.1\r\n", 400),
        (&host, "Origin: http://evil.example\r\n", 403),
        (&host, "Origin: null\r\n", 403),
        (&host, "Content-Type: text/plain\r\n", 415),
        (&host, "", 415),
        (&host, "Content-Type: application/json\r\n", 200),
    ] {
        let mut stream = connect(server.addr());
        let request = format!(
            "POST /_emulator/reset HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: 2\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        assert_eq!(answer.status, status, "{host} {more}: {answer:?}");
        let now = server.now();
        let left = server.with(|emulator| emulator.snapshot(now).len());
        assert_eq!(left, usize::from(status != 200), "{host} {more}");
    }
}

fn create(addr: SocketAddr) {
    let created = ask(addr, "POST", "/v2/workflows/w", r#"{"region":"nb"}"#);
    assert_eq!(created.status, 200);
}
