//! Clients that mean no good, or do not know what they do.

mod support;

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr},
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use pipeline_emulator::server::{Limits, ServerThread};
use support::{LIST, bind, connect, exchange, list, open, read_answer, unsigned};

const SHORT: Duration = Duration::from_millis(30);

fn start(limits: Limits) -> ServerThread {
    bind()
        .limits(limits)
        .start_on_thread(open().build())
        .unwrap()
}

#[track_caller]
fn assert_alive(addr: SocketAddr) {
    let answer = list(addr);
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
}

/// Sends bytes and reads until the connection ends in any way.
fn provoke(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(addr);
    // The server may have had enough before everything is written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(
            error.kind(),
            ErrorKind::ConnectionReset,
            "the server must end it: {error}"
        );
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_no_http_gets_400_or_nothing() {
    let server = start(Limits::default());
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "400 "),
        (b"GET\r\n\r\n", "400 "),
        (b"GET / HTTP/9.9\r\n\r\n", "400 "),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400 "),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", "400 "),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: \x00\r\n\r\n", "400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400 "),
        (b"GET /v2/workflows HTTP/1.1\r\n\r\n", "400 "),
        (b"GET /v2/workflows HTTP/1.1\r\nHost:\r\n\r\n", "400 "),
        (b"GET /v2/workflows HTTP/1.1\r\nHost: a b\r\n\r\n", "400 "),
        (b"GET /v2/workflows HTTP/1.1\r\nHost: a@b\r\n\r\n", "400 "),
        (
            b"GET /v2/workflows HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
            "400 ",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "400 ",
        ),
    ] {
        let answer = provoke(server.addr(), bytes);
        assert!(
            answer.starts_with("HTTP/1.1 ") && answer[9..].starts_with(status),
            "{bytes:?} {answer}"
        );
    }
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"G",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo",
    ] {
        provoke(server.addr(), bytes);
    }
    assert_alive(server.addr());
}

#[test]
fn random_bytes_never_take_the_server_down() {
    let server = start(Limits::default());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..200 {
        let mut bytes = if round % 2 == 0 {
            b"GET /v2/workflows HTTP/1.1\r\nHost: h\r\n".to_vec()
        } else {
            Vec::new()
        };
        for _ in 0..random() % 400 {
            bytes.push(random().to_le_bytes()[0]);
        }
        provoke(server.addr(), &bytes);
    }
    assert_alive(server.addr());
}

