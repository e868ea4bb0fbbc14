//! What both clients make of the bytes of a response, however they come, and of a connection that ends
//! at any point.

use pipeline_conformance::{Driver, Reply, Script, cases, is_like, words};
use pipeline_proto::{RetryPolicy, resource::workflow::ListWorkflows};

pipeline_conformance::suite! {
    a_response_is_read_however_it_comes
    what_is_no_whole_response_is_a_fault
    a_connection_is_used_again_where_both_sides_know_the_end_of_the_response
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
    for (name, reply) in cases! {
        "at once" => Reply::Bytes(bytes(PLAIN));
        "byte by byte" => Reply::Trickle(bytes(PLAIN));
        "in chunks, byte by byte" => Reply::Trickle(bytes(CHUNKED));
        "in chunks, at once" => Reply::Bytes(bytes(CHUNKED));
        "to the end" => Reply::Close(bytes(TO_THE_END));
        "to the end of one direction" => Reply::HalfClose(bytes(TO_THE_END));
        "and that is all of this direction" => Reply::HalfClose(bytes(PLAIN));
        "and closed" => Reply::Close(bytes(PLAIN));
        "of HTTP/1.0" => Reply::Close(bytes("HTTP/1.0 200 OK\r\n\r\n[]"));
        "of HTTP/1.0 with a length" => Reply::Bytes(bytes("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n[]"));
        "without a reason" => Reply::Bytes(bytes(&PLAIN.replace(" OK", "")));
        "with bare line feeds" => Reply::Bytes(bytes(&PLAIN.replace('\r', "")));
        "after 100" => after("HTTP/1.1 100 Continue\r\n\r\n");
        "after 102 and 103" => after("HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 Y\r\nlink: z\r\n\r\n");
        "after a thousand of 103" => after(&"HTTP/1.1 103 X\r\nlink: y\r\n\r\n".repeat(1000));
        "after empty lines" => after("\r\n\n\r\n");
        "with a field of UTF-8" => Reply::Bytes(bytes(&PLAIN.replace("OK\r\n", "谢\r\nx: 谢\r\n")));
        "in a thousand chunks" =>
            Reply::Bytes(bytes(&CHUNKED.replace("\r\n\r\n1;", &format!("\r\n\r\n{}1;", "1\r\n \r\n".repeat(1000)))));
        "in chunks of another spelling" =>
            Reply::Bytes(bytes(&CHUNKED.replace("1;", "000000000000001 ;").replace("chunked", "Chunked")));
        "with its length twice" =>
            Reply::Bytes(bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n[]"));
    } {
        assert_eq!(list::<D>(reply), "0 workflows", "{name}");
    }
}

fn what_is_no_whole_response_is_a_fault<D: Driver>() {
    let head = "HTTP/1.1 200 OK\r\n";
    let of = |text: &str| format!("{head}{text}");
    let chunked = |text: &str| of(&format!("transfer-encoding: chunked\r\n\r\n{text}"));
    let (header, body) = (
        "closed within the response header",
        "closed within the response body",
    );
    let invalid = "the response is not valid HTTP: ";
    let long = "x".repeat(20_000);
    let mut cases = Vec::new();
    for (name, text, reason) in cases! {
        "a length that is none" => of("content-length: x\r\n\r\n[]"), invalid;
        "an empty length" => of("content-length:\r\n\r\n[]"), invalid;
        "a negative length" => of("content-length: -2\r\n\r\n[]"), invalid;
        "a length with a sign" => of("content-length: +2\r\n\r\n[]"), invalid;
        "a length beyond counting" => of("content-length: 99999999999999999999\r\n\r\n[]"), invalid;
        "two lengths" => of("content-length: 2\r\ncontent-length: 3\r\n\r\n[] "), invalid;
        "two lengths in one" => of("content-length: 2, 3\r\n\r\n[] "), invalid;
        "less than its length" => of("content-length: 3\r\n\r\n[]"), body;
        "no size of a chunk" => chunked("x\r\n[]\r\n0\r\n\r\n"), invalid;
        "an empty size of a chunk" => chunked("\r\n[]\r\n0\r\n\r\n"), invalid;
        "a size with a sign" => chunked("+2\r\n[]\r\n0\r\n\r\n"), invalid;
        "an endless size of a chunk" => chunked("fffffffffffffffff\r\n[]"), invalid;
        "a chunk that is longer" => chunked("1\r\n[]\r\n0\r\n\r\n"), invalid;
        "a line end in an extension" => chunked("2;a\nb\r\n[]\r\n0\r\n\r\n"), invalid;
        "endless extensions" => chunked(&format!("2;{long}\r\n[]\r\n0\r\n\r\n")), invalid;
        "endless trailers" => chunked(&format!("2\r\n[]\r\n0\r\nx: {long}\r\n\r\n")), invalid;
        "many trailers" => chunked(&format!("2\r\n[]\r\n0\r\n{}\r\n", "x: y\r\n".repeat(9000))), invalid;
        "a trailer without a colon" => chunked("2\r\n[]\r\n0\r\nabc\r\n\r\n"), invalid;
        "no last chunk" => chunked("2\r\n[]\r\n"), body;
        "half a last chunk" => chunked("2\r\n[]\r\n0\r\n"), body;
        "chunks of HTTP/1.0" => chunked("2\r\n[]\r\n0\r\n\r\n").replace("1.1", "1.0"), invalid;
        "a name with a blank" => of("a b: c\r\ncontent-length: 2\r\n\r\n[]"), invalid;
        "a blank before the colon" => of("a : c\r\ncontent-length: 2\r\n\r\n[]"), invalid;
        "a field in two lines" => of("a: b\r\n c\r\ncontent-length: 2\r\n\r\n[]"), invalid;
        "a field without a colon" => of("abc\r\ncontent-length: 2\r\n\r\n[]"), invalid;
        "a zero byte" => of("a: \0\r\ncontent-length: 2\r\n\r\n[]"), invalid;
        "a status of two digits" => "HTTP/1.1 20 OK\r\n\r\n".to_owned(), invalid;
        "a status below 100" => "HTTP/1.1 099 OK\r\n\r\n".to_owned(), invalid;
        "no HTTP" => "220 mail ready\r\n\r\n".to_owned(), invalid;
        "HTTP/0.9" => "[]".to_owned(), "";
        "HTTP/2" => "\0\0\x12\x04\0\0\0\0\0".to_owned(), "";
        "an interim response alone" => "HTTP/1.1 100 C\r\n\r\n".to_owned(), "closed";
    } {
        cases.push((name.to_owned(), Reply::Close(text.into_bytes()), reason));
    }
    // Wherever the connection ends, by a close, by half of one, by a reset.
    for text in [PLAIN, CHUNKED] {
        for at in 0..text.len() {
            let part = text.as_bytes()[..at].to_vec();
            let shown = String::from_utf8_lossy(&part).into_owned();
            let reason = match shown.find("\r\n\r\n") {
                _ if at == 0 => "closed without a response",
                None => header,
                Some(_) => body,
            };
            cases.push((
                format!("closed after {shown:?}"),
                Reply::Close(part.clone()),
                reason,
            ));
            cases.push((
                format!("half closed after {shown:?}"),
                Reply::HalfClose(part.clone()),
                reason,
            ));
            cases.push((format!("reset after {shown:?}"), Reply::Reset(part), ""));
        }
    }
    for (name, reply, reason) in cases {
        let outcome = list::<D>(reply);
        let expected = format!(
            "the connection broke before the response was complete (*{reason}*; nothing changed after 1"
        );
        assert!(is_like(&outcome, &expected), "{name}: {outcome}");
    }
}

/// A second request follows; what the first response says decides whether it does so on the same connection.
fn a_connection_is_used_again_where_both_sides_know_the_end_of_the_response<D: Driver>() {
    let evil = PLAIN.replace("2\r\n\r\n[]", "15\r\n\r\n[{\"name\":\"no\"}]");
    let with = |field: &str| PLAIN.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"));
    let of_10 = |text: String| text.replace("1.1", "1.0");
    for (name, first, connections) in cases! {
        "a length" => PLAIN.to_owned(), 1;
        "chunks and trailers" => CHUNKED.to_owned(), 1;
        "chunks and a length" => CHUNKED.replace("\r\n\r\n1;", "\r\ncontent-length: 2\r\n\r\n1;"), 2;
        "another response, unasked" => format!("{PLAIN}{evil}"), 2;
        "half another response" => format!("{PLAIN}H"), 2;
        "a body longer than it says" => format!("{PLAIN} "), 2;
        "close" => with("connection: close"), 2;
        "close among others" => with("connection: keep-alive, Close"), 2;
        "close in a second field" => with("connection: x\r\nconnection: close"), 2;
        "HTTP/1.0" => of_10(PLAIN.to_owned()), 2;
        "HTTP/1.0 that keeps it" => of_10(with("connection: keep-alive")), 1;
        "an interim response that would close" => format!("HTTP/1.1 103 X\r\nconnection: close\r\n\r\n{PLAIN}"), 1;
    } {
        let script = Script::play([Reply::Bytes(first.into_bytes()), Reply::Bytes(PLAIN.into())]);
        let client = D::new(script.url(), |settings| settings);
        for _ in 0..2 {
            assert_eq!(client.send(ListWorkflows::new()).unwrap(), [], "{name}");
        }
        assert_eq!(
            (script.requests().len(), script.connections()),
            (2, connections),
            "{name}"
        );
    }
}
