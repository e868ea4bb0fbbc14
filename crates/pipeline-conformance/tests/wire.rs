//! What both clients make of the bytes of a response, however they come, and of a connection that ends
//! at any point.

use pipeline_conformance::{Driver, Reply, Script, is_like, words};
use pipeline_proto::{RetryPolicy, operation::ListWorkflows};

pipeline_conformance::suite! {
    a_response_is_read_however_it_comes
    what_is_no_whole_response_is_a_fault
    what_follows_a_response_is_not_taken_for_the_next
}

const PLAIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;name=\"a;b\"\r\n[\r\n01\r\n]\r\n0\r\nx: y\r\n\r\n";
const TO_THE_END: &str = "HTTP/1.1 200 OK\r\n\r\n[]";

/// The outcome of one attempt to list.
fn list<D: Driver>(reply: Reply) -> String {
    let script = Script::play([reply]);
    let client = D::new(script.url(), |mut settings| {
        settings.retry = RetryPolicy::none();
        settings
    });
    match client.send(ListWorkflows::new()) {
        Ok(list) => format!("{} workflows", list.len()),
        Err(error) => words(&error),
    }
}

fn a_response_is_read_however_it_comes<D: Driver>() {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let after = |interim: &str| Reply::Bytes(bytes(&format!("{interim}{PLAIN}")));
    for (name, reply) in [
        ("at once", Reply::Bytes(bytes(PLAIN))),
        ("byte by byte", Reply::Trickle(bytes(PLAIN))),
        ("in chunks, byte by byte", Reply::Trickle(bytes(CHUNKED))),
        ("in chunks, at once", Reply::Bytes(bytes(CHUNKED))),
        ("to the end", Reply::Close(bytes(TO_THE_END))),
        (
            "to the end of one direction",
            Reply::HalfClose(bytes(TO_THE_END)),
        ),
        (
            "and that is all of this direction",
            Reply::HalfClose(bytes(PLAIN)),
        ),
        ("and closed", Reply::Close(bytes(PLAIN))),
        (
            "of HTTP/1.0",
            Reply::Close(bytes("HTTP/1.0 200 OK\r\n\r\n[]")),
        ),
        (
            "of HTTP/1.0 with a length",
            Reply::Bytes(bytes("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n[]")),
        ),
        (
            "without a reason",
            Reply::Bytes(bytes(&PLAIN.replace(" OK", ""))),
        ),
        (
            "with bare line feeds",
            Reply::Bytes(bytes(&PLAIN.replace('\r', ""))),
        ),
        ("after 100", after("HTTP/1.1 100 Continue\r\n\r\n")),
        (
            "after 102 and 103",
            after("HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 Y\r\nlink: z\r\n\r\n"),
        ),
        (
            "with its length twice",
            Reply::Bytes(bytes(
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n[]",
            )),
        ),
    ] {
        assert_eq!(list::<D>(reply), "0 workflows", "{name}");
    }
}

fn what_is_no_whole_response_is_a_fault<D: Driver>() {
    let head = "HTTP/1.1 200 OK\r\n";
    let of = |text: &str| Reply::Close(format!("{head}{text}").into_bytes());
    let chunked = |text: &str| of(&format!("transfer-encoding: chunked\r\n\r\n{text}"));
    let mut cases = vec![
        (
            "a length that is none".to_owned(),
            of("content-length: x\r\n\r\n[]"),
        ),
        (
            "a negative length".to_owned(),
            of("content-length: -2\r\n\r\n[]"),
        ),
        (
            "two lengths".to_owned(),
            of("content-length: 2\r\ncontent-length: 3\r\n\r\n[] "),
        ),
        (
            "less than its length".to_owned(),
            of("content-length: 3\r\n\r\n[]"),
        ),
        (
            "no size of a chunk".to_owned(),
            chunked("x\r\n[]\r\n0\r\n\r\n"),
        ),
        (
            "an empty size of a chunk".to_owned(),
            chunked("\r\n[]\r\n0\r\n\r\n"),
        ),
        (
            "an endless size of a chunk".to_owned(),
            chunked("fffffffffffffffff\r\n[]"),
        ),
        (
            "a chunk that is longer".to_owned(),
            chunked("1\r\n[]\r\n0\r\n\r\n"),
        ),
        ("no last chunk".to_owned(), chunked("2\r\n[]\r\n")),
        ("half a last chunk".to_owned(), chunked("2\r\n[]\r\n0\r\n")),
        (
            "a name with a blank".to_owned(),
            of("a b: c\r\ncontent-length: 2\r\n\r\n[]"),
        ),
        (
            "a field without a colon".to_owned(),
            of("abc\r\ncontent-length: 2\r\n\r\n[]"),
        ),
        (
            "a zero byte".to_owned(),
            of("a: \0\r\ncontent-length: 2\r\n\r\n[]"),
        ),
        (
            "no HTTP".to_owned(),
            Reply::Close(b"220 mail ready\r\n\r\n".to_vec()),
        ),
        ("HTTP/0.9".to_owned(), Reply::Close(b"[]".to_vec())),
        (
            "HTTP/2".to_owned(),
            Reply::Close(b"\0\0\x12\x04\0\0\0\0\0".to_vec()),
        ),
        (
            "an interim response alone".to_owned(),
            Reply::Close(b"HTTP/1.1 100 C\r\n\r\n".to_vec()),
        ),
    ];
    // Wherever the connection ends, by a close, by half of one, by a reset.
    for text in [PLAIN, CHUNKED] {
        for at in 0..text.len() {
            let part = text.as_bytes()[..at].to_vec();
            let shown = String::from_utf8_lossy(&part).into_owned();
            cases.push((
                format!("closed after {shown:?}"),
                Reply::Close(part.clone()),
            ));
            cases.push((
                format!("half closed after {shown:?}"),
                Reply::HalfClose(part.clone()),
            ));
            cases.push((format!("reset after {shown:?}"), Reply::Reset(part)));
        }
    }
    for (name, reply) in cases {
        let outcome = list::<D>(reply);
        assert!(
            is_like(
                &outcome,
                "the connection broke before the answer was complete (*; nothing changed after 1"
            ),
            "{name}: {outcome}"
        );
    }
}

fn what_follows_a_response_is_not_taken_for_the_next<D: Driver>() {
    let evil = PLAIN.replace("2\r\n\r\n[]", "15\r\n\r\n[{\"name\":\"no\"}]");
    let script = Script::play([
        Reply::Bytes(format!("{PLAIN}{evil}").into_bytes()),
        Reply::Bytes(PLAIN.into()),
    ]);
    let client = D::new(script.url(), |settings| settings);
    for _ in 0..2 {
        assert_eq!(client.send(ListWorkflows::new()).unwrap(), []);
    }
    assert_eq!((script.requests().len(), script.connections()), (2, 2));
}