#[test]
fn headers_beyond_the_limits_get_431() {
    let server = start(Limits::default());
    let large = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(40 * 1024));
    let endless = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(400 * 1024));
    let target = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(40 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
    for request in [large, endless, target, many] {
        let answer = provoke(server.addr(), request.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 431 "),
            "{request:.60} {answer}"
        );
    }
    let fitting = format!(
        "GET /v2/workflows HTTP/1.1\r\nHost: h\r\n{}\r\n",
        "A: b\r\n".repeat(99)
    );
    assert!(provoke(server.addr(), fitting.as_bytes()).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_client_that_never_ends_its_headers_is_cut_off() {
    let mut limits = Limits::default();
    limits.header_time = Duration::from_millis(500);
    let server = start(limits);
    // A connection that is idle between two requests is one of them.
    let mut idle = connect(server.addr());
    idle.write_all(LIST).unwrap();
    assert_eq!(read_answer(&mut idle).unwrap().status, 200);
    let mut clients = vec![idle];
    for bytes in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nA: b\r\n"] {
        let mut stream = connect(server.addr());
        stream.write_all(bytes).unwrap();
        clients.push(stream);
    }
    for mut stream in clients {
        assert_eq!(
            stream.read(&mut [0]).unwrap_or(0),
            0,
            "no response, the connection just ends"
        );
    }
}

#[test]
fn a_body_that_does_not_arrive_gets_408() {
    let mut limits = Limits::default();
    limits.body_time = SHORT;
    let server = start(limits);
    let mut stream = connect(server.addr());
    stream
        .write_all(b"POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    let answer = read_answer(&mut stream).unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(answer.header("connection"), ["close"]);
    assert_eq!(answer.header("content-type"), ["application/json"]);
    assert_eq!(answer.header("x-reqid").len(), 1);
    assert_eq!(
        answer.json()["error"],
        "the body did not arrive within 0.03 s"
    );
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_body_cut_short_changes_nothing() {
    let server = start(Limits::default());
    let body = r#"{"region":"nb"}"#;
    let request = format!(
        "POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
        body.len() + 1
    );
    let answer = provoke(server.addr(), request.as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    let list = list(server.addr());
    assert!(list.ends_with("[]"), "{list}");
}

#[test]
fn a_body_beyond_the_limit_gets_413_without_being_read() {
    let server = start(Limits::default());
    let head = |length: usize| {
        format!("POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n")
    };
    // Announced only.
    let mut stream = connect(server.addr());
    stream.write_all(head(usize::MAX / 4).as_bytes()).unwrap();
    let answer = read_answer(&mut stream).unwrap();
    assert_eq!(
        (answer.status, answer.code().as_deref()),
        (413, Some("E18005"))
    );
    // Sent: the response must not get lost because the server stopped listening.
    for _ in 0..10 {
        let length = 3 * 1024 * 1024;
        let answer = exchange(
            server.addr(),
            &[head(length).into_bytes(), vec![b' '; length]].concat(),
        );
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    // In chunks, which announce nothing.
    let mut chunked =
        b"POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..48 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&vec![b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = exchange(server.addr(), &chunked);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_alive(server.addr());
}

#[test]
fn deeply_nested_json_is_refused() {
    let server = start(Limits::default());
    for body in [
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(300_000),
        format!(
            r#"{{"region":"nb","nodes":{{"r-repo":{{"name":"r","type":"repo","data":{}{}}}}}}}"#,
            "[".repeat(500_000),
            "]".repeat(500_000)
        ),
    ] {
        for method in ["POST", "PUT"] {
            let answer = provoke(
                server.addr(),
                unsigned(method, "/v2/workflows/w", &body).as_bytes(),
            );
            assert!(
                answer.starts_with("HTTP/1.1 400 ") && answer.contains("E18007: "),
                "{answer}"
            );
        }
    }
}

#[test]
fn clients_beyond_the_limit_wait_their_turn() {
    let mut limits = Limits::default();
    limits.connections = 1;
    let server = start(limits);
    let mut first = connect(server.addr());
    first.write_all(LIST).unwrap();
    assert_eq!(read_answer(&mut first).unwrap().status, 200);
    let mut second = connect(server.addr());
    second.write_all(LIST).unwrap();
    second.set_read_timeout(Some(SHORT)).unwrap();
    assert!(read_answer(&mut second).is_err(), "there is no room yet");
    drop(first);
    second
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert_eq!(read_answer(&mut second).unwrap().status, 200);
}

/// One client takes nothing of a large response. Were it waited for, the one place would stay taken.
#[test]
fn a_client_that_takes_no_answer_is_cut_off() {
    let mut limits = Limits::default();
    limits.connections = 1;
    limits.write_time = SHORT;
    let server = start(limits);
    let now = server.now();
    server.with(|emulator| {
        for number in 0..1_000 {
            let body = format!(r#"{{"region":"nb","comment":"{}"}}"#, "c".repeat(10_000));
            let request = Request::post(format!("/v2/workflows/w{number}")).body(Bytes::from(body));
            assert_eq!(emulator.handle(request.unwrap(), now).status(), 200);
        }
    });
    let mut deaf = connect(server.addr());
    deaf.write_all(LIST).unwrap();
    let answer = exchange(server.addr(), b"GET /v2/workflows/w1 HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    drop(deaf);
}

#[test]
fn many_clients_at_once_are_all_answered() {
    let server = start(Limits::default());
    let addr = server.addr();
    let idle: Vec<_> = (0..300).map(|_| connect(addr)).collect();
    thread::scope(|scope| {
        for client in 0..8 {
            scope.spawn(move || {
                for number in 0..25 {
                    let path = format!("/v2/workflows/w{client}_{number}");
                    let create = unsigned("POST", &path, r#"{"region":"nb"}"#);
                    assert!(provoke(addr, create.as_bytes()).starts_with("HTTP/1.1 200 "));
                }
            });
        }
    });
    let list = list(addr);
    assert_eq!(list.matches(r#""name":"#).count(), 200);
    drop(idle);
}
