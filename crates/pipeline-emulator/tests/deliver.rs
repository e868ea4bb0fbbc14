//! Exports that deliver what is pushed to a server on the loopback.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::mpsc::{Receiver, channel},
    thread,
};

use pipeline_emulator::{
    DeliveryReport,
    server::{Server, ServerThread},
};
use support::{open, send};

const REPO: &str =
    r#"{"region":"nb","schema":[{"key":"a","valtype":"long"},{"key":"t","valtype":"string"}]}"#;

/// What the other side does with a connection.
#[derive(Clone, Copy)]
enum Reaction {
    /// Answers with this, and closes the connection.
    Answer(&'static str),
    /// Says nothing, and keeps it open.
    Silence,
}

/// A server that tells of the requests that it has got.
fn listen(reactions: &'static [Reaction]) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (requests, received) = channel();
    thread::spawn(move || {
        let mut open = Vec::new();
        for reaction in reactions {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            loop {
                let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
                let length = text.split_once("content-length: ").and_then(|(_, rest)| {
                    let (head, body) = rest.split_once("\r\n\r\n")?;
                    Some(head.lines().next()?.parse::<usize>().ok()? <= body.len())
                });
                if length == Some(true) {
                    break;
                }
                let count = stream.read(&mut buffer).unwrap();
                assert_ne!(count, 0, "{text}");
                request.extend(&buffer[..count]);
            }
            let _ = requests.send(String::from_utf8(request).unwrap());
            match reaction {
                Reaction::Answer(head) => {
                    let _ = stream.write_all(head.as_bytes());
                }
                Reaction::Silence => open.push(stream),
            }
        }
        // Until the test ends.
        while !open.is_empty() {
            thread::park();
        }
    });
    (addr, received)
}

fn serve(target: &str, format: &str) -> ServerThread {
    let server = Server::on_loopback(open().deliver().build()).unwrap();
    let spec = format!(r#"{{"host":"{target}","uri":"/logs?x=y","format":"{format}"}}"#);
    let export = format!(r#"{{"type":"http","spec":{spec}}}"#);
    for (path, body) in [("/v2/repos/r", REPO), ("/v2/repos/r/exports/e", &export)] {
        assert_eq!(send(server.addr(), "POST", path, &[], body).status, 200);
    }
    server
}

fn push(server: &ServerThread, points: &str) {
    assert_eq!(
        send(server.addr(), "POST", "/v2/repos/r/data", &[], points).status,
        200
    );
}

/// What has become of so many pushes, when something has of all of them.
fn report(server: &ServerThread, of: u64) -> DeliveryReport {
    loop {
        let report = server.with(|emulator| emulator.deliveries().next().cloned());
        if let Some(report) = report.filter(|it| it.delivered + it.failed + it.dropped >= of) {
            return report;
        }
        thread::yield_now();
    }
}

#[test]
fn what_is_pushed_is_posted_as_it_was_taken() {
    const OK: Reaction = Reaction::Answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    for (format, content_type, bodies) in [
        ("text", "text/plain", &["a=1\na=2\n", "a=3\n"][..]),
        (
            "json",
            "application/json",
            &[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#],
        ),
    ] {
        let (addr, received) = listen(&[OK, OK, OK]);
        let server = serve(&addr.to_string(), format);
        push(&server, "a=1\na=2");
        push(&server, "a=3");
        for expected in bodies {
            let request = received.recv().unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let head = head.to_ascii_lowercase();
            assert!(head.starts_with("post /logs?x=y http/1.1\r\n"), "{head}");
            assert!(head.contains(&format!("\r\nhost: {addr}")), "{head}");
            assert!(
                head.contains(&format!("\r\ncontent-type: {content_type}")),
                "{head}"
            );
            assert_eq!(body, *expected);
        }
        let report = report(&server, 2);
        assert_eq!(
            (report.delivered, report.failed, report.dropped),
            (2, 0, 0),
            "{report:?}"
        );
        assert_eq!((report.export.as_str(), report.last_error), ("r/e", None));
    }
}

#[test]
fn a_delivery_that_fails_is_counted_with_its_reason_and_harms_no_push() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (reaction, why) in [
        (
            Some(Reaction::Answer(
                "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
            )),
            "503",
        ),
        (
            Some(Reaction::Answer(
                "HTTP/1.1 302 Found\r\nlocation: http://h.example/\r\n\r\n",
            )),
            "302",
        ),
        (Some(Reaction::Answer("what?\r\n\r\n")), "invalid"),
        (Some(Reaction::Answer("")), "connection"),
        (None, "refused"),
    ] {
        let addr = match reaction {
            Some(reaction) => listen(Box::leak(Box::new([reaction]))).0,
            None => closed,
        };
        let server = serve(&addr.to_string(), "text");
        push(&server, "a=1");
        let report = report(&server, 1);
        assert_eq!((report.delivered, report.failed), (0, 1), "{report:?}");
        let said = report.last_error.unwrap().to_lowercase();
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn a_target_that_says_nothing_holds_up_no_push_and_no_end() {
    let (addr, received) = listen(&[Reaction::Silence]);
    let server = serve(&addr.to_string(), "text");
    push(&server, "a=1");
    received.recv().unwrap();
    // It waits for its response, and behind it there is room for so much only.
    let record = format!("t={}", "x".repeat(1_000_000));
    for _ in 0..12 {
        push(&server, &record);
    }
    let report = report(&server, 1);
    assert!(report.dropped > 0, "{report:?}");
    // The end does not wait for the response either.
    drop(server);
}

#[test]
fn an_emulator_does_not_deliver_to_itself_and_only_if_it_is_told_to() {
    let server = serve("127.0.0.1:1", "text");
    let own = format!(
        r#"{{"spec":{{"host":"{}","uri":"/v2/repos/r/data"}}}}"#,
        server.addr()
    );
    assert_eq!(
        send(server.addr(), "PUT", "/v2/repos/r/exports/e", &[], &own).status,
        200
    );
    push(&server, "a=1");
    let report = report(&server, 1);
    assert!(report.last_error.unwrap().contains("the emulator itself"));
    server.with(|emulator| assert_eq!(emulator.queues().next().unwrap().records, 1));
}
