//! Faults of the network, as a client on a socket meets them.

mod support;

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use http::{HeaderName, HeaderValue, StatusCode};
use pipeline_emulator::{
    InjectedFault,
    server::{Limits, ServerThread},
};
use support::{LIST, bind, connect, list, open, read_answer};

const SHORT: Duration = Duration::from_millis(30);
const CREATE: &[u8] =
    b"POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: 15\r\n\r\n{\"region\":\"nb\"}";

fn start(limits: Limits, fault: InjectedFault) -> ServerThread {
    let mut emulator = open().build();
    emulator.inject(fault);
    bind().limits(limits).start_on_thread(emulator).unwrap()
}

fn sent(server: &ServerThread, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(server.addr());
    stream.write_all(bytes).unwrap();
    stream
}

/// The head of a response, what came of its body, and how the connection ended.
fn all(mut stream: TcpStream) -> (String, String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (
        head.to_owned(),
        body.to_owned(),
        end.map(|error| error.kind()),
    )
}

fn assert_created(server: &ServerThread, created: bool) {
    let list = list(server.addr());
    assert_eq!(list.contains(r#""name":"w""#), created, "{list}");
}

#[test]
fn an_answer_is_late_by_its_latency() {
    let server = start(
        Limits::default(),
        InjectedFault::pass().latency(Duration::from_millis(300)),
    );
    let mut stream = sent(&server, CREATE);
    stream.set_read_timeout(Some(SHORT)).unwrap();
    assert!(read_answer(&mut stream).is_err(), "it is under way");
    assert_created(&server, true);
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
}

#[test]
fn a_truncated_answer_ends_in_good_order() {
    for at in [0, 1, 9] {
        let fault = InjectedFault::status(StatusCode::NOT_FOUND).truncate_at(at);
        let server = start(Limits::default(), fault);
        let (head, body, end) = all(sent(&server, LIST));
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
        assert!(head.contains("content-length: 21"), "{head}");
        assert_eq!(body, &r#"{"error":"Not Found"}"#[..at]);
        assert_eq!(end, None);
        assert_eq!(
            server.with(|emulator| emulator.faults().next().unwrap().served()),
            1
        );
    }
}

/// However large the response, exactly so many bytes arrive.
#[test]
fn a_large_answer_is_truncated_at_the_same_place_for_a_slow_reader() {
    let large = "x".repeat(20_000_000);
    let fault = InjectedFault::status(StatusCode::OK)
        .body(HeaderValue::from_static("text/plain"), large)
        .truncate_at(19_999_999);
    let server = start(Limits::default(), fault);
    let mut stream = sent(&server, LIST);
    // Until then the system's buffers are full.
    assert_created(&server, false);
    stream.read_exact(&mut [0]).unwrap();
    let (_, body, end) = all(stream);
    assert_eq!((body.len(), end), (19_999_999, None));
}

#[test]
fn a_reset_connection_ends_in_an_error_behind_the_beginning_of_the_answer() {
    let fault = InjectedFault::pass().reset_at(1).on("create_workflow");
    let server = start(Limits::default(), fault);
    let mut stream = sent(&server, CREATE);
    let mut byte = [0];
    while let Ok(count) = stream.read(&mut byte) {
        assert_eq!(count, 1, "there is no good end");
        if byte == *b"{" {
            break;
        }
    }
    assert_eq!(
        stream.read(&mut byte).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert_created(&server, true);
}

#[test]
fn a_connection_may_be_reset_in_place_of_an_answer() {
    for (fault, created) in [
        (InjectedFault::pass().reset(), true),
        (
            InjectedFault::status(StatusCode::BAD_GATEWAY).reset(),
            false,
        ),
        (
            InjectedFault::status(StatusCode::BAD_GATEWAY)
                .reset()
                .after_effect(),
            true,
        ),
    ] {
        let server = start(Limits::default(), fault.on("create_workflow"));
        let (head, _, end) = all(sent(&server, CREATE));
        assert_eq!((head.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
        assert_created(&server, created);
    }
}

#[test]
fn a_stalled_answer_keeps_its_connection_until_its_time_is_over() {
    let mut limits = Limits::default();
    limits.stall_time = Duration::from_millis(300);
    for at in [0, 5] {
        let fault = InjectedFault::status(StatusCode::NOT_FOUND).stall_at(at);
        let server = start(limits.clone(), fault);
        let mut stream = sent(&server, LIST);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let mut beginning = vec![0; at];
        stream.read_exact(&mut beginning).unwrap();
        assert_eq!(beginning, &br#"{"error""#[..at]);
        stream.set_read_timeout(Some(SHORT)).unwrap();
        let stalled = stream.read(&mut [0]).unwrap_err().kind();
        assert!(matches!(
            stalled,
            ErrorKind::WouldBlock | ErrorKind::TimedOut
        ));
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_server_that_stops_waits_for_no_fault() {
    for fault in [
        InjectedFault::pass().latency(Duration::from_secs(3_600)),
        InjectedFault::status(StatusCode::NOT_FOUND).stall_at(5),
    ] {
        let server = start(Limits::default(), fault);
        let stream = sent(&server, LIST);
        // The fault is being served when another request has been.
        while server.with(|emulator| emulator.requests().count()) == 0 {
            std::thread::yield_now();
        }
        drop(server);
        let (_, body, _) = all(stream);
        assert!(body.len() < 20, "{body}");
    }
}

#[test]
fn the_length_of_an_answer_is_its_true_one_whatever_a_fault_says() {
    for (name, value) in [("content-length", "5"), ("transfer-encoding", "gzip")] {
        let value = HeaderValue::from_static(value);
        let fault = InjectedFault::pass().header(HeaderName::from_static(name), value);
        let server = start(Limits::default(), fault);
        let answer = read_answer(&mut sent(&server, LIST)).unwrap();
        assert_eq!(answer.body, "[]");
        assert_eq!(answer.header("transfer-encoding"), [""; 0]);
    }
}

#[test]
fn an_answer_that_is_shorter_arrives_whole() {
    for fault in [
        InjectedFault::pass().stall_at(2),
        InjectedFault::pass().truncate_at(2),
        InjectedFault::pass().reset_at(99),
    ] {
        let server = start(Limits::default(), fault);
        let mut stream = sent(&server, LIST);
        assert_eq!(read_answer(&mut stream).unwrap().body, "[]");
        stream.write_all(LIST).unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().body, "[]");
    }
}

#[test]
fn requests_behind_a_fault_are_served_on_new_connections_only() {
    let server = start(Limits::default(), InjectedFault::pass().truncate_at(1));
    let (_, body, _) = all(sent(&server, &[LIST, LIST].concat()));
    assert_eq!(body, "[");
    assert!(list(server.addr()).ends_with("[]"));
}
